//! Comparisons of rows and lists: IN, BETWEEN, ANY, IS DISTINCT FROM.

use super::analyzer::{Analyzer, Result};
use super::brackets::{is_null_literal, row_of};
use super::coerce::Context;
use super::expr::{Expr, Kind, Span, Truth, Use};
use super::fault::Fault;
use super::raw::{Raw, query_in, span_of};
use super::types::{self, TypeId};
use crate::replay::syntax::tree::has;
use squawk_syntax::{SyntaxKind as K, SyntaxNode};

impl Analyzer<'_> {
    pub(super) fn values_of_row(&mut self, node: &SyntaxNode) -> Result<Vec<Expr>> {
        let mut values = Vec::new();
        for value in node.children() {
            if let Some(columns) = self.star_in_row(&value)? {
                values.extend(columns);
            } else {
                values.push(self.value(&value)?);
            }
        }
        Ok(values)
    }

    /// Returns the columns of `t.*` in a row or list.
    pub(super) fn star_in_row(&mut self, node: &SyntaxNode) -> Result<Option<Vec<Expr>>> {
        if node.kind() != K::FIELD_EXPR || !has(node, K::STAR) {
            return Ok(None);
        }
        let columns = self.star_of(node)?;
        Ok(Some(
            columns.into_iter().map(|column| column.value).collect(),
        ))
    }

    pub(super) fn compare_rows(
        &mut self,
        name: &str,
        left: Vec<Expr>,
        right: Vec<Expr>,
        span: Span,
    ) -> Result<Expr> {
        if left.len() != right.len() {
            return Err(Fault::error(
                "42601",
                span,
                "unequal number of entries in row expressions",
            ));
        }
        if left.is_empty() {
            return Err(Fault::error(
                "0A000",
                span,
                "cannot compare rows of zero length",
            ));
        }
        let mut pairs = Vec::new();
        for (left, right) in left.into_iter().zip(right) {
            let pair = self.operate(name, vec![left, right], span.clone())?;
            pairs.push(self.boolean(pair, "row comparison operator")?);
        }
        if let [_] = pairs.as_slice() {
            return Ok(pairs.remove(0));
        }
        let kind = match name {
            "=" => Kind::And(pairs),
            "<>" => Kind::Or(pairs),
            _ => Kind::Other(pairs),
        };
        Ok(Expr::new(types::BOOL, kind, span))
    }

    pub(super) fn distinct(
        &mut self,
        left: &Raw,
        right: &Raw,
        not: bool,
        span: Span,
    ) -> Result<Expr> {
        for (one, other) in [(right, left), (left, right)] {
            if is_null_literal(one) {
                let value = Box::new(self.raw(other)?);
                return Ok(Expr::new(
                    types::BOOL,
                    Kind::IsNull { value, not: !not },
                    span,
                ));
            }
        }
        if let (Some(left), Some(right)) = (row_of(left), row_of(right)) {
            let left = self.values_of_row(&left)?;
            let right = self.values_of_row(&right)?;
            if left.len() != right.len() {
                return Err(Fault::error(
                    "42601",
                    span,
                    "unequal number of entries in row expressions",
                ));
            }
            for (left, right) in left.into_iter().zip(right) {
                self.operate("=", vec![left, right], span.clone())?;
            }
            // The result is never NULL, and says nothing about the columns.
            let value = Expr::new(types::BOOL, Kind::Const(Some("t".to_owned())), span.clone());
            let value = Box::new(value);
            return Ok(Expr::new(
                types::BOOL,
                Kind::IsBool {
                    value,
                    truth: Truth::Unknown,
                    not,
                },
                span,
            ));
        }
        let left = self.raw(left)?;
        let right = self.raw(right)?;
        let equal = self.operate("=", vec![left, right], span.clone())?;
        let Kind::Call(call) = equal.kind else {
            return Err(Fault::refused(span, "this comparison is not supported"));
        };
        let mut sides = call.arguments.into_iter();
        let (Some(left), Some(right)) = (sides.next(), sides.next()) else {
            return Err(Fault::refused(span, "this comparison is not supported"));
        };
        let (left, right) = (Box::new(left), Box::new(right));
        Ok(Expr::new(
            types::BOOL,
            Kind::Distinct { left, right, not },
            span,
        ))
    }

    pub(super) fn between(
        &mut self,
        value: &Raw,
        bounds: [&Raw; 2],
        not: bool,
        symmetric: bool,
        span: Span,
    ) -> Result<Expr> {
        let (low_sign, high_sign) = if not { ("<", ">") } else { (">=", "<=") };
        let mut orders = vec![bounds];
        if symmetric {
            orders.push([bounds[1], bounds[0]]);
        }
        let mut sides = Vec::new();
        for [low, high] in orders {
            let mut pair = Vec::new();
            for (sign, bound) in [(low_sign, low), (high_sign, high)] {
                let value = self.raw(value)?;
                let bound = self.raw(bound)?;
                let compared = self.operate(sign, vec![value, bound], span.clone())?;
                pair.push(self.boolean(compared, "BETWEEN")?);
            }
            let kind = if not { Kind::Or(pair) } else { Kind::And(pair) };
            sides.push(Expr::new(types::BOOL, kind, span.clone()));
        }
        if let [_] = sides.as_slice() {
            return Ok(sides.remove(0));
        }
        let kind = if not {
            Kind::And(sides)
        } else {
            Kind::Or(sides)
        };
        Ok(Expr::new(types::BOOL, kind, span))
    }

    pub(super) fn in_list(
        &mut self,
        value: &Raw,
        list: &SyntaxNode,
        not: bool,
        span: Span,
    ) -> Result<Expr> {
        if let Some(query) = query_in(list) {
            let found = self.query_value(&query, Use::Any, Some((value, "=")), span.clone())?;
            return Ok(if not {
                Expr::new(types::BOOL, Kind::Not(Box::new(found)), span)
            } else {
                found
            });
        }
        let sign = if not { "<>" } else { "=" };
        let row = row_of(value);
        let left = match &row {
            None => self.raw(value)?,
            Some(row) => {
                let values = self.values_of_row(row)?;
                Expr::new(types::RECORD, Kind::RowOf(values), span_of(row))
            }
        };
        // The items, and whether each reads columns of this query.
        let mut items: Vec<(Expr, bool)> = Vec::new();
        for item in list.children() {
            let item = self.value(&item)?;
            let depth = self.scopes.len();
            let reads = item.any(&mut |it| match &it.kind {
                Kind::Var { table, .. } | Kind::Row(table) => {
                    self.tables[table.0].depth + 1 == depth
                }
                Kind::Query(query) => query.outer.iter().any(|(at, _)| at + 1 == depth),
                _ => false,
            });
            items.push((item, reads));
        }
        let mut parts = Vec::new();
        let plain = items.iter().filter(|(_, reads)| !reads);
        let plain: Vec<TypeId> = plain.map(|(item, _)| item.ty).collect();
        if plain.len() > 1 {
            let all: Vec<TypeId> = std::iter::once(left.ty).chain(plain).collect();
            let common = self.common_type(all.iter().copied());
            let fits = |analyzer: &mut Self, common: TypeId| {
                let mut all = all.iter();
                all.all(|ty| analyzer.can_coerce(*ty, common, Context::Implicit))
            };
            if let Ok(common) = common
                && common != types::RECORD
                && !matches!(self.types.kind(common), types::Kind::Array { .. })
                && fits(self, common)
            {
                let mut elements = Vec::new();
                let (with_columns, plain) = items.into_iter().partition(|(_, reads)| *reads);
                let plain: Vec<(Expr, bool)> = plain;
                items = with_columns;
                for (item, _) in plain {
                    elements.push(self.convert_to_common(item, common, "IN")?);
                }
                let array = self.types.array_of(common);
                let array = Expr::new(array, Kind::Array(elements), span.clone());
                parts.push(self.operate_on_array(sign, left.clone(), array, not, span.clone())?);
            }
        }
        for (item, _) in items {
            let compared = match (&left.kind, item.kind) {
                (Kind::RowOf(left), Kind::RowOf(right)) => {
                    self.compare_rows(sign, left.clone(), right, span.clone())?
                }
                (_, kind) => {
                    let item = Expr {
                        ty: item.ty,
                        kind,
                        span: item.span,
                        form: item.form,
                    };
                    self.operate(sign, vec![left.clone(), item], span.clone())?
                }
            };
            parts.push(self.boolean(compared, "IN")?);
        }
        if let [_] = parts.as_slice() {
            return Ok(parts.remove(0));
        }
        let kind = if not {
            Kind::And(parts)
        } else {
            Kind::Or(parts)
        };
        Ok(Expr::new(types::BOOL, kind, span))
    }

    pub(super) fn any_all(
        &mut self,
        operator: &str,
        value: &Raw,
        list: &SyntaxNode,
        all: bool,
        span: Span,
    ) -> Result<Expr> {
        if let Some(query) = query_in(list) {
            let how = if all { Use::All } else { Use::Any };
            return self.query_value(&query, how, Some((value, operator)), span);
        }
        let left = self.raw(value)?;
        let array = list
            .children()
            .next()
            .ok_or_else(|| Fault::refused(span.clone(), "no array is given"))?;
        let array = self.value(&array)?;
        self.operate_on_array(operator, left, array, all, span)
    }
}
