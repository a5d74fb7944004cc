//! The facts of a failure.

use std::borrow::Cow;
use std::sync::Arc;

use super::{ErrorKind, Outcome, ServerError};
use crate::no_session::NoSession;

/// The facts of a failure, the same for all kinds.
#[derive(Clone)]
pub(super) struct Facts {
    pub(super) kind: ErrorKind,
    pub(super) outcome: Outcome,
    /// The context, which precedes the message: "failed to connect to ..".
    pub(super) context: Option<Cow<'static, str>>,
    /// The message; empty if the server's message is used.
    pub(super) message: Cow<'static, str>,
    pub(super) server: Option<Arc<ServerError>>,
    pub(super) no_session: Option<Box<NoSession>>,
    pub(super) hint: Option<Cow<'static, str>>,
    pub(super) sql: Option<Arc<str>>,
    pub(super) statement_index: Option<StatementIndex>,
    pub(super) row: Option<u64>,
    pub(super) attempts: u32,
    /// Whether types of the statement were looked up by name, so that their OIDs may be out of
    /// date.
    pub(super) depends_on_types: bool,
    pub(super) source: Option<Arc<dyn std::error::Error + Send + Sync>>,
    /// Whether the message already includes the text of the source and of all causes below it.
    pub(super) message_has_source: bool,
}

impl Facts {
    pub(super) fn new(kind: ErrorKind, message: Cow<'static, str>) -> Self {
        Self {
            kind,
            outcome: Outcome::NotCommitted,
            context: None,
            message,
            server: None,
            no_session: None,
            hint: None,
            sql: None,
            statement_index: None,
            row: None,
            attempts: 1,
            depends_on_types: false,
            source: None,
            message_has_source: false,
        }
    }
}

/// The index of the failed statement among those that were sent together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatementIndex {
    /// The index in the tuple or `Vec`, counted from 0; a nested tuple counts as its statements.
    pub index: usize,
    /// The number of statements.
    pub total: usize,
}
