//! The reason why a file cannot run as a migration.

use std::fmt;
use std::ops::Range;

/// An error in a file, with its location.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptError {
    /// The range of the error, in bytes.
    pub span: Range<usize>,
    /// The line of the error, counted from 1.
    pub line: usize,
    /// The message, as a sentence.
    pub message: String,
    /// The hint.
    pub hint: String,
}

impl fmt::Display for ScriptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

impl std::error::Error for ScriptError {}

impl ScriptError {
    /// Returns the error about a range of a text.
    pub(crate) fn new(
        text: &str,
        span: Range<usize>,
        message: impl Into<String>,
        hint: &str,
    ) -> Self {
        Self {
            line: text[..span.start].matches('\n').count() + 1,
            span,
            message: message.into(),
            hint: hint.to_owned(),
        }
    }
}
