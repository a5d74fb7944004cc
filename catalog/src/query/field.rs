//! The fields of composite values, which can be written as calls, and calls as fields
//! (`ParseComplexProjection`).

use super::analyzer::{Analyzer, Result};
use super::expr::{Expr, Kind, Span};
use super::fault::Fault;
use super::types;

impl Analyzer<'_> {
    /// Returns a field of a composite value.
    pub(super) fn field_of(&mut self, value: Expr, wanted: &str, span: Span) -> Result<Expr> {
        if let Kind::Row(table) = value.kind {
            let columns = &self.table(table).columns;
            if let Some(column) = columns.iter().position(|column| column.name == wanted) {
                return Ok(self.column_of(table, column, span));
            }
        }
        if let Kind::RowOf(fields) = &value.kind
            && value.ty == types::RECORD
        {
            return field_of_row(fields, wanted, span);
        }
        if let Kind::Call(call) = &value.kind
            && value.ty == types::RECORD
        {
            let found = call.columns.iter().position(|(name, _)| name == wanted);
            if let Some(index) = found {
                let ty = call.columns[index].1;
                return Ok(Expr::new(
                    ty,
                    Kind::Field {
                        value: Box::new(value),
                        index,
                    },
                    span,
                ));
            }
        }
        let base = self.types.base(value.ty);
        let fields = self.fields_of(base);
        let is_field =
            |fields: &Vec<(String, types::TypeId)>| fields.iter().any(|(name, _)| name == wanted);
        if !fields.as_ref().is_some_and(is_field)
            && value.ty != types::UNKNOWN
            && let Some(call) = self.call_by_field(&value, wanted, &span)
        {
            return Ok(call);
        }
        let Some(fields) = fields else {
            if self.is_opaque(base) || base == types::RECORD {
                return Err(Fault::refused(span, "the fields of this are not known"));
            }
            let message = format!(
                "column notation .{wanted} applied to type {}, which is not a composite type",
                self.types.words(value.ty)
            );
            return Err(Fault::error("42809", span, message));
        };
        let Some(index) = fields.iter().position(|(name, _)| name == wanted) else {
            let message = format!(
                "column \"{wanted}\" not found in data type {}",
                self.types.words(value.ty)
            );
            return Err(Fault::error("42703", span, message));
        };
        let ty = fields[index].1;
        Ok(Expr::new(
            ty,
            Kind::Field {
                value: Box::new(value),
                index,
            },
            span,
        ))
    }

    /// Returns the call that a field such as `(value).name` means, if there is such a function.
    pub(super) fn call_by_field(&mut self, value: &Expr, name: &str, span: &Span) -> Option<Expr> {
        let given = super::arguments::Arguments {
            values: vec![value.clone()],
            ..Default::default()
        };
        self.call_function(&[name.to_owned()], given, span.clone())
            .ok()
    }

    /// Returns the field that a call such as `name(row)` means, if there is one.
    pub(super) fn field_by_call(&mut self, value: &Expr, name: &str, span: &Span) -> Option<Expr> {
        let base = self.types.base(value.ty);
        (self.types.is_composite(base) || matches!(value.kind, Kind::Row(_)))
            .then(|| self.field_of(value.clone(), name, span.clone()).ok())
            .flatten()
    }
}

/// Returns a field of `ROW (..)`, whose fields are `f1`, `f2` and so on.
fn field_of_row(fields: &[Expr], wanted: &str, span: Span) -> Result<Expr> {
    let number = wanted
        .strip_prefix('f')
        .and_then(|it| it.parse::<usize>().ok());
    let field = number.and_then(|number| number.checked_sub(1));
    let field = field.and_then(|at| fields.get(at));
    let Some(field) = field.filter(|_| number.is_some_and(|it| format!("f{it}") == wanted)) else {
        let message = format!("could not identify column \"{wanted}\" in record data type");
        return Err(Fault::error("42703", span, message).hint("the fields of ROW are f1, f2, .."));
    };
    if field.ty == types::UNKNOWN {
        let message = "this field of the row has no type";
        return Err(Fault::refused(span, message).hint("cast it, as ROW ('x'::text)"));
    }
    Ok(Expr::new(
        field.ty,
        Kind::Coerce(Box::new(field.clone())),
        span,
    ))
}
