//! The settings of single tables and columns.

use std::collections::BTreeMap;

use serde::Deserialize;

/// What a setting says of one table or view.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct TableSettings {
    /// The Rust name of the row; the names of its id, `New`, `Changes` and constraints follow.
    pub row: Option<String>,
    /// The columns that identify a row of a table without a primary key, or of a view.
    pub key: Option<Vec<String>>,
    /// True if a view gets functions that write: those that PostgreSQL takes for it.
    pub writable: bool,
    /// True if the generated SQL names the schema `public` too, so that the table is the same for
    /// each schema of `Database::with_schema`.
    pub qualified: bool,
    /// Functions that are not generated: `delete`.
    pub leave_out: Vec<String>,
    /// Further derives of the row.
    pub derives: Vec<String>,
    /// Further derives of `New`.
    pub new_derives: Vec<String>,
    /// Further derives of `Changes`.
    pub changes_derives: Vec<String>,
    /// Further derives of the id.
    pub id_derives: Vec<String>,
    /// serde's `rename_all` of the row, of `New` and of `Changes`.
    pub rename_all: Option<RenameAll>,
    /// The column that counts the changes of a row. `update` fails if the row has another version
    /// than the one that was read.
    pub version: Option<String>,
    /// The column with the time at which a row was deleted. The functions pass over deleted rows.
    pub deleted_at: Option<String>,
    /// The column with the time of the last change. Each generated function that writes sets it.
    pub updated_at: Option<String>,
    /// The columns that a client may send for a new row: `NewIssueBody` has no others.
    pub new_body: Vec<String>,
    /// The columns that a client may send to change a row: `IssueChangesBody` has no others.
    pub changes_body: Vec<String>,
    /// Settings of single columns.
    pub columns: BTreeMap<String, ColumnSettings>,
}

/// What a setting says of one column.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct ColumnSettings {
    /// The Rust type. It implements diesel's `FromSql` and `ToSql` for the SQL type of the column.
    #[serde(rename = "type")]
    pub rust_type: Option<String>,
    /// The name in JSON.
    pub rename: Option<String>,
    /// True if the row in JSON has no such field.
    pub skip_serializing: bool,
    /// True if `New` and `Changes` are not read from JSON here.
    pub skip_deserializing: bool,
    /// True if `list` and `list_by_..` do not read the column. Their rows have a struct of their
    /// own.
    pub leave_out_of_lists: bool,
    /// Attributes of the row's field, for further derives: `schema(format = "email")`.
    pub attributes: Vec<String>,
    /// Attributes of its field in `New` and in `Values`.
    pub new_attributes: Vec<String>,
    /// Attributes of its field in `Changes`.
    pub changes_attributes: Vec<String>,
    /// True if the column of a view cannot be NULL.
    pub not_null: bool,
    /// True if `Values` has this column, which is `GENERATED ALWAYS AS IDENTITY`: an INSERT that
    /// gives its value overrides PostgreSQL's.
    pub overriding_system_value: bool,
}

/// serde's rules for the names of fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum RenameAll {
    /// `lowercase`.
    #[serde(rename = "lowercase")]
    Lower,
    /// `UPPERCASE`.
    #[serde(rename = "UPPERCASE")]
    Upper,
    /// `PascalCase`.
    #[serde(rename = "PascalCase")]
    Pascal,
    /// `camelCase`.
    #[serde(rename = "camelCase")]
    Camel,
    /// `snake_case`.
    #[serde(rename = "snake_case")]
    Snake,
    /// `SCREAMING_SNAKE_CASE`.
    #[serde(rename = "SCREAMING_SNAKE_CASE")]
    ScreamingSnake,
    /// `kebab-case`.
    #[serde(rename = "kebab-case")]
    Kebab,
    /// `SCREAMING-KEBAB-CASE`.
    #[serde(rename = "SCREAMING-KEBAB-CASE")]
    ScreamingKebab,
}

impl RenameAll {
    /// Returns the name of the rule.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Lower => "lowercase",
            Self::Upper => "UPPERCASE",
            Self::Pascal => "PascalCase",
            Self::Camel => "camelCase",
            Self::Snake => "snake_case",
            Self::ScreamingSnake => "SCREAMING_SNAKE_CASE",
            Self::Kebab => "kebab-case",
            Self::ScreamingKebab => "SCREAMING-KEBAB-CASE",
        }
    }
}
