//! LISTEN and NOTIFY: what other sessions say.
//!
//! The server sends notifications between statements; they are kept here until they are asked for, so none
//! is lost while something else runs.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bowline_sql::quote::identifier;
use diesel::sql_types::Text;

use super::Session;
use crate::deadline::after;
use crate::error::{Error, Outcome, Result};
use crate::statement::{Statement, StatementDsl as _};
use crate::wire::driver::{Stopped, drive};
use crate::wire::notification::Notification;
use crate::wire::protocol::Listening;

/// Notifications that nobody has asked for yet; the oldest go when there are too many.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    unread: VecDeque<Notification>,
    lost: u64,
}

/// How many notifications a session keeps until they are asked for.
const KEPT: usize = 10_000;

/// Says something on a channel, once the transaction commits: `pg_notify(channel, payload)`.
///
/// A statement, so it can travel with what it tells of.
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
    /// Hears what is said on a channel from now on; within a transaction from its commit on. One round trip.
    ///
    /// The channel's name is taken as it is, upper and lower case included.
    pub fn listen(&mut self, channel: &str) -> Result<()> {
        self.refuse_behind_pooler("LISTEN")?;
        self.run(crate::sql(format!("LISTEN {}", identifier(channel))).affected())?;
        Ok(())
    }

    /// Hears no more of a channel. One round trip.
    pub fn unlisten(&mut self, channel: &str) -> Result<()> {
        self.run(crate::sql(format!("UNLISTEN {}", identifier(channel))).affected())?;
        Ok(())
    }

    /// The next notification; waits for it, up to this long. No round trip.
    ///
    /// `None` if there was none by then. While a transaction is open the server holds notifications back.
    /// Fails if the connection is lost, and once the call that waits was given up.
    pub fn wait_for_notification(&mut self, limit: Duration) -> Result<Option<Notification>> {
        self.hear(after(limit))?;
        Ok(self.inbox.unread.pop_front())
    }

    /// The notifications that are here already: takes in what has arrived, does not wait, takes no round trip.
    pub fn notifications(&mut self) -> Result<Vec<Notification>> {
        self.hear(Instant::now())?;
        Ok(self.inbox.unread.drain(..).collect())
    }

    /// Takes in what has arrived; if there is nothing at all, waits for it until the deadline.
    fn hear(&mut self, deadline: Instant) -> Result<()> {
        self.refuse_if_lost()?;
        self.refuse_if_given_up()?;
        let until = if self.inbox.unread.is_empty() {
            deadline
        } else {
            Instant::now()
        };
        let interrupt = self.interrupt();
        let mut listening = Listening::new(&mut self.connection).heeding(interrupt);
        let driven = drive(&mut listening, until);
        let heard = std::mem::take(&mut listening.heard);
        heard.into_iter().for_each(|said| self.inbox.keep(said));
        match driven {
            Ok(()) => Ok(()),
            Err(Stopped::Deadline) => self.refuse_if_given_up(),
            // What was said before is still to be read.
            Err(_) if !self.inbox.unread.is_empty() => Ok(()),
            Err(stopped) => Err(self.lost_error(stopped, None, false, Outcome::NotCommitted)),
        }
    }

    /// Takes over what libpq has taken in.
    pub(super) fn collect_notifications(&mut self) {
        while let Some(notification) = self.connection.next_notification() {
            self.inbox.keep(notification);
        }
    }

    /// Forgets what was heard, for whoever has the session next.
    pub(super) fn empty_inbox(&mut self) {
        self.collect_notifications();
        self.inbox = Inbox::default();
    }

    /// What needs a session of its own does not work behind a pooler, which gives each transaction another one.
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
    fn keep(&mut self, notification: Notification) {
        if self.unread.len() == KEPT {
            self.unread.pop_front();
            self.lost += 1;
            if self.lost.is_power_of_two() {
                tracing::warn!(
                    lost = self.lost,
                    "notifications come faster than they are asked for, the oldest are dropped"
                );
            }
        }
        self.unread.push_back(notification);
    }
}
