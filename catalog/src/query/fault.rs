//! Why a query cannot be checked, or what is wrong with it.

use std::fmt;
use std::ops::Range;

/// A query that PostgreSQL refuses, or that is not understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The SQLSTATE of PostgreSQL's error. `None` if PostgreSQL may accept the query: it is refused
    /// because its types are not known exactly.
    pub code: Option<&'static str>,
    /// What is wrong, in PostgreSQL's words if the error is PostgreSQL's.
    pub message: String,
    /// Where, in bytes of the query.
    pub span: Range<usize>,
    /// What to do about it.
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
