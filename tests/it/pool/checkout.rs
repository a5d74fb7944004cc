//! Checkouts: order, deadlines, round trips, and what a timeout reports.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use bowline::pool::{NoSession, SessionManager};
use bowline::{ErrorKind, Session, StatementDsl as _, sql_query};
use testkit::{Direction, Proxy};

use super::{Pid, SPARE, pid, until};
use crate::support::{server, test_database};

#[test]
fn a_spike_is_served_with_few_connections() {
    let proxy = Proxy::start(&server()).expect("a proxy");
    let pause = Duration::from_millis(150);
    let db = proxy
        .config("postgres")
        .max_size(50)
        .open()
        .expect("a server");
    let first = db.session().expect("the first session");
    proxy.delay(Direction::ToClient, pause);
    let callers: Vec<_> = (0..50)
        .map(|_| {
            let db = db.clone();
            thread::spawn(move || {
                let session = db.session().expect("a session in time");
                thread::sleep(Duration::from_millis(2));
                drop(session);
            })
        })
        .collect();
    until(|| db.pool_state().waiting > 0);
    drop(first);
    for caller in callers {
        caller.join().expect("no panic");
    }
    until(|| db.pool_state().connecting == 0);
    let connections = proxy.connections();
    assert!(connections < 10, "{connections}");
    thread::sleep(Duration::from_millis(400));
    assert_eq!(proxy.connections(), connections);
    assert_eq!(db.pool_state().opened, connections as u64);
}

#[test]
fn only_a_long_idle_session_costs_a_round_trip() {
    let proxy = Proxy::start(&server()).expect("a proxy");
    for (ping_after, trips) in [(Duration::from_secs(30), 0), (Duration::ZERO, 1)] {
        let config = proxy.config("postgres").ping_after(ping_after);
        let db = config.open().expect("a server");
        proxy.take_round_trips();
        drop(db.session().expect("a session"));
        assert_eq!(proxy.take_round_trips(), trips);
    }
}

#[test]
fn a_checkout_that_need_not_wait_allocates_nothing() {
    let db = server().config("postgres").open().expect("a server");
    drop(db.session().expect("a session"));
    let allocated = allocation_counter::measure(|| {
        for _ in 0..100 {
            drop(db.session().expect("the same session"));
        }
    });
    assert_eq!(allocated.count_total, 0);
}

#[test]
fn a_checkout_timeout_names_holders_and_durations() {
    let config = server().config("postgres").max_size(2);
    let db = config
        .checkout_timeout(Duration::from_millis(300))
        .open()
        .expect("a server");
    let busy = db.clone();
    let sleeping = thread::spawn(move || busy.run(sql_query("SELECT pg_sleep(2)").affected()));
    until(|| db.pool_state().in_use == 1);
    let mut open = db.session().expect("the other session");
    open.run(sql_query("BEGIN").affected())
        .expect("a transaction");
    open.run(sql_query("SELECT 4711").affected())
        .expect("a row");
    let asking = db.clone();
    let asked = Instant::now();
    let error = thread::spawn(move || asking.session().err())
        .join()
        .expect("no panic")
        .expect("none is left");
    assert!(asked.elapsed() < Duration::from_millis(300) + SPARE);
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error:?}");
    let Some(NoSession::Exhausted { holders, pool, .. }) = error.no_session() else {
        panic!("{error:?}");
    };
    assert_eq!((pool.size, pool.in_use, pool.max), (2, 2, 2));
    let told: Vec<_> = holders
        .iter()
        .map(|holder| (holder.state, holder.sql.as_deref()))
        .collect();
    assert_eq!(
        told,
        [
            ("active", Some("SELECT pg_sleep(2)")),
            ("idle in transaction", Some("SELECT 4711"))
        ]
    );
    assert!(
        holders
            .iter()
            .all(|holder| holder.location.file() == file!())
    );
    assert_eq!(holders[1].backend_pid, open.backend_pid());
    let text = error.to_string();
    assert!(
        text.contains("tests/it/pool/checkout.rs:") && text.contains("2 of 2 are in use"),
        "{text}"
    );
    open.run(sql_query("ROLLBACK").affected()).expect("an end");
    sleeping.join().expect("no panic").expect("it ends");
}

#[test]
fn a_checkout_timeout_has_the_servers_view_of_holders() {
    let database = test_database();
    let config = database.config().max_size(1);
    let db = config
        .checkout_timeout(Duration::from_secs(2))
        .open()
        .expect("a server");
    let mut blocker = Session::connect(&database.config()).expect("a server");
    for text in ["BEGIN", "LOCK TABLE accounts"] {
        blocker.run(sql_query(text).affected()).expect("a lock");
    }
    let busy = db.clone();
    let blocked = thread::spawn(move || busy.run(sql_query("SELECT FROM accounts").affected()));
    until(|| db.pool_state().in_use == 1);
    let asked = Instant::now();
    let error = db.session().expect_err("it is blocked");
    assert!(asked.elapsed() < Duration::from_secs(2) + SPARE);
    let text = error.to_string();
    let says = format!(
        "the server reports active, waits for Lock relation, blocked by pid {}",
        blocker.backend_pid()
    );
    assert!(text.contains(&says), "{text}");
    blocker
        .run(sql_query("ROLLBACK").affected())
        .expect("an end");
    assert!(blocked.join().expect("no panic").is_ok());
}

#[test]
fn a_thread_that_waits_for_itself_fails_at_once() {
    let config = server().config("postgres").max_size(2);
    let db = config.open().expect("a server");
    let (first, line) = (db.session().expect("a session"), line!());
    let second = db.session().expect("there is another");
    let asked = Instant::now();
    let error = db.session().expect_err("it would wait for itself");
    assert!(asked.elapsed() < SPARE);
    assert_eq!(error.kind(), ErrorKind::Query, "{error:?}");
    assert!(matches!(
        error.no_session(),
        Some(NoSession::Nested { first, second, .. })
            if first.line() >= line && second.line() > first.line()
    ));
    drop((first, second));
    drop(db.session().expect("both are back"));
}

#[test]
fn a_session_moved_to_another_thread_is_not_blamed() {
    let config = server().config("postgres").max_size(1);
    let db = config.open().expect("a server");
    let session = db.session().expect("the only session");
    let (used, is_used) = std::sync::mpsc::channel();
    let other = thread::spawn(move || {
        let mut session = session;
        session
            .run(sql_query("SELECT 1").affected())
            .expect("a row");
        used.send(()).expect("somebody listens");
        thread::sleep(Duration::from_millis(100));
    });
    is_used.recv().expect("it was used");
    drop(db.session().expect("the other thread gives it back"));
    other.join().expect("no panic");
}

#[test]
fn the_numbers_of_the_pool_are_those_of_the_server() {
    let database = test_database();
    let db = database.config().max_size(5).open().expect("a server");
    let held: Vec<_> = (0..3).map(|_| db.session().expect("a session")).collect();
    let state = db.pool_state();
    assert_eq!((state.size, state.in_use, state.idle), (3, 3, 0));
    drop(held);
    let state = db.pool_state();
    assert_eq!((state.size, state.in_use, state.idle), (3, 0, 3));
    let mut outside = Session::connect(&server().config("postgres")).expect("a server");
    let count = format!(
        "SELECT count(*)::int AS pid FROM pg_stat_activity WHERE datname = '{}'",
        database.name()
    );
    let seen = outside.run(sql_query(count).one::<Pid>()).expect("a count");
    assert_eq!((seen.pid, state.max, state.opened), (3, 5, 3));
}

#[test]
fn many_threads_share_few_sessions_and_all_are_served() {
    let config = server().config("postgres").max_size(3);
    let db = Arc::new(config.open().expect("a server"));
    let callers: Vec<_> = (0..16)
        .map(|_| {
            let db = Arc::clone(&db);
            thread::spawn(move || {
                for _ in 0..50 {
                    pid(&db).expect("a session in time");
                }
            })
        })
        .collect();
    for caller in callers {
        caller.join().expect("no panic");
    }
    let state = db.pool_state();
    assert!(state.opened <= 3, "{state:?}");
    assert_eq!((state.in_use, state.waiting), (0, 0));
}

#[test]
fn an_r2d2_pool_of_ones_own_holds_clean_sessions() {
    let pool = r2d2::Pool::builder()
        .max_size(1)
        .build(SessionManager::new(server().config("postgres")))
        .expect("a server");
    let number = |sql: &str| -> i32 {
        let mut session = pool.get().expect("a session");
        session.run(sql_query(sql).one()).expect("an answer")
    };
    let process = "SELECT pg_backend_pid()";
    let first = number(process);

    // A setting ends when the session is returned.
    let text = "SELECT setting::int FROM pg_settings WHERE name = 'work_mem'";
    let before = number(text);
    pool.get()
        .expect("a session")
        .run(sql_query("SET work_mem = '77MB'").affected())
        .expect("a setting");
    assert_eq!((number(text), number(process)), (before, first));

    // A session whose server process is gone is replaced.
    let mut other = Session::connect(&server().config("postgres")).expect("a server");
    let end = format!("SELECT pg_terminate_backend({first}, 5000)");
    assert!(other.run(sql_query(end).one::<bool>()).expect("an answer"));
    assert_ne!(number(process), first);
}
