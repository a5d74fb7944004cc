//! The database from asynchronous code.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bank::{Account, AccountConstraint};
use bowline::testing::TestDatabase;
use bowline::{AsyncDatabase, Error, ErrorKind, Outcome, StatementDsl as _, sql_query};

use crate::support::{new_account, test_database};

fn open(max_size: u32) -> (AsyncDatabase, TestDatabase) {
    let database = test_database();
    let db = database.config().max_size(max_size).open();
    (db.expect("a server").into_async(), database)
}

/// Returns how many statements the server runs in this database, apart from this query.
async fn running(db: &AsyncDatabase) -> usize {
    let active = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' AND pid <> pg_backend_pid()";
    db.run(sql_query(active).affected()).await.expect("a count")
}

#[tokio::test]
async fn statements_and_transactions_run_from_async_code() {
    let (db, _database) = open(2);
    let ann = db.run(Account::insert(new_account("ann"))).await;
    assert_eq!(ann.expect("an account").username, "ann");
    let count = db.transaction(async |tx| {
        tx.run(Account::insert(new_account("bob"))).await?;
        tx.run(Account::count()).await
    });
    assert_eq!(count.await.expect("a count"), 2);
    let error = db
        .run(Account::insert(new_account("ann")))
        .await
        .expect_err("a duplicate");
    assert_eq!(error.constraint(), Some(AccountConstraint::UsernameKey));
}

#[tokio::test]
async fn the_runtime_is_free_while_the_server_works() {
    let (db, _database) = open(1);
    let slow = tokio::spawn({
        let db = db.clone();
        async move { db.run(sql_query("SELECT pg_sleep(1)").affected()).await }
    });
    let mut ticks = 0;
    while !slow.is_finished() {
        tokio::time::sleep(Duration::from_millis(10)).await;
        ticks += 1;
    }
    assert!(slow.await.expect("no panic").is_ok());
    assert!(ticks > 20, "{ticks}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_tasks_share_few_sessions_and_few_threads() {
    let (db, _database) = open(3);
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let tasks: Vec<_> = (0..60)
        .map(|_| {
            let (db, now, most) = (db.clone(), Arc::clone(&now), Arc::clone(&most));
            tokio::spawn(async move {
                db.blocking(move |db| {
                    most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    let count = db.run(Account::count());
                    now.fetch_sub(1, Ordering::SeqCst);
                    count
                })
                .await
            })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.expect("no panic").expect("a count"), 0);
    }
    assert!(most.load(Ordering::SeqCst) <= 3);
    assert!(db.pool_state().opened <= 3);
}

#[tokio::test]
async fn a_dropped_future_cancels_and_keeps_the_session() {
    let (db, _database) = open(2);
    let waited = tokio::time::timeout(
        Duration::from_millis(300),
        db.run(sql_query("SELECT pg_sleep(60)").affected()),
    )
    .await;
    assert!(waited.is_err());
    let deadline = Instant::now() + Duration::from_secs(5);
    while running(&db).await > 0 {
        assert!(Instant::now() < deadline, "the statement goes on");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for _ in 0..4 {
        assert_eq!(db.run(Account::count()).await.expect("a count"), 0);
    }
    assert!(db.pool_state().opened <= 2);
}

#[tokio::test]
async fn a_transaction_whose_future_is_dropped_is_rolled_back() {
    let (db, _database) = open(1);
    let work = db.transaction(async |tx| {
        tx.run(Account::insert(new_account("ann"))).await?;
        tx.run(sql_query("SELECT pg_sleep(60)").affected()).await
    });
    assert!(
        tokio::time::timeout(Duration::from_millis(500), work)
            .await
            .is_err()
    );
    assert_eq!(db.run(Account::count()).await.expect("a count"), 0);
    assert_eq!(db.pool_state().opened, 1);
}

#[tokio::test]
async fn a_panic_in_a_transaction_reaches_the_awaiting_task() {
    let (db, _database) = open(1);
    let task = tokio::spawn({
        let db = db.clone();
        async move {
            db.transaction(async |tx| {
                let ann = tx.run(Account::insert(new_account("ann"))).await?;
                assert_eq!(ann.username, "bob", "the work panics");
                Ok::<_, Error>(())
            })
            .await
        }
    });
    assert!(task.await.expect_err("a panic").is_panic());
    assert_eq!(db.run(Account::count()).await.expect("a count"), 0);
}

#[tokio::test]
async fn a_timeout_for_a_thread_names_the_session_holders() {
    let database = test_database();
    let config = database.config().max_size(1);
    let db = config.checkout_timeout(Duration::from_millis(300));
    let db = db.open().expect("a server").into_async();
    let _slow = tokio::spawn({
        let db = db.clone();
        async move { db.run(sql_query("SELECT pg_sleep(3)").affected()).await }
    });
    while db.pool_state().in_use == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let started = Instant::now();
    let error = db.run(Account::count()).await.expect_err("none is left");
    assert!(started.elapsed() < Duration::from_millis(2300));
    assert_eq!(error.outcome(), Outcome::NotCommitted);
    assert!(
        error
            .message()
            .contains("tests/it/statements/asynchronous.rs"),
        "{error}"
    );
}

#[tokio::test]
async fn a_limit_holds_for_the_whole_call() {
    let (db, _database) = open(1);
    let started = Instant::now();
    let error = db
        .with_timeout(Duration::from_millis(300))
        .run(sql_query("SELECT pg_sleep(60)").affected())
        .await
        .expect_err("too slow");
    assert!(started.elapsed() < Duration::from_millis(2300));
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error:?}");
}

/// Creates a runtime with one blocking thread.
fn narrow() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(1)
        .enable_all()
        .build()
        .expect("a runtime")
}

#[test]
fn a_call_that_gets_no_thread_ends_by_its_limit() {
    let (db, _database) = open(2);
    narrow().block_on(async {
        let busy = tokio::task::spawn_blocking(|| std::thread::sleep(Duration::from_secs(4)));
        tokio::time::sleep(Duration::from_millis(50)).await;
        let began = Instant::now();
        let ran = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&ran);
        let within = db.with_timeout(Duration::from_millis(200));
        let error = within
            .blocking(move |db| {
                counted.fetch_add(1, Ordering::SeqCst);
                db.run(Account::insert(new_account("ann")))
            })
            .await
            .expect_err("no thread");
        assert!(began.elapsed() < Duration::from_millis(2200));
        assert_eq!(error.kind(), ErrorKind::Timeout, "{error:?}");
        assert_eq!(error.outcome(), Outcome::NotCommitted);
        assert!(error.message().contains("thread"), "{error}");
        busy.await.expect("no panic");
        // The dropped call does not begin once the thread is free either.
        assert_eq!(db.run(Account::count()).await.expect("a count"), 0);
        assert_eq!(ran.load(Ordering::SeqCst), 0);
    });
}

#[test]
fn a_nested_call_on_the_only_thread_times_out() {
    let (db, _database) = open(2);
    narrow().block_on(async {
        let began = Instant::now();
        let (inner, handle) = (db.clone(), tokio::runtime::Handle::current());
        let nested = db
            .with_timeout(Duration::from_millis(500))
            .blocking(move |_| {
                let inner = inner.with_timeout(Duration::from_millis(300));
                handle.block_on(inner.blocking(|db| db.run(Account::count())))
            });
        let error = nested.await.expect_err("no thread");
        assert!(began.elapsed() < Duration::from_millis(2500));
        assert_eq!(error.kind(), ErrorKind::Timeout, "{error:?}");
        assert!(
            error
                .hint()
                .is_some_and(|hint| hint.contains("no other call")),
            "{error:?}"
        );
        assert_eq!(db.run(Account::count()).await.expect("a count"), 0);
    });
}
