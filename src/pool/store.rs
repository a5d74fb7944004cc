//! The sessions themselves, which r2d2 keeps.
//!
//! r2d2 would connect once for each who finds nothing, whether or not one is about to come back; try on by
//! itself after a failure; and look at ages only every 30 s. So it is never left to find nothing: who asks
//! is stopped at the gate, and a session that was made elsewhere is handed to r2d2 when it asks for one.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A session on r2d2's stack, or taken from it.
pub(super) type Item<S> = r2d2::PooledConnection<Handover<S>>;

/// A session with what the pool knows of it.
#[derive(Debug)]
pub(super) struct Kept<S> {
    /// Apart, so that what moves from hand to hand is small.
    pub(super) session: Box<S>,
    /// When it is too old.
    pub(super) expires: Instant,
    /// When it was last given back, or made.
    pub(super) idle_since: Instant,
    /// Which generation it is of: an older one is not handed out any more.
    pub(super) generation: u64,
    /// To be closed when it is given back to r2d2.
    over: bool,
}

impl<S> Kept<S> {
    pub(super) fn new(session: S, expires: Instant, generation: u64) -> Self {
        Self {
            session: Box::new(session),
            expires,
            idle_since: Instant::now(),
            generation,
            over: false,
        }
    }

    /// Returns why it is not to be used any more; `None` if it is.
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

/// What r2d2 takes for the maker of sessions: it hands over the one that is there.
#[derive(Debug)]
pub(super) struct Handover<S>(Arc<Mutex<Option<Kept<S>>>>);

/// r2d2 asked for a session while none was handed over.
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
        let made = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        made.ok_or(NothingMade)
    }

    fn is_valid(&self, _: &mut Kept<S>) -> Result<(), NothingMade> {
        Ok(())
    }

    fn has_broken(&self, kept: &mut Kept<S>) -> bool {
        kept.over
    }
}

/// r2d2's pool, used as a stack; clones share it.
pub(super) struct Store<S: Send + 'static> {
    sessions: r2d2::Pool<Handover<S>>,
    made: Arc<Mutex<Option<Kept<S>>>>,
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
        let made = Arc::default();
        let sessions = r2d2::Pool::builder()
            .max_size(max)
            .min_idle(Some(0))
            .test_on_check_out(false)
            // With either, r2d2 would look at the sessions on its own.
            .max_lifetime(None)
            .idle_timeout(None)
            .error_handler(Box::new(r2d2::NopErrorHandler))
            .build_unchecked(Handover(Arc::clone(&made)));
        Self { sessions, made }
    }

    /// Returns the session that came back last.
    pub(super) fn take(&self) -> Option<Item<S>> {
        self.sessions.try_get()
    }

    /// Returns all of them, the one that came back last in front.
    pub(super) fn take_all(&self) -> Vec<Item<S>> {
        std::iter::from_fn(|| self.take()).collect()
    }

    /// Adds a session and takes it. The stack must be empty, and nobody else at it, until this returns.
    ///
    /// `None` if r2d2's thread did not come to it for a minute; the session is then on the stack later.
    pub(super) fn add(&self, kept: Kept<S>) -> Option<Item<S>> {
        const PATIENCE: Duration = Duration::from_secs(60);
        *self.made.lock().unwrap_or_else(PoisonError::into_inner) = Some(kept);
        self.sessions.get_timeout(PATIENCE).ok()
    }
}

/// Puts a session back on the stack.
pub(super) fn keep<S: Send + 'static>(item: Item<S>) {
    drop(item);
}

/// Closes a session.
pub(super) fn close<S: Send + 'static>(mut item: Item<S>) {
    item.over = true;
    drop(item);
}
