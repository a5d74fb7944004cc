//! Asynchronous calls that are dropped at any point: no work is half done, and no session leaks.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};

use bowline::retry::RetryPolicy;
use bowline::testing::TestDatabase;
use bowline::{AsyncDatabase, Error, Result, Session, Statement, StatementDsl as _, sql_query};
use diesel::connection::SimpleConnection as _;
use diesel::sql_types::{BigInt, Text};
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

use crate::support::test_database;

pub(super) const SESSIONS: u32 = 4;

/// Returns the number of calls of a test; `BOWLINE_DROPS` sets it for longer runs.
fn calls() -> u64 {
    let calls = std::env::var("BOWLINE_DROPS");
    calls.map_or(2_000, |calls| calls.parse().expect("a number"))
}

/// Creates a database with an empty ledger, in which each call inserts two rows or none.
pub(super) fn open(max_size: u32) -> (AsyncDatabase, TestDatabase) {
    let database = test_database();
    Session::connect(&database.config())
        .and_then(|mut session| {
            Ok(session.batch_execute("CREATE TABLE ledger (call bigint, side text)")?)
        })
        .expect("DDL");
    let config = database.config().max_size(max_size).retry(RetryPolicy {
        base: Duration::from_millis(2),
        cap: Duration::from_millis(2),
        ..RetryPolicy::default()
    });
    (config.open().expect("a server").into_async(), database)
}

pub(super) fn enter(call: u64, side: &str) -> impl Statement<Output = usize> + Send + '_ {
    sql_query("INSERT INTO ledger VALUES ($1, $2)")
        .bind::<BigInt, _>(i64::try_from(call).expect("few"))
        .bind::<Text, _>(side)
        .affected()
}

/// Makes one of five calls that write two rows, chosen by its number.
pub(super) async fn write(db: &AsyncDatabase, call: u64) -> Result<()> {
    match call % 5 {
        0 => db
            .run((enter(call, "debit"), enter(call, "credit")))
            .await
            .map(drop),
        1 => {
            db.transaction(async |tx| {
                tx.run(enter(call, "debit")).await?;
                tx.run(enter(call, "credit")).await.map(drop)
            })
            .await
        }
        2 => {
            let attempts = AtomicU64::new(0);
            db.transaction(async |tx| {
                tx.run(enter(call, "debit")).await?;
                if attempts.fetch_add(1, Ordering::SeqCst) == 0 {
                    let conflict =
                        "DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '40001'; END $$";
                    tx.run(sql_query(conflict).affected()).await?;
                }
                tx.run(enter(call, "credit")).await.map(drop)
            })
            .await
        }
        3 => {
            let tx = db.begin().await?;
            tx.run(enter(call, "debit")).await?;
            tx.savepoint(|tx| async move { tx.run(enter(call, "credit")).await })
                .await?;
            tx.commit().await
        }
        _ => {
            let slow = sql_query("SELECT pg_sleep(0.002)").affected();
            db.run((enter(call, "debit"), slow, enter(call, "credit")))
                .await
                .map(drop)
        }
    }
}

/// Polls a call up to this many times and for a few milliseconds at most, and then drops it.
pub(super) async fn drop_after(
    polls: u64,
    call: impl Future<Output = Result<()>>,
) -> Option<Result<()>> {
    let mut call = pin!(call);
    let mut polled = 0;
    let polls = poll_fn(move |context| {
        if polled == polls {
            return Poll::Ready(None);
        }
        polled += 1;
        call.as_mut().poll(context).map(Some)
    });
    timeout(Duration::from_millis(20), polls)
        .await
        .unwrap_or_default()
}

/// Returns a number that looks random.
pub(super) fn mixed(seed: u64) -> u64 {
    let mixed = (seed + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed ^ (mixed >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 32
}

pub(super) async fn until_idle(db: &AsyncDatabase) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while db.pool_state().in_use > 0 || db.pool_state().waiting > 0 {
        assert!(Instant::now() < deadline, "{:?}", db.pool_state());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[derive(bowline::Row)]
struct Entered {
    #[diesel(sql_type = BigInt)]
    call: i64,
    #[diesel(sql_type = BigInt)]
    rows: i64,
}

fn storm(runtime: &Runtime) {
    let (db, _database) = open(SESSIONS);
    let (mut dropped, mut done) = (Vec::new(), Vec::new());
    runtime.block_on(async {
        let all: Vec<u64> = (0..calls()).collect();
        for wave in all.chunks(32) {
            let tasks: Vec<_> = wave
                .iter()
                .map(|call| {
                    let (db, call) = (db.clone(), *call);
                    tokio::spawn(async move {
                        (call, drop_after(mixed(call) % 16, write(&db, call)).await)
                    })
                })
                .collect();
            for task in tasks {
                match task.await.expect("no panic") {
                    (call, Some(ended)) => {
                        ended.unwrap_or_else(|error| panic!("{call}: {error:?}"));
                        done.push(i64::try_from(call).expect("few"));
                    }
                    (call, None) => dropped.push(call),
                }
            }
        }
        until_idle(&db).await;
        // Each session of the pool is still available, and works.
        let mut held = Vec::new();
        for _ in 0..SESSIONS {
            let tx = db.begin().await.expect("a session");
            tx.run(sql_query("SELECT 1").affected()).await.expect("ok");
            held.push(tx);
        }
        drop(held);
        until_idle(&db).await;
        let ledger = "SELECT call, count(*) AS rows FROM ledger GROUP BY call";
        let entered = db.run(sql_query(ledger).all::<Entered>()).await;
        let entered = entered.expect("the ledger");
        for Entered { call, rows } in &entered {
            assert_eq!(*rows, 2, "call {call} is half done");
        }
        let entered: std::collections::BTreeSet<i64> =
            entered.into_iter().map(|entered| entered.call).collect();
        for call in &done {
            assert!(entered.contains(call), "call {call} returned, and is lost");
        }
    });
    // Some calls were dropped, and some were done.
    assert!(!dropped.is_empty() && !done.is_empty());
    let deadline = Instant::now() + Duration::from_secs(5);
    while runtime.metrics().num_alive_tasks() > 0 {
        assert!(Instant::now() < deadline, "a task is left");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_storm_of_drops_leaves_the_ledger_right() {
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    storm(&runtime.expect("a runtime"));
}

#[test]
fn a_storm_on_one_thread_leaves_the_ledger_right() {
    let runtime = Builder::new_current_thread().enable_all().build();
    storm(&runtime.expect("a runtime"));
}

#[test]
fn without_a_runtime_the_session_is_closed() {
    let (db, database) = open(1);
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    let mut slow = Box::pin(db.run(sql_query("SELECT pg_sleep(60)").affected()));
    runtime.block_on(async {
        timeout(Duration::from_millis(200), &mut slow)
            .await
            .expect_err("it sleeps");
    });
    drop(runtime);
    drop(slow);
    assert_eq!((db.pool_state().in_use, db.pool_state().idle), (0, 0));
    // The server notices it within `client_connection_check_interval`.
    let mut session = Session::connect(&database.config()).expect("a session");
    let deadline = Instant::now() + Duration::from_secs(15);
    let asleep = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'SELECT pg_sleep%'";
    while session.run(sql_query(asleep).affected()).expect("a count") > 0 {
        assert!(Instant::now() < deadline, "the server works on");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_session_serves_one_runtime_after_another() {
    let (db, _database) = open(1);
    for call in 0..3 {
        let runtime = Builder::new_current_thread().enable_all().build();
        runtime
            .expect("a runtime")
            .block_on(write(&db, call * 5))
            .expect("two rows");
    }
    db.database()
        .run(sql_query("SELECT 1").affected())
        .expect("a thread");
    assert_eq!(db.pool_state().opened, 1);
}

#[tokio::test]
async fn a_dropped_call_of_a_transaction_fails_the_transaction() {
    let (db, _database) = open(1);
    let ended = db.transaction(async |tx| {
        tx.run(enter(1, "debit")).await?;
        let slow = tx.run(sql_query("SELECT pg_sleep(60)").affected());
        timeout(Duration::from_millis(50), slow)
            .await
            .expect_err("it sleeps");
        let next = tx.run(enter(1, "credit")).await;
        assert!(next.is_err(), "it may be committed without the one dropped");
        Ok(())
    });
    let error = ended.await.expect_err("one of its calls was dropped");
    assert!(error.message().contains("was dropped"), "{error}");
    let rows = db.run(sql_query("SELECT FROM ledger").affected()).await;
    assert_eq!(rows.expect("a count"), 0);
    assert_eq!(db.pool_state().opened, 1);
}

#[tokio::test]
async fn a_handle_that_outlives_its_closure_fails() {
    let (db, _database) = open(1);
    let kept = db.transaction(async |tx| Ok(tx));
    let kept = kept.await.expect("nothing was done");
    let error = kept.run(enter(1, "debit")).await.expect_err("it has ended");
    assert!(error.message().contains("has ended"), "{error}");
    assert_eq!(db.pool_state().in_use, 0);
}

#[tokio::test]
async fn calls_on_one_handle_run_one_after_the_other() {
    let (db, _database) = open(1);
    let all = db.transaction(async |tx| {
        let calls = (0..8).map(|call| {
            let tx = tx.clone();
            tokio::spawn(async move { tx.run(enter(call, "both")).await })
        });
        let calls: Vec<_> = calls.collect();
        let (left, right) = tokio::join!(tx.run(enter(8, "left")), tx.run(enter(9, "right")));
        let mut rows = left? + right?;
        for call in calls {
            rows += call.await.expect("no panic")?;
        }
        Ok(rows)
    });
    assert_eq!(all.await.expect("ten rows"), 10);
}

#[tokio::test]
async fn a_savepoint_that_fails_undoes_its_own_work() {
    let (db, _database) = open(1);
    let done = db.transaction(async |tx| {
        tx.run(enter(1, "debit")).await?;
        let failed = tx.savepoint(async |inner| {
            inner.run(enter(1, "twice")).await?;
            let outer = tx.run(enter(1, "outer")).await;
            let outer = outer.expect_err("a savepoint is open");
            assert!(outer.message().contains("savepoint"), "{outer}");
            inner.run(sql_query("SELECT 1 / 0").affected()).await
        });
        failed.await.expect_err("a division by zero");
        tx.savepoint(async |inner| inner.run(enter(1, "credit")).await)
            .await
    });
    assert_eq!(done.await.expect("two rows"), 1);
    let rows = db.run(sql_query("SELECT FROM ledger").affected()).await;
    assert_eq!(rows.expect("a count"), 2);
}

#[tokio::test]
async fn a_begun_transaction_commits_or_rolls_back() {
    let (db, _database) = open(1);
    let count = sql_query("SELECT FROM ledger");
    let tx = db.begin().await.expect("a session");
    tx.run(enter(1, "debit")).await.expect("a row");
    let handle = (*tx).clone();
    tx.commit().await.expect("a commit");
    assert!(handle.run(enter(1, "late")).await.is_err());
    let tx = db.begin().await.expect("a session");
    tx.run(enter(2, "debit")).await.expect("a row");
    tx.rollback().await.expect("a rollback");
    let tx = db.begin().await.expect("a session");
    tx.run(enter(3, "debit")).await.expect("a row");
    drop(tx);
    let rows = db.run(count.affected()).await;
    assert_eq!(rows.expect("a count"), 1);
    assert_eq!(db.pool_state().opened, 1);
}

#[tokio::test]
async fn hooks_run_after_the_commit_and_conflicts_are_retried() {
    let (db, _database) = open(1);
    let (attempts, hooks) = (AtomicU64::new(0), Arc::new(AtomicU64::new(0)));
    let done = db.transaction(async |tx| {
        let hooks = Arc::clone(&hooks);
        tx.after_commit(move || {
            hooks.fetch_add(1, Ordering::SeqCst);
        })
        .await?;
        tx.run(enter(1, "debit")).await?;
        if attempts.fetch_add(1, Ordering::SeqCst) == 0 {
            let conflict = "DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '40001'; END $$";
            tx.run(sql_query(conflict).affected()).await?;
        }
        Ok::<_, Error>(())
    });
    done.await.expect("the second attempt");
    assert_eq!(attempts.load(Ordering::SeqCst), 2);
    assert_eq!(hooks.load(Ordering::SeqCst), 1);
}
