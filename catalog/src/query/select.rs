//! Queries: SELECT, VALUES, set operations, WITH (analyze.c).

use super::set_operation::is_query_node;
use super::with_clause::with_clause;
use squawk_syntax::{SyntaxKind as K, SyntaxNode};

use super::analyzer::{Analyzer, Result};
use super::brackets::unwrapped;
use super::composite::Replaced;
use super::expr::{Expr, Kind, Span, TableId, has_set};
use super::fault::Fault;
use super::options::option;
use super::raw::span_of;
use super::scope::{Analyzed, Output, ResultColumn, Scope, StarColumn};
use super::types;
use crate::replay::syntax::column_name::column_name_with;
use crate::replay::syntax::tree::{child, children, has, name, seen};

impl Analyzer<'_> {
    /// Analyzes a query within the current one. If `open`, the caller decides the types of literals
    /// and parameters among the result columns.
    pub(super) fn query(&mut self, node: &SyntaxNode, open: bool) -> Result<Analyzed> {
        let span = span_of(node);
        self.enter(&span)?;
        self.scopes.push(Scope::default());
        let analyzed = self.query_in_scope(node, open);
        let scope = self.scopes.pop().unwrap_or_default();
        self.leave();
        let mut analyzed = analyzed?;
        analyzed.outer = scope.outer;
        Ok(analyzed)
    }

    pub(super) fn query_in_scope(&mut self, node: &SyntaxNode, open: bool) -> Result<Analyzed> {
        if let Some(with) = with_clause(node) {
            let span = span_of(&with);
            // The WITH clause of a set operation was read before its first part, in whose tree it
            // is.
            if !self.shared_with.contains(&span) {
                self.with(&with)?;
                self.shared_with.push(span);
                let analyzed = self.statement_in_scope(node, open);
                self.shared_with.pop();
                return analyzed;
            }
        }
        self.statement_in_scope(node, open)
    }

    pub(super) fn statement_in_scope(&mut self, node: &SyntaxNode, open: bool) -> Result<Analyzed> {
        match seen(node.kind()) {
            K::SELECT => self.select(node, open),
            K::SELECT_INTO if self.objects.is_some() => self.select(node, open),
            K::COMPOUND_SELECT => self.compound(node),
            K::PAREN_SELECT | K::PAREN_EXPR => {
                let inner = node.children().find(is_query_node);
                let inner = inner
                    .ok_or_else(|| Fault::refused(span_of(node), "the query is incomplete"))?;
                self.query(&inner, open)
            }
            K::VALUES => self.values(node),
            K::TABLE => self.whole_table(node),
            K::INSERT => self.insert(node),
            K::UPDATE => self.update(node),
            K::DELETE => self.delete(node),
            K::MERGE => self.merge_statement(node),
            K::SELECT_INTO => Err(Fault::refused(
                span_of(node),
                "SELECT INTO creates a table: that belongs in a migration",
            )),
            _ => Err(Fault::refused(
                span_of(node),
                "this statement is not a query",
            )),
        }
    }

    pub(super) fn select(&mut self, node: &SyntaxNode, open: bool) -> Result<Analyzed> {
        self.name_windows(node);
        let mut tables = Vec::new();
        if let Some(from) = child(node, K::FROM_CLAUSE) {
            tables = self.read_from(&from)?;
        }
        let clause = child(node, K::SELECT_CLAUSE);
        let list = clause
            .as_ref()
            .and_then(|clause| child(clause, K::TARGET_LIST));
        let mut outputs = match &list {
            Some(list) => self.targets(list)?,
            None => Vec::new(),
        };
        let mut has_condition = false;
        if let Some(condition) = child(node, K::WHERE_CLAUSE) {
            has_condition = true;
            self.condition(&condition, &tables)?;
        }
        let mut having = None;
        if let Some(clause) = child(node, K::HAVING_CLAUSE)
            && let Some(value) = clause.children().next()
        {
            let previous = self.scope().no_window.replace("HAVING");
            let value = self.value(&value);
            self.scope().no_window = previous;
            let value = value.and_then(|value| self.boolean(value, "HAVING"));
            having = self.tolerate(value)?;
            self.note_unknown(&clause);
        }
        let mut sorted = Vec::new();
        if let Some(order) = option(node, K::ORDER_BY_CLAUSE) {
            let keys = self.order_by(&order, &mut outputs);
            sorted = self.tolerate(keys)?.unwrap_or_default();
            self.note_unknown(&order);
        }
        let mut are_groups_known = true;
        let (groups, has_sets) = match child(node, K::GROUP_BY_CLAUSE) {
            Some(clause) => {
                let groups = self.group_by(&clause, &mut outputs);
                let groups = self.tolerate(groups)?;
                self.note_unknown(&clause);
                are_groups_known = groups.is_some();
                groups.unwrap_or_default()
            }
            None => (Vec::new(), false),
        };
        let distinct = clause
            .as_ref()
            .and_then(|clause| child(clause, K::DISTINCT_CLAUSE));
        if let Some(distinct) = &distinct {
            self.distinct_clause(distinct, &mut outputs)?;
        }
        let limit = self.limit(node)?;
        sorted.extend(self.windows(node)?);
        let literals = std::mem::take(&mut self.scope().literal_keys);
        for output in &mut outputs {
            if !open || literals.contains(&output.value) {
                self.settle(output)?;
            }
        }
        let unlockable = self.unlockable(node, distinct.is_some());
        self.locks(node, &tables, unlockable)?;
        let group_clause = child(node, K::GROUP_BY_CLAUSE);
        self.scope().has_sets = has_sets;
        // Without keys there is one group, also of no rows.
        self.scope().has_groups = are_groups_known && !groups.is_empty() && !has_sets;
        let is_grouped = group_clause.is_some() || having.is_some() || self.scope().has_aggregates;
        if is_grouped && are_groups_known {
            let checked = outputs.iter().map(|output| &output.value);
            let checked = checked.chain(&sorted).chain(&having);
            for value in checked.cloned().collect::<Vec<_>>() {
                self.check_grouped(&value, &groups)?;
            }
        }
        if self.scope().has_aggregates && tables.iter().any(|it| self.table(*it).is_self) {
            let message =
                "aggregate functions are not allowed in a recursive query's recursive term";
            return Err(Fault::error("42P19", span_of(node), message));
        }
        self.note_indexes(&tables);
        self.note_level(&tables);
        let depth = self.scopes.len() - 1;
        let sets: Vec<bool> = outputs
            .iter()
            .map(|output| has_set(&output.value))
            .collect();
        let (mut columns, mut values) = (Vec::new(), Vec::new());
        for output in outputs {
            let mut column = self.result_column(output);
            if has_sets
                && (!is_only_aggregates(&column.1, depth) || has_key(&column.1, &groups, depth))
            {
                column.0.nullable = true;
            }
            columns.push(column.0);
            values.push(column.1);
        }
        let reach = self.reach_of(node, &tables, unlockable, &values);
        // Shorter sets are filled with NULL.
        if sets.iter().filter(|has_set| **has_set).count() > 1 {
            for (column, _) in columns
                .iter_mut()
                .zip(&sets)
                .filter(|(_, has_set)| **has_set)
            {
                column.nullable = true;
            }
        }
        let is_one_group = is_grouped && group_clause.is_none();
        let returns_set = self.scope().returns_set;
        let mut is_single = !returns_set && !has_sets && (is_one_group || self.are_single(&tables));
        let all_have_rows = tables.iter().all(|table| {
            let table = self.table(*table);
            table.has_row && table.nulled_by.is_empty()
        });
        let mut has_row = !returns_set
            && having.is_none()
            && (is_one_group || (!has_condition && all_have_rows && group_clause.is_none()));
        limit.apply(&mut is_single, &mut has_row);
        let group_keys = (is_grouped && !has_sets).then_some(groups.as_slice());
        let has_distinct = distinct.is_some_and(|it| child(&it, K::DISTINCT_ON).is_none());
        let keys = match returns_set {
            false => self.unique_keys(&tables, &values, is_grouped, group_keys, has_distinct),
            true => Vec::new(),
        };
        Ok(Analyzed {
            columns,
            is_single,
            keys: keys.into(),
            has_row,
            outer: Vec::new(),
            has_no_result: false,
            reach,
        })
    }

    /// Returns the clause of a query that keeps its rows from being locked (`CheckSelectLocking`).
    fn unlockable(&mut self, node: &SyntaxNode, is_distinct: bool) -> Option<&'static str> {
        let scope = self.scope();
        if is_distinct {
            Some("DISTINCT clause")
        } else if child(node, K::GROUP_BY_CLAUSE).is_some() {
            Some("GROUP BY clause")
        } else if child(node, K::HAVING_CLAUSE).is_some() {
            Some("HAVING clause")
        } else if scope.has_aggregates {
            Some("aggregate functions")
        } else if scope.has_windows {
            Some("window functions")
        } else if scope.returns_set {
            Some("set-returning functions in the target list")
        } else {
            None
        }
    }

    /// Gives the type text to a result column of unknown type.
    pub(super) fn settle(&mut self, output: &mut Output) -> Result<()> {
        if output.value.ty == types::UNKNOWN {
            output.value = self.convert(output.value.clone(), types::TEXT)?;
        }
        Ok(())
    }

    /// Returns a key of a sort or a group. A literal without a type is text there, and so is each
    /// result column that is the same literal.
    pub(super) fn as_key(&mut self, value: Expr) -> Result<Expr> {
        if value.ty != types::UNKNOWN {
            return Ok(value);
        }
        self.scope().literal_keys.push(value.clone());
        self.convert(value, types::TEXT)
    }

    pub(super) fn result_column(&mut self, output: Output) -> (ResultColumn, Expr) {
        let composite = self.composite_of(&output);
        let value = output.value;
        let origin = self.origin(&value);
        let nullable = self.objects.is_none() && self.nullable(&value);
        let form = self.form_of(&value);
        let open = (value.ty == types::UNKNOWN).then(|| value.clone());
        let column = ResultColumn {
            name: output.name,
            ty: value.ty,
            nullable,
            origin,
            open,
            composite,
            span: value.span.clone(),
            form,
        };
        (column, value)
    }

    /// Reads a WHERE clause, and records what it implies for the columns of the tables.
    pub(super) fn condition(&mut self, clause: &SyntaxNode, tables: &[TableId]) -> Result<()> {
        let Some(value) = clause.children().next() else {
            return Ok(());
        };
        let previous = self.scope().no_aggregate.replace("WHERE");
        let value = self
            .value(&value)
            .and_then(|value| self.boolean(value, "WHERE"));
        self.scope().no_aggregate = previous;
        if let Some(value) = self.tolerate(value)?
            && self.objects.is_none()
        {
            self.narrow(&value, tables);
            self.note_constant(&value, tables);
            self.bind(&value, tables);
        }
        self.note_unknown(clause);
        Ok(())
    }

    /// Reads a list of results, and writes each `*` as its columns.
    pub(super) fn targets(&mut self, list: &SyntaxNode) -> Result<Vec<Output>> {
        let mut outputs = Vec::new();
        for target in children(list, K::TARGET) {
            let span = span_of(&target);
            let value = target.children().next();
            let is_star = |node: &SyntaxNode| has(node, K::STAR);
            let star = match &value {
                None if is_star(&target) => {
                    let scope = self.scope();
                    if scope.items.is_empty() {
                        let message = "SELECT * with no tables specified is not valid";
                        return Err(Fault::error("42601", span, message));
                    }
                    let star = scope.star.clone();
                    let depth = self.scopes.len() - 1;
                    for column in &star {
                        self.use_column(column.value.clone(), depth);
                    }
                    Some(star)
                }
                // Brackets around it mean nothing.
                Some(value) => {
                    let bare = unwrapped(value);
                    let is_star = bare.kind() == K::FIELD_EXPR && is_star(&bare);
                    is_star.then(|| self.star_of(&bare)).transpose()?
                }
                None => None,
            };
            if let Some(star) = star {
                for column in &star {
                    if let Kind::Var { table, .. } = &column.value.kind
                        && let Some(system) = &self.table(*table).system
                        && let Some(fault) = self.gone_columns(system, &span)
                    {
                        return Err(fault);
                    }
                }
                let pieces = self.write_star(&span, &star);
                let pieces = pieces.into_iter().chain(std::iter::repeat(String::new()));
                let star = star.into_iter().zip(pieces).enumerate();
                outputs.extend(star.map(|(number, (column, piece))| {
                    let mut value = column.value;
                    value.span = span.clone();
                    Output {
                        name: column.name,
                        value,
                        of_star: Some((number, piece)),
                        end: None,
                    }
                }));
                continue;
            }
            let Some(value) = value else {
                continue;
            };
            let alias = child(&target, K::AS_NAME).map(|alias| name(&alias));
            let end = alias.is_none().then_some(span.end);
            let found = self.value(&value)?;
            let first = |query: &SyntaxNode| self.first_columns.get(&span_of(query).start).cloned();
            outputs.push(Output {
                name: alias.unwrap_or_else(|| column_name_with(&value, &first)),
                value: found,
                of_star: None,
                end,
            });
            self.note_unknown(&target);
        }
        Ok(outputs)
    }

    /// Writes a `*` as its columns, and returns them. Returns an empty list if the `*` cannot be
    /// replaced.
    pub(super) fn write_star(&mut self, span: &Span, star: &[StarColumn]) -> Vec<String> {
        if self.objects.is_some() {
            return Vec::new();
        }
        // A name that two columns have does not say which of them is meant.
        let is_twice = |column: &StarColumn| {
            let same = star
                .iter()
                .filter(|other| other.name == column.name && other.alias == column.alias);
            let is_ambiguous = column.alias.is_none() && {
                let items = self
                    .scopes
                    .last()
                    .into_iter()
                    .flat_map(|scope| &scope.items);
                let shown = items
                    .filter(|item| item.shows_columns)
                    .flat_map(|item| item.columns.iter())
                    .filter(|(name, _)| *name == column.name);
                shown.count() > 1
            };
            same.count() > 1 || is_ambiguous
        };
        if star.iter().any(is_twice) {
            return Vec::new();
        }
        let columns = star.iter().map(|column| {
            let name = super::alias::quoted(&column.name);
            match &column.alias {
                Some(alias) => format!("{alias}.{name}"),
                None => name,
            }
        });
        let pieces: Vec<String> = columns.collect();
        if !self.edits.iter().any(|other| other.span == *span) {
            self.edits.push(Replaced {
                span: span.clone(),
                pieces: pieces.clone(),
            });
        }
        pieces
    }
}

/// Returns true if a key of GROUP BY is read outside of aggregates. A key can be a constant or a
/// parameter, which a set without it makes NULL.
fn has_key(value: &Expr, groups: &[Expr], depth: usize) -> bool {
    if groups.contains(value) {
        return true;
    }
    // It says which keys are NULL, and is a number for each row.
    if matches!(value.kind, Kind::Grouping(_)) {
        return false;
    }
    if matches!(&value.kind, Kind::Aggregate(aggregate) if aggregate.depth == depth) {
        return false;
    }
    let mut found = false;
    value.each(&mut |child| found = found || has_key(child, groups, depth));
    found
}

/// Returns true if no column is read outside of aggregates.
pub(super) fn is_only_aggregates(value: &Expr, depth: usize) -> bool {
    match &value.kind {
        Kind::Aggregate(aggregate) => aggregate.depth == depth,
        Kind::Grouping(_) => true,
        Kind::Var { .. } | Kind::Row(_) | Kind::Query(_) => false,
        _ => {
            let mut all = true;
            value.each(&mut |child| all = all && is_only_aggregates(child, depth));
            all
        }
    }
}
