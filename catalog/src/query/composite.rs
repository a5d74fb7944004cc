//! Whole rows among the results, and how they are sent: each with the names of its columns.
//!
//! `SELECT t FROM transfers t` returns what columns the table has when it runs. A program knows
//! those that it was compiled with, so `t` is sent as `ROW(t.id, t.amount)`. A row that can be
//! missing, as under an outer join, is sent as `CASE WHEN t IS DISTINCT FROM NULL THEN ROW(..)
//! END`: unlike `IS NOT NULL`, it is true for a row of which each column is NULL.

use std::rc::Rc;

use super::Row;
use super::alias::quoted;
use super::analyzer::Analyzer;
use super::expr::{Expr, Kind, Span, TableId, Use};
use super::form::Form;
use super::scope::{Output, ResultColumn, TableColumn};
use super::types::{self, TypeId};

/// The fields of a value that is a row or an array of rows, and how the text has to be changed for
/// these fields to be sent.
#[derive(Debug, Clone, Default)]
pub(super) struct Composite {
    /// `None` for NULL and for the empty array, which fit any row type.
    pub(super) fields: Option<Vec<TableColumn>>,
    /// True if an element of the array can be NULL.
    pub(super) has_null_elements: bool,
    edits: Vec<Edit>,
}

/// A change of the text.
#[derive(Debug, Clone)]
enum Edit {
    /// A name that refers to a whole row becomes `ROW(..)`.
    Row(Leaf),
    /// An empty array of rows becomes one of the type `record[]`.
    EmptyArray(Span),
    /// The result column gets its name by AS, since PostgreSQL would name the changed text
    /// otherwise.
    Name(usize, String),
}

/// A row, or a column that holds rows, as the text names it.
#[derive(Debug, Clone)]
struct Leaf {
    span: Span,
    /// If the column comes from a `*`: its index among the columns of the `*`, and its text.
    of_star: Option<(usize, String)>,
    /// True for the row of a table, whose fields are written `t.id`. Those of a column need
    /// parentheses: `(t.composite).id`.
    is_row: bool,
    is_nullable: bool,
    fields: Vec<SentField>,
}

#[derive(Debug, Clone)]
struct SentField {
    name: String,
    /// The base type of a domain. A row is sent with the OIDs of its columns, and a program knows
    /// only those of base types.
    cast: Option<String>,
    is_nullable: bool,
    /// The fields of this field, if it holds rows of a named type.
    fields: Option<Vec<SentField>>,
}

/// A change of the text: a span, and the pieces that replace it, one for each column of a `*`.
#[derive(Debug, Clone)]
pub(super) struct Replaced {
    pub(super) span: Span,
    pub(super) pieces: Vec<String>,
}

impl Analyzer<'_> {
    /// Returns the fields of a result, if it is a row or an array of rows.
    pub(super) fn composite_of(&mut self, output: &Output) -> Option<Rc<Composite>> {
        let mut found = self.composite(&output.value)?;
        found.fields.as_ref()?;
        if let Some((number, text)) = &output.of_star {
            if text.is_empty() {
                return None;
            }
            for edit in &mut found.edits {
                if let Edit::Row(leaf) = edit
                    && leaf.span == output.value.span
                {
                    leaf.of_star = Some((*number, text.clone()));
                }
            }
        } else if let Some(at) = output.end {
            found.edits.push(Edit::Name(at, quoted(&output.name)));
        }
        Some(Rc::new(found))
    }

    fn composite(&mut self, value: &Expr) -> Option<Composite> {
        if !self.is_row_type(value.ty) && !matches!(value.kind, Kind::Const(None)) {
            return None;
        }
        let span = value.span.clone();
        match &value.kind {
            Kind::Row(table) => {
                let columns = self.table(*table).columns.clone();
                let is_nullable = self.nullable(value);
                self.row(columns, span, true, is_nullable)
            }
            Kind::Var { table, column } => self.column_of_rows(*table, *column, value),
            Kind::Const(None) => Some(Composite::default()),
            Kind::Const(Some(text)) if text == "{}" => Some(Composite {
                edits: vec![Edit::EmptyArray(span)],
                ..Composite::default()
            }),
            Kind::Array(all) if all.is_empty() => Some(Composite {
                edits: vec![Edit::EmptyArray(span)],
                ..Composite::default()
            }),
            Kind::Case { whens, otherwise } => {
                let results = whens.iter().map(|(_, result)| result);
                let all: Vec<Expr> = results.chain([&**otherwise]).cloned().collect();
                self.common_composite(&all)
            }
            Kind::Coalesce(all) => self.common_composite(all),
            Kind::Array(all) => {
                if all.iter().any(|it| self.is_array(it.ty)) {
                    return None;
                }
                let has_null_elements = all.iter().any(|it| self.nullable(it));
                let found = self.common_composite(all)?;
                Some(Composite {
                    has_null_elements,
                    ..found
                })
            }
            Kind::Query(query) => {
                let found = Composite::clone(query.composite.as_ref()?);
                match query.how {
                    Use::Scalar => Some(found),
                    Use::Array if !query.is_array => Some(Composite {
                        has_null_elements: query.is_nullable,
                        ..found
                    }),
                    _ => None,
                }
            }
            Kind::Aggregate(aggregate) if aggregate.name == "array_agg" => {
                let element = aggregate.arguments.first()?;
                let mut known = Vec::new();
                if aggregate.has_filter
                    && let Some(filter) = aggregate.others.first()
                {
                    self.if_true(filter, &mut known);
                }
                let has_null_elements = self.nullable_given(element, &known);
                self.elements(element, has_null_elements)
            }
            Kind::Call(call) if call.over.is_some() => {
                let first = call.arguments.first()?;
                match call.name.as_str() {
                    "array_agg" => {
                        let has_null_elements = self.nullable(first);
                        self.elements(first, has_null_elements)
                    }
                    "first_value" | "last_value" | "nth_value" => self.composite(first),
                    "lag" | "lead" if call.arguments.len() < 3 => self.composite(first),
                    _ => None,
                }
            }
            Kind::Subscript {
                value, is_slice, ..
            } => {
                let found = self.composite(value)?;
                Some(Composite {
                    has_null_elements: *is_slice && found.has_null_elements,
                    ..found
                })
            }
            _ => None,
        }
    }

    /// Returns an array whose elements are this value.
    fn elements(&mut self, element: &Expr, has_null_elements: bool) -> Option<Composite> {
        if self.is_array(element.ty) {
            return None;
        }
        let found = self.composite(element)?;
        Some(Composite {
            has_null_elements,
            ..found
        })
    }

    /// Returns the fields of an expression whose result is one of several values; `None` if the
    /// values have different fields.
    fn common_composite(&mut self, all: &[Expr]) -> Option<Composite> {
        let mut common = Composite::default();
        for value in all {
            let found = self.composite(value)?;
            common = common.or(&found)?;
        }
        Some(common)
    }

    fn column_of_rows(&mut self, table: TableId, column: usize, value: &Expr) -> Option<Composite> {
        let column = self.table(table).columns[column].clone();
        let base = self.types.base(column.ty);
        if !self.is_row_of_relation(base) {
            // Such rows come from a query that is changed itself, so that it sends their fields.
            return column.composite.as_deref().cloned();
        }
        let fields = match column.composite.as_ref().and_then(|it| it.fields.clone()) {
            Some(fields) => fields,
            None => self.fields_of_type(base)?,
        };
        let is_nullable = self.nullable(value);
        self.row(fields, value.span.clone(), false, is_nullable)
    }

    /// Returns the fields of a row that the text names at this position, with the change of the
    /// text that sends them.
    fn row(
        &mut self,
        columns: Vec<TableColumn>,
        span: Span,
        is_row: bool,
        is_nullable: bool,
    ) -> Option<Composite> {
        if span.is_empty() {
            return None;
        }
        let mut edits = Vec::new();
        let mut fields = Vec::new();
        let mut sent = Vec::new();
        for mut column in columns {
            let (field, composite) = self.sent_field(&column)?;
            if field.fields.is_none()
                && let Some(composite) = &composite
            {
                edits.extend(composite.edits.iter().cloned());
            }
            column.composite = composite;
            sent.push(field);
            fields.push(column);
        }
        edits.push(Edit::Row(Leaf {
            span,
            of_star: None,
            is_row,
            is_nullable,
            fields: sent,
        }));
        Some(Composite {
            fields: Some(fields),
            has_null_elements: false,
            edits,
        })
    }

    /// Returns how a field is sent, and its own fields if it is a row or an array of rows.
    fn sent_field(&mut self, column: &TableColumn) -> Option<(SentField, Option<Rc<Composite>>)> {
        let base = self.types.base(column.ty);
        let mut field = SentField {
            name: quoted(&column.name),
            cast: (base != column.ty).then(|| self.types.words(base)),
            is_nullable: column.nullable,
            fields: None,
        };
        if let Some(element) = self.types.element(base) {
            let base = self.types.base(element);
            if base != element {
                field.cast = Some(format!("{}[]", self.types.words(base)));
            }
        }
        if !self.is_row_of_relation(base) {
            return Some((field, column.composite.clone()));
        }
        let columns = match column.composite.as_ref().and_then(|it| it.fields.clone()) {
            Some(fields) => fields,
            None => self.fields_of_type(base)?,
        };
        let mut sent = Vec::new();
        let mut fields = Vec::new();
        for mut column in columns {
            let (field, composite) = self.sent_field(&column)?;
            column.composite = composite;
            sent.push(field);
            fields.push(column);
        }
        field.fields = Some(sent);
        field.cast = None;
        let composite = Composite {
            fields: Some(fields),
            ..Composite::default()
        };
        Some((field, Some(Rc::new(composite))))
    }

    /// Returns the fields of a composite type or of the rows of a relation, as a column holds them.
    fn fields_of_type(&mut self, ty: TypeId) -> Option<Vec<TableColumn>> {
        let fields = self.fields_of(ty)?.into_iter();
        let fields = fields.map(|(name, ty)| TableColumn {
            name,
            ty,
            nullable: true,
            origin: None,
            composite: None,
            form: Form::default(),
        });
        Some(fields.collect())
    }

    /// Returns true for the type of a relation's rows. A value of a composite type that was created
    /// as such is one value: generated code has a struct for it.
    fn is_row_of_relation(&self, ty: TypeId) -> bool {
        self.types.is_composite(ty)
            && (self.catalog.relations).contains_key(&self.types.data_type(ty).name)
    }

    fn is_array(&self, ty: TypeId) -> bool {
        matches!(
            self.types.kind(self.types.base(ty)),
            types::Kind::Array { .. }
        )
    }

    /// Returns true for a composite type, `record` and arrays of them.
    fn is_row_type(&self, ty: TypeId) -> bool {
        let base = self.types.base(ty);
        match self.types.kind(base) {
            types::Kind::Array { element } => self.is_row_type(element),
            _ => base == types::RECORD || self.types.is_composite(base),
        }
    }

    /// Returns the text with the fields of all rows among the results, and the rows of each result;
    /// `None` if there are no rows. `sql` is the text, and `replaced` its other changes.
    pub(super) fn with_fields(
        &self,
        columns: &[ResultColumn],
        sql: &str,
        replaced: &[Replaced],
    ) -> Option<String> {
        let composites = columns.iter().filter_map(|it| it.composite.as_ref());
        let edits: Vec<&Edit> = composites.flat_map(|it| &it.edits).collect();
        if edits.is_empty() {
            return None;
        }
        let mut replaced = replaced.to_vec();
        for edit in edits {
            edit.add_to(&mut replaced, sql);
        }
        Some(super::statement::edited(sql, replaced))
    }

    /// Returns the rows of a result.
    pub(super) fn public_row(&self, composite: Option<&Rc<Composite>>) -> Option<Row> {
        let composite = composite?;
        let fields = composite.fields.as_ref()?.iter();
        let fields = fields.map(|field| self.public_column(field.clone()));
        Some(Row {
            fields: fields.collect(),
            has_null_elements: composite.has_null_elements,
        })
    }
}

impl Composite {
    /// Returns the fields of a value that is either of the two; `None` if their fields differ.
    pub(super) fn or(&self, other: &Self) -> Option<Self> {
        let fields = match (&self.fields, &other.fields) {
            (fields, None) | (None, fields) => fields.clone(),
            (Some(ours), Some(theirs)) => {
                if ours.len() != theirs.len() {
                    return None;
                }
                let mut fields = Vec::new();
                for (one, other) in ours.iter().zip(theirs) {
                    if one.ty != other.ty {
                        return None;
                    }
                    let composite = match (&one.composite, &other.composite) {
                        (Some(one), Some(other)) => Some(Rc::new(one.or(other)?)),
                        (None, None) => None,
                        _ => return None,
                    };
                    fields.push(TableColumn {
                        nullable: one.nullable || other.nullable,
                        origin: one.origin.clone().filter(|_| one.origin == other.origin),
                        composite,
                        ..one.clone()
                    });
                }
                Some(fields)
            }
        };
        Some(Self {
            fields,
            has_null_elements: self.has_null_elements || other.has_null_elements,
            edits: self.edits.iter().chain(&other.edits).cloned().collect(),
        })
    }
}

impl Edit {
    fn add_to(&self, replaced: &mut Vec<Replaced>, sql: &str) {
        let (span, text) = match self {
            Self::Row(Leaf {
                span,
                of_star: Some((number, text)),
                ..
            }) => {
                let star = replaced.iter_mut().find(|it| it.span == *span);
                if let Some(piece) = star.and_then(|it| it.pieces.get_mut(*number))
                    && let Self::Row(leaf) = self
                    && piece == text
                {
                    let name = text
                        .rsplit_once('.')
                        .map_or(text.as_str(), |(_, name)| name);
                    *piece = format!("{} AS {name}", leaf.written(text));
                }
                return;
            }
            Self::Row(leaf) => {
                let text = &sql[leaf.span.clone()];
                let text = text.strip_suffix('*').map_or(text, |text| {
                    text.trim_end().trim_end_matches('.').trim_end()
                });
                (leaf.span.clone(), leaf.written(text))
            }
            Self::EmptyArray(span) => (span.clone(), "'{}'::record[]".to_owned()),
            Self::Name(at, name) => (*at..*at, format!(" AS {name}")),
        };
        if !replaced.iter().any(|it| it.span == span) {
            replaced.push(Replaced {
                span,
                pieces: vec![text],
            });
        }
    }
}

impl Leaf {
    fn written(&self, text: &str) -> String {
        written(text, self.is_row, self.is_nullable, &self.fields)
    }
}

/// Returns `ROW(t.id, t.amount)`, or the same where `t` can be NULL.
fn written(text: &str, is_row: bool, is_nullable: bool, fields: &[SentField]) -> String {
    let before = if is_row && !text.starts_with('(') {
        format!("{text}.")
    } else {
        format!("({text}).")
    };
    let fields: Vec<String> = fields
        .iter()
        .map(|field| {
            let value = format!("{before}{}", field.name);
            match (&field.fields, &field.cast) {
                (Some(fields), _) => written(&value, false, field.is_nullable, fields),
                (None, Some(cast)) => format!("{value}::{cast}"),
                (None, None) => value,
            }
        })
        .collect();
    let row = format!("ROW({})", fields.join(", "));
    if is_nullable {
        format!("CASE WHEN {text} IS DISTINCT FROM NULL THEN {row} END")
    } else {
        row
    }
}
