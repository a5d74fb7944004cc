//! How this crate makes errors and adds what it knows of them.

use std::borrow::Cow;
use std::sync::Arc;

use super::{Class, Error, Facts, Outcome, Place, Report, ServerError, SqlState};
use crate::no_session::NoSession;

impl Error {
    pub(crate) fn config(
        message: impl Into<Cow<'static, str>>,
        hint: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::Config(Report::new(message).with_hint(hint))
    }

    pub(crate) fn query(message: impl Into<Cow<'static, str>>) -> Self {
        Self::Query(Report::new(message))
    }

    pub(crate) fn decode(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        let source = source.into();
        // diesel names the field, and keeps what is wrong with it one level down.
        let mut message = source.to_string();
        let mut cause = source.source();
        while let Some(deeper) = cause {
            message.push_str(&format!(": {deeper}"));
            cause = deeper.source();
        }
        Self::Decode(Report::new(message)).with_source(source)
    }

    /// A reader or writer of the caller's failed.
    pub(crate) fn io(what: &'static str, error: std::io::Error) -> Self {
        Self::query(format!("{what}: {error}")).with_source(Box::new(error))
    }

    pub(crate) fn unavailable(message: impl Into<Cow<'static, str>>) -> Self {
        Self::Unavailable(Report::new(message))
    }

    pub(crate) fn timeout(message: impl Into<Cow<'static, str>>) -> Self {
        Self::Timeout(Report::new(message))
    }

    /// The variant that the server's code asks for (PostgreSQL manual, Appendix A).
    pub(crate) fn from_server(server: ServerError) -> Self {
        let state = server.sqlstate;
        let variant: fn(Report) -> Self = match (state.class(), state) {
            (Class::INTEGRITY_CONSTRAINT_VIOLATION, _) => Self::Constraint,
            (_, SqlState::SERIALIZATION_FAILURE | SqlState::DEADLOCK_DETECTED) => Self::Conflict,
            (_, SqlState::QUERY_CANCELED | SqlState::LOCK_NOT_AVAILABLE) => Self::Timeout,
            (_, SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT | SqlState::TRANSACTION_TIMEOUT) => {
                Self::Timeout
            }
            (Class::CONNECTION_EXCEPTION | Class::INSUFFICIENT_RESOURCES, _) => Self::Unavailable,
            (Class::OPERATOR_INTERVENTION | Class::SYSTEM_ERROR, _) => Self::Unavailable,
            _ => Self::Query,
        };
        let may_be_pending = matches!(
            state,
            SqlState::UNDEFINED_TABLE | SqlState::UNDEFINED_COLUMN
        );
        let hint = may_be_pending.then_some(
            "if a migration makes it, has it run on this database? `bowline migrate status` tells",
        );
        variant(Report(Box::new(Facts {
            server: Some(Arc::new(server)),
            hint: hint.map(Cow::Borrowed),
            ..Facts::default()
        })))
    }

    pub(crate) fn with_outcome(mut self, outcome: Outcome) -> Self {
        self.facts_mut().outcome = outcome;
        self
    }

    pub(crate) fn with_intent(mut self, intent: impl Into<Cow<'static, str>>) -> Self {
        self.facts_mut().intent = Some(intent.into());
        self
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<Cow<'static, str>>) -> Self {
        self.facts_mut().hint = Some(hint.into());
        self
    }

    pub(crate) fn with_source(mut self, source: Box<dyn std::error::Error + Send + Sync>) -> Self {
        self.facts_mut().source = Some(source.into());
        self
    }

    pub(crate) fn with_server(mut self, server: ServerError) -> Self {
        self.facts_mut().server = Some(Arc::new(server));
        self
    }

    pub(crate) fn with_no_session(mut self, why: NoSession) -> Self {
        self.facts_mut().no_session = Some(Box::new(why));
        self
    }

    pub(crate) fn with_sql(mut self, sql: Arc<str>) -> Self {
        self.facts_mut().sql = Some(sql);
        self
    }

    pub(crate) fn with_place(mut self, number: usize, of: usize) -> Self {
        self.facts_mut().place = (of > 1).then_some(Place { number, of });
        self
    }

    pub(crate) fn resting_on_types(mut self, rests: bool) -> Self {
        self.facts_mut().rests_on_types = rests;
        self
    }

    pub(crate) fn rests_on_types(&self) -> bool {
        self.facts().rests_on_types
    }

    pub(crate) fn with_row(mut self, row: u64) -> Self {
        self.facts_mut().row = Some(row);
        self
    }

    pub(crate) fn with_attempts(mut self, attempts: u32) -> Self {
        self.facts_mut().attempts = attempts;
        self
    }
}
