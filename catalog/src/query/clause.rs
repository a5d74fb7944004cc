//! The clauses after FROM: ORDER BY, GROUP BY, DISTINCT, LIMIT.

use super::analyzer::{Analyzer, Result};
use super::brackets::unwrapped;
use super::expr::{Expr, Kind};
use super::fault::Fault;
use super::indexes::SortKey;
use super::options::option;
use super::raw::{query_in, span_of};
use super::scope::Output;
use super::types;
use crate::replay::syntax::tree::{child, children, has, name, seen, text};
use squawk_syntax::{SyntaxKind as K, SyntaxNode};

impl Analyzer<'_> {
    /// Reads ORDER BY. A name alone, or a number, refers to a result column.
    pub(super) fn order_by(
        &mut self,
        clause: &SyntaxNode,
        outputs: &mut [Output],
    ) -> Result<Vec<Expr>> {
        let mut keys: Vec<Expr> = Vec::new();
        let list = child(clause, K::SORT_BY_LIST);
        for key in list.iter().flat_map(|list| children(list, K::SORT_BY)) {
            let Some(value) = key.children().next() else {
                continue;
            };
            let value = match self.result_named(&value, outputs, "ORDER BY", false)? {
                Some(at) => {
                    self.settle(&mut outputs[at])?;
                    self.check_sortable(&outputs[at].value)?;
                    outputs[at].value.clone()
                }
                None => {
                    let value = self.value(&value)?;
                    let value = self.as_key(value)?;
                    if !has(&key, K::SORT_USING) {
                        self.check_sortable(&value)?;
                    }
                    self.note_unsorted(&value);
                    value
                }
            };
            let descending = has(&key, K::SORT_DESC);
            let nulls_first = if descending {
                !has(&key, K::NULLS_LAST)
            } else {
                has(&key, K::NULLS_FIRST)
            };
            if !has(&key, K::SORT_USING) {
                self.scope().order.push(SortKey {
                    value: value.clone(),
                    descending,
                    nulls_first,
                });
            }
            keys.push(value);
        }
        Ok(keys)
    }

    /// Returns the index of the result column to which a key of ORDER BY or GROUP BY refers, by its
    /// name or number.
    pub(super) fn result_named(
        &mut self,
        key: &SyntaxNode,
        outputs: &[Output],
        clause: &str,
        columns_first: bool,
    ) -> Result<Option<usize>> {
        let key = &unwrapped(key);
        let span = span_of(key);
        if let Some(at) = numbered(key, outputs.len(), clause)? {
            return Ok(Some(at));
        }
        match seen(key.kind()) {
            K::NAME_REF => {
                let wanted = name(key);
                if columns_first && self.has_column(&wanted) {
                    return Ok(None);
                }
                let mut found: Option<usize> = None;
                for (at, output) in outputs.iter().enumerate() {
                    if output.name != wanted {
                        continue;
                    }
                    if let Some(earlier) = found
                        && outputs[earlier].value != output.value
                    {
                        let message = format!("{clause} \"{wanted}\" is ambiguous");
                        return Err(Fault::error("42702", span, message));
                    }
                    found.get_or_insert(at);
                }
                Ok(found)
            }
            _ => Ok(None),
        }
    }

    /// Returns true if an item of the current FROM has this column, and the column can be named
    /// alone.
    pub(super) fn has_column(&mut self, wanted: &str) -> bool {
        let items = &self.scope().items;
        let mut shown = items.iter().filter(|item| item.shows_columns);
        shown.any(|item| item.columns.iter().any(|(name, _)| name == wanted))
    }

    /// Reads GROUP BY. Returns its expressions, and whether there are several grouping sets.
    pub(super) fn group_by(
        &mut self,
        clause: &SyntaxNode,
        outputs: &mut [Output],
    ) -> Result<(Vec<Expr>, bool)> {
        let mut groups = Vec::new();
        let mut has_sets = false;
        if let Some(list) = child(clause, K::GROUP_BY_LIST) {
            self.group_list(&list, outputs, &mut groups, &mut has_sets)?;
        } else if has(clause, K::ALL) {
            return Err(Fault::refused(
                span_of(clause),
                "GROUP BY ALL is not supported",
            ));
        }
        Ok((groups, has_sets))
    }

    pub(super) fn group_list(
        &mut self,
        list: &SyntaxNode,
        outputs: &mut [Output],
        groups: &mut Vec<Expr>,
        has_sets: &mut bool,
    ) -> Result<()> {
        for part in list.children() {
            match seen(part.kind()) {
                K::GROUPING_SETS | K::GROUPING_ROLLUP | K::GROUPING_CUBE => {
                    *has_sets = true;
                    self.group_list(&part, outputs, groups, has_sets)?;
                }
                K::GROUPING_EXPR => self.group_list(&part, outputs, groups, has_sets)?,
                // PostgreSQL's grammar drops the brackets around one expression.
                K::PAREN_EXPR if query_in(&part).is_none() => {
                    self.group_list(&part, outputs, groups, has_sets)?;
                }
                // `ROW (a, b)` is one value, and `(a, b)` two.
                K::TUPLE_EXPR if !has(&part, K::ROW_KW) => {
                    self.group_list(&part, outputs, groups, has_sets)?;
                }
                _ => {
                    let key = match self.result_named(&part, outputs, "GROUP BY", true)? {
                        Some(at) => {
                            self.settle(&mut outputs[at])?;
                            outputs[at].value.clone()
                        }
                        None => {
                            let previous = self.scope().no_aggregate.replace("GROUP BY");
                            let value = self.value(&part);
                            self.scope().no_aggregate = previous;
                            let value = value?;
                            // A key that equals a result column refers to it.
                            let same = outputs.iter().position(|output| output.value == value);
                            match same {
                                Some(at) => {
                                    self.settle(&mut outputs[at])?;
                                    outputs[at].value.clone()
                                }
                                None if value.ty == types::UNKNOWN => {
                                    self.convert(value, types::TEXT)?
                                }
                                None => value,
                            }
                        }
                    };
                    let depth = self.scopes.len() - 1;
                    if key.any(&mut |it| matches!(&it.kind, Kind::Aggregate(a) if a.depth == depth))
                    {
                        let message = "aggregate functions are not allowed in GROUP BY";
                        return Err(Fault::error("42803", span_of(&part), message));
                    }
                    self.check_comparable(key.ty, &key.span)?;
                    groups.push(key);
                }
            }
        }
        Ok(())
    }

    pub(super) fn distinct_clause(
        &mut self,
        clause: &SyntaxNode,
        outputs: &mut [Output],
    ) -> Result<()> {
        match child(clause, K::DISTINCT_ON) {
            Some(on) => {
                let mut keys = Vec::new();
                for key in on.children() {
                    if let Some(at) = self.result_named(&key, outputs, "DISTINCT ON", false)? {
                        self.settle(&mut outputs[at])?;
                        keys.push(outputs[at].value.clone());
                    } else {
                        let value = self.value(&key)?;
                        keys.push(value.clone());
                        self.as_key(value)?;
                    }
                }
                self.check_order_of(&keys)?;
            }
            None => {
                for output in outputs.iter_mut() {
                    self.settle(output)?;
                    self.check_comparable(output.value.ty, &output.value.span)?;
                }
                let order = &self.scope().order;
                let is_result = |key: &SortKey| outputs.iter().any(|it| it.value == key.value);
                let mut others = order.iter().filter(|key| !is_result(key));
                if let Some(key) = others.find(|key| !has_query(&key.value)) {
                    let message =
                        "for SELECT DISTINCT, ORDER BY expressions must appear in select list";
                    return Err(Fault::error("42P10", key.value.span.clone(), message));
                }
            }
        }
        Ok(())
    }

    /// Checks that the keys of DISTINCT ON are the first ones of ORDER BY.
    fn check_order_of(&mut self, keys: &[Expr]) -> Result<()> {
        let order = self.scope().order.iter().map(|key| &key.value);
        if order.chain(keys).any(has_query) {
            return Ok(());
        }
        let mut skipped = None;
        let mut sorted = Vec::new();
        for key in &self.scope().order {
            if !keys.contains(&key.value) {
                skipped.get_or_insert(key.value.span.clone());
            } else if let Some(span) = skipped {
                return Err(unordered(span));
            } else {
                sorted.push(key.value.clone());
            }
        }
        match skipped {
            Some(span) if keys.iter().any(|key| !sorted.contains(key)) => Err(unordered(span)),
            _ => Ok(()),
        }
    }

    /// Reads LIMIT, OFFSET and FETCH.
    pub(super) fn limit(&mut self, node: &SyntaxNode) -> Result<Limit> {
        let mut limit = Limit::default();
        if let Some(clause) = option(node, K::OFFSET_CLAUSE)
            && let Some(value) = clause.children().next()
        {
            limit.has_offset = true;
            self.limit_value(&value, "OFFSET")?;
        }
        if let Some(clause) = option(node, K::LIMIT_CLAUSE)
            && let Some(value) = clause.children().find(|part| part.kind() != K::ALL)
        {
            limit.count = Some(self.limit_value(&value, "LIMIT")?);
        }
        if let Some(clause) = option(node, K::FETCH_CLAUSE) {
            let is_count = |kind| !matches!(kind, K::FETCH_ONLY | K::WITH_TIES);
            limit.has_ties = has(&clause, K::WITH_TIES);
            match clause.children().find(|part| is_count(part.kind())) {
                Some(value) => {
                    limit.count = Some(self.limit_value(&value, "LIMIT")?);
                }
                None => limit.count = Some(Some(1)),
            }
        }
        Ok(limit)
    }

    /// Reads the count of LIMIT or OFFSET. Returns it, if it is a literal.
    fn limit_value(&mut self, node: &SyntaxNode, clause: &'static str) -> Result<Option<u64>> {
        let previous = self.scope().no_aggregate.replace(clause);
        let value = self.value(node);
        self.scope().no_aggregate = previous;
        let value = value?;
        let number = number_of(&value);
        let value = self.specific(value, types::INT8, clause)?;
        self.check_no_columns(&value, clause)?;
        Ok(number)
    }
}

/// Returns true if an expression contains a query. Two queries are never known to be equal.
fn has_query(value: &Expr) -> bool {
    value.any(&mut |it| matches!(it.kind, Kind::Query(_)))
}

fn unordered(span: super::expr::Span) -> Fault {
    let message = "SELECT DISTINCT ON expressions must match initial ORDER BY expressions";
    Fault::error("42P10", span, message)
}

/// Returns the index of the result column that a key names by its number; `None` for a key that is
/// no constant.
pub(super) fn numbered(key: &SyntaxNode, count: usize, clause: &str) -> Result<Option<usize>> {
    let Some(written) = constant(key) else {
        return Ok(None);
    };
    let Ok(number) = written.parse::<i32>() else {
        let message = format!("non-integer constant in {clause}");
        return Err(Fault::error("42601", span_of(key), message));
    };
    let at = usize::try_from(number)
        .ok()
        .and_then(|it| it.checked_sub(1));
    if at.is_none_or(|at| at >= count) {
        let message = format!("{clause} position {number} is not in select list");
        return Err(Fault::error("42P10", span_of(key), message));
    }
    Ok(at)
}

/// LIMIT and OFFSET.
#[derive(Debug, Default)]
pub(super) struct Limit {
    /// The number of rows, if there is a limit. The inner value is `None` if it is not a literal.
    pub(super) count: Option<Option<u64>>,
    pub(super) has_offset: bool,
    pub(super) has_ties: bool,
}

pub(super) fn number_of(value: &Expr) -> Option<u64> {
    match &value.kind {
        Kind::Const(Some(text)) => text.parse().ok(),
        _ => None,
    }
}

impl Limit {
    pub(super) fn apply(&self, is_single: &mut bool, has_row: &mut bool) {
        if self.has_offset {
            *has_row = false;
        }
        match self.count {
            Some(Some(0)) => {
                *is_single = true;
                *has_row = false;
            }
            Some(Some(1)) if !self.has_ties => *is_single = true,
            Some(None) => *has_row = false,
            _ => {}
        }
    }
}

/// Returns the constant that a key is: a literal, which can be within brackets, or the negative of
/// a number. To PostgreSQL these are one constant (`doNegate` in `gram.y`).
fn constant(key: &SyntaxNode) -> Option<String> {
    if seen(key.kind()) == K::LITERAL {
        let written = text(key);
        return super::raw::parameter(&written).is_none().then_some(written);
    }
    let written = text(key);
    let tokens: Vec<_> = bowline_sql::tokens(&written).collect();
    let mut rest = tokens.as_slice();
    let mut is_negative = false;
    let mut is_negated = false;
    loop {
        match rest {
            [minus, inner @ ..] if minus.is("-") => {
                is_negative = !is_negative;
                is_negated = true;
                rest = inner;
            }
            [open, inner @ .., close] if open.is("(") && close.is(")") => rest = inner,
            [only] => {
                let is_constant = match only.kind() {
                    bowline_sql::Kind::Number => true,
                    bowline_sql::Kind::String => !is_negated,
                    _ => false,
                };
                let sign = if is_negative { "-" } else { "" };
                return is_constant.then(|| format!("{sign}{}", only.text()));
            }
            _ => return None,
        }
    }
}
