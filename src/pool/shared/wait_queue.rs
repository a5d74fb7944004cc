//! Decides which caller gets a session.
//!
//! A session that is returned becomes idle, and the longest waiter is woken for it. Until that
//! waiter runs, another caller that is running may take the session: with many short calls, waiting
//! for a sleeping thread each time would cost more than the calls. The wait is limited: a returned
//! session goes directly to the longest waiter if no waiter has got one for [`TURN`], and always if
//! that is a task, which needs no switch of threads. Waiters are served in the order in which they
//! asked.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Resource;
use super::waiter::{ToNotify, Waiter, WaiterReply};
use crate::error::Error;
use crate::pool::store::Item;

/// The time for which callers that do not wait take precedence over threads that do.
const TURN: Duration = Duration::from_micros(200);

/// The idle sessions, and the callers that wait for one.
///
/// Whenever a session is idle and a caller waits, one waiter has been woken.
pub(in crate::pool) struct WaitQueue<S: Resource> {
    /// The session that was returned last is taken first.
    idle: Vec<Item<S>>,
    waiting: VecDeque<Arc<Waiter<S>>>,
    /// The waiter that was woken for an idle session, and has not tried to take it yet.
    woken: Option<Arc<Waiter<S>>>,
    /// When a waiter last got a session.
    last_turn: Instant,
}

impl<S: Resource> WaitQueue<S> {
    pub(super) fn new() -> Self {
        Self {
            idle: Vec::new(),
            waiting: VecDeque::new(),
            woken: None,
            last_turn: Instant::now(),
        }
    }

    /// Returns the idle session that was returned last.
    #[inline]
    pub(super) fn take(&mut self) -> Option<Item<S>> {
        self.idle.pop()
    }

    /// Keeps a session idle; returns a waiter to notify.
    #[inline]
    pub(super) fn put_idle(&mut self, item: Item<S>) -> ToNotify<S> {
        self.idle.push(item);
        self.wake_next()
    }

    /// Removes the longest waiter if the next session is its own.
    #[inline]
    pub(super) fn take_due_waiter(&mut self, now: Instant) -> Option<Arc<Waiter<S>>> {
        let first = self.waiting.front()?;
        // The longest waiter has been woken for an idle session.
        let is_served = !self.idle.is_empty();
        let is_task = first.caller.thread.is_none();
        if is_served || (!is_task && first.asked.max(self.last_turn) + TURN > now) {
            return None;
        }
        self.last_turn = now;
        let first = self.waiting.pop_front()?;
        self.forget_woken(&first);
        Some(first)
    }

    /// Adds a waiter at the end of the queue, or at its front.
    pub(super) fn queue(&mut self, waiter: Arc<Waiter<S>>, is_first: bool) {
        if is_first {
            self.waiting.push_front(waiter);
        } else {
            self.waiting.push_back(waiter);
        }
    }

    /// Takes an idle session for a waiter that was woken; the next waiter, if there is one, is to
    /// be notified. Without a session the waiter stays in the queue.
    pub(super) fn retry(
        &mut self,
        waiter: &Arc<Waiter<S>>,
        now: Instant,
    ) -> Option<(Item<S>, ToNotify<S>)> {
        self.forget_woken(waiter);
        let item = self.idle.pop()?;
        self.last_turn = now;
        Some((item, self.remove_waiter(waiter)))
    }

    /// Removes a waiter from the queue; returns one to notify in its place.
    pub(super) fn remove_waiter(&mut self, waiter: &Arc<Waiter<S>>) -> ToNotify<S> {
        let place = self
            .waiting
            .iter()
            .position(|other| Arc::ptr_eq(other, waiter));
        if let Some(place) = place {
            self.waiting.remove(place);
        }
        self.forget_woken(waiter);
        self.wake_next()
    }

    /// Fails the callers that have waited since `since`; returns the waiters to notify.
    pub(super) fn fail(
        &mut self,
        since: Instant,
        error: impl Fn() -> Error,
    ) -> Vec<Arc<Waiter<S>>> {
        let waiting = std::mem::take(&mut self.waiting);
        let (later, failed): (VecDeque<_>, VecDeque<_>) =
            waiting.into_iter().partition(|waiter| waiter.asked > since);
        self.waiting = later;
        for waiter in &failed {
            waiter.reply(WaiterReply::Failure(error()));
            self.forget_woken(waiter);
        }
        failed.into_iter().chain(self.wake_next()).collect()
    }

    /// Removes the idle sessions for which this returns true.
    pub(in crate::pool) fn remove_idle(
        &mut self,
        remove: impl FnMut(&mut Item<S>) -> bool,
    ) -> Vec<Item<S>> {
        self.idle.extract_if(.., remove).collect()
    }

    /// Returns how many callers wait.
    pub(in crate::pool) fn waiting(&self) -> u32 {
        count(self.waiting.len())
    }

    /// Returns how many callers wait beyond those for which there is an idle session.
    pub(super) fn unserved(&self) -> u32 {
        count(self.waiting.len().saturating_sub(self.idle.len()))
    }

    /// Has the longest waiter retry if a session is idle and no other waiter was woken for it.
    #[inline]
    fn wake_next(&mut self) -> ToNotify<S> {
        if self.idle.is_empty() || self.woken.is_some() {
            return None;
        }
        let first = self.waiting.front()?;
        first.let_retry();
        self.woken = Some(Arc::clone(first));
        self.woken.clone()
    }

    fn forget_woken(&mut self, waiter: &Arc<Waiter<S>>) {
        if self
            .woken
            .as_ref()
            .is_some_and(|woken| Arc::ptr_eq(woken, waiter))
        {
            self.woken = None;
        }
    }
}

fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
