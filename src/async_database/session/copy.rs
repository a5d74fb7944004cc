//! COPY on a session of asynchronous code: typed rows, and the server's own formats.

use std::future::poll_fn;
use std::io::{self, ErrorKind};
use std::ops::DerefMut;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use diesel::pg::CopyTarget;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::AsyncSession;
use crate::async_database::AsyncStream;
use crate::copy::{CopyRow, copy_in};
use crate::error::{Error, Result};
use crate::session::Session;
use crate::session::copy::{Copy, PIECE, Taken};
use crate::statement::RowStatement;

impl AsyncSession {
    /// Loads the rows of a stream into these columns by binary COPY, all or none, as
    /// [`AsyncDatabase::copy_in`](crate::AsyncDatabase::copy_in) does.
    ///
    /// Rows are sent while the stream makes them; other calls of the session wait meanwhile.
    pub async fn copy_in<C, R, S>(&self, columns: C, rows: S) -> Result<u64>
    where
        C: CopyTarget + Send,
        C::SqlType: Send,
        R: CopyRow<C::SqlType> + Send,
        S: futures_core::Stream<Item = R> + Send,
    {
        let mut session = self.slot.take(self.level).await?;
        let mut rows = pin!(rows);
        let source = |context: &mut Context<'_>| rows.as_mut().poll_next(context);
        let copied = copy_in(&mut **session, columns, source, false).await;
        session.done();
        copied
    }

    /// Returns the rows of a query by binary COPY, as they arrive, as
    /// [`AsyncDatabase::copy_out`](crate::AsyncDatabase::copy_out) does.
    ///
    /// Until the rows have ended or are dropped, each call of the session fails. If they are
    /// dropped early within a transaction, the transaction fails.
    pub async fn copy_out<S>(&self, mut rows: S) -> Result<AsyncStream<S::Row>>
    where
        S: RowStatement + Send,
        S::Row: 'static,
    {
        let session = self.slot.lend(self.level).await?;
        let mut beginning = self.slot.drop_guard();
        let begun = AsyncStream::begin_copy(session, &mut rows, S::reader(), S::describe).await;
        beginning.defuse();
        begun
    }

    /// Runs a `COPY .. FROM STDIN` with the data of a reader, in the format that the SQL names; as
    /// [`Session::copy_in_from`] does. Returns the number of rows.
    ///
    /// All rows are inserted or none. If the reader fails, so does the COPY.
    ///
    /// ```
    /// # async fn load(db: &bowline::AsyncDatabase, csv: &[u8]) -> bowline::Result<u64> {
    /// let session = db.session().await?;
    /// session.copy_in_from("COPY accounts (username, balance) FROM STDIN (FORMAT csv)", csv).await
    /// # }
    /// ```
    pub async fn copy_in_from(&self, sql: &str, reader: impl AsyncRead + Send) -> Result<u64> {
        let mut session = self.slot.take(self.level).await?;
        let copied = feed_from(&mut **session, sql, pin!(reader)).await;
        session.done();
        copied
    }

    /// Writes the data of a `COPY .. TO STDOUT`, in the format that the SQL names, as
    /// [`Session::copy_out_to`] does. Returns the number of rows.
    ///
    /// If the writer fails within a transaction, the transaction fails.
    pub async fn copy_out_to(&self, sql: &str, writer: impl AsyncWrite + Send) -> Result<u64> {
        let mut session = self.slot.take(self.level).await?;
        let copied = drain_to(&mut **session, sql, pin!(writer)).await;
        session.done();
        copied
    }
}

async fn feed_from(
    session: impl DerefMut<Target = Session>,
    sql: &str,
    mut reader: Pin<&mut impl AsyncRead>,
) -> Result<u64> {
    let mut copy = Copy::begin_in(session, sql).await?;
    let mut piece = Vec::with_capacity(PIECE);
    while copy.is_feeding() {
        piece.resize(PIECE, 0);
        let length = poll_fn(|context| poll_fill(reader.as_mut(), context, &mut piece))
            .await
            .map_err(|error| Error::io("reading the rows for a COPY failed", error))?;
        if length == 0 {
            break;
        }
        piece.truncate(length);
        copy.feed(&mut piece).await?;
    }
    copy.finish().await
}

async fn drain_to(
    session: impl DerefMut<Target = Session>,
    sql: &str,
    mut writer: Pin<&mut impl AsyncWrite>,
) -> Result<u64> {
    let failed = |error| Error::io("writing the rows of a COPY failed", error);
    let mut copy = Copy::begin_out(session, sql).await?;
    loop {
        match copy.take().await? {
            Taken::Data(data) => {
                let mut rest = &data[..];
                poll_fn(|context| poll_write(writer.as_mut(), context, &mut rest))
                    .await
                    .map_err(failed)?;
            }
            Taken::End(rows) => {
                poll_fn(|context| writer.as_mut().poll_flush(context))
                    .await
                    .map_err(failed)?;
                return Ok(rows);
            }
        }
    }
}

/// Reads what the reader has at once, and at least one byte unless it is at its end.
fn poll_fill(
    reader: Pin<&mut impl AsyncRead>,
    context: &mut Context<'_>,
    piece: &mut [u8],
) -> Poll<io::Result<usize>> {
    let mut piece = ReadBuf::new(piece);
    ready!(reader.poll_read(context, &mut piece))?;
    Poll::Ready(Ok(piece.filled().len()))
}

/// Writes all of this.
fn poll_write(
    mut writer: Pin<&mut impl AsyncWrite>,
    context: &mut Context<'_>,
    rest: &mut &[u8],
) -> Poll<io::Result<()>> {
    while !rest.is_empty() {
        let written = ready!(writer.as_mut().poll_write(context, rest))?;
        if written == 0 {
            return Poll::Ready(Err(ErrorKind::WriteZero.into()));
        }
        *rest = &rest[written..];
    }
    Poll::Ready(Ok(()))
}
