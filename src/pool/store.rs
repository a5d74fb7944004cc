//! The store of sessions, which is r2d2.
//!
//! By itself, r2d2 would connect for each caller that finds no session, even if one is about to be
//! returned. It would retry by itself after a failure, and check ages only every 30 s. So r2d2
//! only owns the sessions and limits their number. A session stays checked out of r2d2 until it is
//! closed: this pool connects, retries, checks ages and hands sessions out itself, so that a
//! checkout takes one lock. A session that it has opened is passed to r2d2 when r2d2 asks for one.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A session that r2d2 has handed out; boxed so that moving it is cheap.
pub(super) type Item<S> = Box<r2d2::PooledConnection<OpenedSessions<S>>>;

/// A session and its record in the pool.
#[derive(Debug)]
pub(super) struct Kept<S> {
    pub(super) session: S,
    /// Its index in the table of holders.
    pub(super) slot: usize,
    /// The time at which it is too old.
    pub(super) expires: Instant,
    /// The time at which it was last returned, or opened.
    pub(super) idle_since: Instant,
    /// Its generation: sessions of earlier generations are no longer handed out.
    pub(super) generation: u64,
    /// Whether r2d2 closes it when it is returned.
    close_on_return: bool,
}

impl<S> Kept<S> {
    pub(super) fn new(session: S, slot: usize, expires: Instant, generation: u64) -> Self {
        Self {
            session,
            slot,
            expires,
            idle_since: Instant::now(),
            generation,
            close_on_return: false,
        }
    }

    /// Returns the reason why it must not be used any more; `None` if it may be used.
    pub(super) fn reason_to_close(&self, now: Instant, generation: u64) -> Option<&'static str> {
        if self.expires <= now {
            Some("expired")
        } else if self.generation < generation {
            Some("outdated")
        } else {
            None
        }
    }
}

/// The manager that r2d2 asks for sessions: it passes a session that the pool has opened.
#[derive(Debug)]
pub(super) struct OpenedSessions<S>(Opened<S>);

/// The sessions that the pool has opened, and r2d2 has not asked for yet.
type Opened<S> = Arc<Mutex<VecDeque<Kept<S>>>>;

/// The error if r2d2 asks for a session while the pool has opened none.
#[derive(Debug)]
pub(super) struct NoOpenedSession;

impl fmt::Display for NoOpenedSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the pool has opened no session")
    }
}

impl std::error::Error for NoOpenedSession {}

impl<S: Send + 'static> r2d2::ManageConnection for OpenedSessions<S> {
    type Connection = Kept<S>;
    type Error = NoOpenedSession;

    fn connect(&self) -> Result<Kept<S>, NoOpenedSession> {
        let opened = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop_front();
        opened.ok_or(NoOpenedSession)
    }

    fn is_valid(&self, _: &mut Kept<S>) -> Result<(), NoOpenedSession> {
        Ok(())
    }

    fn has_broken(&self, kept: &mut Kept<S>) -> bool {
        kept.close_on_return
    }
}

/// r2d2's pool; clones share it.
pub(super) struct Store<S: Send + 'static> {
    sessions: r2d2::Pool<OpenedSessions<S>>,
    opened: Opened<S>,
}

impl<S: Send + 'static> Clone for Store<S> {
    fn clone(&self) -> Self {
        Self {
            sessions: self.sessions.clone(),
            opened: Arc::clone(&self.opened),
        }
    }
}

impl<S: Send + 'static> Store<S> {
    pub(super) fn new(max: u32) -> Self {
        let opened = Opened::default();
        let sessions = r2d2::Pool::builder()
            .max_size(max)
            .min_idle(Some(0))
            .test_on_check_out(false)
            // With either limit, r2d2 would check the sessions by itself.
            .max_lifetime(None)
            .idle_timeout(None)
            .error_handler(Box::new(r2d2::NopErrorHandler))
            .build_unchecked(OpenedSessions(Arc::clone(&opened)));
        Self { sessions, opened }
    }

    /// Adds a session, and takes it or one that another thread adds at the same time.
    ///
    /// Returns `None` if r2d2's thread did not add it within a minute.
    pub(super) fn add(&self, kept: Kept<S>) -> Option<Item<S>> {
        const PATIENCE: Duration = Duration::from_secs(60);
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        opened.push_back(kept);
        drop(opened);
        self.sessions.get_timeout(PATIENCE).ok().map(Box::new)
    }
}

/// Closes a session.
pub(super) fn close<S: Send + 'static>(mut item: Item<S>) {
    item.close_on_return = true;
    drop(item);
}
