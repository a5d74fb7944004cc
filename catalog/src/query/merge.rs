//! MERGE.

use super::analyzer::{Analyzer, Result};
use super::expr::TableId;
use super::fault::Fault;
use super::raw::span_of;
use super::scope::{Analyzed, Item};
use super::target::Target;
use super::target::is_overriding;
use crate::replay::syntax::tree::child;
use squawk_syntax::{SyntaxKind as K, SyntaxNode};

impl Analyzer<'_> {
    pub(super) fn merge_statement(&mut self, node: &SyntaxNode) -> Result<Analyzed> {
        let (target, item) = self.target(node)?;
        let is_view = |it: &crate::Relation| it.kind == crate::RelationKind::View;
        if self.written(&target).is_some_and(is_view) && self.is_before(17) {
            return Err(self.too_new("0A000", "MERGE into a view", 17, &span_of(node)));
        }
        let using = child(node, K::USING_ON_CLAUSE)
            .ok_or_else(|| Fault::refused(span_of(node), "the query is incomplete"))?;
        let source_tables = self.read_from(&using)?;
        let source = std::mem::take(&mut self.scope().items);
        let source_star = std::mem::take(&mut self.scope().star);
        let both = |analyzer: &mut Self| {
            analyzer.show(&item);
            analyzer.scope().items.extend(source.iter().cloned());
            analyzer.scope().star.extend(source_star.iter().cloned());
        };
        both(self);
        if let Some(condition) = child(&using, K::ON_CLAUSE)
            && let Some(value) = condition.children().next()
        {
            // PostgreSQL does not check that it is boolean.
            let previous = self.scope().no_aggregate.replace("JOIN conditions");
            let value = self.value(&value);
            self.scope().no_aggregate = previous;
            value?;
        }
        let analyzed = self.merge_returning(node, &source_tables, (&source, &item), &target)?;
        for when in node.children() {
            let kind = when.kind();
            if kind == K::MERGE_WHEN_NOT_MATCHED_SOURCE {
                self.since(17, "WHEN NOT MATCHED BY SOURCE", &span_of(&when))?;
            }
            let shown = match kind {
                K::MERGE_WHEN_MATCHED => (true, true),
                K::MERGE_WHEN_NOT_MATCHED_SOURCE => (true, false),
                K::MERGE_WHEN_NOT_MATCHED_TARGET => (false, true),
                _ => continue,
            };
            self.scope().items.clear();
            self.scope().star.clear();
            match shown {
                (true, true) => both(self),
                (true, false) => self.show(&item),
                _ => {
                    self.scope().items.extend(source.iter().cloned());
                    self.scope().star.extend(source_star.iter().cloned());
                }
            }
            self.merge_action(&when, &target)?;
        }
        Ok(analyzed)
    }

    /// Reads RETURNING, which PostgreSQL does before the actions.
    fn merge_returning(
        &mut self,
        node: &SyntaxNode,
        source_tables: &[TableId],
        (source, item): (&[Item], &Item),
        target: &Target,
    ) -> Result<Analyzed> {
        if let Some(returning) = child(node, K::RETURNING_CLAUSE) {
            self.since(17, "RETURNING of MERGE", &span_of(&returning))?;
        }
        // A row without a match has NULLs on the other side.
        self.joins += 1;
        let joins = self.joins;
        for table in source_tables {
            self.tables[table.0].nulled_by.push(joins);
        }
        // RETURNING of MERGE lists the columns of the source first.
        let mut items = source.to_vec();
        items.push(item.clone());
        let analyzed = self.returning(node, items, Some(target), (false, false));
        for table in source_tables {
            self.tables[table.0].nulled_by.pop();
        }
        analyzed
    }

    pub(super) fn merge_action(&mut self, when: &SyntaxNode, target: &Target) -> Result<()> {
        if let Some(condition) = child(when, K::MERGE_CONDITION)
            && let Some(value) = condition.children().next()
        {
            let previous = self.scope().no_aggregate.replace("MERGE WHEN conditions");
            let value = self.value(&value);
            self.scope().no_aggregate = previous;
            self.boolean(value?, "MERGE WHEN AND")?;
        }
        if let Some(update) = child(when, K::MERGE_UPDATE)
            && let Some(set) = child(&update, K::SET_CLAUSE)
        {
            self.set_clause(&set, target)?;
        }
        if let Some(insert) = child(when, K::MERGE_INSERT) {
            let columns = self.insert_columns(&insert, target)?;
            if let Some(values) = child(&insert, K::VALUES) {
                let target = Target {
                    relation: target.relation.clone(),
                    declared: Vec::new(),
                    overriding: Some(is_overriding(&insert)),
                    ..*target
                };
                self.each_row(&values, true, &mut |analyzer, row| {
                    analyzer.assign_row(&target, &columns, row, &span_of(&values))
                })?;
            }
        }
        Ok(())
    }
}
