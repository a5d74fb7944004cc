//! The current activity of a session, for other threads to read.
//!
//! A checkout that times out reports the activity of the sessions in use. A session is not `Sync`,
//! so its activity is kept separately. An update takes an uncontended lock and no allocation.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// The current activity of one session, shared with the pool.
#[derive(Debug)]
pub(crate) struct SessionActivity {
    backend_pid: i32,
    /// The thread that used the session last: [`this_thread`]; 0 while a task holds it.
    thread: AtomicUsize,
    doing: Mutex<ActivitySnapshot>,
}

/// The current or the last statement of a session.
#[derive(Debug, Clone)]
pub(crate) struct ActivitySnapshot {
    pub(crate) sql: Option<Arc<str>>,
    pub(crate) since: Instant,
    pub(crate) state: ActivityState,
}

/// The state of a session, as in `pg_stat_activity`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ActivityState {
    Active,
    Idle,
    IdleInTransaction,
}

impl SessionActivity {
    pub(crate) fn new(backend_pid: i32) -> Self {
        Self {
            backend_pid,
            thread: AtomicUsize::new(0),
            doing: Mutex::new(ActivitySnapshot {
                sql: None,
                since: Instant::now(),
                state: ActivityState::Idle,
            }),
        }
    }

    /// Notes that a statement is sent.
    pub(crate) fn begin(&self, sql: Arc<str>, now: Instant) {
        if self.thread() != 0 {
            self.set_thread(this_thread());
        }
        let mut doing = self.doing.lock().unwrap_or_else(PoisonError::into_inner);
        *doing = ActivitySnapshot {
            sql: Some(sql),
            since: now,
            state: ActivityState::Active,
        };
    }

    /// Notes that the statement was answered, or lost.
    pub(crate) fn end(&self, in_transaction: bool) {
        let mut doing = self.doing.lock().unwrap_or_else(PoisonError::into_inner);
        doing.since = Instant::now();
        doing.state = if in_transaction {
            ActivityState::IdleInTransaction
        } else {
            ActivityState::Idle
        };
    }

    /// Returns the activity since a holder has taken the session; that of an earlier holder is left
    /// out.
    pub(crate) fn doing_since(&self, taken: Instant) -> ActivitySnapshot {
        let doing = self.doing.lock().unwrap_or_else(PoisonError::into_inner);
        if doing.since >= taken {
            return doing.clone();
        }
        ActivitySnapshot {
            sql: None,
            since: taken,
            state: ActivityState::Idle,
        }
    }

    pub(crate) fn backend_pid(&self) -> i32 {
        self.backend_pid
    }

    pub(crate) fn thread(&self) -> usize {
        self.thread.load(Ordering::Relaxed)
    }

    /// Sets the thread that uses the session.
    pub(crate) fn set_thread(&self, thread: usize) {
        self.thread.store(thread, Ordering::Relaxed);
    }
}

/// Returns a number that no other living thread has.
pub(crate) fn this_thread() -> usize {
    thread_local!(static HERE: u8 = const { 0 });
    HERE.with(|here| std::ptr::from_ref(here).addr())
}
