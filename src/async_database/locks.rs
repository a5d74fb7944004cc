//! Advisory locks of asynchronous code.

use std::fmt;
use std::ops::Deref;

use super::session::AsyncSession;
use crate::database::PooledSession;
use crate::error::Result;
use crate::locks::LockKey;

/// A lock of a session; returned by
/// [`AsyncDatabase::advisory_lock`](super::AsyncDatabase::advisory_lock).
///
/// It dereferences to [`AsyncSession`], so that the work under the lock can be done on it. Dropping
/// it has a task of the runtime reset the session, which releases the lock, once no other handle of
/// the session is left.
#[must_use = "the lock is given back when this is dropped"]
pub struct AsyncAdvisoryLock {
    session: AsyncSession,
    key: LockKey,
}

impl AsyncAdvisoryLock {
    /// Waits for the lock.
    pub(super) async fn wait(mut session: PooledSession, key: LockKey) -> Result<Self> {
        session.lock(&key).await?;
        let session = AsyncSession::of_pool(session);
        Ok(Self { session, key })
    }

    /// Takes the lock, unless another session holds it.
    pub(super) async fn attempt(mut session: PooledSession, key: LockKey) -> Result<Option<Self>> {
        let is_taken = session.try_lock(&key).await?;
        Ok(is_taken.then(|| Self {
            session: AsyncSession::of_pool(session),
            key,
        }))
    }

    /// Releases the lock: one round trip. Other handles of the session can still be used.
    pub async fn release(self) -> Result<()> {
        self.session.unlock(&self.key).await
    }
}

impl Deref for AsyncAdvisoryLock {
    type Target = AsyncSession;

    fn deref(&self) -> &AsyncSession {
        &self.session
    }
}

impl fmt::Debug for AsyncAdvisoryLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncAdvisoryLock")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}
