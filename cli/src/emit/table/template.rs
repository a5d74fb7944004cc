//! SQL with gaps for the columns that a call gives values for.

use bowline_catalog::definition::quoted;

use bowline_plan::plan::{Field, TablePlan};

use super::sql::parameter;

/// SQL, in which a call fills the gaps.
pub(in super::super) struct Template(Vec<Piece>);

enum Piece {
    Fixed(String),
    Gap(Gap),
    /// The parameter of an array, with the first type of its cast and the type of its elements.
    Array(usize, Option<String>, String),
}

/// A gap, which the library fills.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Gap {
    /// The columns of a row to insert.
    New,
    /// The columns of several rows.
    Rows,
    /// The columns to change.
    Changes,
    /// The assignments of the columns to insert to a row that exists.
    Excluded,
    /// The arrays with the columns of several rows to change, after other arrays.
    Arrays,
    /// The names of these columns, after other names.
    Names,
    /// The assignments of these columns.
    Given,
}

impl From<String> for Template {
    fn from(sql: String) -> Self {
        Self(vec![Piece::Fixed(sql)])
    }
}

impl Template {
    /// Adds a gap.
    pub(super) fn gap(mut self, gap: Gap) -> Self {
        self.0.push(Piece::Gap(gap));
        self
    }

    /// Adds the parameter of an array, whose elements have this type.
    pub(super) fn array(mut self, number: usize, cast: Option<&str>, sql_type: String) -> Self {
        let first = cast.and_then(|cast| cast.split_once("::"));
        let first = first.map(|(first, _)| first.to_owned());
        self.0.push(Piece::Array(number, first, sql_type));
        self
    }

    /// Adds SQL.
    pub(super) fn fixed(mut self, sql: impl Into<String>) -> Self {
        self.0.push(Piece::Fixed(sql.into()));
        self
    }

    /// Returns the text for the library, where a gap is in braces; other braces are doubled, unless
    /// all of the text is constant.
    pub(super) fn text(&self, is_constant: bool) -> String {
        let text = |piece: &Piece| match piece {
            Piece::Fixed(sql) if is_constant => sql.clone(),
            Piece::Fixed(sql) => sql.replace('{', "{{").replace('}', "}}"),
            Piece::Gap(Gap::New) => "{new}".to_owned(),
            Piece::Gap(Gap::Rows) => "{rows}".to_owned(),
            Piece::Gap(Gap::Changes) => "{changes}".to_owned(),
            Piece::Gap(Gap::Excluded) => "{excluded}".to_owned(),
            Piece::Gap(Gap::Arrays) => "{arrays}".to_owned(),
            Piece::Gap(Gap::Names) => "{names}".to_owned(),
            Piece::Gap(Gap::Given) => "{given}".to_owned(),
            Piece::Array(number, None, _) => format!("${number}"),
            Piece::Array(number, Some(first), _) => format!("${number}::{first}[]"),
        };
        self.0.iter().map(text).collect()
    }

    /// Returns true if it inserts the columns that a call gives.
    pub(super) fn inserts(&self) -> bool {
        let is_of_rows = |piece: &Piece| matches!(piece, Piece::Gap(Gap::New | Gap::Rows));
        self.0.iter().any(is_of_rows)
    }

    /// Returns true if nothing is left to a call.
    pub(super) fn is_constant(&self) -> bool {
        !self.0.iter().any(|piece| matches!(piece, Piece::Gap(_)))
    }

    /// Returns the SQL of a call that gives all columns.
    pub(in super::super) fn filled(&self, table: &TablePlan) -> String {
        let has_new = self
            .0
            .iter()
            .any(|piece| matches!(piece, Piece::Gap(Gap::New)));
        // The parameters outside of the gaps have the first numbers: those of the key.
        let before = if has_new {
            table.new_fields.len()
        } else {
            table.key.len() + usize::from(table.roles.version.is_some())
        };
        let new = &table.new_fields;
        let overriding = if table.overridden.is_empty() {
            ""
        } else {
            " OVERRIDING SYSTEM VALUE"
        };
        let is_set = |field: &&Field| !table.overridden.contains(&field.sql_name);
        let fill = |piece: &Piece| match piece {
            Piece::Fixed(sql) => sql.clone(),
            Piece::Gap(Gap::New) => {
                format!("({}){overriding} VALUES ({})", names(new), parameters(new))
            }
            Piece::Gap(Gap::Rows) => {
                format!("({}){overriding} SELECT {}", names(new), parameters(new))
            }
            Piece::Gap(Gap::Changes) => {
                let changes = table.changes_fields.iter().enumerate();
                list(changes.map(|(index, field)| {
                    let parameter = parameter(before + index + 1, write(field));
                    format!("{} = {parameter}", quoted(&field.sql_name))
                }))
            }
            Piece::Gap(Gap::Excluded) => list(new.iter().filter(is_set).map(|field| {
                let name = quoted(&field.sql_name);
                format!("{name} = excluded.{name}")
            })),
            Piece::Gap(Gap::Arrays) => {
                let changes = (before + 1..).zip(&table.changes_fields);
                let arrays = changes.map(|(number, field)| {
                    let first = write(field).and_then(|cast| cast.split_once("::"));
                    let first = first.map_or(field.base.sql(), |(first, _)| first.to_owned());
                    format!(", ${number}::{first}[]")
                });
                arrays.collect()
            }
            Piece::Gap(Gap::Names) => (1..=table.changes_fields.len())
                .map(|number| format!(", c{number}"))
                .collect(),
            Piece::Gap(Gap::Given) => {
                list((1..).zip(&table.changes_fields).map(|(number, field)| {
                    let rest = write(field).and_then(|cast| cast.split_once("::"));
                    let rest = rest.map_or(String::new(), |(_, rest)| format!("::{rest}"));
                    format!("{} = given.c{number}{rest}", quoted(&field.sql_name))
                }))
            }
            Piece::Array(number, first, sql_type) => {
                let first = first.as_ref().unwrap_or(sql_type);
                format!("${number}::{first}[]")
            }
        };
        self.0.iter().map(fill).collect()
    }
}

fn names(fields: &[Field]) -> String {
    list(fields.iter().map(|field| quoted(&field.sql_name)))
}

fn parameters(fields: &[Field]) -> String {
    list(
        (1..)
            .zip(fields)
            .map(|(number, field)| parameter(number, write(field))),
    )
}

/// Returns the items with commas between them.
pub(super) fn list(items: impl Iterator<Item = String>) -> String {
    items.collect::<Vec<_>>().join(", ")
}

/// Returns the types that the parameter for a column to write is cast to.
fn write(field: &Field) -> Option<&String> {
    field.via.as_ref()?.write.as_ref()
}
