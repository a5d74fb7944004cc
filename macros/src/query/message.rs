//! The message about a mistake in SQL, with the line of the SQL in which the mistake is underlined.

use std::ops::Range;

use super::text::Sql;

/// A mistake in the SQL of a macro call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mistake {
    /// The SQLSTATE, if PostgreSQL refuses the SQL.
    pub(crate) code: Option<&'static str>,
    pub(crate) message: String,
    /// The range in the SQL, in bytes; `None` if the mistake is about no part of it.
    pub(crate) span: Option<Range<usize>>,
    pub(crate) hint: Option<String>,
}

impl Mistake {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            code: None,
            message: message.into(),
            span: None,
            hint: None,
        }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Returns the message with the line of the SQL. `file` is the source file.
    pub(crate) fn shown(&self, sql: &Sql, file: &str) -> String {
        let mut out = self.message.clone();
        if let Some(code) = self.code {
            out.push_str(&format!(" ({code})"));
        }
        if let Some(span) = &self.span
            && !sql.text.trim().is_empty()
        {
            let (line, underlined) = sql.line(span);
            let location = sql.location(span.start);
            let number = location
                .map(|location| location.line.to_string())
                .unwrap_or_default();
            let margin = " ".repeat(number.len());
            if let Some(location) = location {
                out.push_str(&format!(
                    "\n{margin}--> {file}:{}:{}",
                    location.line, location.column
                ));
            }
            let before: String = " ".repeat(underlined.start);
            let marks = "^".repeat(underlined.len());
            out.push_str(&format!(
                "\n{margin} |\n{number} | {line}\n{margin} | {before}{marks}"
            ));
        }
        if let Some(hint) = &self.hint {
            out.push_str(&format!("\n = help: {hint}"));
        }
        out
    }
}
