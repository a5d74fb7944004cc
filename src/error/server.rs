//! The fields of a server's error.

use std::fmt;

use crate::sqlstate::SqlState;

/// The fields of a server's error (PostgreSQL manual, 55.8), copied out of its message.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerError {
    /// `ERROR`, `FATAL` or `PANIC`, whatever the server's language.
    pub severity: String,
    /// The SQLSTATE, by which to decide.
    pub sqlstate: SqlState,
    /// The one line message, in the server's language.
    pub message: String,
    /// A second line; often quotes the data at fault.
    pub detail: Option<String>,
    /// The server's hint.
    pub hint: Option<String>,
    /// The position in the SQL, in characters, the first being 1.
    pub position: Option<usize>,
    /// The position in [`ServerError::internal_query`], in characters, the first being 1.
    pub internal_position: Option<usize>,
    /// The SQL at fault, if the server itself generated it or a function contains it.
    pub internal_query: Option<String>,
    /// The functions and statements that led there.
    pub context: Option<String>,
    /// The schema of the object at fault.
    pub schema: Option<String>,
    /// The table at fault.
    pub table: Option<String>,
    /// The column at fault.
    pub column: Option<String>,
    /// The data type at fault.
    pub data_type: Option<String>,
    /// The constraint at fault; for a unique index its name.
    pub constraint: Option<String>,
    /// The file of PostgreSQL's source that reported it.
    pub source_file: Option<String>,
    /// The line in that file.
    pub source_line: Option<u32>,
    /// The C function that reported it.
    pub source_function: Option<String>,
    /// Whether the schema is the one in which the call found its tables
    /// ([`Database::with_schema`](crate::Database::with_schema)).
    pub(crate) is_in_local_schema: bool,
}

impl ServerError {
    /// Returns an error with this SQLSTATE and message only.
    pub(crate) fn new(sqlstate: SqlState, message: String) -> Self {
        Self {
            severity: "ERROR".to_owned(),
            sqlstate,
            message,
            detail: None,
            hint: None,
            position: None,
            internal_position: None,
            internal_query: None,
            context: None,
            schema: None,
            table: None,
            column: None,
            data_type: None,
            constraint: None,
            source_file: None,
            source_line: None,
            source_function: None,
            is_in_local_schema: false,
        }
    }
}

impl fmt::Debug for ServerError {
    /// Formats the fields that are set.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("ServerError");
        out.field("sqlstate", &self.sqlstate)
            .field("message", &self.message);
        for (name, value) in [
            ("detail", &self.detail),
            ("hint", &self.hint),
            ("internal_query", &self.internal_query),
            ("context", &self.context),
            ("schema", &self.schema),
            ("table", &self.table),
            ("column", &self.column),
            ("data_type", &self.data_type),
            ("constraint", &self.constraint),
        ] {
            if let Some(value) = value {
                out.field(name, value);
            }
        }
        for (name, value) in [
            ("position", self.position),
            ("internal_position", self.internal_position),
        ] {
            if let Some(value) = value {
                out.field(name, &value);
            }
        }
        // The location in PostgreSQL's source is left out; its fields can be read.
        out.finish_non_exhaustive()
    }
}
