//! What a session is doing, for others to read while it does it.
//!
//! Who waits for a session wants to know what those who have one do with it. A session is not `Sync`, so it
//! notes that beside itself; a note costs an uncontended lock and no allocation.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// What one session is doing, shared with whoever wants to know.
#[derive(Debug)]
pub(crate) struct Activity {
    backend_pid: i32,
    /// The thread that used the session last: [`this_thread`].
    thread: AtomicUsize,
    doing: Mutex<Doing>,
}

/// What a session does, or did last.
#[derive(Debug, Clone)]
pub(crate) struct Doing {
    pub(crate) sql: Option<Arc<str>>,
    pub(crate) since: Instant,
    pub(crate) state: Busy,
}

/// In the words of `pg_stat_activity`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Busy {
    Active,
    Idle,
    IdleInTransaction,
}

impl Activity {
    pub(crate) fn new(backend_pid: i32) -> Self {
        Self {
            backend_pid,
            thread: AtomicUsize::new(0),
            doing: Mutex::new(Doing {
                sql: None,
                since: Instant::now(),
                state: Busy::Idle,
            }),
        }
    }

    /// A statement is on its way.
    pub(crate) fn begin(&self, sql: Arc<str>) {
        self.used_by(this_thread());
        self.set(Some(sql), Busy::Active);
    }

    /// The statement was answered, or lost.
    pub(crate) fn end(&self, in_transaction: bool) {
        let mut doing = self.doing.lock().unwrap_or_else(PoisonError::into_inner);
        doing.since = Instant::now();
        doing.state = if in_transaction {
            Busy::IdleInTransaction
        } else {
            Busy::Idle
        };
    }

    /// Forgets what was done, for the next who has the session.
    pub(crate) fn clear(&self, thread: usize) {
        self.used_by(thread);
        self.set(None, Busy::Idle);
    }

    pub(crate) fn doing(&self) -> Doing {
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

    fn set(&self, sql: Option<Arc<str>>, state: Busy) {
        let mut doing = self.doing.lock().unwrap_or_else(PoisonError::into_inner);
        *doing = Doing {
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
