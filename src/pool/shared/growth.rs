//! Opens sessions in the background, only while a caller waits.
//!
//! A thread connects, and checks before each connect whether a caller still waits: sessions that
//! are returned meanwhile serve the callers too. So a burst of callers is served with few sessions,
//! and a server that hangs blocks this thread, never a caller.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tracing::dispatcher::with_default;

use super::{PoolInternals, Resource, SharedPool, notify};
use crate::error::{Error, ErrorKind, Result};
use crate::pool::store::Kept;
use crate::retry::random;

/// The number of sessions that are opened at the same time.
const CONNECTORS: u32 = 4;

/// The time without an answer after which another connect is tried in parallel.
pub(in crate::pool) const IMPATIENCE: Duration = Duration::from_secs(1);

/// The pause after a first failure to connect; it doubles with each.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// The longest pause, so that a server that is back is used within a second.
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// Sessions that the server has closed since one was opened.
#[derive(Debug, Default)]
pub(in crate::pool) struct Lost {
    sessions: u32,
    /// The time before which a pool without sessions opens none.
    retry: Option<Instant>,
}

impl Lost {
    /// Notes that the server has closed a session.
    ///
    /// A pool that has lost several is one of many that lost the server at the same moment, so it
    /// does not come back at once.
    pub(super) fn note(&mut self) {
        self.sessions += 1;
        if self.sessions == CONNECTORS {
            self.retry = Some(Instant::now() + FIRST_PAUSE.mul_f64(random()));
        }
    }
}

/// The beginning of an outage of the server, and its cause.
#[derive(Debug)]
pub(in crate::pool) struct Down {
    pub(in crate::pool) since: Instant,
    pub(in crate::pool) cause: Error,
    failures: u32,
    /// The time at which the next attempt may begin.
    retry: Instant,
}

/// Fractions of a lifetime, as far apart from each other as possible.
///
/// Each fraction is the last one plus the golden ratio, without the integer part. Of any twenty in
/// a row, no two are closer than two hundredths, which random numbers would not guarantee.
#[derive(Debug)]
pub(in crate::pool) struct Jitter(f64);

impl Jitter {
    pub(in crate::pool) fn new() -> Self {
        Self(random())
    }

    /// Returns the duration shortened by 0 to 10 %.
    pub(in crate::pool) fn shorten(&mut self, limit: Duration) -> Duration {
        const GOLDEN: f64 = 0.618_033_988_749_894_9;
        self.0 = (self.0 + GOLDEN).fract();
        limit.mul_f64(1.0 - self.0 / 10.0)
    }
}

impl<S: Resource> SharedPool<S> {
    /// Starts to open sessions for the callers that wait, as far as there is room.
    pub(in crate::pool) fn grow<'g>(
        self: &'g Arc<Self>,
        mut state: MutexGuard<'g, PoolInternals<S>>,
    ) -> MutexGuard<'g, PoolInternals<S>> {
        while self.reserve(&mut state) {
            let shared = Arc::clone(self);
            let spawned = thread::Builder::new()
                .name("bowline-connect".to_owned())
                .spawn(move || with_default(&shared.dispatch, || shared.make()));
            if let Err(error) = spawned {
                self.release(&mut state);
                self.went_down(
                    &mut state,
                    Error::unavailable(format!("could not start a thread to connect: {error}")),
                );
                break;
            }
        }
        self.publish(&state);
        state
    }

    /// Reserves a slot for one more session, if there is room and a caller waits for it.
    fn reserve(&self, state: &mut PoolInternals<S>) -> bool {
        let now = Instant::now();
        let enough = state.connecting >= CONNECTORS
            || state.connecting >= state.wait_queue.unserved()
            || state.size >= self.limits.max;
        // If the server does not answer, or has closed several sessions, one thread tries it, and
        // one more each time the answer takes too long.
        let patient = (state.down.is_some() || state.lost.retry.is_some())
            && state.connecting > 0
            && state
                .last_attempt
                .is_some_and(|last| now < last + IMPATIENCE);
        if state.is_closed() || enough || patient {
            return false;
        }
        state.size += 1;
        state.connecting += 1;
        true
    }

    fn release(&self, state: &mut PoolInternals<S>) {
        state.size -= 1;
        state.connecting -= 1;
        self.session_closed.notify_all();
        self.publish(state);
    }

    /// Opens sessions while callers wait for them.
    fn make(self: &Arc<Self>) {
        loop {
            let state = self.lock();
            let Some(mut state) = self.pause(state) else {
                return;
            };
            let generation = self.attempt_begins(&mut state);
            drop(state);
            let began = Instant::now();
            match self.connect_caught() {
                Ok(session) => {
                    self.add(session, generation);
                    let mut state = self.lock();
                    let more = self.reserve(&mut state);
                    self.publish(&state);
                    if !more {
                        return;
                    }
                }
                Err(error) => {
                    if !self.failed(&mut self.lock(), error, began) {
                        return;
                    }
                }
            }
        }
    }

    /// Notes a failed connect. Returns true if the thread should continue; otherwise the slot is
    /// released.
    fn failed(&self, state: &mut PoolInternals<S>, error: Error, began: Instant) -> bool {
        if error.is_permanent() || error.kind() == ErrorKind::Query {
            // For later callers the cause may have been fixed, so they get another attempt.
            state.unanswered = None;
            self.fail(state, began, || error.duplicate());
            return true;
        }
        self.went_down(state, error);
        if let Some(down) = &mut state.down {
            down.since = down.since.min(began);
        }
        let alone = state.connecting == 1;
        if !alone {
            self.release(state);
        }
        alone
    }

    /// Waits until the server may be tried again; returns `None`, and releases the slot, if no
    /// caller waits then.
    fn pause<'g>(
        &'g self,
        mut state: MutexGuard<'g, PoolInternals<S>>,
    ) -> Option<MutexGuard<'g, PoolInternals<S>>> {
        loop {
            if state.is_closed() || state.wait_queue.unserved() < state.connecting {
                self.release(&mut state);
                return None;
            }
            let now = Instant::now();
            let has_none = state.size == state.connecting;
            let retry = [
                state.down.as_ref().map(|down| down.retry),
                state.lost.retry.filter(|_| has_none),
            ];
            let retry = retry.into_iter().flatten().max().unwrap_or(now);
            let pause = retry.saturating_duration_since(now);
            if pause.is_zero() {
                return Some(state);
            }
            state = self
                .session_closed
                .wait_timeout(state, pause)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    fn attempt_begins(self: &Arc<Self>, state: &mut PoolInternals<S>) -> u64 {
        let now = Instant::now();
        state.last_attempt = Some(now);
        state.unanswered.get_or_insert(now);
        self.wake_by(state, now + IMPATIENCE);
        self.begin_keeper(state);
        self.generation()
    }

    fn connect_caught(&self) -> Result<S> {
        catch_unwind(AssertUnwindSafe(|| (self.connect)())).unwrap_or_else(|panic| {
            // Not tried again: the panic would be repeated.
            Err(Error::query(format!(
                "connecting panicked: {}",
                panic_text(&*panic)
            )))
        })
    }

    fn went_down(&self, state: &mut PoolInternals<S>, cause: Error) {
        let now = Instant::now();
        let (since, failures) = state
            .down
            .as_ref()
            .map_or((now, 0), |down| (down.since, down.failures));
        let longest = (FIRST_PAUSE * (1 << failures.min(8))).min(LONGEST_PAUSE);
        state.unanswered = None;
        state.down = Some(Down {
            since,
            cause,
            failures: failures + 1,
            // The pause is at least half of the longest: clients that all retry without one would
            // keep the server down.
            retry: now + longest.mul_f64(0.5 + random() / 2.0),
        });
    }

    /// Opens the first session in the thread of the caller, which gets any failure.
    pub(in crate::pool) fn first(self: &Arc<Self>) -> Result<()> {
        let mut state = self.lock();
        state.size += 1;
        state.connecting += 1;
        let generation = self.attempt_begins(&mut state);
        drop(state);
        match self.connect_caught() {
            Ok(session) => {
                self.add(session, generation);
                Ok(())
            }
            Err(error) => {
                let mut state = self.lock();
                state.unanswered = None;
                self.release(&mut state);
                Err(error)
            }
        }
    }

    /// Adds a new session to the store, and offers it to the waiters.
    fn add(self: &Arc<Self>, session: S, generation: u64) {
        self.gauges
            .name
            .get_or_init(|| Arc::clone(session.server_name()));
        let mut state = self.lock();
        let Some(store) = state.store.clone() else {
            // The pool was closed while this thread connected.
            drop(state);
            drop(session);
            self.release(&mut self.lock());
            return;
        };
        let lifetime = state.jitter.shorten(self.limits.max_lifetime);
        let slot = state.holders.add_session(Arc::clone(session.activity()));
        drop(state);
        let now = Instant::now();
        let added = store.add(Kept::new(session, slot, now + lifetime, generation));
        if added.is_none() {
            tracing::error!(target: "bowline::pool", "r2d2's thread did not add a session to the pool within a minute");
        }
        let mut state = self.lock();
        state.connecting -= 1;
        state.down = None;
        state.lost = Lost::default();
        state.unanswered = (state.connecting > 0).then(Instant::now);
        self.gauges.count_opened();
        let offered = added.map(|item| self.offer(&mut state, item, Instant::now()));
        self.publish(&state);
        drop(state);
        match offered {
            Some(Ok(woken)) => notify(woken),
            Some(Err(unwanted)) => self.close_all(vec![unwanted]),
            None => {}
        }
    }

    /// Starts a new generation: sessions of earlier ones are no longer handed out.
    ///
    /// `generation` is that of the session that caused it, so that its generation is ended only
    /// once.
    pub(in crate::pool) fn mark_outdated(&self, generation: u64) {
        let mut state = self.lock();
        if self.generation() == generation {
            self.generation.fetch_add(1, Ordering::Release);
            self.wake_by(&mut state, Instant::now());
        }
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}
