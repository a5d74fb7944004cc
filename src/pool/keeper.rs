//! The tasks of the pool that are due at a time.
//!
//! Sessions that are too old, or idle for too long, are closed. Callers that hold a session for too
//! long are reported. A server that does not answer is tried again. One thread sleeps until the
//! next task is due; it ends when the pool is closed.

use std::sync::{Arc, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tracing::dispatcher::with_default;

use super::shared::growth::IMPATIENCE;
use super::shared::refused;
use super::shared::{PoolInternals, Resource, SharedPool};
use super::store::Item;
use crate::error::{Error, Result};
use crate::no_session::Holder;

/// The longest sleep of the keeper.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

impl<S: Resource> SharedPool<S> {
    /// Starts the keeper, unless it runs.
    pub(super) fn begin_keeper(self: &Arc<Self>, state: &mut PoolInternals<S>) {
        if state.keeper.is_some() || state.is_closed() {
            return;
        }
        let shared = Arc::clone(self);
        let spawned = thread::Builder::new()
            .name("bowline-pool".to_owned())
            .spawn(move || with_default(&shared.dispatch, || shared.keep()));
        // If no thread can be started now, the next connect tries again.
        state.keeper = spawned.ok();
    }

    /// Ensures that the keeper runs by `due`.
    pub(super) fn wake_by(&self, state: &mut PoolInternals<S>, due: Instant) {
        if due < state.keeper_runs {
            state.keeper_runs = due;
            self.keeper_wakeup.notify_one();
        }
    }

    /// Ensures that the keeper runs within this time after `since`, which is about now.
    pub(super) fn wake_within(&self, state: &mut PoolInternals<S>, since: Instant, time: Duration) {
        // It runs earlier anyway, and then finds out what is due next.
        if time < LONGEST_SLEEP {
            self.wake_by(state, since + time);
        }
    }

    fn keep(self: &Arc<Self>) {
        let mut state = self.lock();
        while !state.is_closed() {
            let now = Instant::now();
            if state.keeper_runs > now {
                let sleep = state.keeper_runs - now;
                state = self
                    .keeper_wakeup
                    .wait_timeout(state, sleep)
                    .unwrap_or_else(PoisonError::into_inner)
                    .0;
                continue;
            }
            state.keeper_runs = now + LONGEST_SLEEP;
            let over = self.take_over_age(&mut state, now);
            let (overdue, next) = state.holders.overdue(self.limits.leak_threshold, now);
            if let Some(next) = next {
                self.wake_by(&mut state, next);
            }
            if state.wait_queue.waiting() > 0 {
                self.wake_by(&mut state, now + IMPATIENCE);
                state = self.grow(state);
            }
            drop(state);
            overdue.iter().for_each(report);
            self.close_all(over);
            state = self.lock();
        }
    }

    /// Takes the idle sessions that are too old, and schedules the next run.
    fn take_over_age(&self, state: &mut PoolInternals<S>, now: Instant) -> Vec<Item<S>> {
        let generation = self.generation();
        let mut next = now + LONGEST_SLEEP;
        let over = state.wait_queue.remove_idle(|item| {
            let idle_until = item.idle_since + self.limits.idle_timeout;
            let idle = (idle_until <= now).then_some("idle");
            if let Some(reason) = item.reason_to_close(now, generation).or(idle) {
                item.session.set_close_reason(reason);
                return true;
            }
            next = next.min(item.expires).min(idle_until);
            false
        });
        self.wake_by(state, next);
        over
    }

    /// Closes the pool: no caller gets a session any more, and the sessions that are not in use are
    /// closed.
    pub(super) fn close_now(self: &Arc<Self>) {
        let mut state = self.lock();
        if state.store.take().is_none() {
            return;
        }
        // A thread that is adding a session finds the pool closed, and closes its session.
        let mut idle = state.wait_queue.remove_idle(|_| true);
        for item in &mut idle {
            item.session.set_close_reason("pool_closed");
        }
        self.fail(&mut state, Instant::now(), refused::closed);
        self.publish(&state);
        self.keeper_wakeup.notify_all();
        self.session_closed.notify_all();
        drop(state);
        self.close_all(idle);
    }

    /// Closes the pool, and waits until all sessions are returned and all threads have ended.
    pub(super) fn close(self: &Arc<Self>, deadline: Instant) -> Result<()> {
        self.close_now();
        let mut state = self.lock();
        while state.size > 0 {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(left_open(&state));
            }
            state = self
                .session_closed
                .wait_timeout(state, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        let keeper = state.keeper.take();
        drop(state);
        if let Some(keeper) = keeper {
            // The keeper only closes sessions, without waiting for the server.
            keeper.join().ok();
        }
        Ok(())
    }
}

fn report(holder: &Holder) {
    tracing::event!(
        target: "bowline::pool",
        tracing::Level::WARN,
        code.file.path = holder.location.file(),
        code.line.number = holder.location.line(),
        bowline.held_seconds = holder.held.as_secs_f64(),
        db.query.text = holder.sql.as_deref(),
        "a session is held for longer than Config::leak_threshold: {holder}"
    );
}

fn left_open<S: Resource>(state: &PoolInternals<S>) -> Error {
    let holders = state.holders.list();
    let mut left: Vec<_> = holders.iter().map(ToString::to_string).collect();
    if state.connecting > 0 {
        left.push(format!("{} being connected", state.connecting));
    }
    Error::timeout(format!(
        "the database is closed, but these sessions were not returned: {}",
        left.join("; ")
    ))
    .with_hint("finish the work at these locations first, or give it more time; each session is closed when it is returned")
}
