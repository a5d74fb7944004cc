//! The session behind the handles of asynchronous code: one call at a time has it.

use std::mem;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::database::PooledSession;
use crate::error::{Error, Result};
use crate::session::Session;

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
    /// Whether rows arrive on the session.
    is_lent: bool,
    /// Whether rows were dropped, or a COPY failed, and the server has not been told.
    has_leftover: bool,
}

/// What has to be ended before the session can be used.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Leftover {
    Nothing,
    /// Rows or a COPY that nobody wants.
    Rows,
    /// A call that was dropped, and what it did.
    Call,
}

/// The session, taken by one call. Dropping it returns the session; before [`Taken::done`] that
/// means that the call was dropped.
pub(super) struct Taken<'s> {
    slot: &'s Slot,
    session: Option<PooledSession>,
    is_done: bool,
    _turn: SemaphorePermit<'s>,
}

/// The session, while rows arrive on it. Meanwhile each call fails, since a task that waited for
/// its own rows would wait for ever.
pub(super) struct Lent {
    slot: Arc<Slot>,
    session: Option<PooledSession>,
}

/// The session of a transaction that ends.
pub(super) struct Ended {
    pub(super) session: PooledSession,
    /// Whether a call was dropped before it was done.
    pub(super) was_dropped: bool,
    /// Whether rows were dropped whose end has to be waited for.
    pub(super) has_leftover: bool,
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
            is_lent: false,
            has_leftover: false,
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
        let (session, leftover) = self.take_session(level)?;
        let mut taken = Taken {
            slot: self,
            session: Some(session),
            is_done: false,
            _turn: turn,
        };
        match leftover {
            Leftover::Nothing => {}
            Leftover::Rows => taken.end_abandoned().await,
            Leftover::Call => {
                let floor = taken.floor();
                taken.undo_abandoned(floor).await;
            }
        }
        Ok(taken)
    }

    /// Takes the session for rows that arrive, until they are dropped.
    pub(super) async fn lend(self: &Arc<Self>, level: u64) -> Result<Lent> {
        let mut taken = self.take(level).await?;
        let session = taken.session.take();
        self.content().is_lent = true;
        taken.done();
        Ok(Lent {
            slot: Arc::clone(self),
            session,
        })
    }

    /// Returns the session, and what has to be ended first.
    fn take_session(&self, level: u64) -> Result<(PooledSession, Leftover)> {
        let mut content = self.content();
        let is_abandoned = content.was_dropped;
        if is_abandoned && !self.recovers {
            return Err(dropped());
        }
        if content.is_lent {
            return Err(rows_arrive());
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
        let leftover = match (is_abandoned, mem::take(&mut content.has_leftover)) {
            (true, _) => Leftover::Call,
            (false, true) => Leftover::Rows,
            (false, false) => Leftover::Nothing,
        };
        Ok((session, leftover))
    }

    /// Takes the session for good; waits until the calls of other tasks are done. Later calls fail.
    ///
    /// Fails if rows still arrive on the session.
    pub(super) async fn end(&self) -> Result<Ended> {
        let turn = self.turn.acquire().await;
        let mut content = self.content();
        content.levels.clear();
        let (was_dropped, has_leftover) = (content.was_dropped, content.has_leftover);
        let is_lent = content.is_lent;
        let session = content.session.take();
        drop((content, turn));
        match session {
            Some(session) => Ok(Ended {
                session,
                was_dropped,
                has_leftover,
            }),
            None if is_lent => Err(rows_arrive()),
            None => Err(dropped()),
        }
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

    /// Notes that the call sends nothing, so that it can be dropped at any point.
    pub(super) fn sends_nothing(&mut self) {
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
        let unwanted = content.give_back(session);
        // The pool is given the session without the lock.
        drop(content);
        drop(unwanted);
    }
}

impl Content {
    /// Takes the session back; after the end of the transaction it goes to the pool.
    fn give_back(&mut self, session: Option<PooledSession>) -> Option<PooledSession> {
        self.has_leftover |= session
            .as_ref()
            .is_some_and(|session| session.has_leftover());
        if self.levels.is_empty() {
            session
        } else {
            mem::replace(&mut self.session, session)
        }
    }
}

impl Deref for Lent {
    type Target = Session;

    fn deref(&self) -> &Session {
        self.session.as_ref().expect("taken in `drop` only")
    }
}

impl DerefMut for Lent {
    fn deref_mut(&mut self) -> &mut Session {
        self.session.as_mut().expect("taken in `drop` only")
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let session = self.session.take();
        let mut content = self.slot.content();
        content.is_lent = false;
        let unwanted = content.give_back(session);
        // The pool is given the session without the lock.
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

/// Returns the error of a call while rows of another one arrive.
fn rows_arrive() -> Error {
    Error::query("rows of an earlier call still arrive on this session").with_hint(
        "read them to their end, or drop them, before the next call; or read all rows at once, with `run`",
    )
}

fn ended() -> Error {
    Error::query("the transaction of this handle has ended")
        .with_hint("await the calls of a transaction within its closure")
}
