//! The source of a database's sessions: a pool, or the one session of a test.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::no_session::PoolState;
use crate::observe::{Checkout, Span, metrics, within};
use crate::pool::{self, Pool, Trust};
use crate::session::Session;
use crate::wire::executor::{block_on, is_blocking};

/// The source of sessions.
#[derive(Debug, Clone)]
pub(super) enum Source {
    Pool(Pool),
    Pinned(Arc<Pinned>),
}

impl Source {
    /// Waits for a session until the deadline, or until the pool's own limit if that is earlier.
    /// `now` is the time of the call.
    pub(super) async fn get(
        &self,
        holder: &'static Location<'static>,
        now: Instant,
        deadline: impl Fn() -> Instant,
    ) -> Result<PooledSession> {
        match self.get_at_once(holder, now, is_blocking().await, Trust::Nothing)? {
            Ok(session) => Ok(session),
            Err(request) => self.get_later(request, deadline).await,
        }
    }

    /// As [`Source::get`]; blocks.
    pub(super) fn get_blocking(
        &self,
        holder: &'static Location<'static>,
        now: Instant,
        deadline: impl Fn() -> Instant,
    ) -> Result<PooledSession> {
        match self.get_at_once(holder, now, true, Trust::Nothing)? {
            Ok(session) => Ok(session),
            Err(request) => block_on(self.get_later(request, deadline)),
        }
    }

    /// Returns a session if one is idle, otherwise the request for [`Source::get_later`].
    pub(super) fn get_at_once(
        &self,
        holder: &'static Location<'static>,
        now: Instant,
        is_blocking: bool,
        trust: Trust,
    ) -> Result<std::result::Result<PooledSession, Box<Request>>> {
        let checkout = Checkout::begin(holder, now);
        let span = checkout.span().map(Span::enter);
        let held = match self {
            Self::Pool(pool) => match pool.get_at_once(holder, now, is_blocking, trust) {
                Ok(Ok(session)) => Ok(Held::Pooled(session)),
                Ok(Err(request)) => {
                    drop(span);
                    return Ok(Err(Box::new(Request::Pool(checkout, request))));
                }
                Err(error) => Err(error),
            },
            Self::Pinned(pinned) => Pinned::take(pinned, holder),
        };
        drop(span);
        let session = self.taken(checkout, held)?;
        if let Held::Pinned { .. } = session.0 {
            return Ok(Err(Box::new(Request::Pinned(session))));
        }
        Ok(Ok(session))
    }

    /// Waits for a session that was requested.
    pub(super) async fn get_later(
        &self,
        request: Box<Request>,
        deadline: impl Fn() -> Instant,
    ) -> Result<PooledSession> {
        match *request {
            Request::Pool(checkout, request) => {
                let held = {
                    let wait = pin!(request.wait(deadline));
                    within(checkout.span(), wait).await
                };
                self.taken(checkout, held.map(Held::Pooled))
            }
            Request::Pinned(mut session) => {
                // The call before may have been dropped.
                let depth = session.floor();
                Box::pin(session.undo_abandoned(depth)).await;
                session.begin_checkout(Duration::ZERO);
                Ok(session)
            }
        }
    }

    /// Reports a checkout, and begins the use of its session.
    #[inline]
    fn taken(&self, checkout: Checkout, held: Result<Held>) -> Result<PooledSession> {
        let has_waited = match &held {
            Ok(Held::Pooled(session)) => session.has_waited(),
            Ok(Held::Pinned { .. }) => false,
            Err(_) => true,
        };
        let waited = checkout.end(has_waited, held.as_ref().err());
        if let Self::Pool(pool) = self {
            metrics::checkout(|| pool.name(), waited, held.as_ref().err());
        }
        let mut session = PooledSession(held?);
        if let Held::Pooled(_) = &session.0 {
            session.begin_checkout(waited);
        }
        Ok(session)
    }

    /// Returns whether it is the one session of a test.
    pub(super) fn is_pinned(&self) -> bool {
        matches!(self, Self::Pinned(_))
    }

    /// Returns the state of the pool, or that of a pool with one session.
    pub(super) fn state(&self) -> PoolState {
        match self {
            Self::Pool(pool) => pool.state(),
            Self::Pinned(pinned) => PoolState::of_one(pinned.is_held()),
        }
    }

    /// Closes the pool. Does nothing to the session of a test, which its owner closes.
    pub(super) fn close(&self, limit: Duration) -> Result<()> {
        match self {
            Self::Pool(pool) => pool.close(limit),
            Self::Pinned(_) => Ok(()),
        }
    }
}

/// A request for a session that could not be served at once.
pub(crate) enum Request {
    Pool(Checkout, pool::Request),
    /// The session of a test, which a dropped call may have left with work to undo.
    Pinned(PooledSession),
}

/// The one session of a test. One caller at a time holds it.
pub(super) struct Pinned {
    slot: Mutex<PinnedSlot>,
    /// Called with the session when the last clone of the database is dropped.
    on_drop: Option<OnDrop>,
}

/// A function that takes ownership of a session.
pub(super) type OnDrop = Box<dyn FnOnce(Session) + Send + Sync>;

#[derive(Debug)]
enum PinnedSlot {
    Free(Box<Session>),
    HeldBy(&'static Location<'static>),
}

impl Pinned {
    pub(super) fn new(session: Session, on_drop: Option<OnDrop>) -> Self {
        Self {
            slot: Mutex::new(PinnedSlot::Free(Box::new(session))),
            on_drop,
        }
    }

    fn is_held(&self) -> bool {
        let slot = self.slot.lock().unwrap_or_else(PoisonError::into_inner);
        matches!(*slot, PinnedSlot::HeldBy(_))
    }

    /// Takes the session. Fails if it is held, since the holder may be the caller itself.
    fn take(pinned: &Arc<Self>, holder: &'static Location<'static>) -> Result<Held> {
        let mut slot = pinned.slot.lock().unwrap_or_else(PoisonError::into_inner);
        match std::mem::replace(&mut *slot, PinnedSlot::HeldBy(holder)) {
            PinnedSlot::Free(session) => Ok(Held::Pinned {
                session: Some(session),
                pinned: Arc::clone(pinned),
            }),
            PinnedSlot::HeldBy(first) => {
                *slot = PinnedSlot::HeldBy(first);
                Err(Error::query(format!(
                    "the test's only session, held at {first}, is asked for again at {holder}"
                ))
                .with_hint(
                    "pass the session on, or give the test a database of its own with #[bowline::test(database)]",
                ))
            }
        }
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        let slot = self.slot.get_mut().unwrap_or_else(PoisonError::into_inner);
        let slot = std::mem::replace(slot, PinnedSlot::HeldBy(Location::caller()));
        // A session whose guard was leaked cannot be returned.
        if let (PinnedSlot::Free(session), Some(on_drop)) = (slot, self.on_drop.take()) {
            on_drop(*session);
        }
    }
}

impl fmt::Debug for Pinned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pinned").field(&self.slot).finish()
    }
}

/// A session of the pool. Dropping it returns the session.
///
/// It dereferences to [`Session`]: for a parameter of type `&mut Session`, pass `&mut *session`.
pub struct PooledSession(Held);

impl PooledSession {
    /// Marks this session, and all that are as old, as outdated: their server no longer accepts
    /// writes. The pool replaces them.
    pub(super) fn mark_outdated(&self) {
        if let Held::Pooled(session) = &self.0 {
            session.mark_outdated();
        }
    }
}

enum Held {
    Pooled(pool::PooledSession),
    Pinned {
        session: Option<Box<Session>>,
        pinned: Arc<Pinned>,
    },
}

impl Deref for PooledSession {
    type Target = Session;

    #[inline]
    fn deref(&self) -> &Session {
        match &self.0 {
            Held::Pooled(session) => session,
            Held::Pinned { session, .. } => session.as_deref().expect("taken in `drop` only"),
        }
    }
}

impl DerefMut for PooledSession {
    #[inline]
    fn deref_mut(&mut self) -> &mut Session {
        match &mut self.0 {
            Held::Pooled(session) => session,
            Held::Pinned { session, .. } => session.as_deref_mut().expect("taken in `drop` only"),
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Self::Pinned { session, pinned } = self
            && let Some(session) = session.take()
        {
            *pinned.slot.lock().unwrap_or_else(PoisonError::into_inner) = PinnedSlot::Free(session);
        }
    }
}

impl fmt::Debug for PooledSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}
