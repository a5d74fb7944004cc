//! Formats errors.

use std::fmt;

use super::shown::Shown;
use super::{Error, Outcome, StatementIndex};

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let facts = &self.0;
        if let Some(context) = &facts.context {
            write!(f, "{context}: ")?;
        }
        write!(f, "{}", Shown(self.message()))?;
        if let Some(state) = self.sqlstate() {
            write!(f, " (SQLSTATE {state})")?;
        }
        if let Some(StatementIndex { index, total }) = facts.statement_index {
            write!(f, ", in statement {} of {total}", index + 1)?;
        }
        if let Some(row) = facts.row {
            write!(f, ", in row {row}")?;
        }
        if facts.attempts > 1 {
            write!(f, ", tried {} times", facts.attempts)?;
        }
        match facts.outcome {
            Outcome::NotCommitted => Ok(()),
            Outcome::Committed => f.write_str("; the work is committed"),
            Outcome::Unknown => f.write_str("; whether the work is committed is not known"),
        }
    }
}

impl fmt::Debug for Error {
    /// Formats the sentence, its cause and the hint on one line, as `main` shows it; `{:#?}`
    /// formats the known facts.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.alternate() {
            return self.facts(f);
        }
        write!(f, "{self}")?;
        let mut cause = std::error::Error::source(self);
        while let Some(deeper) = cause {
            write!(f, ": {}", Shown(&deeper.to_string()))?;
            cause = deeper.source();
        }
        match self.hint() {
            Some(hint) => write!(f, "; hint: {}", Shown(hint)),
            None => Ok(()),
        }
    }
}

impl Error {
    /// Returns the message with its context, for use within another sentence.
    pub(crate) fn sentence(&self) -> String {
        match &self.0.context {
            Some(context) => format!("{context}: {}", self.message()),
            None => self.message().to_owned(),
        }
    }

    fn facts(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let facts = &self.0;
        let mut out = f.debug_struct("Error");
        out.field("kind", &facts.kind)
            .field("outcome", &facts.outcome);
        if let Some(server) = &facts.server {
            out.field("server", server);
        }
        if let Some(no_session) = &facts.no_session {
            out.field("no_session", no_session);
        }
        if let Some(context) = &facts.context {
            out.field("context", context);
        }
        if !facts.message.is_empty() {
            out.field("message", &facts.message);
        }
        if let Some(hint) = &facts.hint {
            out.field("hint", hint);
        }
        if let Some(sql) = &facts.sql {
            out.field("sql", sql);
        }
        if let Some(index) = &facts.statement_index {
            out.field("statement_index", index);
        }
        if let Some(row) = &facts.row {
            out.field("row", row);
        }
        if facts.attempts > 1 {
            out.field("attempts", &facts.attempts);
        }
        if let Some(source) = &facts.source {
            out.field("source", source);
        }
        out.finish()
    }
}

impl std::error::Error for Error {
    /// Returns the cause, unless the sentence already includes it.
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        let source = self.0.source.as_deref().map(|source| source as _);
        source.filter(|_| !self.0.message_has_source)
    }
}
