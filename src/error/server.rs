//! What the server said of an error, field by field.

use std::fmt;

use crate::sqlstate::SqlState;

/// The fields of a server's error (PostgreSQL manual, 55.8), copied out of its message.
#[derive(Clone, PartialEq, Eq)]
pub struct ServerError {
    /// `ERROR`, `FATAL` or `PANIC`, whatever the server's language.
    pub severity: String,
    /// The code by which to decide.
    pub sqlstate: SqlState,
    /// The one line message, in the server's language.
    pub message: String,
    /// A second line; often quotes the data at fault.
    pub detail: Option<String>,
    /// What the server advises.
    pub hint: Option<String>,
    /// Where in the SQL, in characters, the first being 1.
    pub position: Option<usize>,
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
}

impl fmt::Debug for ServerError {
    /// Only what is there.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("ServerError");
        out.field("sqlstate", &self.sqlstate)
            .field("message", &self.message);
        for (name, value) in [
            ("detail", &self.detail),
            ("hint", &self.hint),
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
        if let Some(position) = self.position {
            out.field("position", &position);
        }
        out.finish()
    }
}
