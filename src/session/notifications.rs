//! LISTEN and NOTIFY.
//!
//! The server sends notifications between statements. They are kept here until they are read, so
//! none is lost while other statements run.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bowline_sql::quote::identifier;
use diesel::sql_types::Text;

use super::Session;
use crate::deadline::after;
use crate::error::{Error, Outcome, Result};
use crate::statement::{Statement, StatementDsl as _};
use crate::wire::driver::{DriveError, drive};
use crate::wire::executor::block_on;
use crate::wire::notification::Notification;

/// The notifications that have arrived, but were not read yet.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    /// At most [`KEPT`]; the oldest are dropped when there are too many.
    unread: VecDeque<Notification>,
    /// The number of notifications that were dropped.
    dropped: u64,
}

/// The number of notifications that a session keeps.
const KEPT: usize = 10_000;

/// Returns a statement that sends a notification on a channel, once the transaction commits:
/// `pg_notify(channel, payload)`.
///
/// Being a statement, it can be sent together with the change that it announces.
pub fn notify(
    channel: impl Into<String>,
    payload: impl Into<String>,
) -> impl Statement<Output = ()> {
    diesel::sql_query("SELECT pg_catalog.pg_notify($1, $2)")
        .bind::<Text, _>(channel.into())
        .bind::<Text, _>(payload.into())
        .affected()
        .map(|_| ())
}

impl Session {
    /// Receives the notifications of a channel from now on; within a transaction from its commit on. One round trip.
    ///
    /// The name of the channel is case-sensitive.
    pub fn listen(&mut self, channel: &str) -> Result<()> {
        self.refuse_behind_pooler("LISTEN")?;
        self.run(crate::sql_query(format!("LISTEN {}", identifier(channel))).affected())?;
        Ok(())
    }

    /// Receives no more notifications of a channel. One round trip.
    pub fn unlisten(&mut self, channel: &str) -> Result<()> {
        self.run(crate::sql_query(format!("UNLISTEN {}", identifier(channel))).affected())?;
        Ok(())
    }

    /// Returns the next notification; waits up to this long for it, and takes no round trip.
    ///
    /// Returns `None` if none arrived in time. The server sends no notifications while a
    /// transaction is open.
    /// Fails if the connection is lost, or once the call that waits is given up.
    pub fn wait_for_notification(&mut self, limit: Duration) -> Result<Option<Notification>> {
        self.receive_notifications(after(limit))?;
        Ok(self.inbox.unread.pop_front())
    }

    /// Returns the notifications that have arrived; does not wait, takes no round trip.
    pub fn notifications(&mut self) -> Result<Vec<Notification>> {
        self.receive_notifications(Instant::now())?;
        Ok(self.inbox.unread.drain(..).collect())
    }

    /// Takes notifications that have arrived; if there are none at all, waits for one until the deadline.
    fn receive_notifications(&mut self, deadline: Instant) -> Result<()> {
        self.connection.refuse_if_lost()?;
        self.limits.refuse_if_given_up()?;
        let until = if self.inbox.is_empty() {
            deadline
        } else {
            Instant::now()
        };
        let mut wait = self.connection.notifications(self.limits.interrupt());
        let driven = block_on(drive(&mut wait, until));
        let received = std::mem::take(&mut wait.received);
        self.inbox.extend(received);
        match driven {
            Ok(()) => Ok(()),
            Err(DriveError::Deadline) => self.limits.refuse_if_given_up(),
            // The notifications that came before can still be read.
            Err(_) if !self.inbox.is_empty() => Ok(()),
            Err(stopped) => Err(self.lost_error(stopped, None, false, Outcome::NotCommitted)),
        }
    }

    /// Takes the notifications that libpq has read.
    pub(super) fn collect_notifications(&mut self) {
        while let Some(notification) = self.connection.next_notification() {
            self.inbox.keep(notification);
        }
    }

    /// Forgets all notifications, for the next holder of the session.
    pub(super) fn empty_inbox(&mut self) {
        self.collect_notifications();
        self.inbox = Inbox::default();
    }

    /// Fails behind a pooler, which gives each transaction another session of the server.
    pub(super) fn refuse_behind_pooler(&self, what: &str) -> Result<()> {
        if self.pooler.is_none() {
            return Ok(());
        }
        Err(Error::query(format!(
            "{what} needs a session of its own, which a pooler does not give"
        ))
        .with_hint("connect to the server itself for this, with a Config without pooler(true)"))
    }
}

impl Inbox {
    fn is_empty(&self) -> bool {
        self.unread.is_empty()
    }

    fn extend(&mut self, notifications: VecDeque<Notification>) {
        for notification in notifications {
            self.keep(notification);
        }
    }

    fn keep(&mut self, notification: Notification) {
        if self.unread.len() == KEPT {
            self.unread.pop_front();
            self.dropped += 1;
            if self.dropped.is_power_of_two() {
                tracing::warn!(
                    lost = self.dropped,
                    "notifications come faster than they are asked for, the oldest are dropped"
                );
            }
        }
        self.unread.push_back(notification);
    }
}
