//! Streams, sessions, notifications and locks of asynchronous code.

use std::future::poll_fn;
use std::pin::Pin;
use std::time::{Duration, Instant};

use bank::Account;
use bowline::asynchronous::{Listened, Listener};
use bowline::notify::notify;
use bowline::testing::TestDatabase;
use bowline::{AsyncDatabase, ErrorKind, StatementDsl as _, sql_query};
use diesel::sql_types::{Integer, Text};
use futures_core::Stream as _;

use crate::support::{new_account, test_database};

fn open(max_size: u32) -> (AsyncDatabase, TestDatabase) {
    let database = test_database();
    let db = database.config().max_size(max_size).open();
    (db.expect("a server").into_async(), database)
}

/// Waits until all sessions are back in the pool.
async fn all_returned(db: &AsyncDatabase) {
    let deadline = Instant::now() + Duration::from_secs(5);
    while db.pool_state().in_use > 0 {
        assert!(Instant::now() < deadline, "{:?}", db.pool_state());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

const NUMBERS: &str = "SELECT generate_series(1, $1) AS n";

#[tokio::test]
async fn rows_are_read_as_they_arrive() {
    let (db, _database) = open(1);
    let rows = sql_query(NUMBERS).bind::<Integer, _>(10_000).all::<i32>();
    let mut rows = db.stream(rows).await.expect("a stream");
    let (mut count, mut sum) = (0, 0_i64);
    while let Some(row) = rows.next().await {
        count += 1;
        sum += i64::from(row.expect("a number"));
    }
    assert_eq!((count, sum), (10_000, 50_005_000));
    assert!(rows.next().await.is_none());
    // The session is returned at the end, although the stream is still there.
    all_returned(&db).await;
    assert_eq!(db.pool_state().opened, 1);
}

#[tokio::test]
async fn a_column_of_another_type_is_an_error_to_streams() {
    let (db, _database) = open(1);
    let query = || sql_query("SELECT 1.5::float8 AS n").all::<i64>();
    let streamed = match db.stream(query()).await {
        Ok(mut rows) => rows.next().await.expect("an item"),
        Err(error) => Err(error),
    };
    let copied = match db.copy_out(query()).await {
        Ok(mut rows) => rows.next().await.expect("an item"),
        Err(error) => Err(error),
    };
    for read in [streamed, copied] {
        let error = read.expect_err("a float is no bigint");
        assert_eq!(error.kind(), ErrorKind::Decode, "{error:?}");
    }
}

#[tokio::test]
async fn a_stream_is_one_of_futures_core() {
    let (db, _database) = open(1);
    let rows = sql_query(NUMBERS).bind::<Integer, _>(3).all::<i32>();
    let mut rows = db.stream(rows).await.expect("a stream");
    let mut numbers = Vec::new();
    while let Some(row) = poll_fn(|context| Pin::new(&mut rows).poll_next(context)).await {
        numbers.push(row.expect("a number"));
    }
    assert_eq!(numbers, [1, 2, 3]);
}

#[tokio::test]
async fn a_dropped_stream_is_cancelled_and_its_session_kept() {
    let (db, _database) = open(1);
    for taken in [0, 1, 300] {
        let rows = sql_query(NUMBERS).bind::<Integer, _>(50_000_000);
        let mut rows = db.stream(rows.all::<i32>()).await.expect("a stream");
        for _ in 0..taken {
            rows.next().await.expect("a row").expect("a number");
        }
        drop(rows);
        // The only session is free again long before so many rows could be read.
        assert_eq!(db.run(Account::count()).await.expect("a count"), 0);
    }
    assert_eq!(db.pool_state().opened, 1);
}

#[tokio::test]
async fn a_stream_that_is_dropped_while_it_waits_is_cancelled() {
    let (db, _database) = open(1);
    let slow = "SELECT n FROM (SELECT 1 AS n UNION ALL SELECT 2 FROM pg_sleep(60)) AS slow";
    let begin = db.stream(sql_query(slow).all::<i32>());
    let waited = tokio::time::timeout(Duration::from_millis(300), async {
        let mut rows = begin.await.expect("a stream");
        while rows.next().await.is_some() {}
    });
    assert!(waited.await.is_err());
    assert_eq!(db.run(Account::count()).await.expect("a count"), 0);
    assert_eq!(db.pool_state().opened, 1);
}

#[tokio::test]
async fn the_first_error_ends_a_stream() {
    let (db, _database) = open(1);
    let rows = sql_query("SELECT 1000 / (1000 - n) FROM generate_series(1, 2000) AS n");
    let mut rows = db.stream(rows.all::<i32>()).await.expect("a stream");
    let mut count = 0;
    let error = loop {
        match rows.next().await.expect("an error") {
            Ok(_) => count += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(error.sqlstate(), Some(bowline::SqlState::DIVISION_BY_ZERO));
    assert!(count < 1000, "{count}");
    assert!(rows.next().await.is_none());
    assert_eq!(db.run(Account::count()).await.expect("a count"), 0);
}

#[bowline::test]
async fn a_dropped_stream_leaves_a_sandbox_usable(db: AsyncDatabase) {
    db.run(Account::insert(new_account("ann")))
        .await
        .expect("an account");
    let rows = sql_query(NUMBERS).bind::<Integer, _>(50_000_000);
    let mut rows = db.stream(rows.all::<i32>()).await.expect("a stream");
    rows.next().await.expect("a row").expect("a number");
    drop(rows);
    assert_eq!(db.run(Account::count()).await.expect("a count"), 1);
}

#[tokio::test]
async fn a_session_keeps_its_state_and_is_reset_at_its_end() {
    let (db, _database) = open(1);
    let name = || sql_query("SELECT current_setting('application_name')").one::<String>();
    let before = db.run(name()).await.expect("a name");
    let session = db.session().await.expect("a session");
    let set = sql_query("SET application_name = 'own'").affected();
    session.run(set).await.expect("set");
    assert_eq!(session.run(name()).await.expect("a name"), "own");
    drop(session);
    assert_eq!(db.run(name()).await.expect("a name"), before);
    assert_eq!(db.pool_state().opened, 1);
}

#[tokio::test]
async fn a_session_goes_on_after_a_dropped_call() {
    let (db, _database) = open(1);
    let session = db.session().await.expect("a session");
    let pid = || sql_query("SELECT pg_backend_pid()").one::<i32>();
    let first = session.run(pid()).await.expect("a process");
    let sleep = session.run(sql_query("SELECT pg_sleep(60)").affected());
    let slept = tokio::time::timeout(Duration::from_millis(200), sleep).await;
    assert!(slept.is_err());
    assert_eq!(session.run(pid()).await.expect("a process"), first);
    let within = session.savepoint(async |tx| {
        tx.run(Account::insert(new_account("ann"))).await?;
        tx.run(sql_query("SELECT pg_sleep(60)").affected()).await
    });
    let within = tokio::time::timeout(Duration::from_millis(200), within).await;
    assert!(within.is_err());
    let count = session.run(Account::count()).await;
    assert_eq!(count.expect("a count"), 0);
}

async fn payload(listener: &mut Listener) -> String {
    let item = tokio::time::timeout(Duration::from_secs(20), listener.next()).await;
    match item.expect("in time").expect("an item") {
        Listened::Notification(notification) => notification.payload,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_listener_says_when_it_has_reconnected() {
    let (db, _database) = open(3);
    let mut listener = db.listen(["Orders", "stock"]).await.expect("a listener");
    db.run(notify("Orders", "1")).await.expect("sent");
    db.run(notify("stock", "2")).await.expect("sent");
    assert_eq!(payload(&mut listener).await, "1");
    assert_eq!(payload(&mut listener).await, "2");
    let end = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
               WHERE datname = current_database() AND pid <> pg_backend_pid()";
    assert!(db.run(sql_query(end).one::<i64>()).await.expect("ended") > 0);
    let item = tokio::time::timeout(Duration::from_secs(20), listener.next()).await;
    match item.expect("in time").expect("an item") {
        Listened::Gap(gap) => assert!(gap.cause.contains("connection lost"), "{gap:?}"),
        other => panic!("{other:?}"),
    }
    db.run(notify("stock", "3")).await.expect("sent");
    assert_eq!(payload(&mut listener).await, "3");
}

#[tokio::test]
async fn no_notification_is_lost_by_a_dropped_wait() {
    let (db, _database) = open(2);
    let mut listener = db.listen(["orders"]).await.expect("a listener");
    for number in 0..20 {
        let wait = tokio::time::timeout(Duration::from_millis(5), listener.next()).await;
        assert!(wait.is_err());
        db.run(notify("orders", number.to_string()))
            .await
            .expect("sent");
        assert_eq!(payload(&mut listener).await, number.to_string());
    }
    drop(listener);
    all_returned(&db).await;
}

#[tokio::test]
async fn a_listener_of_a_closed_database_fails() {
    let (db, _database) = open(2);
    let mut listener = db.listen(["orders"]).await.expect("a listener");
    let closed = tokio::spawn({
        let db = db.clone();
        async move { db.close(Duration::from_millis(300)).await }
    });
    assert!(closed.await.expect("no panic").is_err());
    let pids = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let other = _database.config().open().expect("a server");
    other.run(sql_query(pids).affected()).expect("ended");
    let error = listener.next().await.expect_err("a closed database");
    assert!(error.message().contains("closed"), "{error}");
}

#[bowline::test]
async fn a_listener_within_a_sandbox_is_refused(db: AsyncDatabase) {
    let error = db.listen(["orders"]).await.expect_err("a transaction");
    assert!(error.message().contains("transaction"), "{error}");
}

#[tokio::test]
async fn a_lock_is_held_until_it_is_released_or_dropped() {
    let (db, _database) = open(3);
    let lock = db.advisory_lock("cleaning").await.expect("a lock");
    let other = db.try_advisory_lock("cleaning").await.expect("an answer");
    assert!(other.is_none());
    assert_eq!(lock.run(Account::count()).await.expect("a count"), 0);
    lock.release().await.expect("released");
    let lock = db.try_advisory_lock("cleaning").await.expect("an answer");
    drop(lock.expect("the lock"));
    let lock = db.advisory_lock("cleaning").await.expect("a lock");
    let error = db
        .with_timeout(Duration::from_millis(200))
        .advisory_lock("cleaning")
        .await
        .expect_err("it is held");
    assert_eq!(error.kind(), ErrorKind::Timeout);
    drop(lock);
    all_returned(&db).await;
    let held = sql_query("SELECT count(*) FROM pg_locks WHERE locktype = $1");
    let held = held.bind::<Text, _>("advisory").one::<i64>();
    assert_eq!(db.run(held).await.expect("a count"), 0);
}
