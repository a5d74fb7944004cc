//! The pool of sessions.
//!
//! r2d2 owns the sessions (`store`). The pool adds what r2d2 lacks: a queue of waiters
//! (`shared::wait_queue`); connecting in the background, only while a caller waits
//! (`shared::growth`); timed checks of lifetimes and long holders (`keeper`); and errors that say
//! why no session is available (`shared::refused`). A checkout takes no round trip: the socket
//! shows whether the server has closed the connection. It is not looked at for a session that was
//! in use until this moment, if the call is run again after a lost connection. A checkout that need
//! not wait takes one lock, reads the clock once and calls the system at most once, and so does a
//! return, without that call.

#[cfg(feature = "tokio")]
mod clean;
mod holders;
mod keeper;
mod manager;
mod shared;
mod state;
mod store;
#[cfg(test)]
mod tests;

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::sync::Arc;
use std::time::{Duration, Instant};

use r2d2::ManageConnection as _;

use crate::config::Config;
use crate::deadline::{A_YEAR, after};
use crate::error::{Error, Result};
use crate::observe::metrics;
use crate::session::Session;
use crate::session::activity::{SessionActivity, this_thread};
use crate::wire::executor::block_on;
use crate::wire::libpq::process_id;
use holders::Caller;
use shared::{Lease, PoolLimits, Resource, SharedPool};

pub use crate::activity::{Activity, SessionState};
pub use crate::no_session::{Holder, NoSession, PoolState};
pub use manager::SessionManager;

/// A pool of sessions; clones share it.
#[derive(Clone)]
pub(crate) struct Pool(Arc<Inner>);

struct Inner {
    shared: Arc<SharedPool<Session>>,
    checkout_timeout: Duration,
    call_timeout: Duration,
    ping_after: Duration,
    /// The process that opened the pool; a child process must not use its sockets.
    process: u32,
}

/// A request for a session that could not be served at once.
pub(crate) struct Request {
    pool: Pool,
    caller: Caller,
    now: Instant,
    /// An idle session, if it cannot be handed out at once.
    found: Option<Lease<Session>>,
    trust: Trust,
}

/// Whether a session that was in use until this moment is taken for open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trust {
    /// No: its socket is looked at, as that of any other.
    Nothing,
    /// Yes: a call that finds it closed is run again on another session.
    JustUsed,
}

/// A session that was returned less than this time ago was in use until this moment.
const JUST_USED: Duration = Duration::from_micros(100);

impl Request {
    /// Waits for a session. Callers are served in the order of their requests. The deadline is
    /// computed only if it is needed.
    ///
    /// Fails by the deadline or the checkout timeout. Fails at once if the thread would wait for
    /// itself, if too many callers wait already, or if connecting fails permanently.
    pub(crate) async fn wait(self, deadline: impl Fn() -> Instant) -> Result<PooledSession> {
        let Self {
            pool,
            caller,
            now,
            mut found,
            trust,
        } = self;
        let inner = &*pool.0;
        let deadline = || deadline().min(now + inner.checkout_timeout.min(A_YEAR));
        // A caller whose session turned out to be lost goes to the front of the queue. Each
        // iteration closes an idle session, so there are no more iterations than sessions.
        let mut again = found.is_some();
        loop {
            let mut lease = match found.take() {
                Some(lease) => lease,
                None => inner.shared.take_at(now, caller, deadline, again).await?,
            };
            let is_good = match inner.is_good_now(&mut lease, now, trust) {
                Some(is_good) => is_good,
                // In a box, so that what is rare does not make each wait larger.
                None => Box::pin(inner.answers(&mut lease, deadline())).await,
            };
            if is_good {
                return Ok(inner.session(lease, caller));
            }
            drop(lease);
            again = true;
        }
    }
}

impl Resource for Session {
    fn activity(&self) -> &Arc<SessionActivity> {
        self.activity()
    }

    fn server_name(&self) -> &Arc<str> {
        self.server_name()
    }

    fn set_close_reason(&mut self, reason: &'static str) {
        self.set_close_reason(reason);
    }
}

/// The time that the answer to a ping may take.
const PING: Duration = Duration::from_secs(1);

impl Pool {
    /// Returns an empty pool: the first checkout connects.
    pub(crate) fn new(config: &Config) -> Self {
        let limits = PoolLimits {
            max: config.max_size,
            max_waiting: config.max_waiting,
            max_lifetime: config.max_lifetime,
            idle_timeout: config.idle_timeout,
            leak_threshold: config.leak_threshold,
        };
        metrics::describe();
        let sessions = SessionManager::new(config.clone());
        Self(Arc::new(Inner {
            shared: SharedPool::new(
                limits,
                move || sessions.connect(),
                shared::inquiry::asking(config.clone()),
            ),
            checkout_timeout: config.checkout_timeout,
            call_timeout: config.call_timeout,
            ping_after: config.ping_after,
            process: process_id(),
        }))
    }

    /// Opens the first session; fails at once if it cannot be opened.
    pub(crate) fn connect(&self) -> Result<()> {
        self.0.shared.first()
    }

    /// Returns a session if one is idle. `now` is the time of the request.
    ///
    /// Otherwise returns the request, for [`Request::wait`].
    #[inline]
    pub(crate) fn get_at_once(
        &self,
        holder: &'static Location<'static>,
        now: Instant,
        is_blocking: bool,
        trust: Trust,
    ) -> Result<std::result::Result<PooledSession, Request>> {
        let inner = &*self.0;
        inner.refuse_child()?;
        let caller = Caller {
            location: holder,
            thread: is_blocking.then(this_thread),
        };
        let found = match inner.shared.take_idle(now, caller)? {
            Some(mut lease) => {
                if inner.is_good_now(&mut lease, now, trust) == Some(true) {
                    return Ok(Ok(inner.session(lease, caller)));
                }
                Some(lease)
            }
            None => None,
        };
        Ok(Err(Request {
            pool: self.clone(),
            caller,
            now,
            found,
            trust,
        }))
    }

    /// Returns the server and database; `None` before the first session.
    pub(crate) fn name(&self) -> Option<Arc<str>> {
        self.0.shared.gauges.name.get().cloned()
    }

    /// Returns the counters of the pool, read without its lock.
    pub(crate) fn state(&self) -> PoolState {
        self.0.shared.gauges.read()
    }

    /// Stops handing out sessions, and waits until those in use are returned.
    pub(crate) fn close(&self, limit: Duration) -> Result<()> {
        self.0.refuse_child()?;
        self.0.shared.close(after(limit))
    }
}

impl Inner {
    #[inline]
    fn refuse_child(&self) -> Result<()> {
        if self.process == process_id() {
            return Ok(());
        }
        Err(Error::query(format!(
            "the database was opened by process {}, and this is another process",
            self.process
        ))
        .with_hint(
            "open the database again after the fork: parent and child would use the same sockets",
        ))
    }

    #[inline]
    fn session(&self, lease: Lease<Session>, caller: Caller) -> PooledSession {
        PooledSession {
            lease: Some(lease),
            location: caller.location,
            process: self.process,
            call_timeout: self.call_timeout,
            #[cfg(feature = "tokio")]
            is_blocking: caller.thread.is_some(),
        }
    }

    /// Returns whether a session may be handed out; `None` if it was idle for long, so that the
    /// server has to be asked.
    #[inline]
    fn is_good_now(
        &self,
        lease: &mut Lease<Session>,
        asked: Instant,
        trust: Trust,
    ) -> Option<bool> {
        let now = if lease.has_waited() {
            Instant::now()
        } else {
            asked
        };
        let generation = lease.shared().generation();
        let item = lease.item_mut();
        if let Some(reason) = item.reason_to_close(now, generation) {
            item.session.set_close_reason(reason);
            return Some(false);
        }
        let idle = now.duration_since(item.idle_since);
        if trust == Trust::JustUsed && idle < JUST_USED {
            return Some(true);
        }
        if item.session.was_closed() {
            item.session.set_close_reason("closed_by_server");
            lease.set_lost();
            return Some(false);
        }
        item.session.note_peek();
        (idle < self.ping_after).then_some(true)
    }

    /// Returns whether the server answers a ping on this session.
    async fn answers(&self, lease: &mut Lease<Session>, deadline: Instant) -> bool {
        let item = lease.item_mut();
        let answers = item.session.ping(deadline.min(Instant::now() + PING)).await;
        if !answers {
            item.session.set_close_reason("no_answer");
        }
        lease.set_waited();
        answers
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if self.process == process_id() {
            self.shared.close_now();
        }
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.state(), f)
    }
}

/// A session of the pool in use; it is returned when dropped, unless it is broken.
pub(crate) struct PooledSession {
    lease: Option<Lease<Session>>,
    location: &'static Location<'static>,
    process: u32,
    call_timeout: Duration,
    /// Whether its holder may block to return it.
    #[cfg(feature = "tokio")]
    is_blocking: bool,
}

impl PooledSession {
    /// Returns whether the caller waited for the session.
    pub(crate) fn has_waited(&self) -> bool {
        self.lease.as_ref().is_some_and(Lease::has_waited)
    }

    /// Marks this session, and all of its generation, for replacement, because their server no
    /// longer accepts writes.
    pub(crate) fn mark_outdated(&self) {
        if let Some(lease) = &self.lease {
            lease.shared().mark_outdated(lease.item().generation);
        }
    }
}

impl PooledSession {
    /// Reports a session that is returned in the middle of its work.
    #[cold]
    fn report_open_work(&self, session: &Session) {
        if session.is_idle() || session.is_broken() {
            return;
        }
        tracing::event!(
            target: "bowline::pool",
            tracing::Level::WARN,
            code.file.path = self.location.file(),
            code.line.number = self.location.line(),
            "a session was returned in the middle of its work, which is rolled back; it was taken at {}", self.location
        );
    }
}

impl Deref for PooledSession {
    type Target = Session;

    #[inline]
    fn deref(&self) -> &Session {
        let lease = self.lease.as_ref().expect("taken in `drop` only");
        &lease.item().session
    }
}

impl DerefMut for PooledSession {
    #[inline]
    fn deref_mut(&mut self) -> &mut Session {
        let lease = self.lease.as_mut().expect("taken in `drop` only");
        &mut lease.item_mut().session
    }
}

impl Drop for PooledSession {
    fn drop(&mut self) {
        let Some(mut lease) = self.lease.take() else {
            return;
        };
        if self.process != process_id() {
            // In a child process, even a Terminate message would end the parent's session.
            std::mem::forget(lease);
            return;
        }
        let now = Instant::now();
        let generation = lease.shared().generation();
        let item = lease.item_mut();
        if let Some(reason) = item.reason_to_close(now, generation) {
            self.report_open_work(&item.session);
            item.session.set_close_reason(reason);
            // A session that is not given back is closed.
            return drop(lease);
        }
        // Of a session that is idle on the server, only this says that work is open.
        let is_within = item.session.transaction_depth() > 0;
        if is_within {
            self.report_open_work(&item.session);
        }
        let checked_in = item.session.check_in_at_once(self.call_timeout);
        if checked_in != Some(true) && !is_within {
            self.report_open_work(&item.session);
        }
        match checked_in {
            Some(true) => lease.give_back_at(now),
            Some(false) => close(lease),
            #[cfg(feature = "tokio")]
            None if !self.is_blocking => clean::by_a_task(lease, self.call_timeout),
            None => block_on(check_in(lease, self.call_timeout)),
        }
    }
}

/// Prepares a session for its next holder and gives it back, or closes it.
async fn check_in(mut lease: Lease<Session>, call_timeout: Duration) {
    if lease.item_mut().session.check_in(call_timeout).await {
        lease.give_back_at(Instant::now());
    } else {
        close(lease);
    }
}

/// Closes a session that could not be prepared for its next holder.
fn close(mut lease: Lease<Session>) {
    let session = &mut lease.item_mut().session;
    if session.is_broken() {
        session.set_close_reason("lost");
        lease.set_lost();
    } else {
        session.set_close_reason("not_clean");
    }
}

impl fmt::Debug for PooledSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

#[cfg(test)]
mod fork {
    use super::*;

    #[test]
    fn a_pool_of_another_process_is_refused() {
        let mut pool = Pool::new(&Config::new());
        let inner = Arc::get_mut(&mut pool.0).expect("the only one");
        inner.process += 1;
        let parent = inner.process.to_string();
        let got = pool.get_at_once(Location::caller(), Instant::now(), true, Trust::Nothing);
        let error = got.err().expect("a child");
        assert!(error.message().contains(&parent), "{error}");
        assert!(pool.close(Duration::ZERO).is_err());
    }
}
