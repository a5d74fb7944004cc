//! The session behind the handles of asynchronous code: one call at a time has it.

use std::mem;
use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, PoisonError};

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::database::PooledSession;
use crate::error::{Error, Result};

/// A session that several handles share. Calls that are made at the same time run one after the
/// other.
pub(super) struct Slot {
    /// The right to take the session; calls get it in the order in which they ask.
    turn: Semaphore,
    content: Mutex<Content>,
    /// Whether it is used on after a call was dropped. A transaction is not.
    recovers: bool,
}

struct Content {
    session: Option<PooledSession>,
    /// The transaction and its open savepoints, by number; only handles of the last one may use the
    /// session.
    levels: Vec<u64>,
    next_level: u64,
    /// Whether a call was dropped before it was done.
    was_dropped: bool,
}

/// The session, taken by one call. Dropping it returns the session; before [`Taken::done`] that
/// means that the call was dropped.
pub(super) struct Taken<'s> {
    slot: &'s Slot,
    session: Option<PooledSession>,
    is_done: bool,
    _turn: SemaphorePermit<'s>,
}

impl Slot {
    /// Returns a slot for a transaction, and the number of its outermost level.
    pub(super) fn new(session: PooledSession) -> (Self, u64) {
        Self::with(session, false)
    }

    /// Returns a slot for a session that is in no transaction, and the number of its outermost
    /// level.
    pub(super) fn of_session(session: PooledSession) -> (Self, u64) {
        Self::with(session, true)
    }

    fn with(session: PooledSession, recovers: bool) -> (Self, u64) {
        let content = Content {
            session: Some(session),
            levels: vec![0],
            next_level: 1,
            was_dropped: false,
        };
        let slot = Self {
            turn: Semaphore::new(1),
            content: Mutex::new(content),
            recovers,
        };
        (slot, 0)
    }

    /// Takes the session for a call of a handle of this level; waits until earlier calls are done.
    pub(super) async fn take(&self, level: u64) -> Result<Taken<'_>> {
        let turn = self.turn.acquire().await;
        let turn = turn.map_err(|_| Error::query("the session is closed"))?;
        let (session, is_abandoned) = self.take_session(level)?;
        let mut taken = Taken {
            slot: self,
            session: Some(session),
            is_done: false,
            _turn: turn,
        };
        if is_abandoned {
            let floor = taken.floor();
            taken.undo_abandoned(floor).await;
        }
        Ok(taken)
    }

    /// Returns the session, and whether a call was dropped that has to be ended first.
    fn take_session(&self, level: u64) -> Result<(PooledSession, bool)> {
        let mut content = self.content();
        let is_abandoned = content.was_dropped;
        if is_abandoned && !self.recovers {
            return Err(dropped());
        }
        if is_abandoned {
            // Savepoints of the dropped call are undone with it.
            content.levels.truncate(1);
        }
        if content.levels.last() != Some(&level) {
            return Err(if content.levels.contains(&level) {
                Error::query("a savepoint within this transaction is open")
                    .with_hint("within the closure of a savepoint, use the handle that it is given")
            } else {
                ended()
            });
        }
        let session = content.session.take().ok_or_else(ended)?;
        content.was_dropped = false;
        Ok((session, is_abandoned))
    }

    /// Takes the session for good; waits until the calls of other tasks are done. Later calls fail.
    ///
    /// Returns whether a call was dropped before it was done.
    pub(super) async fn end(&self) -> Option<(PooledSession, bool)> {
        let turn = self.turn.acquire().await;
        let mut content = self.content();
        content.levels.clear();
        let was_dropped = content.was_dropped;
        let session = content.session.take().map(|session| (session, was_dropped));
        drop((content, turn));
        session
    }

    /// Returns the session to the pool, or has the running call do that when it is done. Later
    /// calls fail.
    pub(super) fn abandon(&self) {
        let mut content = self.content();
        content.levels.clear();
        let session = content.session.take();
        drop(content);
        drop(session);
    }

    /// Returns a guard for work that uses the session: if it is dropped, so was a call.
    pub(super) fn drop_guard(&self) -> DropGuard<'_> {
        DropGuard {
            slot: self,
            is_armed: true,
        }
    }

    fn content(&self) -> std::sync::MutexGuard<'_, Content> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A guard that notes that a call was dropped.
pub(super) struct DropGuard<'s> {
    slot: &'s Slot,
    is_armed: bool,
}

impl DropGuard<'_> {
    /// Notes that the work came to its end.
    pub(super) fn defuse(&mut self) {
        self.is_armed = false;
    }
}

impl Drop for DropGuard<'_> {
    fn drop(&mut self) {
        if self.is_armed {
            self.slot.content().was_dropped = true;
        }
    }
}

impl Taken<'_> {
    /// Notes that the call came to its end.
    pub(super) fn done(mut self) {
        self.is_done = true;
    }

    /// Enters a savepoint; returns its level.
    pub(super) fn enter(&self) -> u64 {
        let mut content = self.slot.content();
        let level = content.next_level;
        content.next_level += 1;
        content.levels.push(level);
        level
    }

    /// Leaves the innermost savepoint.
    pub(super) fn leave(&self) {
        self.slot.content().levels.pop();
    }
}

impl Deref for Taken<'_> {
    type Target = PooledSession;

    fn deref(&self) -> &PooledSession {
        self.session.as_ref().expect("taken in `drop` only")
    }
}

impl DerefMut for Taken<'_> {
    fn deref_mut(&mut self) -> &mut PooledSession {
        self.session.as_mut().expect("taken in `drop` only")
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        let session = self.session.take();
        let mut content = self.slot.content();
        content.was_dropped |= !self.is_done;
        // After the end of the transaction the session goes to the pool, without the lock.
        let unwanted = if content.levels.is_empty() {
            session
        } else {
            mem::replace(&mut content.session, session)
        };
        drop(content);
        drop(unwanted);
    }
}

/// Returns the error of a call after another one of the same transaction was dropped.
pub(super) fn dropped() -> Error {
    Error::query("a call of this transaction was dropped before it was done").with_hint(
        "the transaction is rolled back: await each of its calls, or end it with the call",
    )
}

fn ended() -> Error {
    Error::query("the transaction of this handle has ended")
        .with_hint("await the calls of a transaction within its closure")
}
