//! What a session of asynchronous code can do beside statements: rows as they arrive, COPY, LISTEN.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bank::Account;
use bank::schema::accounts;
use bowline::notify::notify;
use bowline::testing::TestDatabase;
use bowline::{AsyncDatabase, Error, ErrorKind, SqlState, StatementDsl as _, sql_query};
use diesel::prelude::*;
use diesel::sql_types::Integer;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::support::{new_account, test_database};

fn open(max_size: u32) -> (AsyncDatabase, TestDatabase) {
    let database = test_database();
    let db = database.config().max_size(max_size).open();
    (db.expect("a server").into_async(), database)
}

fn numbers(upto: i32) -> impl bowline::statement::RowStatement<Row = i32> + Send {
    sql_query("SELECT generate_series(1, $1) AS n")
        .bind::<Integer, _>(upto)
        .all::<i32>()
}

#[tokio::test]
async fn a_transaction_goes_on_after_its_rows() {
    let (db, _database) = open(1);
    let seen = db.transaction(async |tx| {
        tx.run(Account::insert(new_account("ann"))).await?;
        let mut sum = 0;
        let mut rows = tx.stream(numbers(1000)).await?;
        while let Some(row) = rows.next().await {
            sum += row?;
        }
        // Rows that are dropped early are cancelled; a savepoint protects the transaction.
        let mut rows = tx.stream(numbers(50_000_000)).await?;
        assert_eq!(rows.next().await.expect("a row")?, 1);
        drop(rows);
        tx.savepoint(async |tx| {
            let mut rows = tx.stream(numbers(50_000_000)).await?;
            rows.next().await.expect("a row")
        })
        .await?;
        Ok((sum, tx.run(Account::count()).await?))
    });
    assert_eq!(seen.await.expect("a commit"), (500_500, 1));
    assert_eq!(db.run(Account::count()).await.expect("a count"), 1);
    assert_eq!(db.pool_state().opened, 1);
}

#[tokio::test]
async fn a_call_among_arriving_rows_is_refused() {
    let (db, _database) = open(1);
    let refused = |error: Error| {
        assert_eq!(error.kind(), ErrorKind::Query);
        assert!(error.message().contains("still arrive"), "{error}");
    };
    let session = db.session().await.expect("a session");
    let mut rows = session.stream(numbers(10_000)).await.expect("rows");
    assert_eq!(rows.next().await.expect("a row").expect("a number"), 1);
    let other = session.run(Account::count()).await;
    refused(other.expect_err("it would wait for ever"));
    drop(rows);
    assert_eq!(session.run(Account::count()).await.expect("a count"), 0);
    drop(session);
    // Rows that outlive their transaction fail it.
    let kept = db.transaction(async |tx| {
        tx.run(Account::insert(new_account("ann"))).await?;
        tx.stream(numbers(50_000_000)).await
    });
    refused(kept.await.expect_err("rows still arrive"));
    let kept = db.transaction(async |tx| {
        tx.run(Account::insert(new_account("ann"))).await?;
        let kept = tx.savepoint(async |tx| tx.stream(numbers(50_000_000)).await);
        refused(kept.await.expect_err("rows still arrive"));
        Ok(())
    });
    kept.await.expect_err("the savepoint has no end");
    assert_eq!(db.run(Account::count()).await.expect("a count"), 0);
    assert_eq!(db.pool_state().opened, 1);
}

/// Bytes that are read or written three at a time, with a pause before every other time.
#[derive(Default)]
struct Slow {
    bytes: Vec<u8>,
    at: usize,
    polls: usize,
    /// Whether it fails after its bytes, or when it is full.
    fails: bool,
}

impl Slow {
    fn pause(&mut self, context: &Context<'_>) -> bool {
        self.polls += 1;
        if self.polls.is_multiple_of(2) {
            context.waker().wake_by_ref();
        }
        self.polls.is_multiple_of(2)
    }
}

impl AsyncRead for Slow {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        if self.pause(context) {
            return Poll::Pending;
        }
        let end = (self.at + 3).min(self.bytes.len());
        if self.at == end && self.fails {
            return Poll::Ready(Err(std::io::Error::other("the disk is gone")));
        }
        into.put_slice(&self.bytes[self.at..end]);
        self.at = end;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Slow {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        if self.pause(context) {
            return Poll::Pending;
        }
        if self.fails && self.bytes.len() > 6 {
            return Poll::Ready(Ok(0));
        }
        let taken = bytes.len().min(3);
        self.bytes.extend_from_slice(&bytes[..taken]);
        Poll::Ready(Ok(taken))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

const IN: &str = "COPY accounts (username, balance) FROM STDIN (FORMAT csv)";
const OUT: &str =
    "COPY (SELECT username, balance FROM accounts ORDER BY id) TO STDOUT (FORMAT csv)";

fn csv(rows: std::ops::Range<u32>) -> Vec<u8> {
    rows.map(|row| format!("user{row},{row}\n"))
        .collect::<String>()
        .into_bytes()
}

#[tokio::test]
async fn bytes_are_copied_in_and_out_of_a_session() {
    let (db, _database) = open(1);
    let copied = db.transaction(async |tx| {
        let slow = Slow {
            bytes: csv(0..20),
            ..Slow::default()
        };
        let slowly = tx.copy_in_from(IN, slow).await?;
        let fast = csv(20..20_000);
        let sent = tx.copy_in_from(IN, &fast[..]).await?;
        let mut out = Slow::default();
        let received = tx.copy_out_to(OUT, &mut out).await?;
        Ok((slowly, sent, received, out.bytes))
    });
    let (slowly, sent, received, out) = copied.await.expect("a commit");
    assert_eq!((slowly, sent, received), (20, 19_980, 20_000));
    assert!(out == csv(0..20_000));
    assert_eq!(db.run(Account::count()).await.expect("a count"), 20_000);
}

#[tokio::test]
async fn a_reader_or_writer_that_fails_fails_its_copy() {
    let (db, _database) = open(1);
    let broken = || Slow {
        bytes: csv(0..9),
        fails: true,
        ..Slow::default()
    };
    let session = db.session().await.expect("a session");
    let error = session
        .copy_in_from(IN, broken())
        .await
        .expect_err("no disk");
    assert!(error.message().contains("reading the rows"), "{error}");
    assert_eq!(session.run(Account::count()).await.expect("a count"), 0);
    let error = session
        .copy_in_from(OUT, broken())
        .await
        .expect_err("another COPY");
    assert!(error.message().contains("FROM STDIN"), "{error}");
    session
        .copy_in_from(IN, &csv(0..9)[..])
        .await
        .expect("rows");
    let full = || Slow {
        fails: true,
        ..Slow::default()
    };
    let error = session.copy_out_to(OUT, full()).await.expect_err("full");
    assert!(error.message().contains("writing the rows"), "{error}");
    assert_eq!(session.run(Account::count()).await.expect("a count"), 9);
    drop(session);
    // Within a transaction the server fails all of it, also if the error is passed over.
    let passed_over = db.transaction(async |tx| {
        tx.run(sql_query("DELETE FROM accounts").affected()).await?;
        tx.copy_in_from(IN, broken()).await.expect_err("no disk");
        Ok(())
    });
    passed_over.await.expect_err("a COPY failed");
    assert_eq!(db.run(Account::count()).await.expect("a count"), 9);
    assert_eq!(db.pool_state().opened, 1);
}

/// A stream of the items of a vector.
struct Items<R>(std::vec::IntoIter<R>);

impl<R: Unpin> futures_core::Stream for Items<R> {
    type Item = R;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<R>> {
        Poll::Ready(self.0.next())
    }
}

#[tokio::test]
async fn typed_rows_are_copied_within_a_transaction() {
    let (db, _database) = open(1);
    let columns = (accounts::username, accounts::balance);
    let rows = |names: &[&str]| {
        let rows = names.iter().map(|name| ((*name).to_owned(), 7_i64));
        Items(rows.collect::<Vec<_>>().into_iter())
    };
    let copied = db.transaction(async |tx| {
        let sent = tx.copy_in(columns, rows(&["ann", "bob"])).await?;
        let twice = tx.savepoint(async |tx| tx.copy_in(columns, rows(&["eve", "ann"])).await);
        let twice = twice.await.expect_err("a duplicate");
        assert_eq!(twice.sqlstate(), Some(SqlState::UNIQUE_VIOLATION));
        let all = accounts::table.select(columns).order(accounts::id);
        let mut rows = tx.copy_out(all.all::<(String, i64)>()).await?;
        let mut names = Vec::new();
        while let Some(row) = rows.next().await {
            names.push(row?.0);
        }
        Ok((sent, names))
    });
    let (sent, names) = copied.await.expect("a commit");
    assert_eq!((sent, names), (2, vec!["ann".to_owned(), "bob".to_owned()]));
}

#[tokio::test]
async fn a_session_waits_for_notifications() {
    let (db, _database) = open(2);
    let session = db.session().await.expect("a session");
    session.listen("Orders").await.expect("listening");
    let short = Duration::from_millis(20);
    let none = session.wait_for_notification(short).await;
    assert!(none.expect("no failure").is_none());
    for number in 0..5 {
        // A wait that is dropped loses nothing, and the session goes on.
        let wait = session.wait_for_notification(Duration::from_secs(60));
        tokio::time::timeout(short, wait).await.expect_err("none");
        assert_eq!(session.run(Account::count()).await.expect("a count"), 0);
        let sent = db.run(notify("Orders", number.to_string())).await;
        sent.expect("sent");
        let received = session.wait_for_notification(Duration::from_secs(20)).await;
        let received = received.expect("no failure").expect("a notification");
        assert_eq!(received.payload, number.to_string());
    }
    session.unlisten("Orders").await.expect("no longer");
    db.run(notify("Orders", "6")).await.expect("sent");
    let none = session.wait_for_notification(short).await;
    assert!(none.expect("no failure").is_none());
}
