//! Conversions between types (parse_coerce.c; manual, chapter 10).

use super::analyzer::{Analyzer, Result};
use super::expr::{Call, Expr, Kind, Nulls, Span, TableId};
use super::fault::Fault;
use super::scope::TableColumn;
use super::types::{self, Kind as TypeKind, TypeId, is_polymorphic};
use crate::TypeKind as OwnKind;
use crate::replay::builtin;

/// The context of a conversion, as in `pg_cast.castcontext`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Context {
    Implicit,
    Assignment,
    Explicit,
}

/// The way in which a value is converted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pathway {
    /// The value stays as it is.
    Relabel,
    /// A function is called, or the value is converted through text.
    Function,
}

impl Analyzer<'_> {
    /// Returns the way in which a type is converted to another; `None` if it cannot be
    /// (`find_coercion_pathway`).
    pub(super) fn pathway(
        &mut self,
        source: TypeId,
        target: TypeId,
        context: Context,
    ) -> Option<Pathway> {
        let source = self.types.base(source);
        let target = self.types.base(target);
        if source == target {
            return Some(Pathway::Relabel);
        }
        if let (Some(from), Some(to)) = (self.types.bare(source), self.types.bare(target))
            && let Some(cast) = self.cast(from, to)
        {
            let needed = match cast {
                'i' => Context::Implicit,
                'a' => Context::Assignment,
                _ => Context::Explicit,
            };
            if context >= needed {
                return Some(Pathway::Function);
            }
            return None;
        }
        if let (TypeKind::Array { element: from }, TypeKind::Array { element: to }) =
            (self.types.kind(source), self.types.kind(target))
        {
            return self.pathway(from, to, context);
        }
        if let (TypeKind::Range { .. }, TypeKind::Multirange { range }) =
            (self.types.kind(source), self.types.kind(target))
            && range == source
        {
            return (context == Context::Explicit).then_some(Pathway::Function);
        }
        let is_string = |category: char| category == 'S';
        if context >= Context::Assignment && is_string(self.types.category(target)) {
            return Some(Pathway::Function);
        }
        if context == Context::Explicit && is_string(self.types.category(source)) {
            return Some(Pathway::Function);
        }
        None
    }

    /// Returns the context of a cast between built-in types.
    pub(super) fn cast(&self, from: &str, to: &str) -> Option<char> {
        let cast = builtin::cast(from, to)?;
        let is_later = self.version.is_some()
            && builtin::came_with(&format!("cast:{from}:{to}"))
                .is_some_and(|came| self.is_before(came));
        (!is_later).then_some(cast)
    }

    /// Returns the version with which a cast came, if that is later than that of the settings.
    fn later_cast(&self, source: TypeId, target: TypeId) -> Option<u32> {
        let from = self.types.bare(self.types.base(source))?;
        let to = self.types.bare(self.types.base(target))?;
        let came = builtin::came_with(&format!("cast:{from}:{to}"))?;
        self.is_before(came).then_some(came)
    }

    /// Returns true if values of a type can be given where another is expected (`can_coerce_type`
    /// for one argument).
    pub(super) fn can_coerce(&mut self, source: TypeId, target: TypeId, context: Context) -> bool {
        if source == target || target == types::ANY || is_polymorphic(target) {
            // Polymorphic types are checked later, for all arguments together.
            return true;
        }
        if source == types::UNKNOWN {
            return true;
        }
        if self.pathway(source, target, context).is_some() {
            return true;
        }
        if source == types::RECORD && self.types.is_composite(self.types.base(target)) {
            return true;
        }
        let base = self.types.base(source);
        if target == types::RECORD && self.types.is_composite(base) {
            return true;
        }
        let record = types::RECORD;
        if let (TypeKind::Array { element: from }, TypeKind::Array { element: to }) =
            (self.types.kind(base), self.types.kind(target))
            && to == record
            && self.types.is_composite(self.types.base(from))
        {
            return true;
        }
        self.inherits(base, target)
    }

    /// Returns true if one table inherits from another, so that its rows are rows of the other too.
    pub(super) fn inherits(&self, source: TypeId, target: TypeId) -> bool {
        let Some(relation) = self.catalog.relations.get(self.types.name(source)) else {
            return false;
        };
        let target = self.types.name(target);
        let mut parents = relation.parents.clone();
        let mut seen = 0;
        while let Some(parent) = parents.pop() {
            seen += 1;
            if parent == *target {
                return true;
            }
            if seen > 1_000 {
                return false;
            }
            if let Some(relation) = self.catalog.relations.get(&parent) {
                parents.extend(relation.parents.iter().cloned());
            }
        }
        false
    }

    /// Returns a value converted to a type to which it can be converted (`coerce_type`).
    pub(super) fn convert(&mut self, value: Expr, target: TypeId) -> Result<Expr> {
        if value.ty == target {
            return Ok(value);
        }
        if matches!(target, types::ANY) || is_polymorphic(target) {
            return Ok(value);
        }
        let span = value.span.clone();
        let form = value.form.clone();
        if value.ty == types::UNKNOWN {
            return match value.kind {
                Kind::Param(index) => {
                    self.decide(index, target, &span)?;
                    Ok(Expr::new(target, Kind::Param(index), span))
                }
                Kind::Const(Some(_)) if target == types::RECORD => {
                    let message = "input of anonymous composite types is not implemented";
                    Err(Fault::error("0A000", span, message))
                }
                Kind::Const(Some(text)) => {
                    self.literal(&text, target, &span)?;
                    Ok(Expr::new(target, Kind::Const(Some(text)), span))
                }
                Kind::Call(mut call) if call.name == "collate" => {
                    // The conversion is applied to the text to which the collation belongs. A type
                    // without collations loses it.
                    let Some(inner) = call.arguments.pop() else {
                        return Err(Fault::refused(span, "nothing has this collation"));
                    };
                    let inner = self.convert(inner, target)?;
                    if self.types.category(target) != 'S' {
                        return Ok(inner);
                    }
                    call.arguments.push(inner);
                    Ok(Expr {
                        form,
                        ..Expr::new(target, Kind::Call(call), span)
                    })
                }
                kind => Ok(Expr::new(target, kind, span)),
            };
        }
        if target == types::RECORD && self.types.is_composite(self.types.base(value.ty)) {
            // The value keeps its own type.
            return Ok(value);
        }
        if value.ty == types::RECORD && self.types.is_composite(self.types.base(target)) {
            return self.convert_row(value, target);
        }
        if self.can_make_null(value.ty, target) {
            return Ok(Expr::new(
                target,
                Kind::Call(Call {
                    name: "cast".to_owned(),
                    arguments: vec![value],
                    nulls: Nulls::StrictAndPartial,
                    is_operator: false,
                    returns_set: false,
                    columns: Vec::new(),
                    over: None,
                }),
                span,
            ));
        }
        Ok(Expr::new(target, Kind::Coerce(Box::new(value)), span))
    }

    /// Returns true for the casts that can turn a value into NULL: those of jsonb, from PostgreSQL
    /// 18 on, and the time of an infinite moment.
    pub(super) fn can_make_null(&self, source: TypeId, target: TypeId) -> bool {
        let (source, base) = (self.types.base(source), self.types.base(target));
        match source {
            types::JSONB => matches!(self.types.category(target), 'N' | 'B'),
            types::TIMESTAMP | types::TIMESTAMPTZ => matches!(base, types::TIME | types::TIMETZ),
            _ => false,
        }
    }

    pub(super) fn convert_row(&mut self, value: Expr, target: TypeId) -> Result<Expr> {
        let span = value.span.clone();
        // Only a row whose fields are known at this position is converted, field by field.
        let (fields, is_table) = match &value.kind {
            Kind::RowOf(fields) => (fields.clone(), false),
            Kind::Row(table) => (self.fields_of_row(*table, &span), true),
            _ => {
                let words = self.types.words(target);
                let message = format!("cannot cast type record to {words}");
                return Err(Fault::error("42846", span, message)
                    .hint(format!("write the fields, as ROW(..)::{words}")));
            }
        };
        let wanted = self.fields_of(self.types.base(target));
        let Some(wanted) = wanted.filter(|wanted| wanted.len() == fields.len()) else {
            let message = format!("cannot cast type record to {}", self.types.words(target));
            return Err(
                Fault::error("42846", span, message).hint("the row has another number of columns")
            );
        };
        let mut all = Vec::new();
        for (field, (_, ty)) in fields.into_iter().zip(wanted) {
            all.push(self.coerce(field, ty, Context::Explicit)?);
        }
        if is_table {
            return Ok(Expr::new(target, Kind::Coerce(Box::new(value)), span));
        }
        Ok(Expr::new(target, Kind::RowOf(all), span))
    }

    /// Returns the columns of a table as the fields of its row.
    fn fields_of_row(&self, table: TableId, span: &Span) -> Vec<Expr> {
        let columns = self.table(table).columns.iter().enumerate();
        let field = |(column, found): (usize, &TableColumn)| {
            Expr::new(found.ty, Kind::Var { table, column }, span.clone())
        };
        columns.map(field).collect()
    }

    /// Returns the fields of a composite type or the row of a relation.
    pub(super) fn fields_of(&mut self, ty: TypeId) -> Option<Vec<(String, TypeId)>> {
        let name = self.types.name(ty).clone();
        if !self.types.is_composite(ty) {
            return None;
        }
        let catalog = self.catalog;
        if let Some(relation) = catalog.relations.get(&name) {
            let columns = relation.columns.iter();
            return Some(
                columns
                    .map(|column| {
                        (
                            column.name.clone(),
                            self.types.of_data_type(&column.data_type),
                        )
                    })
                    .collect(),
            );
        }
        match catalog.types.get(&name).map(|found| &found.kind) {
            Some(OwnKind::Composite { attributes }) => Some(
                attributes
                    .iter()
                    .map(|it| (it.name.clone(), self.types.of_data_type(&it.data_type)))
                    .collect(),
            ),
            // One of an extension.
            _ => Some(self.types.attributes(ty)).filter(|all| !all.is_empty()),
        }
    }

    /// Converts a value; fails if its type has no such conversion.
    pub(super) fn coerce(&mut self, value: Expr, target: TypeId, context: Context) -> Result<Expr> {
        if !self.can_coerce(value.ty, target, context) {
            let (from, to) = (self.types.words(value.ty), self.types.words(target));
            if let Some(came) = self.later_cast(value.ty, target) {
                let what = format!("the cast of {from} to {to}");
                return Err(self.too_new("42846", &what, came, &value.span));
            }
            let message = format!("cannot cast type {from} to {to}");
            return Err(Fault::error("42846", value.span, message));
        }
        self.convert(value, target)
    }

    /// Converts a condition.
    pub(super) fn boolean(&mut self, value: Expr, construct: &str) -> Result<Expr> {
        if self.types.base(value.ty) == types::BOOL {
            return no_set(value, construct);
        }
        if !self.can_coerce(value.ty, types::BOOL, Context::Assignment) {
            let message = format!(
                "argument of {construct} must be type boolean, not type {}",
                self.types.words(value.ty)
            );
            return Err(Fault::error("42804", value.span, message));
        }
        no_set(self.convert(value, types::BOOL)?, construct)
    }

    /// Converts a value whose type the clause decides, such as that of LIMIT.
    pub(super) fn specific(
        &mut self,
        value: Expr,
        target: TypeId,
        construct: &str,
    ) -> Result<Expr> {
        if !self.can_coerce(value.ty, target, Context::Assignment) {
            let message = format!(
                "argument of {construct} must be type {}, not type {}",
                self.types.words(target),
                self.types.words(value.ty)
            );
            return Err(Fault::error("42804", value.span, message));
        }
        self.convert(value, target)
    }

    /// Returns the type that several values have in common (`select_common_type`).
    pub(super) fn common(&mut self, values: &[&Expr], construct: &str) -> Result<TypeId> {
        match self.common_type(values.iter().map(|value| value.ty)) {
            Ok(found) => Ok(found),
            Err((first, at)) => {
                let message = format!(
                    "{construct} types {} and {} cannot be matched",
                    self.types.words(first),
                    self.types.words(values[at].ty)
                );
                Err(Fault::error("42804", values[at].span.clone(), message))
            }
        }
    }

    /// Returns the common type, or the type so far and the position of the value that does not fit.
    pub(super) fn common_type(
        &mut self,
        values: impl Iterator<Item = TypeId> + Clone,
    ) -> std::result::Result<TypeId, (TypeId, usize)> {
        let Some(first) = values.clone().next() else {
            return Ok(types::TEXT);
        };
        if first != types::UNKNOWN && values.clone().all(|other| other == first) {
            return Ok(first);
        }
        let mut chosen = self.types.base(first);
        for (at, other) in values.enumerate().skip(1) {
            let other = self.types.base(other);
            if other == types::UNKNOWN || other == chosen {
                continue;
            }
            if chosen == types::UNKNOWN {
                chosen = other;
            } else if self.types.category(other) != self.types.category(chosen) {
                return Err((chosen, at));
            } else if !self.types.is_preferred(chosen)
                && self.can_coerce(chosen, other, Context::Implicit)
                && !self.can_coerce(other, chosen, Context::Implicit)
            {
                chosen = other;
            }
        }
        Ok(if chosen == types::UNKNOWN {
            types::TEXT
        } else {
            chosen
        })
    }

    /// Converts a value to the common type of several.
    pub(super) fn convert_to_common(
        &mut self,
        value: Expr,
        target: TypeId,
        construct: &str,
    ) -> Result<Expr> {
        if value.ty == target {
            return Ok(value);
        }
        if !self.can_coerce(value.ty, target, Context::Implicit) {
            let message = format!(
                "{construct} could not convert type {} to {}",
                self.types.words(value.ty),
                self.types.words(target)
            );
            return Err(Fault::error("42846", value.span, message));
        }
        self.convert(value, target)
    }
}

/// Fails for a condition that returns a set.
fn no_set(value: Expr, construct: &str) -> Result<Expr> {
    if super::expr::has_set(&value) {
        let message = format!("argument of {construct} must not return a set");
        return Err(Fault::error("42804", value.span, message));
    }
    Ok(value)
}
