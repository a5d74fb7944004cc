//! Readers of asynchronous code.

use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use super::{AsyncDatabase, AsyncStream};
use crate::database::reader::{OnlyReads, Reader};
use crate::database::write_mark::WriteMark;
use crate::error::Result;
use crate::no_session::PoolState;
use crate::statement::{ReadStatement, RowStatement};

/// A pool on the servers that only read, as [`Reader`] is; returned by [`AsyncDatabase::reader`].
/// Cheap to clone.
#[derive(Debug, Clone)]
#[must_use = "a reader does nothing until it runs a statement"]
pub struct AsyncReader(Arc<Reader>);

impl AsyncDatabase {
    /// Returns a reader: a pool of its own on the hosts of this database that only read, as
    /// [`Database::reader`](crate::Database::reader) does.
    pub fn reader(&self) -> AsyncReader {
        AsyncReader(Arc::new(self.database.reader()))
    }

    /// Returns the database with a mark that each call which commits a write moves on, as
    /// [`Database::with_mark`](crate::Database::with_mark) does.
    pub fn with_mark(&self, mark: &WriteMark) -> Self {
        self.with(self.database.with_mark(mark))
    }
}

impl AsyncReader {
    /// Runs a statement in one round trip, as [`Reader::run`] does. The statement may borrow.
    #[track_caller]
    pub fn run<S>(&self, statement: S) -> impl Future<Output = Result<S::Output>> + Send + use<S>
    where
        S: ReadStatement + Send,
        S::Output: Send,
    {
        let (reader, location) = (Arc::clone(&self.0), Location::caller());
        async move {
            let mut statement = statement;
            reader.run_for(&mut statement, location).await
        }
    }

    /// Runs a query and returns its rows as they arrive, as
    /// [`AsyncDatabase::stream`] does.
    #[track_caller]
    pub fn stream<S>(
        &self,
        rows: S,
    ) -> impl Future<Output = Result<AsyncStream<S::Row>>> + Send + use<S>
    where
        S: ReadStatement + RowStatement + Send,
        S::Row: 'static,
    {
        let (reader, location) = (Arc::clone(&self.0), Location::caller());
        async move {
            let session = reader.session(location).await?;
            let mut rows = rows;
            AsyncStream::begin(session, &mut OnlyReads(&mut rows), S::reader()).await
        }
    }

    /// Returns a reader whose calls see all writes that the mark covers now, as
    /// [`Reader::at_least`] does.
    pub fn at_least(&self, mark: &WriteMark) -> Self {
        Self(Arc::new(self.0.at_least(mark)))
    }

    /// Returns a reader that goes to the primary if the standby is not there after this time, as
    /// [`Reader::or_primary_after`] does.
    pub fn or_primary_after(&self, patience: Duration) -> Self {
        Self(Arc::new(self.0.or_primary_after(patience)))
    }

    /// Returns the reader with this limit for each call, as [`Reader::with_timeout`] does.
    pub fn with_timeout(&self, limit: Duration) -> Self {
        Self(Arc::new(self.0.with_timeout(limit)))
    }

    /// Returns the counters of the reader's pool, as [`Reader::pool_state`] does.
    pub fn pool_state(&self) -> PoolState {
        self.0.pool_state()
    }
}
