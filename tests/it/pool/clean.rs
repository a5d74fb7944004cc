//! State that one holder of a session leaves, and the next does not see.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bowline::session::SessionTransactions;
use bowline::{Database, Session, StatementDsl as _, sql_query};
use diesel::connection::{CacheSize, InstrumentationEvent, TransactionManager as _};
use diesel::sql_types::Integer;
use diesel::{Connection as _, IntoSql as _, RunQueryDsl as _};
use testkit::Proxy;

use super::SPARE;
use crate::support::server;

fn one_session() -> Database {
    let config = server().config("postgres").max_size(1);
    config.open().expect("a server")
}

fn run(session: &mut Session, text: &str) -> usize {
    session
        .run(sql_query(text).affected())
        .unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn nothing_dirty_is_handed_out() {
    let db = one_session();
    let admin = server().config("postgres").open().expect("a server");
    // Another test may have created the role.
    let role = "DO $$ BEGIN CREATE ROLE pool_guest; EXCEPTION WHEN duplicate_object OR unique_violation THEN END $$";
    admin.run(sql_query(role).affected()).expect("a role");
    let matrix: [(&[&str], &str); 10] = [
        (
            &["SET ROLE pool_guest"],
            "SELECT 1 WHERE current_user <> session_user",
        ),
        (
            &["SET SESSION AUTHORIZATION pool_guest"],
            "SELECT 1 WHERE session_user = 'pool_guest'",
        ),
        (
            &["SET search_path TO nowhere"],
            "SELECT 1 WHERE current_setting('search_path') = 'nowhere'",
        ),
        (
            &["SELECT set_config('work_mem', '77MB', false)"],
            "SELECT 1 WHERE current_setting('work_mem') = '77MB'",
        ),
        (
            &["CREATE TEMP TABLE mine (x int)"],
            "SELECT 1 WHERE to_regclass('pg_temp.mine') IS NOT NULL",
        ),
        (
            &["LISTEN pool_jobs"],
            "SELECT 1 FROM pg_listening_channels()",
        ),
        (
            &["SELECT pg_advisory_lock(815)"],
            "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objid = 815",
        ),
        (
            &["BEGIN", "CREATE TABLE pool_left_open (x int)"],
            "SELECT 1 WHERE to_regclass('pool_left_open') IS NOT NULL",
        ),
        (
            &["BEGIN", "DECLARE c CURSOR FOR SELECT 1"],
            "SELECT 1 FROM pg_cursors WHERE name = 'c'",
        ),
        (
            &["DECLARE held CURSOR WITH HOLD FOR SELECT 1"],
            "SELECT 1 FROM pg_cursors WHERE name = 'held'",
        ),
    ];
    for (dirt, trace) in matrix {
        let mut first = db.session().expect("a session");
        for text in dirt {
            run(&mut first, text);
        }
        assert_ne!(run(&mut first, trace), 0, "{dirt:?} leaves a trace");
        drop(first);
        let mut second = db.session().expect("a session");
        assert_eq!(run(&mut second, trace), 0, "{dirt:?}");
        assert_eq!(second.transaction_depth(), 0);
    }
}

#[test]
fn an_open_transaction_is_rolled_back_on_return() {
    let db = one_session();
    let pid = db.session().expect("a session").backend_pid();
    let works: [&dyn Fn(&mut Session); 4] = [
        // By SQL, so the library's own state has no transaction.
        &|session| assert_eq!(run(session, "BEGIN"), 0),
        &|session| {
            run(session, "BEGIN");
            let failed = session.run(sql_query("SELECT 1/0").affected());
            failed.expect_err("a failure");
        },
        // A transaction whose BEGIN is not sent yet.
        &|session| begin(session).expect("a transaction"),
        &|session| {
            begin(session).expect("a transaction");
            begin(session).expect("a savepoint");
            run(session, "CREATE TABLE pool_left_open (x int)");
        },
    ];
    for work in works {
        work(&mut db.session().expect("a session"));
        let mut next = db.session().expect("a session");
        assert_eq!((next.backend_pid(), next.transaction_depth()), (pid, 0));
        let left = "SELECT 1 WHERE to_regclass('pool_left_open') IS NOT NULL";
        assert_eq!(run(&mut next, left), 0);
    }
}

fn begin(session: &mut Session) -> diesel::QueryResult<()> {
    SessionTransactions::begin_transaction(session)
}

#[test]
fn a_lost_session_is_not_handed_out() {
    let db = one_session();
    let mut first = db.session().expect("a session");
    let end = first.run(sql_query("SELECT pg_terminate_backend(pg_backend_pid())").affected());
    end.expect_err("it ends itself");
    drop(first);
    run(&mut db.session().expect("a session"), "SELECT 1");
}

#[test]
fn only_a_touched_session_costs_a_trip_on_return() {
    let proxy = Proxy::start(&server()).expect("a proxy");
    let db = proxy
        .config("postgres")
        .max_size(1)
        .open()
        .expect("a server");
    for (text, trips) in [("SELECT 1", 1), ("SET work_mem = '5MB'", 2)] {
        proxy.take_round_trips();
        run(&mut db.session().expect("a session"), text);
        assert_eq!(proxy.take_round_trips(), trips, "{text}");
    }
    assert_eq!(db.pool_state().opened, 1);
}

#[test]
fn a_session_that_cannot_be_reset_in_time_is_closed() {
    let proxy = Proxy::start(&server()).expect("a proxy");
    let db = proxy
        .config("postgres")
        .max_size(1)
        .open()
        .expect("a server");
    let mut session = db.session().expect("a session");
    run(&mut session, "SET work_mem = '5MB'");
    proxy.freeze();
    let given_back = Instant::now();
    drop(session);
    assert!(given_back.elapsed() < Duration::from_secs(1) + SPARE);
    assert_eq!(db.pool_state().size, 0);
    proxy.resume();
    run(&mut db.session().expect("another session"), "SELECT 1");
}

#[test]
fn client_side_settings_end_with_the_checkout() {
    let db = one_session();
    let seen = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&seen);
    let mut first = db.session().expect("a session");
    first.set_timeout(Duration::from_millis(50));
    first.set_prepared_statement_cache_size(CacheSize::Disabled);
    first.set_instrumentation(move |_: InstrumentationEvent<'_>| {
        count.fetch_add(1, Ordering::Relaxed);
    });
    run(&mut first, "SELECT 1");
    drop(first);
    let before = seen.load(Ordering::Relaxed);
    assert!(before > 0);
    let mut next = db.session().expect("the same session");
    run(&mut next, "SELECT pg_sleep(0.2)");
    assert_eq!(seen.load(Ordering::Relaxed), before);
    let query = diesel::select(1.into_sql::<Integer>());
    assert_eq!(query.get_result::<i32>(&mut *next), Ok(1));
    let prepared = "SELECT 1 FROM pg_prepared_statements";
    assert_eq!(run(&mut next, prepared), 1);
}
