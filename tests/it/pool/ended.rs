//! Closing a pool, and ending its current sessions.

use std::thread;
use std::time::{Duration, Instant};

use bowline::pool::NoSession;
use bowline::{ErrorKind, StatementDsl as _, TransactionOptions, sql_query};

use super::{SPARE, until};
use crate::support::{only, server, test_database};

#[test]
fn closing_waits_for_open_work_and_refuses_new_work() {
    let database = test_database();
    let db = database.config().max_size(2).open().expect("a server");
    let (busy, waiting) = (db.clone(), db.clone());
    let held = db.session().expect("a session");
    let work = thread::spawn(move || busy.run(sql_query("SELECT pg_sleep(0.3)").affected()));
    until(|| db.pool_state().in_use == 2);
    let waiter = thread::spawn(move || waiting.session().err());
    until(|| db.pool_state().waiting == 1);
    let closing = db.clone();
    let closing = thread::spawn(move || closing.close(Duration::from_secs(10)));
    let told = waiter.join().expect("no panic").expect("it is closed");
    assert!(
        matches!(told.no_session(), Some(NoSession::Closed)),
        "{told:?}"
    );
    let asked = Instant::now();
    let error = db
        .run(sql_query("SELECT 1").affected())
        .expect_err("it is closed");
    assert!(asked.elapsed() < SPARE);
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
    assert!(matches!(error.no_session(), Some(NoSession::Closed)));
    assert_eq!(work.join().expect("no panic").expect("it may finish"), 1);
    assert!(!closing.is_finished());
    drop(held);
    closing.join().expect("no panic").expect("all are back");
    assert_eq!(db.pool_state().size, 0);
    let outside = server().config("postgres").open().expect("a server");
    let left = format!(
        "SELECT 1 FROM pg_stat_activity WHERE datname = '{}'",
        database.name()
    );
    until(|| {
        outside
            .run(sql_query(left.as_str()).affected())
            .expect("a look")
            == 0
    });
}

#[test]
fn closing_names_the_holders_of_sessions() {
    let config = server().config("postgres");
    let db = config.open().expect("a server");
    let mut held = db.session().expect("a session");
    held.run(sql_query("SELECT 4711").affected())
        .expect("a row");
    let asked = Instant::now();
    let error = db
        .close(Duration::from_millis(200))
        .expect_err("one is held");
    assert!(asked.elapsed() < Duration::from_millis(200) + SPARE);
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error:?}");
    let text = error.to_string();
    assert!(
        text.contains("tests/it/pool/ended.rs:") && text.contains("SELECT 4711"),
        "{text}"
    );
    drop(held);
    db.close(Duration::from_secs(10)).expect("now it is back");
}

#[test]
fn a_read_only_server_loses_all_sessions_of_that_age() {
    let database = test_database();
    let outside = server().config("postgres").open().expect("a server");
    let alter = |what: &str| {
        let text = format!("ALTER DATABASE {} {what}", database.name());
        outside.run(sql_query(text).affected()).expect("a setting");
    };
    // As after a fail-over: the sessions are on a server that has become a standby.
    alter("SET default_transaction_read_only = on");
    let db = database.config().max_size(3).open().expect("a server");
    drop((0..3).map(|_| db.session()).collect::<Vec<_>>());
    alter("RESET default_transaction_read_only");
    let write = || db.run(sql_query("CREATE TABLE made (x int)").affected());
    write().expect("the second attempt, on a session that was made since");
    assert_eq!(db.pool_state().opened, 4);
    let careful = db.with_options(TransactionOptions::new().read_only());
    let refused = careful.run(sql_query("DROP TABLE made").affected());
    assert!(refused.is_err());
    write().expect_err("it is there");
    assert_eq!(db.pool_state().opened, 4);
}

/// Set in a child process of this program, which runs one test with no other beside it.
#[cfg(target_os = "linux")]
const ALONE: &str = "BOWLINE_TEST_ALONE";

#[cfg(target_os = "linux")]
#[test]
fn a_pool_that_is_closed_or_dropped_leaves_no_thread() {
    if std::env::var_os(ALONE).is_none() {
        let this = std::env::current_exe().expect("this program");
        let child = std::process::Command::new(this)
            .args(only(
                module_path!(),
                "a_pool_that_is_closed_or_dropped_leaves_no_thread",
            ))
            .env(ALONE, "yes")
            .output()
            .expect("a child");
        let said = String::from_utf8_lossy(&child.stdout);
        assert!(
            child.status.success() && said.contains("1 passed"),
            "{said}"
        );
        return;
    }
    let threads = || {
        let tasks = std::fs::read_dir("/proc/self/task").expect("Linux");
        let names =
            tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok());
        names
            .filter(|name| name.starts_with("bowline-") || name.starts_with("r2d2-"))
            .count()
    };
    for end in [
        |db: bowline::Database| db.close(Duration::from_secs(5)).expect("all are back"),
        drop,
    ] {
        let db = server().config("postgres").open().expect("a server");
        drop((0..5).map(|_| db.session()).collect::<Vec<_>>());
        assert!(threads() > 0);
        end(db);
        until(|| threads() == 0);
    }
}
