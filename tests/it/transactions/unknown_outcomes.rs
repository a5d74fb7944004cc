//! Commits without an answer: the reported outcome is the actual one.

use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use bank::Account;
use bowline::testing::LocalServer;
use bowline::{
    Database, Error, ErrorKind, Outcome, Result, Session, Statement, StatementDsl as _,
    TransactionOptions, commit_keys, sql_query,
};
use diesel::connection::SimpleConnection as _;
use testkit::{Direction, Ending, Proxy};

use crate::support::{MIGRATIONS, new_account, server, test_database};

/// The time limit of every wait in these tests.
const PATIENCE: Duration = Duration::from_secs(20);

/// Starts a server on which a commit waits for a missing standby. Also returns a session that does
/// not wait for it.
fn server_without_its_standby() -> (LocalServer, Database, Session) {
    let server = LocalServer::private(&[
        ("synchronous_standby_names", "ghost"),
        ("synchronous_commit", "on"),
        ("wal_level", "replica"),
        ("max_wal_senders", "5"),
    ])
    .expect("a server");
    let db = server.config("postgres").open().expect("a server");
    let mut other = Session::connect(&server.config("postgres")).expect("a server");
    other
        .batch_execute("SET synchronous_commit = off; CREATE TABLE t (x int)")
        .expect("DDL");
    other.batch_execute(commit_keys::MIGRATION).expect("DDL");
    (server, db, other)
}

/// Creates a table `t` whose inserts sleep at commit, as long as `slow` has a row.
fn slow_commits() -> (LocalServer, Database, Session) {
    let server = LocalServer::private(&[]).expect("a server");
    let db = server.config("postgres").open().expect("a server");
    let mut other = Session::connect(&server.config("postgres")).expect("a server");
    other
        .batch_execute(
            "CREATE TABLE t (x int); CREATE TABLE slow ();
             CREATE FUNCTION doze() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                 IF EXISTS (SELECT FROM slow) THEN PERFORM pg_sleep(60); END IF;
                 RETURN NULL;
             END $$;
             CREATE CONSTRAINT TRIGGER doze AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED
             FOR EACH ROW EXECUTE FUNCTION doze()",
        )
        .expect("DDL");
    other.batch_execute(commit_keys::MIGRATION).expect("DDL");
    (server, db, other)
}

fn insert() -> impl Statement<Output = usize> {
    sql_query("INSERT INTO t VALUES (1)").affected()
}

fn in_one_trip(db: &Database) -> Result<usize> {
    db.run(insert())
}

fn interactive(db: &Database) -> Result<usize> {
    db.transaction(|tx| tx.run(insert()))
}

fn unit_of_work(db: &Database) -> Result<usize> {
    let mut work = db.unit_of_work();
    work.add(insert());
    let inserted = work.add(insert());
    work.commit()?.take(inserted)
}

/// Deletes all rows of the table, and returns their number.
fn take_rows(other: &mut Session) -> usize {
    other
        .run(sql_query("DELETE FROM t").affected())
        .expect("an answer")
}

/// Waits until a server process has this wait event. Returns the query that finds it.
fn wait_for(other: &mut Session, wait_event: &str) -> String {
    let deadline = Instant::now() + PATIENCE;
    let waiting = format!("SELECT pid FROM pg_stat_activity WHERE wait_event = '{wait_event}'");
    while other
        .run(sql_query(&waiting).affected())
        .expect("an answer")
        == 0
    {
        assert!(Instant::now() < deadline, "nobody waits for {wait_event}");
        thread::yield_now();
    }
    waiting
}

/// Runs `work`, and then `disturb` once a server process has this wait event.
fn disturbed<T: Send>(
    other: &mut Session,
    wait_event: &str,
    disturb: &str,
    work: impl FnOnce() -> T + Send,
) -> T {
    thread::scope(|scope| {
        let working = scope.spawn(work);
        let waiting = wait_for(other, wait_event);
        other
            .batch_execute(&disturb.replace("{waiting}", &waiting))
            .expect("an answer");
        working.join().expect("no panic")
    })
}

const TERMINATE: &str = "SELECT pg_terminate_backend(pid) FROM ({waiting}) waiting";

#[test]
fn an_unanswered_commit_is_found_out() {
    let (_server, db, mut other) = server_without_its_standby();
    let mut lose = |work: fn(&Database) -> Result<usize>, db: &Database| {
        let done = disturbed(&mut other, "SyncRep", TERMINATE, || work(db));
        (done, take_rows(&mut other))
    };
    let (done, rows) = lose(in_one_trip, &db);
    let error = done.expect_err("the answer is lost");
    assert_eq!((error.outcome(), rows), (Outcome::Unknown, 1), "{error:?}");

    let (done, rows) = lose(interactive, &db);
    assert_eq!((done.expect("the server knows"), rows), (1, 1));

    let with_keys = db.with_options(TransactionOptions::new().with_generated_commit_key());
    let (done, rows) = lose(in_one_trip, &with_keys);
    let error = done.expect_err("the answer is lost");
    assert_eq!(
        (error.outcome(), error.attempts(), rows),
        (Outcome::Committed, 1, 1),
        "{error:?}"
    );

    let (done, rows) = lose(interactive, &with_keys);
    assert_eq!((done.expect("the key is there"), rows), (1, 1));

    let (done, rows) = lose(unit_of_work, &with_keys);
    let error = done.expect_err("committed, but there is nothing to take");
    assert_eq!((error.outcome(), rows), (Outcome::Committed, 2));
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
}

#[test]
fn a_commit_that_did_not_happen_is_done_again() {
    let (_server, db, mut other) = slow_commits();
    let mut lose = |work: fn(&Database) -> Result<usize>, db: &Database| {
        other
            .batch_execute("INSERT INTO slow DEFAULT VALUES")
            .expect("an answer");
        let disturb = format!("DELETE FROM slow; {TERMINATE}");
        let done = disturbed(&mut other, "PgSleep", &disturb, || work(db));
        (done, take_rows(&mut other))
    };
    let (done, rows) = lose(in_one_trip, &db);
    let error = done.expect_err("the server was told to stop");
    assert_eq!((error.outcome(), rows), (Outcome::Unknown, 0), "{error:?}");

    let (done, rows) = lose(interactive, &db);
    assert_eq!((done.expect("a second attempt"), rows), (1, 1));

    let with_keys = db.with_options(TransactionOptions::new().with_generated_commit_key());
    let (done, rows) = lose(in_one_trip, &with_keys);
    assert_eq!((done.expect("a second attempt"), rows), (1, 1));

    let (done, rows) = lose(interactive, &with_keys);
    assert_eq!((done.expect("a second attempt"), rows), (1, 1));

    let (done, rows) = lose(unit_of_work, &with_keys);
    assert_eq!((done.expect("a second attempt"), rows), (1, 2));
}

#[test]
fn work_that_runs_once_is_not_done_again() {
    let (_server, db, mut other) = slow_commits();
    other
        .batch_execute("INSERT INTO slow DEFAULT VALUES")
        .expect("an answer");
    let done = disturbed(&mut other, "PgSleep", TERMINATE, || {
        db.transaction_once(|tx| tx.run(insert()))
    });
    let error = done.expect_err("the server was told to stop");
    assert_eq!(
        (error.outcome(), take_rows(&mut other)),
        (Outcome::NotCommitted, 0)
    );
}

#[test]
fn a_reused_transaction_id_is_not_trusted() {
    let (_server, db, mut other) = server_without_its_standby();
    // A crash resets the statistics; here they are reset by a query.
    let disturb = format!("SELECT pg_stat_reset_shared('bgwriter'); {TERMINATE}");
    let done = disturbed(&mut other, "SyncRep", &disturb, || interactive(&db));
    let error = done.expect_err("nobody knows");
    assert_eq!(
        (error.outcome(), take_rows(&mut other)),
        (Outcome::Unknown, 1)
    );
}

#[test]
fn a_lost_attempt_cannot_commit_after_the_next() {
    let server = server();
    let database = bowline::testing::TestDatabase::create(std::path::Path::new(MIGRATIONS))
        .expect("a database");
    let proxy = Proxy::start(&server).expect("a proxy");
    let mut other = Session::connect(&database.config()).expect("a server");
    other
        .batch_execute("CREATE TABLE t (x int); INSERT INTO t VALUES (0)")
        .expect("DDL");
    other.batch_execute(commit_keys::MIGRATION).expect("DDL");
    let db = proxy.config(database.name()).open().expect("a server");
    // The attempt has written its key and waits for a lock. Then its connection is cut, which the
    // server process does not notice.
    let update = || sql_query("UPDATE t SET x = x + 1").affected();
    other
        .batch_execute("BEGIN; UPDATE t SET x = x")
        .expect("a lock");
    let mut watcher = Session::connect(&database.config()).expect("a server");
    let done = thread::scope(|scope| {
        let working = scope.spawn(|| {
            db.with_options(TransactionOptions::new().with_generated_commit_key())
                .run(update())
        });
        let waiting = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' \
                       AND datname = current_database() AND query LIKE 'UPDATE t%'";
        let deadline = Instant::now() + PATIENCE;
        while watcher
            .run(sql_query(waiting).affected())
            .expect("an answer")
            == 0
        {
            assert!(Instant::now() < deadline, "it does not wait");
        }
        proxy.cut(Ending::Fin);
        // The first server process is terminated, and the next attempt waits for the lock instead.
        let first_is_gone = "SELECT FROM __bowline_commit_keys WHERE fenced";
        while watcher
            .run(sql_query(first_is_gone).affected())
            .expect("an answer")
            == 0
        {
            assert!(!working.is_finished(), "{:?}", working.join());
            assert!(Instant::now() < deadline, "it is not kept from committing");
            thread::yield_now();
        }
        other.batch_execute("COMMIT").expect("a commit");
        working.join().expect("no panic")
    });
    assert_eq!(done.expect("a second attempt"), 1);
    let once = sql_query("SELECT FROM t WHERE x = 1").affected();
    assert_eq!(other.run(once).expect("an answer"), 1);
}

#[test]
fn a_read_only_commit_is_tried_again() {
    let database = test_database();
    let proxy = Proxy::start(&server()).expect("a proxy");
    let db = proxy.config(database.name()).open().expect("a server");
    let lose = || proxy.cut_after(Direction::ToClient, 1, Ending::Fin);
    let attempts = AtomicU32::new(0);
    let read = |tx: &mut Session| {
        let count = tx.run(Account::count())?;
        if attempts.fetch_add(1, Ordering::SeqCst) == 0 {
            lose();
        }
        Ok::<_, Error>(count)
    };
    assert_eq!(db.transaction(read).expect("a second attempt"), 0);
    assert_eq!(attempts.swap(0, Ordering::SeqCst), 2);
    let error = db.transaction_once(read).expect_err("there is none");
    assert_eq!(error.outcome(), Outcome::NotCommitted);
    drop(db.session().expect("a new session"));
    lose();
    assert_eq!(db.run(Account::count()).expect("a second attempt"), 0);
}

#[test]
fn a_process_that_never_ends_is_terminated() {
    let (server, direct, mut other) = server_without_its_standby();
    let proxy = Proxy::start(&server).expect("a proxy");
    let db = proxy.config("postgres").open().expect("a server");
    let mut lose = |work: fn(&Database) -> Result<usize>, db: &Database| {
        let done = thread::scope(|scope| {
            let working = scope.spawn(|| work(db));
            wait_for(&mut other, "SyncRep");
            proxy.cut(Ending::Fin);
            working.join().expect("no panic")
        });
        (done, take_rows(&mut other))
    };
    let (done, rows) = lose(interactive, &db);
    assert_eq!((done.expect("the server knows"), rows), (1, 1));
    let (done, rows) = lose(
        in_one_trip,
        &db.with_options(TransactionOptions::new().with_generated_commit_key()),
    );
    let error = done.expect_err("the answer is lost");
    assert_eq!((error.outcome(), rows), (Outcome::Committed, 1));
    // The deadline ends the wait for the standby, and the transaction is committed.
    let began = Instant::now();
    let done = in_one_trip(&direct.with_timeout(Duration::from_millis(300)));
    assert_eq!(
        (done.expect("committed here"), take_rows(&mut other)),
        (1, 1)
    );
    assert!(began.elapsed() < Duration::from_millis(300) + Duration::from_secs(2));
}

#[test]
fn finding_out_ends_with_the_calls_deadline() {
    let database = test_database();
    let proxy = Proxy::start(&server()).expect("a proxy");
    let db = proxy.config(database.name()).open().expect("a server");
    let limit = Duration::from_secs(1);
    let began = Instant::now();
    let done = db.with_timeout(limit).transaction(|tx| {
        tx.run(Account::insert(new_account("ann")))?;
        proxy.refuse();
        proxy.cut_after(Direction::ToClient, 1, Ending::Fin);
        Ok::<_, Error>(())
    });
    let error = done.expect_err("there is nobody to ask");
    assert_eq!(error.outcome(), Outcome::Unknown);
    assert!(began.elapsed() < limit + Duration::from_secs(2));
    proxy.resume();
    assert_eq!(db.run(Account::count()).expect("it was committed"), 1);
}
