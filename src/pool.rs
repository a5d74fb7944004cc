//! Sessions kept for reuse.
//!
//! r2d2 keeps them; in front of it stands what it lacks: first come first served, a deadline that holds,
//! and a failure to connect told at once to who asked. No round trip is taken at checkout: whether the
//! server has gone shows on the socket.

mod manager;
mod queue;

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::config::Config;
use crate::error::{Error, Result};
use crate::session::{Session, after};
use queue::{Queue, Turn};

pub use manager::{SessionManager, Slot};

/// A pool of sessions; clones share it.
#[derive(Clone)]
pub(crate) struct Pool(Arc<Inner>);

struct Inner {
    sessions: r2d2::Pool<SessionManager>,
    queue: Arc<Queue>,
    checkout_timeout: Duration,
}

impl Pool {
    /// An empty pool: the first checkout connects.
    pub(crate) fn new(config: &Config) -> Self {
        let sessions = r2d2::Pool::builder()
            .max_size(config.max_size)
            .min_idle(Some(0))
            .test_on_check_out(true)
            .max_lifetime(Some(config.max_lifetime))
            .idle_timeout(Some(config.idle_timeout))
            .error_handler(Box::new(r2d2::NopErrorHandler))
            .build_unchecked(SessionManager::new(config.clone()));
        let queue = Queue::new(config.max_size);
        Self(Arc::new(Inner {
            sessions,
            queue: Arc::new(queue),
            checkout_timeout: config.checkout_timeout,
        }))
    }

    /// A session, in the order of asking; fails by the checkout timeout, and at once if connecting fails.
    pub(crate) fn get(&self, holder: &'static Location<'static>) -> Result<PooledSession> {
        let inner = &*self.0;
        let deadline = after(inner.checkout_timeout);
        let turn = Queue::wait(&inner.queue, deadline, holder).ok_or_else(|| self.exhausted())?;
        let left = deadline.saturating_duration_since(Instant::now());
        let mut slot = inner.sessions.get_timeout(left).map_err(|_| {
            Error::timeout(format!(
                "no session could be made within {:?}",
                inner.checkout_timeout
            ))
            .with_hint("look at Config::checkout_timeout and Config::connect_timeout")
        })?;
        match slot.take_failure() {
            Some(failure) => Err(failure),
            None => Ok(PooledSession { slot, _turn: turn }),
        }
    }

    fn exhausted(&self) -> Error {
        let held = self.0.queue.holders();
        let places: Vec<_> = held
            .iter()
            .map(|(place, since)| format!("{place} for {:.1?}", since.elapsed()))
            .collect();
        Error::timeout(format!(
            "all {} sessions are in use, held by {}",
            held.len(),
            places.join(", ")
        ))
        .with_hint("hold sessions for a shorter time, or raise Config::max_size")
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.0.sessions.state();
        f.debug_struct("Pool")
            .field("sessions", &state.connections)
            .field("idle", &state.idle_connections)
            .finish()
    }
}

/// A session on loan from the pool; it goes back when dropped, unless it is broken or in a transaction.
#[derive(Debug)]
pub(crate) struct PooledSession {
    // Dropped before the turn, so that who comes next finds it.
    slot: r2d2::PooledConnection<SessionManager>,
    _turn: Turn,
}

impl Deref for PooledSession {
    type Target = Session;

    fn deref(&self) -> &Session {
        self.slot.session()
    }
}

impl DerefMut for PooledSession {
    fn deref_mut(&mut self) -> &mut Session {
        self.slot.session_mut()
    }
}
