//! The store of sessions, which is r2d2.
//!
//! By itself, r2d2 would connect for each caller that finds no session, even if one is about to be
//! returned. It would retry by itself after a failure, and check ages only every 30 s. So r2d2 owns
//! the sessions and limits their number: a session enters and leaves the pool through it. In
//! between the pool keeps the session, so that a checkout takes one lock. A session that the pool
//! has opened is passed to r2d2 when r2d2 asks for one.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A session that r2d2 has handed out; boxed so that moving it is cheap.
pub(super) type Item<S> = Box<r2d2::PooledConnection<Handover<S>>>;

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
    over: bool,
}

impl<S> Kept<S> {
    pub(super) fn new(session: S, slot: usize, expires: Instant, generation: u64) -> Self {
        Self {
            session,
            slot,
            expires,
            idle_since: Instant::now(),
            generation,
            over: false,
        }
    }

    /// Returns the reason why it must not be used any more; `None` if it may be used.
    pub(super) fn over(&self, now: Instant, generation: u64) -> Option<&'static str> {
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
pub(super) struct Handover<S>(Made<S>);

/// The sessions that the pool has opened, and r2d2 has not asked for yet.
type Made<S> = Arc<Mutex<VecDeque<Kept<S>>>>;

/// The error if r2d2 asks for a session while the pool has opened none.
#[derive(Debug)]
pub(super) struct NothingMade;

impl fmt::Display for NothingMade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no session was made")
    }
}

impl std::error::Error for NothingMade {}

impl<S: Send + 'static> r2d2::ManageConnection for Handover<S> {
    type Connection = Kept<S>;
    type Error = NothingMade;

    fn connect(&self) -> Result<Kept<S>, NothingMade> {
        let made = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop_front();
        made.ok_or(NothingMade)
    }

    fn is_valid(&self, _: &mut Kept<S>) -> Result<(), NothingMade> {
        Ok(())
    }

    fn has_broken(&self, kept: &mut Kept<S>) -> bool {
        kept.over
    }
}

/// r2d2's pool; clones share it.
pub(super) struct Store<S: Send + 'static> {
    sessions: r2d2::Pool<Handover<S>>,
    made: Made<S>,
}

impl<S: Send + 'static> Clone for Store<S> {
    fn clone(&self) -> Self {
        Self {
            sessions: self.sessions.clone(),
            made: Arc::clone(&self.made),
        }
    }
}

impl<S: Send + 'static> Store<S> {
    pub(super) fn new(max: u32) -> Self {
        let made = Made::default();
        let sessions = r2d2::Pool::builder()
            .max_size(max)
            .min_idle(Some(0))
            .test_on_check_out(false)
            // With either limit, r2d2 would check the sessions by itself.
            .max_lifetime(None)
            .idle_timeout(None)
            .error_handler(Box::new(r2d2::NopErrorHandler))
            .build_unchecked(Handover(Arc::clone(&made)));
        Self { sessions, made }
    }

    /// Adds a session, and takes it or one that another thread adds at the same time.
    ///
    /// Returns `None` if r2d2's thread did not add it within a minute.
    pub(super) fn add(&self, kept: Kept<S>) -> Option<Item<S>> {
        const PATIENCE: Duration = Duration::from_secs(60);
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        made.push_back(kept);
        drop(made);
        self.sessions.get_timeout(PATIENCE).ok().map(Box::new)
    }
}

/// Closes a session.
pub(super) fn close<S: Send + 'static>(mut item: Item<S>) {
    item.over = true;
    drop(item);
}
