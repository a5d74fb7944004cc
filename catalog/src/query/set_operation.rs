//! UNION, INTERSECT and EXCEPT.

use std::rc::Rc;

use super::analyzer::{Analyzer, Result};
use super::clause::numbered;
use super::expr::{Expr, Kind};
use super::fault::Fault;
use super::locks::{Reach, check_part};
use super::options::option;
use super::raw::span_of;
use super::scope::{Analyzed, ResultColumn};
use super::types;
use crate::replay::syntax::tree::{child, children, has, is_query, name, seen, text};
use squawk_syntax::{SyntaxKind as K, SyntaxNode};

impl Analyzer<'_> {
    /// Reads ORDER BY over the results of a set operation: their names and numbers.
    pub(super) fn order_results(
        &mut self,
        node: &SyntaxNode,
        columns: &[ResultColumn],
    ) -> Result<()> {
        let list = option(node, K::ORDER_BY_CLAUSE).and_then(|it| child(&it, K::SORT_BY_LIST));
        for key in list.iter().flat_map(|list| children(list, K::SORT_BY)) {
            let Some(value) = key.children().next() else {
                continue;
            };
            let span = span_of(&value);
            let number = numbered(&value, columns.len(), "ORDER BY")?;
            let found = match (number, seen(value.kind())) {
                (Some(at), _) => columns.get(at),
                (None, K::NAME_REF) => {
                    let wanted = name(&value);
                    let mut named = columns.iter().filter(|column| column.name == wanted);
                    let Some(first) = named.next() else {
                        let message = format!("column \"{}\" does not exist", text(&value));
                        return Err(Fault::error("42703", span, message));
                    };
                    if named.next().is_some() {
                        let message = format!("ORDER BY \"{wanted}\" is ambiguous");
                        return Err(Fault::error("42702", span, message));
                    }
                    Some(first)
                }
                (None, _) if node.kind() == K::COMPOUND_SELECT => {
                    let message = "invalid UNION/INTERSECT/EXCEPT ORDER BY clause";
                    return Err(Fault::error("0A000", span, message)
                        .hint("only the names and numbers of results can be used here"));
                }
                (None, _) => {
                    let why = "ORDER BY with an expression is not inferred for this query";
                    return Err(Fault::refused(span, why)
                        .hint("order by the name or number of a result column"));
                }
            };
            if let Some(column) = found.filter(|_| !has(&key, K::SORT_USING)) {
                let kind = Kind::Other(Vec::new());
                self.check_sortable(&Expr::new(column.ty, kind, span))?;
            }
        }
        Ok(())
    }

    pub(super) fn compound(&mut self, node: &SyntaxNode) -> Result<Analyzed> {
        check_part(node)?;
        let mut parts = Vec::new();
        set_parts(node, &mut parts);
        let mut parts = parts.into_iter().peekable();
        let mut left = self.set_term(&mut parts, node)?;
        while let Some(SetPart::Operation(_)) = parts.peek() {
            let Some(SetPart::Operation(operation)) = parts.next() else {
                break;
            };
            let right = self.set_term(&mut parts, node)?;
            left = self.combine(&operation, left, right)?;
        }
        for column in &mut left.columns {
            if let Some(value) = column.open.take() {
                self.convert(value, types::TEXT)?;
            }
            if column.ty == types::UNKNOWN {
                column.ty = types::TEXT;
            }
        }
        let columns = left.columns.clone();
        self.order_results(node, &columns)?;
        let limit = self.limit(node)?;
        limit.apply(&mut left.is_single, &mut left.has_row);
        Ok(left)
    }

    /// Returns a query, or several that are joined by INTERSECT, which binds tighter.
    pub(super) fn set_term(
        &mut self,
        parts: &mut std::iter::Peekable<std::vec::IntoIter<SetPart>>,
        node: &SyntaxNode,
    ) -> Result<Analyzed> {
        let leaf = |parts: &mut std::iter::Peekable<std::vec::IntoIter<SetPart>>| match parts.next()
        {
            Some(SetPart::Query(query)) => Ok(query),
            _ => Err(Fault::refused(span_of(node), "the query is incomplete")),
        };
        let first = leaf(parts)?;
        check_part(&first)?;
        let mut left = self.query(&first, true)?;
        while let Some(SetPart::Operation(operation)) = parts.peek() {
            if operation.kind() != K::INTERSECT {
                break;
            }
            let operation = operation.clone();
            parts.next();
            let right = leaf(parts)?;
            check_part(&right)?;
            let right = self.query(&right, true)?;
            left = self.combine(&operation, left, right)?;
        }
        Ok(left)
    }

    pub(super) fn combine(
        &mut self,
        operation: &SyntaxNode,
        left: Analyzed,
        right: Analyzed,
    ) -> Result<Analyzed> {
        let span = span_of(operation);
        let word = match seen(operation.kind()) {
            K::UNION => "UNION",
            K::INTERSECT => "INTERSECT",
            _ => "EXCEPT",
        };
        if left.columns.len() != right.columns.len() {
            let message = format!("each {word} query must have the same number of columns");
            return Err(Fault::error("42601", span, message));
        }
        let mut columns = Vec::new();
        for (left, right) in left.columns.into_iter().zip(right.columns) {
            let value = |column: &ResultColumn| {
                let kind = Kind::Other(Vec::new());
                Expr::new(column.ty, kind, column.span.clone())
            };
            let (one, other) = (value(&left), value(&right));
            let common = self.common(&[&one, &other], word)?;
            for (column, value) in [(&left, one), (&right, other)] {
                match &column.open {
                    Some(open) => {
                        self.convert_to_common(open.clone(), common, word)?;
                    }
                    None => {
                        self.convert_to_common(value, common, word)?;
                    }
                }
            }
            if word != "UNION" || !has(operation, K::ALL) {
                self.check_comparable(common, &left.span)?;
            }
            let sides = [(left.ty, left.form.clone()), (right.ty, right.form.clone())];
            let form = self.common_form(common, &sides);
            let nullable = match word {
                "UNION" => left.nullable || right.nullable,
                "INTERSECT" => left.nullable && right.nullable,
                _ => left.nullable,
            };
            let composite = match (&left.composite, &right.composite) {
                (Some(one), Some(other)) => one.or(other).map(Rc::new),
                (one, None) if is_null(&right) => one.clone(),
                (None, other) if is_null(&left) => other.clone(),
                _ => None,
            };
            let origin = if left.origin == right.origin {
                left.origin
            } else {
                None
            };
            columns.push(ResultColumn {
                name: left.name,
                ty: common,
                nullable,
                origin,
                open: None,
                composite,
                span: left.span,
                form,
            });
        }
        let (is_single, has_row) = match word {
            "UNION" => (false, left.has_row || right.has_row),
            _ => (left.is_single, false),
        };
        Ok(Analyzed {
            columns,
            is_single,
            keys: Rc::default(),
            has_row,
            outer: Vec::new(),
            has_no_result: false,
            reach: Reach::set_operation(),
        })
    }
}

/// Returns true for a column that holds nothing but NULL.
fn is_null(column: &ResultColumn) -> bool {
    matches!(&column.open, Some(open) if matches!(open.kind, Kind::Const(None)))
}

pub(super) enum SetPart {
    Query(SyntaxNode),
    Operation(SyntaxNode),
}

/// Lists the queries and operations of a set operation in the order of the text.
pub(super) fn set_parts(node: &SyntaxNode, parts: &mut Vec<SetPart>) {
    if node.kind() != K::COMPOUND_SELECT {
        parts.push(SetPart::Query(node.clone()));
        return;
    }
    for part in node.children() {
        match seen(part.kind()) {
            K::COMPOUND_SELECT => set_parts(&part, parts),
            K::UNION | K::INTERSECT | K::EXCEPT => parts.push(SetPart::Operation(part)),
            _ if is_query_node(&part) => parts.push(SetPart::Query(part)),
            _ => {}
        }
    }
}

/// Returns true for a query, also in parentheses that the parser took for those of an expression.
pub(super) fn is_query_node(node: &SyntaxNode) -> bool {
    is_query(node.kind())
        || (node.kind() == K::PAREN_EXPR
            && node
                .children()
                .next()
                .is_some_and(|inner| is_query_node(&inner)))
}
