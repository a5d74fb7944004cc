//! Advisory locks: locks by a key that the application chooses (PostgreSQL manual, 13.3.5).

pub use crate::session::advisory_lock::{
    AdvisoryLock, LockKey, advisory_xact_lock, try_advisory_xact_lock,
};
