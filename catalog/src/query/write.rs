//! INSERT, UPDATE, DELETE and MERGE (analyze.c, parse_target.c, parse_merge.c).

use super::assign::open_value;
use super::target::is_overriding;
use squawk_syntax::{SyntaxKind as K, SyntaxNode};

use super::analyzer::{Analyzer, Result};
use super::expr::Expr;
use super::fault::Fault;
use super::raw::span_of;
use super::scope::Analyzed;
use crate::attached::Event;
use crate::replay::syntax::tree::{child, is_query};

impl Analyzer<'_> {
    pub(super) fn insert(&mut self, node: &SyntaxNode) -> Result<Analyzed> {
        let (mut target, item) = self.target(node)?;
        target.overriding = Some(is_overriding(node));
        let columns = self.insert_columns(node, &target)?;
        let source = node.children().find(|part| is_query(part.kind()));
        let mut is_single = true;
        let mut has_row = true;
        let mut given = 0;
        let mut rows: Vec<Vec<(usize, Expr)>> = Vec::new();
        match source {
            None => self.note_inserted(&target.relation, &[]),
            Some(values) if values.kind() == K::VALUES && is_plain_values(&values) => {
                let mut count = 0;
                self.each_row(&values, true, &mut |analyzer, row| {
                    count += 1;
                    given = row.len();
                    let at = columns.iter().map(|assigned| assigned.column);
                    rows.push(at.zip(row.iter().cloned()).collect());
                    analyzer.assign_row(&target, &columns, row, &span_of(&values))
                })?;
                self.note_inserted(&target.relation, &rows);
                is_single = count == 1;
            }
            Some(query) => {
                let analyzed = self.query(&query, true)?;
                is_single = analyzed.is_single;
                has_row = analyzed.has_row;
                let row = analyzed.columns.iter().map(open_value);
                let row: Vec<_> = row.collect();
                given = row.len();
                self.assign_row(&target, &columns, row, &span_of(&query))?;
            }
        }
        self.note_omitted(node, &target, &columns[..given.min(columns.len())]);
        target.overriding = None;
        let conflict = child(node, K::ON_CONFLICT_CLAUSE);
        if let Some(conflict) = &conflict {
            self.scope().items.push(item.clone());
            let done = self.conflict(conflict, &target);
            self.scope().items.clear();
            self.scope().star.clear();
            has_row &= done?;
        }
        has_row &= !self.may_suppress(&target, &Event::Insert);
        self.restore(&target);
        self.returning(node, vec![item], Some(&target), (is_single, has_row))
    }

    pub(super) fn update(&mut self, node: &SyntaxNode) -> Result<Analyzed> {
        let (target, item) = self.target(node)?;
        let mut tables = vec![target.table];
        self.show(&item);
        if let Some(from) = child(node, K::FROM_CLAUSE) {
            tables.extend(self.read_from_beside(&item, &from)?);
        }
        if let Some(condition) = child(node, K::WHERE_CLAUSE) {
            self.condition(&condition, &tables)?;
        }
        self.current_of(node)?;
        self.note_indexes(&tables);
        self.note_level(&tables);
        let is_single = self.are_single(&tables);
        let narrowed = self.restore(&target);
        let items = self.scope().items.clone();
        let analyzed = self.returning(node, items, Some(&target), (is_single, false))?;
        self.put_back(&target, narrowed);
        if let Some(set) = child(node, K::SET_CLAUSE) {
            self.set_clause(&set, &target)?;
        }
        Ok(analyzed)
    }

    pub(super) fn delete(&mut self, node: &SyntaxNode) -> Result<Analyzed> {
        let (target, item) = self.target(node)?;
        let mut tables = vec![target.table];
        self.show(&item);
        if let Some(using) = child(node, K::USING_CLAUSE) {
            tables.extend(self.read_from_beside(&item, &using)?);
        }
        if let Some(condition) = child(node, K::WHERE_CLAUSE) {
            self.condition(&condition, &tables)?;
        }
        self.current_of(node)?;
        self.note_indexes(&tables);
        self.note_level(&tables);
        let is_single = self.are_single(&tables);
        let items = self.scope().items.clone();
        self.returning(node, items, Some(&target), (is_single, false))
    }

    pub(super) fn current_of(&self, node: &SyntaxNode) -> Result<()> {
        match child(node, K::WHERE_CURRENT_OF) {
            Some(clause) => Err(Fault::refused(
                span_of(&clause),
                "WHERE CURRENT OF needs a cursor, which a query of its own has not",
            )),
            None => Ok(()),
        }
    }
}

/// Returns true for VALUES without WITH, ORDER BY and LIMIT.
pub(super) fn is_plain_values(node: &SyntaxNode) -> bool {
    !node.children().any(|part| {
        matches!(
            part.kind(),
            K::WITH_CLAUSE
                | K::ORDER_BY_CLAUSE
                | K::LIMIT_CLAUSE
                | K::OFFSET_CLAUSE
                | K::FETCH_CLAUSE
        )
    })
}
