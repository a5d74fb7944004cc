//! Rows as they arrive, for asynchronous code.

use std::fmt;
use std::future::poll_fn;
use std::ops::DerefMut;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use crate::command::columns::Describe;
use crate::copy::CopiedRows;
use crate::error::Result;
use crate::session::{Session, Stream};
use crate::statement::{RowReader, Statement};

/// The rows of one query as they arrive; returned by
/// [`AsyncDatabase::stream`](super::AsyncDatabase::stream) and
/// [`AsyncDatabase::copy_out`](super::AsyncDatabase::copy_out).
///
/// It is a `futures_core::Stream`, for the adapters of other crates. Without them, call
/// [`AsyncStream::next`].
///
/// Each wait for rows takes at most as long as one call may take. The first error ends the stream.
/// Dropping it early has a task of the runtime cancel the query and return the session to the pool.
#[must_use = "rows are sent as they are taken"]
pub struct AsyncStream<T>(State<T>);

enum State<T> {
    /// Rows that have arrived can be taken.
    Ready(Box<dyn Arriving<T>>),
    /// More rows are waited for.
    Waiting(Waiting<T>),
    Over,
}

/// A wait for rows, which returns where they arrive.
type Waiting<T> = Pin<Box<dyn Future<Output = (Box<dyn Arriving<T>>, Result<()>)> + Send>>;

/// A session of the pool, or that of handles.
pub(super) trait Holder: DerefMut<Target = Session> + Send + 'static {}

impl<H: DerefMut<Target = Session> + Send + 'static> Holder for H {}

/// Rows that arrive in parts.
trait Arriving<T>: Send {
    /// Returns the next of the rows that have arrived.
    fn next_arrived(&mut self) -> Option<Result<T>>;

    /// Returns whether no more rows follow those.
    fn is_over(&self) -> bool;

    /// Waits for more rows, or for the end.
    fn wait(&mut self) -> Pin<Box<dyn Future<Output = Result<()>> + Send + '_>>;
}

impl<H: Holder, T: 'static> Arriving<T> for Stream<H, T> {
    fn next_arrived(&mut self) -> Option<Result<T>> {
        self.next_arrived()
    }

    fn is_over(&self) -> bool {
        self.is_over()
    }

    fn wait(&mut self) -> Pin<Box<dyn Future<Output = Result<()>> + Send + '_>> {
        Box::pin(self.wait_for_rows())
    }
}

impl<H: Holder, T: 'static> Arriving<T> for CopiedRows<H, T> {
    fn next_arrived(&mut self) -> Option<Result<T>> {
        self.next_arrived()
    }

    fn is_over(&self) -> bool {
        self.is_over()
    }

    fn wait(&mut self) -> Pin<Box<dyn Future<Output = Result<()>> + Send + '_>> {
        Box::pin(self.wait_for_rows())
    }
}

impl<T: 'static> AsyncStream<T> {
    /// Begins a COPY of the rows, and waits until the server has begun it.
    pub(super) async fn begin_copy(
        session: impl Holder,
        statement: &mut impl Statement,
        read: RowReader<T>,
        describe: Describe,
    ) -> Result<Self> {
        let rows = CopiedRows::begin(session, statement, read, describe, false).await?;
        Ok(Self(State::Ready(Box::new(rows))))
    }

    /// Sends the query, and waits for its first rows.
    pub(super) async fn begin(
        session: impl Holder,
        statement: &mut impl Statement,
        read: RowReader<T>,
    ) -> Result<Self> {
        let stream = Stream::begin_for_task(session, statement, read).await?;
        Ok(Self(State::Ready(Box::new(stream))))
    }

    /// Returns the next row, or `None` after the last one. If this future is dropped, no row is
    /// lost.
    pub async fn next(&mut self) -> Option<Result<T>> {
        poll_fn(|context| self.poll_row(context)).await
    }

    fn poll_row(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<T>>> {
        loop {
            self.0 = match std::mem::replace(&mut self.0, State::Over) {
                State::Ready(mut stream) => {
                    if let Some(row) = stream.next_arrived() {
                        self.0 = State::Ready(stream);
                        return Poll::Ready(Some(row));
                    }
                    if stream.is_over() {
                        return Poll::Ready(None);
                    }
                    State::Waiting(Box::pin(async move {
                        let pulled = stream.wait().await;
                        (stream, pulled)
                    }))
                }
                State::Waiting(mut waiting) => {
                    let polled = waiting.as_mut().poll(context);
                    if polled.is_pending() {
                        self.0 = State::Waiting(waiting);
                    }
                    let (stream, pulled) = ready!(polled);
                    if let Err(error) = pulled {
                        return Poll::Ready(Some(Err(error)));
                    }
                    State::Ready(stream)
                }
                State::Over => return Poll::Ready(None),
            };
        }
    }
}

impl<T: 'static> futures_core::Stream for AsyncStream<T> {
    type Item = Result<T>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<T>>> {
        self.get_mut().poll_row(context)
    }
}

impl<T> fmt::Debug for AsyncStream<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncStream")
            .field("is_over", &matches!(self.0, State::Over))
            .finish_non_exhaustive()
    }
}
