//! What asynchronous calls return: rows as they arrive, notifications, locks.

pub use crate::async_database::{AsyncAdvisoryLock, AsyncStream, Gap, Listened, Listener};
