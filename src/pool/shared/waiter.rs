//! A caller that waits for a session.

use std::future::poll_fn;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
#[cfg(feature = "tokio")]
use std::task::Context;
use std::task::{Poll, Waker};
use std::time::Instant;

use super::{Resource, lock};
use crate::error::Error;
use crate::pool::holders::Caller;
use crate::pool::store::Item;
#[cfg(feature = "tokio")]
use crate::wire::executor::may_block;
use crate::wire::interrupt::{Interrupt, Wake};
#[cfg(feature = "tokio")]
use crate::wire::reactor::Timer;

/// A caller that waits for a session.
///
/// It has a lock of its own, so that a waiter that gets a session need not queue for the lock of
/// the pool.
pub(in crate::pool) struct Waiter<S: Resource> {
    pub(super) caller: Caller,
    pub(super) asked: Instant,
    called: Condvar,
    call: Mutex<Call<S>>,
}

/// A waiter to notify, once the lock of the pool is released.
pub(in crate::pool) type ToNotify<S> = Option<Arc<Waiter<S>>>;

/// What a waiter is called for.
struct Call<S: Resource> {
    reply: Option<WaiterReply<S>>,
    /// Whether a session is idle, which the waiter can try to take.
    may_retry: bool,
    /// Wakes the task that waits; `None` for a thread.
    waker: Option<Waker>,
    /// Whether a thread sleeps until it is called. Only then is it woken, by a system call.
    is_asleep: bool,
}

pub(super) enum WaiterReply<S: Resource> {
    Session(Item<S>),
    Failure(Error),
}

/// Why a waiter woke up before its time was over.
pub(super) enum Woken<S: Resource> {
    Reply(WaiterReply<S>),
    Retry,
}

impl<S: Resource> Waiter<S> {
    pub(super) fn new(caller: Caller, asked: Instant) -> Self {
        Self {
            caller,
            asked,
            called: Condvar::new(),
            call: Mutex::new(Call {
                reply: None,
                may_retry: false,
                waker: None,
                is_asleep: false,
            }),
        }
    }

    /// Waits until it is called; returns `None` at `until`, and once the call is given up.
    pub(super) async fn wait(
        &self,
        until: Instant,
        interrupt: Option<&Interrupt>,
    ) -> Option<Woken<S>> {
        #[cfg(feature = "tokio")]
        let mut timer = Timer::default();
        poll_fn(|context| {
            #[cfg(feature = "tokio")]
            if !may_block(context) {
                if let Some(woken) = self.poll(context) {
                    return Poll::Ready(Some(woken));
                }
                return timer.poll_passed(context, until).map(|()| None);
            }
            let _ = context;
            Poll::Ready(self.block(until, interrupt))
        })
        .await
    }

    /// Returns what it is called for, or has the task be woken for it.
    #[cfg(feature = "tokio")]
    fn poll(&self, context: &Context<'_>) -> Option<Woken<S>> {
        let mut call = lock(&self.call);
        let woken = call.take();
        call.waker = woken.is_none().then(|| context.waker().clone());
        woken
    }

    fn block(&self, until: Instant, interrupt: Option<&Interrupt>) -> Option<Woken<S>> {
        let mut call = lock(&self.call);
        loop {
            if let Some(woken) = call.take() {
                return Some(woken);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || interrupt.is_some_and(Interrupt::is_given_up) {
                return None;
            }
            call.is_asleep = true;
            call = self
                .called
                .wait_timeout(call, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
            call.is_asleep = false;
        }
    }

    /// Sets the reply; [`Waiter::notify`] is to follow.
    pub(super) fn reply(&self, reply: WaiterReply<S>) {
        lock(&self.call).reply = Some(reply);
    }

    /// Has the waiter try to take an idle session; [`Waiter::notify`] is to follow.
    pub(super) fn let_retry(&self) {
        lock(&self.call).may_retry = true;
    }

    /// Wakes the waiter for what was set before.
    pub(super) fn notify(&self) {
        let (waker, is_asleep) = {
            let mut call = lock(&self.call);
            (call.waker.take(), call.is_asleep)
        };
        if is_asleep {
            self.called.notify_one();
        }
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    pub(super) fn take_reply(&self) -> Option<WaiterReply<S>> {
        lock(&self.call).reply.take()
    }
}

impl<S: Resource> Call<S> {
    fn take(&mut self) -> Option<Woken<S>> {
        if let Some(reply) = self.reply.take() {
            return Some(Woken::Reply(reply));
        }
        std::mem::take(&mut self.may_retry).then_some(Woken::Retry)
    }
}

impl<S: Resource> Wake for Waiter<S> {
    fn wake(&self) {
        // The lock is held, so that the waiter is not between its check and its wait.
        let _call = lock(&self.call);
        self.called.notify_one();
    }
}
