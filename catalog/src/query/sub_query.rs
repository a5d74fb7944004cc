//! Queries in expressions.

use super::analyzer::{Analyzer, Result};
use super::brackets::row_of;
use super::expr::{Expr, Kind, Span, SubQuery, Use};
use super::fault::Fault;
use super::raw::{Raw, span_of};
use super::types;
use squawk_syntax::SyntaxNode;

impl Analyzer<'_> {
    /// Returns a query as a value of an expression.
    pub(super) fn query_value(
        &mut self,
        node: &SyntaxNode,
        how: Use,
        compared: Option<(&Raw, &str)>,
        span: Span,
    ) -> Result<Expr> {
        let previous = self.scope().is_lateral;
        let analyzed = self.query(node, false)?;
        self.scope().is_lateral = previous;
        let first = analyzed.columns.first();
        if let Some(first) = first
            && how == Use::Scalar
        {
            let start = span_of(node).start;
            self.first_columns.insert(start, first.name.clone());
        }
        let composite = first.and_then(|it| it.composite.clone());
        let (ty, nullable) = first.map_or((types::UNKNOWN, true), |it| (it.ty, it.nullable));
        // PostgreSQL reads the left side after the query.
        let left = match compared.map(|(left, _)| (left, row_of(left))) {
            None => Vec::new(),
            Some((_, Some(row))) => self.values_of_row(&row)?,
            Some((left, None)) => match self.raw(left)? {
                // A row that is cast to its type is compared by its fields too.
                Expr {
                    kind: Kind::RowOf(fields),
                    ..
                } => fields,
                value => vec![value],
            },
        };
        let has_left = compared.is_some();
        let expected = if has_left { left.len() } else { 1 };
        if how != Use::Exists && analyzed.columns.len() != expected {
            let message = if !has_left {
                "subquery must return only one column".to_owned()
            } else if analyzed.columns.len() > expected {
                "subquery has too many columns".to_owned()
            } else {
                "subquery has too few columns".to_owned()
            };
            return Err(Fault::error("42601", span, message));
        }
        let mut lefts = Vec::new();
        if let Some((_, operator)) = compared {
            for (value, column) in left.into_iter().zip(&analyzed.columns) {
                let right = Expr::new(column.ty, Kind::Other(Vec::new()), column.span.clone());
                if super::operator::is_comparison(operator) {
                    self.relate(&value, column.origin.clone());
                }
                let compared = self.operate(operator, vec![value, right], span.clone())?;
                if let Kind::Call(mut call) = compared.kind {
                    lefts.push(call.arguments.swap_remove(0));
                }
            }
        }
        let is_array = matches!(
            self.types.kind(self.types.base(ty)),
            types::Kind::Array { .. }
        );
        let first_form = analyzed
            .columns
            .first()
            .map(|it| it.form.clone())
            .unwrap_or_default();
        let ty = match how {
            Use::Exists | Use::Any | Use::All => types::BOOL,
            Use::Scalar if has_left => types::BOOL,
            Use::Scalar => ty,
            Use::Array => match self.types.kind(ty) {
                types::Kind::Array { .. } => ty,
                _ => self.types.array_of(ty),
            },
        };
        let query = SubQuery {
            how,
            left: lefts,
            outer: analyzed.outer,
            is_nullable: nullable || analyzed.columns.iter().any(|column| column.nullable),
            has_row: analyzed.has_row,
            is_array,
            composite,
            form: first_form,
        };
        Ok(Expr::new(ty, Kind::Query(query), span))
    }
}
