//! The error of a query that is wrong, or that cannot be checked.

use std::fmt;
use std::ops::Range;

/// An error: PostgreSQL refuses the query, or its types cannot be determined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The SQLSTATE of PostgreSQL's error. `None` if PostgreSQL may accept the query: it is refused
    /// because its types are not known exactly.
    pub code: Option<&'static str>,
    /// The message, in PostgreSQL's words if the error is PostgreSQL's.
    pub message: String,
    /// The position in the query, in bytes.
    pub span: Range<usize>,
    /// A hint.
    pub hint: Option<String>,
}

impl Fault {
    /// Returns an error that PostgreSQL raises.
    pub(crate) fn error(
        code: &'static str,
        span: Range<usize>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            code: Some(code),
            message: message.into(),
            span,
            hint: None,
        }
    }

    /// Returns the refusal of a query that PostgreSQL may accept.
    pub(crate) fn refused(span: Range<usize>, message: impl Into<String>) -> Self {
        Self {
            code: None,
            message: message.into(),
            span,
            hint: None,
        }
    }

    /// Adds a hint.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Fault {}
