//! WITH: common table expressions, including recursive ones.

use super::analyzer::{Analyzer, Result};
use super::expr::Span;
use super::fault::Fault;
use super::form::Form;
use super::locks::check_part;
use super::options::option;
use super::raw::span_of;
use super::scope::{Analyzed, Common, ResultColumn, Scope, TableColumn};
use super::set_operation::{SetPart, set_parts};
use super::types;
use crate::replay::syntax::tree::{
    child, child_name, child_names, children, has, is_of_rows, is_query, name, seen, tokens,
};
use squawk_syntax::{SyntaxKind as K, SyntaxNode};

impl Analyzer<'_> {
    /// Reads the common table expressions of a WITH clause.
    pub(super) fn with(&mut self, with: &SyntaxNode) -> Result<()> {
        let is_recursive = has(with, K::RECURSIVE_KW);
        for table in children(with, K::WITH_TABLE) {
            let named = child_name(&table, K::CTE_NAME).unwrap_or_default();
            if self
                .scope()
                .common
                .iter()
                .any(|common| common.name == named)
            {
                let message = format!("WITH query name \"{named}\" specified more than once");
                return Err(Fault::error("42712", span_of(&table), message));
            }
            let given = child(&table, K::COLUMN_LIST)
                .map(|list| child_names(&list, K::COLUMN_NAME))
                .unwrap_or_default();
            let query = table
                .children()
                .find(|part| is_of_rows(part.kind()))
                .ok_or_else(|| Fault::refused(span_of(&table), "the query is incomplete"))?;
            let returns = child(&query, K::RETURNING_CLAUSE).is_some();
            if query.kind() == K::MERGE && !returns && self.is_before(17) {
                let what = "MERGE in WITH";
                return Err(self.too_new("0A000", what, 17, &span_of(&table)));
            }
            let computes = has(&table, K::SEARCH_CLAUSE) || has(&table, K::CYCLE_CLAUSE);
            let common = if is_recursive && reads(&query, &named) {
                let common = self.recursive(&query, &named, &given)?;
                self.with_computed(common, &table)?
            } else if computes {
                let message = "WITH query is not recursive";
                return Err(Fault::error("42601", span_of(&table), message));
            } else {
                let analyzed = self.query(&query, false)?;
                if !is_query(query.kind()) && self.objects.is_none() && !is_at_top(with) {
                    let message = "WITH clause containing a data-modifying statement must be at the top level";
                    return Err(Fault::error("0A000", span_of(&table), message)
                        .hint("move it to the WITH clause of the whole statement"));
                }
                self.common_of(analyzed, &named, &given, &span_of(&table))?
            };
            self.scope().common.push(common);
        }
        Ok(())
    }

    pub(super) fn common_of(
        &mut self,
        analyzed: Analyzed,
        named: &str,
        given: &[String],
        span: &Span,
    ) -> Result<Common> {
        let mut columns: Vec<_> = analyzed
            .columns
            .into_iter()
            .map(ResultColumn::table_column)
            .collect();
        super::alias::rename(&mut columns, given, named, span)?;
        Ok(Common {
            name: named.to_owned(),
            columns,
            is_single: analyzed.is_single,
            has_row: analyzed.has_row,
            has_no_result: analyzed.has_no_result,
            is_self: false,
            has_computed: false,
        })
    }

    /// Adds the columns that SEARCH and CYCLE compute (manual, section 7.8.2).
    fn with_computed(&mut self, mut common: Common, table: &SyntaxNode) -> Result<Common> {
        let records = self.types.array_of(types::RECORD);
        let mut added = Vec::new();
        if let Some(search) = child(table, K::SEARCH_CLAUSE) {
            let order = tokens(&search).nth(1);
            let is_breadth =
                order.is_some_and(|order| order.text().eq_ignore_ascii_case("breadth"));
            let ty = if is_breadth { types::RECORD } else { records };
            added.push((child_name(&search, K::SEARCH_SET_COLUMN), ty, false));
        }
        if let Some(cycle) = child(table, K::CYCLE_CLAUSE) {
            let set = child(&cycle, K::CYCLE_SET_COLUMN);
            let column = set.as_ref().and_then(|set| set.children().next());
            let values = set.and_then(|set| child(&set, K::CYCLE_COLUMN_TO));
            let mark = match &values {
                Some(values) => {
                    let default = child(values, K::CYCLE_DEFAULT);
                    let default = default.and_then(|it| it.children().next());
                    let written: Vec<_> = values
                        .children()
                        .next()
                        .into_iter()
                        .chain(default)
                        .collect();
                    let mut marks = Vec::new();
                    for value in &written {
                        marks.push(self.value(value)?);
                    }
                    match self.common(&marks.iter().collect::<Vec<_>>(), "CYCLE")? {
                        types::UNKNOWN => types::TEXT,
                        ty => ty,
                    }
                }
                None => types::BOOL,
            };
            let is_nullable = values.is_some();
            added.push((column.map(|column| name(&column)), mark, is_nullable));
            added.push((child_name(&cycle, K::CYCLE_PATH), records, false));
        }
        common.has_computed = !added.is_empty();
        for (name, ty, nullable) in added {
            let name =
                name.ok_or_else(|| Fault::refused(span_of(table), "the query is incomplete"))?;
            common.columns.push(TableColumn {
                name,
                ty,
                nullable,
                origin: None,
                composite: None,
                form: Form::default(),
            });
        }
        Ok(common)
    }

    /// Returns a recursive table: `first UNION second`, where the second query reads the table.
    pub(super) fn recursive(
        &mut self,
        query: &SyntaxNode,
        named: &str,
        given: &[String],
    ) -> Result<Common> {
        let span = span_of(query);
        if !is_query(query.kind()) {
            let message =
                format!("recursive query \"{named}\" must not contain data-modifying statements");
            return Err(Fault::error("42P19", span, message));
        }
        let mut whole = query.clone();
        while whole.kind() == K::PAREN_SELECT {
            let inner = whole.children().find(|part| is_query(part.kind()));
            whole = inner.ok_or_else(|| Fault::refused(span.clone(), "the query is incomplete"))?;
        }
        for (kind, word) in [
            (K::ORDER_BY_CLAUSE, "ORDER BY"),
            (K::OFFSET_CLAUSE, "OFFSET"),
            (K::LIMIT_CLAUSE, "LIMIT"),
            (K::FETCH_CLAUSE, "LIMIT"),
            (K::LOCKING_CLAUSE, "FOR UPDATE/SHARE"),
        ] {
            let Some(part) = option(&whole, kind) else {
                continue;
            };
            let message = format!("{word} in a recursive query is not implemented");
            return Err(Fault::error("0A000", span_of(&part), message));
        }
        let mut parts = Vec::new();
        set_parts(&whole, &mut parts);
        let form = || {
            let message = format!(
                "recursive query \"{named}\" does not have the form non-recursive-term UNION [ALL] recursive-term"
            );
            Fault::error("42P19", span.clone(), message)
        };
        let last = (parts.pop(), parts.pop());
        let (Some(SetPart::Query(second)), Some(SetPart::Operation(operation))) = last else {
            return Err(form());
        };
        if operation.kind() != K::UNION {
            return Err(form());
        }
        let misplaced = |place: &str| {
            let message =
                format!("recursive reference to query \"{named}\" must not appear within {place}");
            Fault::error("42P19", span.clone(), message)
        };
        let is_recursive =
            |part: &SetPart| matches!(part, SetPart::Query(query) if reads(query, named));
        if parts.iter().any(is_recursive) {
            return Err(misplaced("its non-recursive term"));
        }
        if references(&second, named).any(|it| is_in_expression(&it, &second)) {
            return Err(misplaced("a subquery"));
        }
        if references(&second, named).any(|it| is_in_outer_join(&it, &second)) {
            return Err(misplaced("an outer join"));
        }
        if references(&second, named).count() > 1 {
            let message =
                format!("recursive reference to query \"{named}\" must not appear more than once");
            return Err(Fault::error("42P19", span, message));
        }
        self.scopes.push(Scope::default());
        let result = self.recursive_parts(parts, &second, &operation, (named, given), &whole);
        self.scopes.pop();
        result
    }

    pub(super) fn recursive_parts(
        &mut self,
        first: Vec<SetPart>,
        second: &SyntaxNode,
        operation: &SyntaxNode,
        (named, given): (&str, &[String]),
        whole: &SyntaxNode,
    ) -> Result<Common> {
        let span = span_of(whole);
        if let Some(with) = with_clause(whole) {
            self.with(&with)?;
            self.shared_with.push(span_of(&with));
        }
        let mut parts = first.into_iter().peekable();
        let mut left = self.set_term(&mut parts, whole)?;
        while let Some(SetPart::Operation(_)) = parts.peek() {
            let Some(SetPart::Operation(inner)) = parts.next() else {
                break;
            };
            let right = self.set_term(&mut parts, whole)?;
            left = self.combine(&inner, left, right)?;
        }
        for column in &mut left.columns {
            if let Some(value) = column.open.take() {
                self.convert(value, types::TEXT)?;
                column.ty = types::TEXT;
            }
        }
        // Whether the second query returns NULL depends on whether the columns of the table can be
        // NULL. So the analysis is repeated until nothing changes: each round can only add columns
        // that can be NULL.
        let rounds = left.columns.len() + 1;
        for _ in 0..rounds {
            let mut common = self.common_of(left.clone(), named, given, &span)?;
            common.is_single = false;
            common.has_row = false;
            common.is_self = true;
            self.scope().common.push(common);
            let right = check_part(second).and_then(|()| self.query(second, true));
            self.scope().common.pop();
            let right = right?;
            let before: Vec<bool> = left.columns.iter().map(|column| column.nullable).collect();
            let types_before: Vec<_> = left.columns.iter().map(|column| column.ty).collect();
            let both = self.combine(operation, left.clone(), right)?;
            let changed = both
                .columns
                .iter()
                .zip(&types_before)
                .position(|(it, ty)| it.ty != *ty);
            if let Some(at) = changed {
                let message = format!(
                    "recursive query \"{named}\" column {} has type {} in non-recursive term but type {} overall",
                    at + 1,
                    self.types.words(types_before[at]),
                    self.types.words(both.columns[at].ty)
                );
                return Err(Fault::error("42804", span, message));
            }
            let after: Vec<bool> = both.columns.iter().map(|column| column.nullable).collect();
            left = both;
            if before == after {
                break;
            }
        }
        left.is_single = false;
        self.order_results(whole, &left.columns.clone())?;
        self.limit(whole)?;
        self.common_of(left, named, given, &span)
    }
}

/// Returns the WITH clause of a query. In a set operation, a WITH clause before the first part
/// applies to all parts.
pub(super) fn with_clause(node: &SyntaxNode) -> Option<SyntaxNode> {
    let with = child(node, K::WITH_CLAUSE);
    match seen(node.kind()) {
        K::COMPOUND_SELECT => with.or_else(|| {
            let first = node.children().find(|part| is_query(part.kind()))?;
            with_clause(&first).filter(|with| {
                // A WITH clause within parentheses belongs to that part alone.
                !is_within_brackets(with, &first)
            })
        }),
        _ => with,
    }
}

/// Returns true if a WITH clause is behind the opening bracket of a query.
fn is_within_brackets(with: &SyntaxNode, query: &SyntaxNode) -> bool {
    let mut parts = query.children_with_tokens();
    let bracket = parts.find(|it| it.kind() == K::L_PAREN);
    let start = with.text_range().start();
    bracket.is_some_and(|it| it.text_range().start() < start)
}

/// Returns true for the WITH clause of the whole statement.
fn is_at_top(with: &SyntaxNode) -> bool {
    let mut node = with.clone();
    while let Some(above) = node.parent() {
        match above.kind() {
            K::SOURCE_FILE => return true,
            // The WITH clause of a set operation is in the tree of its first part.
            K::COMPOUND_SELECT
                if is_within_brackets(with, &node)
                    || node.text_range().start() != above.text_range().start() =>
            {
                return false;
            }
            _ if node == *with => {}
            K::COMPOUND_SELECT | K::PAREN_SELECT => {}
            _ => return false,
        }
        node = above;
    }
    true
}

/// Returns true if a query reads a table of this name.
pub(super) fn reads(query: &SyntaxNode, named: &str) -> bool {
    references(query, named).next().is_some()
}

fn references<'n>(
    query: &SyntaxNode,
    named: &'n str,
) -> impl Iterator<Item = SyntaxNode> + use<'n> {
    let nodes = query.descendants();
    let references = nodes.filter(|it| it.kind() == K::RELATION_NAME_REF);
    references.filter(move |reference| name(reference) == named)
}

/// Returns true if a part of a query is in a query of an expression, and not in FROM.
fn is_in_expression(part: &SyntaxNode, query: &SyntaxNode) -> bool {
    let above = part.ancestors().take_while(|it| it != query);
    let mut kinds = above.map(|it| it.kind());
    kinds.any(|kind| {
        matches!(
            kind,
            K::SELECT_CLAUSE
                | K::WHERE_CLAUSE
                | K::HAVING_CLAUSE
                | K::ON_CLAUSE
                | K::ORDER_BY_CLAUSE
                | K::GROUP_BY_CLAUSE
        )
    })
}

/// Returns true for an item of FROM on the side of an outer join of the query whose rows can be
/// missing.
fn is_in_outer_join(item: &SyntaxNode, query: &SyntaxNode) -> bool {
    let is_full = |join: &SyntaxNode| has(join, K::JOIN_FULL);
    let mut above = item.ancestors().take_while(|it| it != query);
    above.any(|above| match above.kind() {
        K::JOIN => has(&above, K::JOIN_LEFT) || is_full(&above),
        K::JOIN_EXPR => {
            let mut joins = children(&above, K::JOIN);
            joins.any(|join| {
                let is_later = join.text_range().start() > item.text_range().start();
                is_later && (has(&join, K::JOIN_RIGHT) || is_full(&join))
            })
        }
        _ => false,
    })
}
