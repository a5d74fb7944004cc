//! The wait for a session, of threads and of tasks.

use std::sync::Arc;
use std::thread;
use std::time::Instant;

use super::refused::{self, CheckoutRefusal};
use super::waiter::{Waiter, WaiterReply, Woken};
use super::{Lease, PoolInternals, Resource, SharedPool, inquiry, notify};
use crate::error::{Error, Result};
use crate::pool::holders::Caller;
use crate::pool::store::Item;
use crate::wire::interrupt::{self, Interrupt};

/// How often a caller checks for a session before it waits: without a pause, then by letting other
/// threads run.
const SPINS: u32 = 50;
const YIELDS: u32 = 2;

impl<S: Resource> SharedPool<S> {
    /// Waits for a session, since none is idle.
    #[cold]
    pub(super) async fn take_later(
        self: &Arc<Self>,
        asked: Instant,
        caller: Caller,
        deadline: Instant,
        again: bool,
    ) -> Result<Lease<S>> {
        let interrupt = interrupt::current();
        if caller.thread.is_some() {
            self.spin();
        }
        let waiter = match self.take_or_queue(asked, caller, again)? {
            Queued::Item(item) => return Ok(self.lease(item, true)),
            Queued::Waiter(waiter) => waiter,
        };
        // A task may be dropped while it waits.
        let mut queued = InQueue {
            shared: self,
            waiter: &waiter,
            is_over: false,
        };
        let interrupt = interrupt.as_ref();
        let waking = interrupt.map(|interrupt| interrupt.waking(waiter.clone()));
        let ask_server = inquiry::moment(asked, deadline);
        let mut answer = self.wait(&waiter, ask_server, interrupt).await;
        if answer.is_none() && ask_server < deadline && Instant::now() >= ask_server {
            self.inquire(&mut self.lock());
            answer = self.wait(&waiter, deadline, interrupt).await;
        }
        drop(waking);
        queued.is_over = true;
        drop(queued);
        let answer = answer.unwrap_or_else(|| {
            self.leave_queue(&waiter, |state| {
                let given_up = interrupt.map_or(Ok(()), Interrupt::check).err();
                given_up.unwrap_or_else(|| self.expired(state, asked.elapsed()))
            })
        });
        match answer {
            WaiterReply::Session(item) => Ok(self.lease(item, true)),
            WaiterReply::Failure(error) => Err(error),
        }
    }

    /// Takes an idle session, or enters the queue.
    fn take_or_queue(
        self: &Arc<Self>,
        asked: Instant,
        caller: Caller,
        again: bool,
    ) -> Result<Queued<S>> {
        let mut state = self.lock();
        if state.is_closed() {
            return Err(refused::closed());
        }
        if let Some(item) = state.wait_queue.take() {
            self.enter(&mut state, &item, caller, Instant::now());
            return Ok(Queued::Item(item));
        }
        if !again && state.dependent(self.limits.max) > self.limits.max_waiting {
            return Err(self.refused(&state, CheckoutRefusal::TooManyWaiting));
        }
        if state.holders.len() >= self.limits.max
            && let Some(thread) = caller.thread
            && let Some(first) = state.holders.of_thread(thread)
        {
            let (first, second) = (first, caller.location);
            return Err(self.refused(&state, CheckoutRefusal::Nested { first, second }));
        }
        let waiter = Arc::new(Waiter::new(caller, asked));
        state.wait_queue.queue(Arc::clone(&waiter), again);
        drop(self.grow(state));
        Ok(Queued::Waiter(waiter))
    }

    /// Leaves the queue with an error, unless a reply arrived at the last moment.
    fn leave_queue(
        &self,
        waiter: &Arc<Waiter<S>>,
        error: impl FnOnce(&PoolInternals<S>) -> Error,
    ) -> WaiterReply<S> {
        let mut state = self.lock();
        waiter.take_reply().unwrap_or_else(|| {
            let woken = state.wait_queue.remove_waiter(waiter);
            self.publish(&state);
            let error = error(&state);
            drop(state);
            notify(woken);
            WaiterReply::Failure(error)
        })
    }

    /// Waits a moment for another thread to return a session: most are returned soon.
    ///
    /// A caller that finds others waiting joins them at once.
    fn spin(&self) {
        for round in 0..SPINS + YIELDS {
            let seen = self.gauges.read();
            if seen.idle > 0 || seen.in_use == 0 || seen.waiting > 0 {
                return;
            }
            if round < SPINS {
                std::hint::spin_loop();
            } else {
                // The holders may wait for a processor.
                thread::yield_now();
            }
        }
    }

    /// Waits for the reply, or for an idle session, until `until` or until the call is given up.
    async fn wait(
        &self,
        waiter: &Arc<Waiter<S>>,
        until: Instant,
        interrupt: Option<&Interrupt>,
    ) -> Option<WaiterReply<S>> {
        loop {
            if let Woken::Reply(reply) = waiter.wait(until, interrupt).await? {
                return Some(reply);
            }
            if let Some(reply) = self.retry(waiter) {
                return Some(reply);
            }
        }
    }

    /// Takes an idle session for a waiter that was woken for it.
    fn retry(&self, waiter: &Arc<Waiter<S>>) -> Option<WaiterReply<S>> {
        let mut state = self.lock();
        // A reply may have arrived since.
        if let Some(reply) = waiter.take_reply() {
            return Some(reply);
        }
        let now = Instant::now();
        let (item, next) = state.wait_queue.retry(waiter, now)?;
        self.enter(&mut state, &item, waiter.caller, now);
        drop(state);
        notify(next);
        Some(WaiterReply::Session(item))
    }
}

/// The result of a request that found no idle session at first.
enum Queued<S: Resource> {
    Item(Item<S>),
    Waiter(Arc<Waiter<S>>),
}

/// A caller in the queue. If its call is dropped, it leaves the queue, and gives back the session
/// that it was given.
struct InQueue<'p, S: Resource> {
    shared: &'p Arc<SharedPool<S>>,
    waiter: &'p Arc<Waiter<S>>,
    is_over: bool,
}

impl<S: Resource> Drop for InQueue<'_, S> {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        let reply = self
            .shared
            .leave_queue(self.waiter, |_| interrupt::given_up());
        if let WaiterReply::Session(item) = reply {
            self.shared.lease(item, true).give_back_at(Instant::now());
        }
    }
}
