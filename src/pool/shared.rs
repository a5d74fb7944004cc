//! The state of a pool and its queue of waiters: first come, first served, within a deadline.
//!
//! One lock protects the whole state, and no thread waits while it holds the lock. A session that
//! is returned is handed to the longest waiter, so that no running thread takes it first.

pub(super) mod growth;
pub(super) mod inquiry;
pub(super) mod refused;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::holders::{Caller, Holders};
use super::state::Gauges;
use super::store::{self, Item, Store};
use crate::error::{Error, Result};
use crate::session::activity::SessionActivity;
use crate::wire::interrupt::{self, Interrupt, Wake};

use growth::{Down, Jitter};
use inquiry::{Inquiry, ServerReport};
use refused::CheckoutRefusal;

/// The resource that the pool keeps: a session, or its replacement in a test of the pool alone.
pub(super) trait Resource: Send + 'static {
    fn activity(&self) -> &Arc<SessionActivity>;

    /// Returns the server and database that it is connected to.
    fn server_name(&self) -> &Arc<str>;

    /// Sets the reason why it is about to be closed.
    fn set_close_reason(&mut self, reason: &'static str);
}

/// The configured limits of a pool.
#[derive(Debug, Clone)]
pub(super) struct PoolLimits {
    pub(super) max: u32,
    pub(super) max_waiting: u32,
    pub(super) max_lifetime: Duration,
    pub(super) idle_timeout: Duration,
    pub(super) leak_threshold: Duration,
}

/// A function that asks the server for its report on these processes.
pub(super) type Ask = dyn Fn(&[i32], Instant) -> Result<ServerReport> + Send + Sync;

/// The pool, independent of the type of session.
pub(super) struct SharedPool<S: Resource> {
    pub(super) limits: PoolLimits,
    pub(super) gauges: Gauges,
    /// The tracing dispatcher in effect when the pool was created; background threads report to it.
    pub(super) dispatch: tracing::Dispatch,
    pub(super) connect: Box<dyn Fn() -> Result<S> + Send + Sync>,
    pub(super) ask: Box<Ask>,
    state: Mutex<PoolInternals<S>>,
    /// The current generation: sessions of earlier ones are not handed out. Changed under the lock,
    /// read without it.
    pub(super) generation: AtomicU64,
    /// Held while a session is added to the store, which one thread may do at a time.
    pub(super) adding: Mutex<()>,
    /// Wakes the keeper.
    pub(super) bell: Condvar,
    /// Wakes the thread that closes the pool when a session is closed.
    pub(super) gone: Condvar,
}

pub(super) struct PoolInternals<S: Resource> {
    /// `None` once the pool is closed.
    pub(super) store: Option<Store<S>>,
    /// The number of sessions: idle, in use, or being opened.
    pub(super) size: u32,
    /// The number of sessions that are being opened.
    pub(super) connecting: u32,
    pub(super) waiting: VecDeque<Arc<Waiter<S>>>,
    pub(super) holders: Holders,
    /// Sessions that are returned while another one is added to the store, which must not be used
    /// meanwhile.
    pub(super) aside: Option<Vec<Item<S>>>,
    /// The failure to connect, while the server is down.
    pub(super) down: Option<Down>,
    /// The time at which connecting last began, and the beginning of the time without any answer.
    pub(super) last_attempt: Option<Instant>,
    pub(super) unanswered: Option<Instant>,
    pub(super) jitter: Jitter,
    pub(super) inquiry: Inquiry,
    pub(super) keeper: Option<JoinHandle<()>>,
    /// The time at which the keeper runs next.
    pub(super) keeper_runs: Instant,
}

/// A caller that waits for a session.
pub(super) struct Waiter<S: Resource> {
    caller: Caller,
    asked: Instant,
    called: Condvar,
    answer: Mutex<Option<WaiterReply<S>>>,
}

enum WaiterReply<S: Resource> {
    Session(Item<S>, usize),
    Failure(Error),
}

impl<S: Resource> Waiter<S> {
    /// Waits for the reply until `until`, or until the call is given up. It uses a separate lock,
    /// so that a waiter that is woken need not queue for the lock of the pool.
    fn wait(&self, until: Instant, interrupt: Option<&Interrupt>) -> Option<WaiterReply<S>> {
        let mut answer = lock(&self.answer);
        while answer.is_none() && !interrupt.is_some_and(Interrupt::is_given_up) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            answer = self
                .called
                .wait_timeout(answer, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        answer.take()
    }

    fn reply(&self, answer: WaiterReply<S>) {
        *lock(&self.answer) = Some(answer);
        self.called.notify_one();
    }
}

impl<S: Resource> Wake for Waiter<S> {
    fn wake(&self) {
        // The lock is held, so that the waiter is not between its check and its wait.
        let _answer = lock(&self.answer);
        self.called.notify_one();
    }
}

impl<S: Resource> SharedPool<S> {
    pub(super) fn new(
        limits: PoolLimits,
        connect: impl Fn() -> Result<S> + Send + Sync + 'static,
        ask: impl Fn(&[i32], Instant) -> Result<ServerReport> + Send + Sync + 'static,
    ) -> Arc<Self> {
        let state = PoolInternals {
            store: Some(Store::new(limits.max)),
            size: 0,
            connecting: 0,
            waiting: VecDeque::new(),
            holders: Holders::default(),
            aside: None,
            down: None,
            last_attempt: None,
            unanswered: None,
            jitter: Jitter::new(),
            inquiry: Inquiry::default(),
            keeper: None,
            keeper_runs: Instant::now(),
        };
        Arc::new(Self {
            gauges: Gauges::new(limits.max),
            limits,
            dispatch: tracing::dispatcher::get_default(Clone::clone),
            connect: Box::new(connect),
            ask: Box::new(ask),
            state: Mutex::new(state),
            generation: AtomicU64::new(0),
            adding: Mutex::new(()),
            bell: Condvar::new(),
            gone: Condvar::new(),
        })
    }

    /// Returns a session, once all earlier callers have theirs; fails at the deadline.
    ///
    /// `again` is for a caller whose session turned out to be lost: it goes to the front of the
    /// queue.
    pub(super) fn take(
        self: &Arc<Self>,
        caller: Caller,
        deadline: Instant,
        again: bool,
    ) -> Result<Lease<S>> {
        let asked = Instant::now();
        let interrupt = interrupt::current();
        interrupt.as_ref().map_or(Ok(()), Interrupt::check)?;
        let mut state = self.lock();
        if state.is_closed() {
            return Err(refused::closed());
        }
        if let Some(item) = state.idle(again) {
            let entry = self.lease_out(&mut state, &item, caller);
            return Ok(self.lease(item, entry));
        }
        if !again && state.dependent(self.limits.max) > self.limits.max_waiting {
            return Err(self.refused(&state, CheckoutRefusal::TooManyWaiting));
        }
        if state.holders.len() >= self.limits.max
            && let Some(first) = state.holders.of_thread(caller.thread)
        {
            let (first, second) = (first, caller.location);
            return Err(self.refused(&state, CheckoutRefusal::Nested { first, second }));
        }
        let waiter = Arc::new(Waiter {
            caller,
            asked,
            called: Condvar::new(),
            answer: Mutex::new(None),
        });
        if again {
            state.waiting.push_front(Arc::clone(&waiter));
        } else {
            state.waiting.push_back(Arc::clone(&waiter));
        }
        drop(self.grow(state));
        let interrupt = interrupt.as_ref();
        let waking = interrupt.map(|interrupt| interrupt.waking(waiter.clone()));
        let ask_server = inquiry::moment(asked, deadline);
        let mut answer = waiter.wait(ask_server, interrupt);
        if answer.is_none() && ask_server < deadline && Instant::now() >= ask_server {
            self.inquire(&mut self.lock());
            answer = waiter.wait(deadline, interrupt);
        }
        drop(waking);
        if let Some(answer) = answer {
            return self.accept(answer);
        }
        let mut state = self.lock();
        // The reply may have arrived at the last moment.
        if let Some(answer) = lock(&waiter.answer).take() {
            drop(state);
            return self.accept(answer);
        }
        state.waiting.retain(|other| !Arc::ptr_eq(other, &waiter));
        self.publish(&state);
        interrupt.map_or(Ok(()), Interrupt::check)?;
        Err(self.expired(&state, asked.elapsed()))
    }

    fn accept(self: &Arc<Self>, answer: WaiterReply<S>) -> Result<Lease<S>> {
        match answer {
            WaiterReply::Session(item, entry) => Ok(self.lease(item, entry)),
            WaiterReply::Failure(error) => Err(error),
        }
    }

    /// Enters the caller as the holder of a session; returns its index in the table.
    fn lease_out(&self, state: &mut PoolInternals<S>, item: &Item<S>, caller: Caller) -> usize {
        let now = Instant::now();
        let activity = Arc::clone(item.session.activity());
        self.wake_by(state, now + self.limits.leak_threshold);
        let entry = state.holders.add(caller, activity, now);
        // The counters are published before the caller, which may read them, continues.
        self.publish(state);
        entry
    }

    fn lease(self: &Arc<Self>, item: Item<S>, entry: usize) -> Lease<S> {
        Lease {
            shared: Arc::clone(self),
            item: Some(item),
            entry,
        }
    }

    /// Hands a session to the longest waiter, or keeps it; returns it if the pool is closed.
    #[must_use = "a session of a closed pool has to be closed"]
    pub(super) fn offer(&self, state: &mut PoolInternals<S>, item: Item<S>) -> Option<Item<S>> {
        if state.is_closed() {
            return Some(item);
        }
        if let Some(waiter) = state.waiting.pop_front() {
            let entry = self.lease_out(state, &item, waiter.caller);
            waiter.reply(WaiterReply::Session(item, entry));
        } else {
            let idle_until = item.idle_since + self.limits.idle_timeout;
            self.wake_by(state, item.expires.min(idle_until));
            match &mut state.aside {
                Some(aside) => aside.push(item),
                None => store::keep(item),
            }
        }
        None
    }

    /// Fails the callers that have waited since `since`.
    pub(super) fn fail(
        &self,
        state: &mut PoolInternals<S>,
        since: Instant,
        error: impl Fn() -> Error,
    ) {
        state.waiting.retain(|waiter| {
            let later = waiter.asked > since;
            if !later {
                waiter.reply(WaiterReply::Failure(error()));
            }
            later
        });
    }

    /// Closes sessions that are not in use, without holding the lock, and makes room for others.
    pub(super) fn close_all(self: &Arc<Self>, items: Vec<Item<S>>) {
        let count = u32::try_from(items.len()).unwrap_or(u32::MAX);
        if count > 0 {
            items.into_iter().for_each(store::close);
            let mut state = self.lock();
            state.size = state.size.saturating_sub(count);
            self.gone.notify_all();
            drop(self.grow(state));
        }
    }

    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, PoolInternals<S>> {
        lock(&self.state)
    }

    /// Publishes the counters, which are read without the lock.
    pub(super) fn publish(&self, state: &PoolInternals<S>) {
        self.gauges.set(
            state.size - state.connecting,
            state.holders.len(),
            state.connecting,
            u32::try_from(state.waiting.len()).unwrap_or(u32::MAX),
        );
    }
}

impl<S: Resource> PoolInternals<S> {
    pub(super) fn is_closed(&self) -> bool {
        self.store.is_none()
    }

    /// Returns how many callers, including one more, would wait for a session that another caller
    /// holds, because no more can be opened.
    fn dependent(&self, max: u32) -> u32 {
        let room = max.saturating_sub(self.size) + self.connecting;
        let waiting = u32::try_from(self.waiting.len()).unwrap_or(u32::MAX);
        waiting.saturating_add(1).saturating_sub(room)
    }

    /// Returns an idle session, if it is the caller's turn.
    fn idle(&self, again: bool) -> Option<Item<S>> {
        if self.aside.is_some() || !(again || self.waiting.is_empty()) {
            return None;
        }
        self.store.as_ref()?.take()
    }
}

/// A session in use by a caller; it is closed when dropped, unless it is given back.
pub(super) struct Lease<S: Resource> {
    shared: Arc<SharedPool<S>>,
    item: Option<Item<S>>,
    entry: usize,
}

impl<S: Resource> Lease<S> {
    pub(super) fn item(&self) -> &Item<S> {
        self.item
            .as_ref()
            .expect("only `give_back` and `drop` take it, and both consume the lease")
    }

    pub(super) fn item_mut(&mut self) -> &mut Item<S> {
        self.item
            .as_mut()
            .expect("only `give_back` and `drop` take it, and both consume the lease")
    }

    pub(super) fn shared(&self) -> &Arc<SharedPool<S>> {
        &self.shared
    }

    /// Gives the session back, to the next waiter.
    pub(super) fn give_back(mut self) {
        if let Some(mut item) = self.item.take() {
            item.idle_since = Instant::now();
            let mut state = self.shared.lock();
            state.holders.remove(self.entry);
            let unwanted = self.shared.offer(&mut state, item);
            self.shared.publish(&state);
            drop(state);
            self.shared.close_all(unwanted.into_iter().collect());
        }
    }
}

impl<S: Resource> Drop for Lease<S> {
    fn drop(&mut self) {
        if let Some(item) = self.item.take() {
            // The session is closed before the count is reduced, so that there are never more
            // sessions than allowed.
            store::close(item);
            let mut state = self.shared.lock();
            state.holders.remove(self.entry);
            state.size -= 1;
            self.shared.gone.notify_all();
            drop(self.shared.grow(state));
        }
    }
}

/// Locks a mutex. If a holder panicked, the value is still consistent, since each update here is
/// complete at once.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
