//! What a session is doing, for others to read while it does it.
//!
//! Who waits for a session wants to know what those who have one do with it. A session is not `Sync`, so it
//! notes that beside itself; a note costs an uncontended lock and no allocation.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// What one session is doing, shared with whoever wants to know.
#[derive(Debug)]
pub(crate) struct SessionActivity {
    backend_pid: i32,
    /// The thread that used the session last: [`this_thread`].
    thread: AtomicUsize,
    doing: Mutex<ActivitySnapshot>,
}

/// What a session does, or did last.
#[derive(Debug, Clone)]
pub(crate) struct ActivitySnapshot {
    pub(crate) sql: Option<Arc<str>>,
    pub(crate) since: Instant,
    pub(crate) state: ActivityState,
}

/// In the words of `pg_stat_activity`.
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

    /// A statement is on its way.
    pub(crate) fn begin(&self, sql: Arc<str>) {
        self.used_by(this_thread());
        self.set(Some(sql), ActivityState::Active);
    }

    /// The statement was answered, or lost.
    pub(crate) fn end(&self, in_transaction: bool) {
        let mut doing = self.doing.lock().unwrap_or_else(PoisonError::into_inner);
        doing.since = Instant::now();
        doing.state = if in_transaction {
            ActivityState::IdleInTransaction
        } else {
            ActivityState::Idle
        };
    }

    /// Forgets what was done, for the next who has the session.
    pub(crate) fn clear(&self, thread: usize) {
        self.used_by(thread);
        self.set(None, ActivityState::Idle);
    }

    pub(crate) fn doing(&self) -> ActivitySnapshot {
        self.doing
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(crate) fn backend_pid(&self) -> i32 {
        self.backend_pid
    }

    pub(crate) fn thread(&self) -> usize {
        self.thread.load(Ordering::Relaxed)
    }

    fn used_by(&self, thread: usize) {
        self.thread.store(thread, Ordering::Relaxed);
    }

    fn set(&self, sql: Option<Arc<str>>, state: ActivityState) {
        let mut doing = self.doing.lock().unwrap_or_else(PoisonError::into_inner);
        *doing = ActivitySnapshot {
            sql,
            since: Instant::now(),
            state,
        };
    }
}

/// A number that no other living thread has.
pub(crate) fn this_thread() -> usize {
    thread_local!(static HERE: u8 = const { 0 });
    HERE.with(|here| std::ptr::from_ref(here).addr())
}
