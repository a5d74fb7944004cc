//! A session for asynchronous code: an owned handle.

mod copy;
mod notifications;

use std::fmt;
use std::sync::Arc;

use super::slot::Slot;
use super::stream::AsyncStream;
use crate::database::PooledSession;
use crate::error::{Error, Result};
use crate::locks::LockKey;
use crate::statement::{RowStatement, Statement};
use crate::transaction::TransactionStart;

/// A session for asynchronous code: the `tx` of
/// [`AsyncDatabase::transaction`](super::AsyncDatabase::transaction), or that of
/// [`AsyncDatabase::session`](super::AsyncDatabase::session).
///
/// It is an owned handle, so that futures that use it can be sent to other threads. Clones refer to
/// the same session. Calls that are made at the same time, as with `join!`, run one after the
/// other, in the order of their first poll.
///
/// After the end of its transaction, each call fails. So does each call after one was dropped
/// before it was done; the transaction is then rolled back. A session that is not that of a
/// transaction goes on: its next call first ends what the dropped one has left.
///
/// While rows of [`AsyncSession::stream`] or [`AsyncSession::copy_out`] arrive, each call fails.
#[derive(Clone)]
pub struct AsyncSession {
    pub(super) slot: Arc<Slot>,
    /// The transaction or savepoint in which it may be used.
    pub(super) level: u64,
}

impl AsyncSession {
    /// Returns the handle of a session that is in no transaction.
    pub(super) fn of_pool(session: PooledSession) -> Self {
        let (slot, level) = Slot::of_session(session);
        Self {
            slot: Arc::new(slot),
            level,
        }
    }

    /// Runs a statement, all or nothing, as [`Session::run`](crate::Session::run) does: one round
    /// trip.
    pub async fn run<S>(&self, mut statement: S) -> Result<S::Output>
    where
        S: Statement + Send,
        S::Output: Send,
    {
        let mut session = self.slot.take(self.level).await?;
        let output = session.run_now(&mut statement).await;
        session.done();
        output
    }

    /// Runs a query and returns its rows as they arrive, in constant memory, as
    /// [`AsyncDatabase::stream`](super::AsyncDatabase::stream) does.
    ///
    /// Until the rows have ended or are dropped, each call of the session fails. Dropping them
    /// early cancels the query; a savepoint protects the transaction around it.
    pub async fn stream<S>(&self, mut rows: S) -> Result<AsyncStream<S::Row>>
    where
        S: RowStatement + Send,
        S::Row: 'static,
    {
        let session = self.slot.lend(self.level).await?;
        let mut beginning = self.slot.drop_guard();
        let begun = AsyncStream::begin(session, &mut rows, S::reader()).await;
        beginning.defuse();
        begun
    }

    /// Releases a lock of the session.
    pub(super) async fn unlock(&self, key: &LockKey) -> Result<()> {
        let mut session = self.slot.take(self.level).await?;
        let unlocked = session.unlock(key).await;
        session.done();
        unlocked
    }

    /// Runs `work` in a savepoint: if it fails, only its own changes are undone, and the
    /// transaction continues.
    ///
    /// Meanwhile only the handle that `work` is given can be used. SAVEPOINT and RELEASE are sent
    /// together with other statements. Undoing takes one round trip.
    pub async fn savepoint<T, F, R>(&self, work: F) -> Result<T>
    where
        F: FnOnce(Self) -> R + Send,
        R: Future<Output = Result<T>> + Send,
        T: Send,
    {
        self.savepoint_with_error(work).await
    }

    /// Runs `work` in a savepoint as [`AsyncSession::savepoint`] does; `work` chooses its error
    /// type.
    pub async fn savepoint_with_error<T, E, F, R>(&self, work: F) -> Result<T, E>
    where
        F: FnOnce(Self) -> R + Send,
        R: Future<Output = Result<T, E>> + Send,
        T: Send,
        E: From<Error> + Send,
    {
        let mut session = self.slot.take(self.level).await?;
        let begun = session.begin_work(&TransactionStart::plain());
        let level = session.enter();
        session.done();
        let begun = begun?;
        let within = Self {
            slot: Arc::clone(&self.slot),
            level,
        };
        let mut open = self.slot.drop_guard();
        let done = work(within).await;
        let mut session = self.slot.take(level).await?;
        open.defuse();
        session.leave();
        let attempt = session.end_work(begun, done).await;
        session.done();
        attempt.into_result()
    }

    /// Runs `hook` once the transaction is committed, as
    /// [`Session::after_commit`](crate::Session::after_commit) does.
    pub async fn after_commit(&self, hook: impl FnOnce() + Send + 'static) -> Result<()> {
        let mut session = self.slot.take(self.level).await?;
        session.after_commit(hook);
        session.done();
        Ok(())
    }

    /// Runs `hook` once the transaction is rolled back, as
    /// [`Session::after_rollback`](crate::Session::after_rollback) does.
    pub async fn after_rollback(&self, hook: impl FnOnce() + Send + 'static) -> Result<()> {
        let mut session = self.slot.take(self.level).await?;
        session.after_rollback(hook);
        session.done();
        Ok(())
    }
}

impl fmt::Debug for AsyncSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncSession")
            .field("level", &self.level)
            .finish_non_exhaustive()
    }
}
