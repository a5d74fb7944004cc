//! The connection of a session, its prepared statements, and the reason why it can no longer be
//! used.

use std::ffi::{CStr, CString};

use crate::command::prepared::PreparedStatements;
use crate::command::text::Text;
use crate::connect::Encryption;
use crate::error::{Error, Result};
use crate::wire::interrupt::Interrupt;
use crate::wire::libpq::{Connection, LibpqError, TransactionStatus};
use crate::wire::notification::Notification;
use crate::wire::protocol::{
    CopyMachine, CopyState, NotificationWait, Pipeline, PipelineState, SimpleQuery,
};

/// A connection with what is known of the server's session.
///
/// The connection itself is never exposed: a state machine borrows it for one pipeline, simple
/// query, COPY or wait.
#[derive(Debug)]
pub(super) struct SessionConnection {
    libpq: Connection,
    /// The prepared statements, as the server has confirmed them.
    prepared: PreparedStatements,
    /// The reason why no call is possible any more. It is never unset, and the first reason stays.
    lost: Option<String>,
    /// Whether [`SessionConnection::was_closed`] has just returned false, and nothing was sent
    /// since.
    was_peeked: bool,
}

/// The first byte of a TLS record that announces the end; no message of PostgreSQL begins with it.
const TLS_ALERT: u8 = 0x15;

impl SessionConnection {
    /// Takes over a connection, which has no prepared statements yet.
    pub(super) fn new(libpq: Connection, prepared: PreparedStatements) -> Self {
        Self {
            libpq,
            prepared,
            lost: None,
            was_peeked: false,
        }
    }

    pub(super) fn prepared(&self) -> &PreparedStatements {
        &self.prepared
    }

    pub(super) fn prepared_mut(&mut self) -> &mut PreparedStatements {
        &mut self.prepared
    }

    /// Marks the connection as unusable, unless it is already.
    pub(super) fn set_lost(&mut self, reason: impl FnOnce() -> String) {
        self.lost.get_or_insert_with(reason);
    }

    pub(super) fn is_lost(&self) -> bool {
        self.lost.is_some()
    }

    /// Returns whether the connection was marked as unusable, or libpq has seen that it is lost.
    pub(super) fn is_broken(&self) -> bool {
        self.lost.is_some() || !self.libpq.is_alive()
    }

    /// Fails for a connection that was lost, and for one whose results another call still waits
    /// for.
    pub(super) fn refuse_if_lost(&self) -> Result<()> {
        match &self.lost {
            None if self.libpq.transaction_status() == TransactionStatus::Active => {
                Err(Error::query(
                    "the session is still busy with a stream or a COPY that was not dropped",
                )
                .with_hint("drop it, which ends it: std::mem::forget does not"))
            }
            None => Ok(()),
            Some(lost) => Err(Error::unavailable(format!(
                "the session lost its connection earlier: {lost}"
            ))
            .with_hint("take a new session from the pool")),
        }
    }

    /// Notes that the pool has just looked at the socket, and found it open.
    pub(super) fn note_peek(&mut self) {
        self.was_peeked = true;
    }

    /// Returns whether the socket was just found open; once.
    pub(super) fn take_peek(&mut self) -> bool {
        std::mem::take(&mut self.was_peeked)
    }

    pub(super) fn transaction_status(&self) -> TransactionStatus {
        self.libpq.transaction_status()
    }

    /// Returns whether the server waits for a statement and has no transaction open.
    pub(super) fn is_idle(&self) -> bool {
        self.libpq.transaction_status() == TransactionStatus::Idle
    }

    /// Returns whether the server has a transaction open, failed or not.
    pub(super) fn is_in_transaction(&self) -> bool {
        matches!(
            self.libpq.transaction_status(),
            TransactionStatus::InTransaction | TransactionStatus::InError
        )
    }

    /// Returns whether the transaction has failed, so that the server accepts only its end.
    pub(super) fn is_aborted(&self) -> bool {
        self.libpq.transaction_status() == TransactionStatus::InError
    }

    pub(super) fn server_version(&self) -> i32 {
        self.libpq.server_version()
    }

    /// Returns a setting that the server reports by itself.
    pub(super) fn parameter_status(&self, name: &CStr) -> Option<String> {
        self.libpq.parameter_status(name)
    }

    /// Returns whether the server accepts no writes by default: it is a standby, or configured so.
    pub(super) fn is_read_only(&self) -> bool {
        [c"in_hot_standby", c"default_transaction_read_only"]
            .into_iter()
            .any(|name| self.libpq.parameter_status(name).as_deref() == Some("on"))
    }

    /// Returns whether the server may parse the strings in this SQL differently. With
    /// `standard_conforming_strings` off, a backslash is an escape in all strings.
    pub(super) fn has_nonstandard_strings(&self, sql: &str) -> bool {
        sql.contains('\\') && self.has_escapes()
    }

    /// As [`SessionConnection::has_nonstandard_strings`], for a text that is kept.
    pub(super) fn may_misread(&self, text: &Text) -> bool {
        text.has_backslash() && self.has_escapes()
    }

    fn has_escapes(&self) -> bool {
        let standard = c"standard_conforming_strings";
        self.libpq.parameter_status(standard).as_deref() == Some("off")
    }

    /// Returns whether the server has closed the connection while it was idle: peeks at the socket,
    /// no round trip.
    pub(super) fn was_closed(&self) -> bool {
        let mut byte = [0_u8; 1];
        let Some(socket) = self.libpq.socket() else {
            return true;
        };
        match rustix::net::recv(
            socket,
            &mut byte,
            rustix::net::RecvFlags::PEEK | rustix::net::RecvFlags::DONTWAIT,
        ) {
            Ok((0, _)) => true,
            // Unasked, a notice, a notification or a FATAL error may arrive. libpq reads the first
            // two with the next call; the last one announces that the server closes the connection.
            Ok(_) => matches!(byte, [b'E'] | [TLS_ALERT]),
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => false,
            Err(_) => true,
        }
    }

    /// Returns whether the connection is open and nothing has arrived on it; no round trip.
    #[cfg(feature = "testing")]
    pub(super) fn is_quiet(&self) -> bool {
        let flags = rustix::net::RecvFlags::PEEK | rustix::net::RecvFlags::DONTWAIT;
        let peeked = self.libpq.socket().map(|socket| {
            let mut byte = [0_u8; 1];
            rustix::net::recv(socket, &mut byte, flags).map(|(count, _)| count)
        });
        matches!(peeked, Some(Err(rustix::io::Errno::AGAIN)))
    }

    /// Returns how the connection is encrypted.
    pub(super) fn encryption(&self) -> Option<Encryption> {
        Encryption::of(&self.libpq)
    }

    pub(super) fn enter_pipeline(&mut self) -> Result<(), LibpqError> {
        self.libpq.enter_pipeline()
    }

    pub(super) fn exit_pipeline(&mut self) -> Result<(), LibpqError> {
        self.libpq.exit_pipeline()
    }

    /// Notes that the pipeline that follows waits for an answer that the server has not begun.
    #[inline]
    pub(super) fn note_request(&mut self) {
        #[cfg(feature = "tokio")]
        self.libpq.registration().note_request();
    }

    /// Returns a machine that continues a pipeline; between [`Self::enter_pipeline`] and
    /// [`Self::exit_pipeline`].
    pub(super) fn pipeline<'c>(&'c mut self, state: &'c mut PipelineState) -> Pipeline<'c> {
        Pipeline::new(&mut self.libpq, state)
    }

    /// Returns a machine that runs a simple query.
    pub(super) fn simple_query(
        &mut self,
        sql: CString,
        interrupt: Option<Interrupt>,
    ) -> SimpleQuery<'_> {
        SimpleQuery::new(&mut self.libpq, sql).with_interrupt(interrupt)
    }

    /// Returns a machine that continues a COPY.
    pub(super) fn copy<'c>(
        &'c mut self,
        state: &'c mut CopyState,
        interrupt: Option<Interrupt>,
    ) -> CopyMachine<'c> {
        CopyMachine::new(&mut self.libpq, state).with_interrupt(interrupt)
    }

    /// Returns a machine that waits for notifications.
    pub(super) fn notifications(&mut self, interrupt: Option<Interrupt>) -> NotificationWait<'_> {
        NotificationWait::new(&mut self.libpq).with_interrupt(interrupt)
    }

    /// Takes the next notification that libpq has read.
    pub(super) fn next_notification(&mut self) -> Option<Notification> {
        self.libpq.next_notification()
    }
}
