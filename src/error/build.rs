//! Creates errors, and adds facts to them while they are returned.

use std::borrow::Cow;
use std::sync::Arc;

use super::facts::{Facts, StatementIndex};
use super::{Error, ErrorKind, Outcome, ServerError};
use crate::no_session::NoSession;
use crate::sqlstate::{SqlState, SqlStateClass as Class};

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Facts::new(kind, message.into())))
    }

    pub(crate) fn config(
        message: impl Into<Cow<'static, str>>,
        hint: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::new(ErrorKind::Config, message).with_hint(hint)
    }

    pub(crate) fn query(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Query, message)
    }

    /// Returns the error of a value that could not be read. The message includes all causes, since
    /// each names a part of the fault.
    pub(crate) fn decode(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        let source = source.into();
        // diesel's error names the field, and its source describes the fault.
        let mut message = source.to_string();
        let mut cause = source.source();
        while let Some(deeper) = cause {
            message.push_str(&format!(": {deeper}"));
            cause = deeper.source();
        }
        Self::new(ErrorKind::Decode, message).with_source_in_message(source)
    }

    /// Returns the error of the caller's reader or writer that failed.
    pub(crate) fn io(message: &'static str, error: std::io::Error) -> Self {
        Self::query(message).with_source(Box::new(error))
    }

    pub(crate) fn unavailable(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Unavailable, message)
    }

    pub(crate) fn timeout(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Timeout, message)
    }

    /// Returns the error for an error of the server, of the kind that its SQLSTATE implies
    /// (PostgreSQL manual, Appendix A).
    pub(crate) fn from_server(server: ServerError) -> Self {
        let state = server.sqlstate;
        let kind = match (state.class(), state) {
            (Class::INTEGRITY_CONSTRAINT_VIOLATION, _) => ErrorKind::Constraint,
            (_, SqlState::SERIALIZATION_FAILURE | SqlState::DEADLOCK_DETECTED) => {
                ErrorKind::Conflict
            }
            (_, SqlState::QUERY_CANCELED | SqlState::LOCK_NOT_AVAILABLE) => ErrorKind::Timeout,
            (_, SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT | SqlState::TRANSACTION_TIMEOUT) => {
                ErrorKind::Timeout
            }
            (Class::CONNECTION_EXCEPTION | Class::INSUFFICIENT_RESOURCES, _) => {
                ErrorKind::Unavailable
            }
            (Class::OPERATOR_INTERVENTION | Class::SYSTEM_ERROR, _) => ErrorKind::Unavailable,
            _ => ErrorKind::Query,
        };
        let may_be_pending = matches!(
            state,
            SqlState::UNDEFINED_TABLE | SqlState::UNDEFINED_COLUMN
        );
        let error = Self::new(kind, "").with_server(server);
        if may_be_pending {
            error.with_hint(
                "if a migration creates it, check with `bowline migrate status` whether it has run on this database",
            )
        } else {
            error
        }
    }

    /// Returns the same facts with another kind.
    pub(crate) fn with_kind(mut self, kind: ErrorKind) -> Self {
        self.0.kind = kind;
        self
    }

    pub(crate) fn with_outcome(mut self, outcome: Outcome) -> Self {
        self.0.outcome = outcome;
        self
    }

    /// Sets the context, which precedes the message: "failed to connect to ..".
    pub(crate) fn with_context(mut self, context: impl Into<Cow<'static, str>>) -> Self {
        self.0.context = Some(context.into());
        self
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<Cow<'static, str>>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Adds a cause that the message does not name.
    pub(crate) fn with_source(mut self, source: Box<dyn std::error::Error + Send + Sync>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Adds a cause whose text is the message; kept so that diesel gets its own error back.
    pub(super) fn with_source_in_message(
        mut self,
        source: Box<dyn std::error::Error + Send + Sync>,
    ) -> Self {
        self.0.message_has_source = true;
        self.with_source(source)
    }

    pub(crate) fn with_server(mut self, server: ServerError) -> Self {
        self.0.server = Some(Arc::new(server));
        self
    }

    pub(crate) fn with_no_session(mut self, why: NoSession) -> Self {
        self.0.no_session = Some(Box::new(why));
        self
    }

    pub(crate) fn with_sql(mut self, sql: Arc<str>) -> Self {
        self.0.sql = Some(sql);
        self
    }

    /// Sets the number of the failed statement, counted from 1; nothing if there is only one.
    pub(crate) fn with_statement(mut self, number: usize, total: usize) -> Self {
        let index = number.saturating_sub(1);
        self.0.statement_index = (total > 1).then_some(StatementIndex { index, total });
        self
    }

    pub(crate) fn resting_on_types(mut self, rests: bool) -> Self {
        self.0.depends_on_types = rests;
        self
    }

    pub(crate) fn depends_on_types(&self) -> bool {
        self.0.depends_on_types
    }

    pub(crate) fn with_row(mut self, row: u64) -> Self {
        self.0.row = Some(row);
        self
    }

    pub(crate) fn with_attempts(mut self, attempts: u32) -> Self {
        self.0.attempts = attempts;
        self
    }

    /// Notes whether the error is about an object of the call's schema.
    pub(crate) fn in_local_schema(mut self, schema: Option<&str>) -> Self {
        if let Some(server) = &mut self.0.server
            && schema.is_some()
            && server.schema.as_deref() == schema
        {
            Arc::make_mut(server).is_in_local_schema = true;
        }
        self
    }

    pub(crate) fn shared_server(&self) -> Option<&Arc<ServerError>> {
        self.0.server.as_ref()
    }

    /// Returns the same failure for another caller that waits for the same connection.
    pub(crate) fn duplicate(&self) -> Self {
        Self(self.0.clone())
    }
}
