//! The state of a pool, and its queue of waiters.
//!
//! One lock protects the whole state, and no thread waits while it holds the lock. [`wait_queue`]
//! says which caller a session goes to.

pub(super) mod growth;
pub(super) mod inquiry;
mod queue;
pub(super) mod refused;
mod wait_queue;
mod waiter;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::holders::{Caller, Holders};
use super::state::Gauges;
use super::store::{self, Item, Store};
use crate::error::{Error, Result};
use crate::session::activity::SessionActivity;
#[cfg(test)]
use crate::wire::executor::block_on;
use crate::wire::interrupt;

use growth::{Down, Jitter, Lost};
use inquiry::{Inquiry, ServerReport};
use wait_queue::WaitQueue;
use waiter::{ToNotify, WaiterReply};

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
    /// Wakes the keeper.
    pub(super) keeper_wakeup: Condvar,
    /// Wakes the thread that closes the pool when a session is closed.
    pub(super) session_closed: Condvar,
}

pub(super) struct PoolInternals<S: Resource> {
    /// `None` once the pool is closed.
    pub(super) store: Option<Store<S>>,
    /// The number of sessions: idle, in use, or being opened.
    pub(super) size: u32,
    /// The number of sessions that are being opened.
    pub(super) connecting: u32,
    pub(super) wait_queue: WaitQueue<S>,
    pub(super) holders: Holders,
    /// The failure to connect, while the server is down.
    pub(super) down: Option<Down>,
    /// The sessions that the server has closed since one was opened.
    pub(super) lost: Lost,
    /// The time at which connecting last began, and the beginning of the time without any answer.
    pub(super) last_attempt: Option<Instant>,
    pub(super) unanswered: Option<Instant>,
    pub(super) jitter: Jitter,
    pub(super) inquiry: Inquiry,
    pub(super) keeper: Option<JoinHandle<()>>,
    /// The time at which the keeper runs next.
    pub(super) keeper_runs: Instant,
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
            wait_queue: WaitQueue::new(),
            holders: Holders::default(),
            down: None,
            lost: Lost::default(),
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
            keeper_wakeup: Condvar::new(),
            session_closed: Condvar::new(),
        })
    }

    /// Returns a session by the deadline.
    ///
    /// `again` is for a caller whose session turned out to be lost: it goes to the front of the
    /// queue.
    #[cfg(test)]
    pub(super) fn take(
        self: &Arc<Self>,
        caller: Caller,
        deadline: Instant,
        again: bool,
    ) -> Result<Lease<S>> {
        block_on(self.take_at(Instant::now(), caller, || deadline, again))
    }

    /// As [`SharedPool::take`]; `now` is the time at which the caller asks. The deadline is
    /// computed only if the caller has to wait.
    pub(super) async fn take_at(
        self: &Arc<Self>,
        now: Instant,
        caller: Caller,
        deadline: impl FnOnce() -> Instant,
        again: bool,
    ) -> Result<Lease<S>> {
        if let Some(lease) = self.take_idle(now, caller)? {
            return Ok(lease);
        }
        self.take_later(now, caller, deadline(), again).await
    }

    /// Returns an idle session, if there is one.
    #[inline]
    pub(super) fn take_idle(
        self: &Arc<Self>,
        now: Instant,
        caller: Caller,
    ) -> Result<Option<Lease<S>>> {
        if interrupt::is_given_up() {
            return Err(interrupt::given_up());
        }
        let mut state = self.lock();
        if state.is_closed() {
            return Err(refused::closed());
        }
        let item = state.wait_queue.take();
        if let Some(item) = &item {
            self.enter(&mut state, item, caller, now);
        }
        drop(state);
        Ok(item.map(|item| self.lease(item, false)))
    }

    /// Enters the caller as the holder of a session.
    #[inline]
    fn enter(&self, state: &mut PoolInternals<S>, item: &Item<S>, caller: Caller, now: Instant) {
        self.wake_within(state, now, self.limits.leak_threshold);
        state.holders.take(item.slot, caller, now);
        // The counters are published before the caller, which may read them, continues.
        self.publish(state);
    }

    #[inline]
    fn lease(self: &Arc<Self>, item: Item<S>, has_waited: bool) -> Lease<S> {
        Lease {
            shared: Arc::clone(self),
            item: Some(item),
            has_waited,
            is_lost: false,
        }
    }

    /// Passes a session to a waiter, or keeps it. The session of a closed pool is returned, to be
    /// closed. The waiter is to be woken, without the lock.
    #[inline]
    pub(super) fn offer(
        &self,
        state: &mut PoolInternals<S>,
        item: Item<S>,
        now: Instant,
    ) -> Result<ToNotify<S>, Item<S>> {
        if state.is_closed() {
            return Err(item);
        }
        if let Some(waiter) = state.wait_queue.take_due_waiter(now) {
            self.enter(state, &item, waiter.caller, now);
            waiter.reply(WaiterReply::Session(item));
            return Ok(Some(waiter));
        }
        self.wake_within(state, item.idle_since, self.limits.idle_timeout);
        self.wake_by(state, item.expires);
        Ok(state.wait_queue.put_idle(item))
    }

    /// Fails the callers that have waited since `since`.
    pub(super) fn fail(
        &self,
        state: &mut PoolInternals<S>,
        since: Instant,
        error: impl Fn() -> Error,
    ) {
        let woken = state.wait_queue.fail(since, error);
        woken.iter().for_each(|waiter| waiter.notify());
    }

    /// Closes sessions that are not in use, without holding the lock, and makes room for others.
    pub(super) fn close_all(self: &Arc<Self>, items: Vec<Item<S>>) {
        if items.is_empty() {
            return;
        }
        let slots: Vec<_> = items.iter().map(|item| item.slot).collect();
        items.into_iter().for_each(store::close);
        let mut state = self.lock();
        for slot in slots {
            state.remove_session(slot);
        }
        self.session_closed.notify_all();
        drop(self.grow(state));
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
            state.wait_queue.waiting(),
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
        self.wait_queue
            .unserved()
            .saturating_add(1)
            .saturating_sub(room)
    }

    /// Removes a session that was closed.
    fn remove_session(&mut self, slot: usize) {
        self.holders.remove_session(slot);
        self.size -= 1;
    }
}

/// A session in use by a caller; it is closed when dropped, unless it is given back.
pub(super) struct Lease<S: Resource> {
    shared: Arc<SharedPool<S>>,
    item: Option<Item<S>>,
    has_waited: bool,
    /// Whether the server has closed it.
    is_lost: bool,
}

impl<S: Resource> Lease<S> {
    /// Returns whether the caller waited for it: for another caller, or for the server.
    pub(super) fn has_waited(&self) -> bool {
        self.has_waited
    }

    pub(super) fn set_waited(&mut self) {
        self.has_waited = true;
    }

    /// Notes that the server has closed it.
    pub(super) fn set_lost(&mut self) {
        self.is_lost = true;
    }

    pub(super) fn item(&self) -> &Item<S> {
        self.item
            .as_ref()
            .expect("only `give_back_at` and `drop` take it, and both consume the lease")
    }

    pub(super) fn item_mut(&mut self) -> &mut Item<S> {
        self.item
            .as_mut()
            .expect("only `give_back_at` and `drop` take it, and both consume the lease")
    }

    pub(super) fn shared(&self) -> &Arc<SharedPool<S>> {
        &self.shared
    }

    /// Gives the session back, to a waiter or to the pool.
    #[cfg(test)]
    pub(super) fn give_back(self) {
        self.give_back_at(Instant::now());
    }

    /// As [`Lease::give_back`]; `now` is the time at which the caller gives it back.
    #[inline]
    pub(super) fn give_back_at(mut self, now: Instant) {
        let Some(mut item) = self.item.take() else {
            return;
        };
        item.idle_since = now;
        let mut state = self.shared.lock();
        state.holders.give_back(item.slot);
        let offered = self.shared.offer(&mut state, item, now);
        self.shared.publish(&state);
        drop(state);
        match offered {
            Ok(woken) => notify(woken),
            Err(unwanted) => self.shared.close_all(vec![unwanted]),
        }
    }
}

impl<S: Resource> Drop for Lease<S> {
    fn drop(&mut self) {
        if let Some(item) = self.item.take() {
            // The session is closed before the count is reduced, so that there are never more
            // sessions than allowed.
            let slot = item.slot;
            store::close(item);
            let mut state = self.shared.lock();
            state.remove_session(slot);
            if self.is_lost {
                state.lost.note();
            }
            self.shared.session_closed.notify_all();
            drop(self.shared.grow(state));
        }
    }
}

/// Wakes a waiter, once the lock of the pool is released.
pub(super) fn notify<S: Resource>(waiter: ToNotify<S>) {
    if let Some(waiter) = waiter {
        waiter.notify();
    }
}

/// Locks a mutex. If a holder panicked, the value is still consistent, since each update here is
/// complete at once.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
