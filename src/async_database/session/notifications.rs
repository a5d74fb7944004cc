//! LISTEN on a session of asynchronous code.
//!
//! A [`Listener`](crate::asynchronous::Listener) has a session for it alone, and connects again.
//! Here the caller's own session listens, with what else it does.

use std::time::Duration;

use super::AsyncSession;
use crate::error::Result;
use crate::wire::notification::Notification;

impl AsyncSession {
    /// Receives the notifications of a channel from now on; within a transaction from its commit
    /// on. One round trip.
    ///
    /// The name of the channel is case-sensitive. Nothing is received after a lost connection;
    /// [`AsyncDatabase::listen`](crate::AsyncDatabase::listen) connects again.
    pub async fn listen(&self, channel: &str) -> Result<()> {
        let mut session = self.slot.take(self.level).await?;
        let listening = session.listen_now(channel).await;
        session.done();
        listening
    }

    /// Receives no more notifications of a channel. One round trip.
    pub async fn unlisten(&self, channel: &str) -> Result<()> {
        let mut session = self.slot.take(self.level).await?;
        let unlistened = session.unlisten_now(channel).await;
        session.done();
        unlistened
    }

    /// Returns the next notification; waits up to this long for it, and takes no round trip.
    ///
    /// Returns `None` if none arrived in time. The server sends no notifications while a
    /// transaction is open. Other calls of the session wait meanwhile. If this future is dropped,
    /// no notification is lost.
    pub async fn wait_for_notification(&self, limit: Duration) -> Result<Option<Notification>> {
        let mut session = self.slot.take(self.level).await?;
        session.sends_nothing();
        session.next_notification(limit).await
    }
}
