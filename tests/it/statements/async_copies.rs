//! COPY of asynchronous code, from and to streams.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bank::Account;
use bank::schema::accounts;
use bowline::testing::TestDatabase;
use bowline::{AsyncDatabase, SqlState, StatementDsl as _, sql_query};
use diesel::prelude::*;

use crate::support::test_database;

fn open(max_size: u32) -> (AsyncDatabase, TestDatabase) {
    let database = test_database();
    let db = database.config().max_size(max_size).open();
    (db.expect("a server").into_async(), database)
}

/// A stream of an iterator's items, which lets other tasks run before every tenth.
struct Items<I> {
    items: I,
    count: usize,
}

impl<I: Iterator + Unpin> futures_core::Stream for Items<I> {
    type Item = I::Item;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<I::Item>> {
        self.count += 1;
        if self.count.is_multiple_of(10) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(self.items.next())
    }
}

fn items<I: Iterator>(items: I) -> Items<I> {
    Items { items, count: 0 }
}

const COLUMNS: (accounts::username, accounts::balance) = (accounts::username, accounts::balance);

fn named(numbers: std::ops::Range<i64>) -> impl Iterator<Item = (String, i64)> + Unpin {
    numbers.map(|number| (format!("user{number}"), number))
}

#[tokio::test]
async fn the_rows_of_a_stream_are_copied_in_and_out() {
    let (db, _database) = open(1);
    let sent = db.copy_in(COLUMNS, items(named(0..20_000))).await;
    assert_eq!(sent.expect("rows"), 20_000);
    let query = accounts::table
        .select((accounts::username, accounts::balance))
        .order(accounts::balance);
    let mut rows = db
        .copy_out(query.all::<(String, i64)>())
        .await
        .expect("rows");
    let mut count = 0;
    while let Some(row) = rows.next().await {
        assert_eq!(row.expect("a row"), (format!("user{count}"), count));
        count += 1;
    }
    assert_eq!(count, 20_000);
    assert_eq!(db.pool_state().opened, 1);
}

#[tokio::test]
async fn no_row_of_a_failed_copy_stays() {
    let (db, _database) = open(1);
    let twice = named(0..3000).chain(named(7..8));
    let error = db.copy_in(COLUMNS, items(twice)).await;
    let error = error.expect_err("a duplicate");
    assert_eq!(error.sqlstate(), Some(SqlState::UNIQUE_VIOLATION));
    assert_eq!(error.row(), Some(3001));
    assert_eq!(db.run(Account::count()).await.expect("a count"), 0);
    assert_eq!(db.pool_state().opened, 1);
}

/// A stream that ends its rows by waiting for ever.
struct Endless(u32);

impl futures_core::Stream for Endless {
    type Item = (String, i64);

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<(String, i64)>> {
        self.0 += 1;
        match self.0 {
            0..10_000 => Poll::Ready(Some((format!("user{}", self.0), 0))),
            _ => Poll::Pending,
        }
    }
}

#[tokio::test]
async fn a_dropped_copy_is_failed_and_its_session_kept() {
    let (db, _database) = open(1);
    for _ in 0..2 {
        let copy = db.copy_in(COLUMNS, Endless(0));
        let copied = tokio::time::timeout(Duration::from_millis(500), copy).await;
        assert!(copied.is_err());
        assert_eq!(db.run(Account::count()).await.expect("a count"), 0);
    }
    let all = sql_query("SELECT n FROM generate_series(1, 50000000) AS n").all::<i32>();
    let mut rows = db.copy_out(all).await.expect("rows");
    assert_eq!(rows.next().await.expect("a row").expect("a number"), 1);
    drop(rows);
    assert_eq!(db.run(Account::count()).await.expect("a count"), 0);
    assert_eq!(db.pool_state().opened, 1);
}
