//! What asynchronous calls return: sessions, transactions, rows as they arrive, notifications,
//! locks.

pub use crate::async_database::{
    AsyncAdvisoryLock, AsyncReader, AsyncSession, AsyncStream, AsyncTransaction, AsyncUnitOfWork,
    Gap, Listened, Listener,
};
