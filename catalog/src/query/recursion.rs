//! WITH RECURSIVE: tables that read themselves, and those that read later ones (parse_cte.c).

use super::analyzer::{Analyzer, Result};
use super::fault::Fault;
use super::locks::check_part;
use super::options::option;
use super::raw::span_of;
use super::scope::{Common, Scope};
use super::set_operation::{SetPart, set_parts};
use super::types;
use super::with_clause::with_clause;
use crate::replay::syntax::tree::{children, has, is_query, name};
use squawk_syntax::{SyntaxKind as K, SyntaxNode};

impl Analyzer<'_> {
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
            common.keys = std::rc::Rc::default();
            common.has_row = false;
            common.is_self = true;
            self.scope().common.push(common);
            let right = check_part(second).and_then(|()| self.query(second, true));
            self.scope().common.pop();
            let right = right?;
            let before: Vec<bool> = left.columns.iter().map(|column| column.nullable).collect();
            let forms_before: Vec<_> = left
                .columns
                .iter()
                .map(|column| (column.ty, column.form.clone()))
                .collect();
            let both = self.combine(operation, left.clone(), right)?;
            let changed = both
                .columns
                .iter()
                .zip(&forms_before)
                .position(|(it, (ty, form))| it.ty != *ty || !it.form.has_modifiers_of(form));
            if let Some(at) = changed {
                let message = format!(
                    "recursive query \"{named}\" column {} has type {} in non-recursive term but type {} overall",
                    at + 1,
                    self.words_of(forms_before[at].0, &forms_before[at].1),
                    self.words_of(both.columns[at].ty, &both.columns[at].form)
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

/// Returns the tables of a WITH RECURSIVE so that each reads only itself and those before it.
pub(super) fn in_order(mut open: Vec<(String, SyntaxNode)>) -> Result<Vec<(String, SyntaxNode)>> {
    let mut sorted = Vec::new();
    while !open.is_empty() {
        let is_free = |(named, table): &(String, SyntaxNode)| {
            let mut others = open.iter().filter(|(other, _)| other != named);
            !others.any(|(other, _)| reads(table, other))
        };
        let Some(at) = open.iter().position(is_free) else {
            let message = "mutual recursion between WITH items is not implemented";
            let span = open.first().map(|(_, table)| span_of(table));
            return Err(Fault::error("0A000", span.unwrap_or_default(), message));
        };
        sorted.push(open.remove(at));
    }
    Ok(sorted)
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
