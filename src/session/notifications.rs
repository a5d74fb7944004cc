//! LISTEN and NOTIFY.
//!
//! The server sends notifications between statements. They are kept here until they are read, so
//! none is lost while other statements run.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bowline_sql::quote::identifier;
use diesel::sql_types::Text;

use super::Session;
#[cfg(feature = "tokio")]
use crate::deadline::A_YEAR;
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
    /// Receives the notifications of a channel from now on; within a transaction from its commit
    /// on. One round trip.
    ///
    /// The name of the channel is case-sensitive.
    pub fn listen(&mut self, channel: &str) -> Result<()> {
        block_on(self.listen_now(channel))
    }

    /// As [`Session::listen`], for callers of both kinds.
    pub(crate) async fn listen_now(&mut self, channel: &str) -> Result<()> {
        self.refuse_behind_pooler("LISTEN")?;
        let listen = crate::sql_query(format!("LISTEN {}", identifier(channel)));
        self.run_now(&mut listen.affected()).await.map(drop)
    }

    /// Receives no more notifications of a channel. One round trip.
    pub fn unlisten(&mut self, channel: &str) -> Result<()> {
        block_on(self.unlisten_now(channel))
    }

    /// As [`Session::unlisten`], for callers of both kinds.
    pub(crate) async fn unlisten_now(&mut self, channel: &str) -> Result<()> {
        let unlisten = crate::sql_query(format!("UNLISTEN {}", identifier(channel)));
        self.run_now(&mut unlisten.affected()).await.map(drop)
    }

    /// Returns the next notification; waits up to this long for it, and takes no round trip.
    ///
    /// Returns `None` if none arrived in time. The server sends no notifications while a
    /// transaction is open.
    /// Fails if the connection is lost, or once the call that waits is given up.
    pub fn wait_for_notification(&mut self, limit: Duration) -> Result<Option<Notification>> {
        block_on(self.next_notification(limit))
    }

    /// As [`Session::wait_for_notification`], for callers of both kinds.
    pub(crate) async fn next_notification(
        &mut self,
        limit: Duration,
    ) -> Result<Option<Notification>> {
        self.receive_notifications(after(limit)).await?;
        Ok(self.inbox.unread.pop_front())
    }

    /// Returns the notifications that have arrived; does not wait, takes no round trip.
    pub fn notifications(&mut self) -> Result<Vec<Notification>> {
        block_on(self.receive_notifications(Instant::now()))?;
        Ok(self.inbox.unread.drain(..).collect())
    }

    /// Receives the notifications of these channels from now on: one round trip.
    #[cfg(feature = "tokio")]
    pub(crate) async fn listen_to(&mut self, channels: &[String]) -> Result<()> {
        self.refuse_behind_pooler("LISTEN")?;
        if self.is_within_transaction() {
            return Err(
                Error::query("within a transaction no notification arrives").with_hint(
                    "give the test a database of its own, with #[bowline::test(database)]",
                ),
            );
        }
        let listen = |channel| format!("LISTEN {}", identifier(channel));
        let listen = channels
            .iter()
            .map(|channel| crate::sql_query(listen(channel)).affected());
        let mut listen: Vec<_> = listen.collect();
        self.run_now(&mut listen).await?;
        Ok(())
    }

    /// Waits for notifications without a limit; returns them, and how many were dropped since the
    /// last call.
    #[cfg(feature = "tokio")]
    pub(crate) async fn next_notifications(&mut self) -> Result<(VecDeque<Notification>, u64)> {
        self.receive_notifications(after(A_YEAR)).await?;
        let Inbox { unread, dropped } = std::mem::take(&mut self.inbox);
        Ok((unread, dropped))
    }

    /// Takes notifications that have arrived; if there are none at all, waits for one until the
    /// deadline.
    async fn receive_notifications(&mut self, deadline: Instant) -> Result<()> {
        self.connection.refuse_if_lost()?;
        self.limits.refuse_if_given_up()?;
        let until = if self.inbox.is_empty() {
            deadline
        } else {
            Instant::now()
        };
        let mut wait = self.connection.notifications(self.limits.interrupt());
        let driven = drive(&mut wait, until).await;
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
