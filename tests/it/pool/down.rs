//! A server that is down, refuses connections, or does not answer.

use std::thread;
use std::time::{Duration, Instant};

use bowline::pool::NoSession;
use bowline::testing::LocalServer;
use bowline::{
    Config, Database, Error, ErrorKind, Session, SqlState, StatementDsl as _, sql_query,
};
use testkit::{Ending, Proxy};

use super::{SPARE, until};
use crate::support::{server, test_database};

/// Runs a query on eight threads at once. Returns the error and the duration of each.
fn eight_ask(db: &Database) -> Vec<(Option<Error>, Duration)> {
    let callers: Vec<_> = (0..8)
        .map(|_| {
            let db = db.clone();
            thread::spawn(move || {
                let asked = Instant::now();
                (db.session().err(), asked.elapsed())
            })
        })
        .collect();
    callers
        .into_iter()
        .map(|caller| caller.join().expect("no panic"))
        .collect()
}

#[test]
fn a_silent_server_keeps_no_caller_past_the_deadline() {
    for deafen in [Proxy::stop_accepting, Proxy::freeze] {
        let proxy = Proxy::start_tcp(&server()).expect("a proxy");
        let limit = Duration::from_millis(400);
        let config = proxy.config("postgres").checkout_timeout(limit);
        let db = config.open().expect("a server");
        let held = db.session().expect("the first session");
        deafen(&proxy);
        for (error, took) in eight_ask(&db) {
            let error = error.expect("nobody answers");
            assert!(took >= limit && took < limit + SPARE, "{took:?}");
            assert!(
                matches!(error.no_session(), Some(NoSession::ServerDown { pool, .. }) if pool.in_use == 1),
                "{error:?}"
            );
            assert!(error.message().contains("not been answered"), "{error}");
        }
        proxy.resume();
        let back = Instant::now();
        while let Err(error) = db.session() {
            assert!(back.elapsed() < Duration::from_secs(1) + SPARE, "{error}");
        }
        drop(held);
    }
}

#[test]
fn a_suspended_server_keeps_no_caller_past_the_deadline() {
    let server = LocalServer::private(&[]).expect("a server");
    let limit = Duration::from_millis(500);
    let config = server
        .config("postgres")
        .checkout_timeout(limit)
        .ping_after(Duration::ZERO);
    let db = config.open().expect("a server");
    let backend = db.session().expect("a session").backend_pid();
    let postmaster = server.pid().expect("it runs");
    signal("-STOP", &[postmaster, backend]);
    let answers = eight_ask(&db);
    signal("-CONT", &[postmaster, backend]);
    for (error, took) in answers {
        let error = error.expect("nobody answers");
        assert!(took < limit + SPARE, "{took:?}");
        assert!(
            matches!(error.no_session(), Some(NoSession::ServerDown { .. })),
            "{error:?}"
        );
    }
    let back = Instant::now();
    while db.session().is_err() {
        assert!(back.elapsed() < Duration::from_secs(1) + SPARE);
    }
}

fn signal(name: &str, pids: &[i32]) {
    let pids = pids.iter().map(ToString::to_string);
    let done = std::process::Command::new("kill")
        .arg(name)
        .args(pids)
        .status();
    assert!(done.expect("kill is there").success());
}

#[test]
fn an_absent_server_is_tried_until_the_deadline() {
    let proxy = Proxy::start_tcp(&server()).expect("a proxy");
    let config = proxy.config("postgres").max_size(4);
    let db = config
        .clone()
        .checkout_timeout(Duration::from_secs(8))
        .open()
        .expect("a server");
    let impatient = config
        .checkout_timeout(Duration::from_millis(300))
        .open()
        .expect("a server");
    proxy.refuse();
    proxy.cut(Ending::Rst);
    // The end of the connections may take a moment to arrive.
    let (error, took) = loop {
        let asked = Instant::now();
        match impatient.session() {
            Ok(session) => drop(session),
            Err(error) => break (error, asked.elapsed()),
        }
    };
    assert!(took < Duration::from_millis(300) + SPARE);
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
    let Some(NoSession::ServerDown { down, cause, .. }) = error.no_session() else {
        panic!("{error:?}");
    };
    assert!(*down > Duration::from_millis(100) && *down <= took);
    assert!(
        cause
            .as_deref()
            .is_some_and(|cause| cause.contains("Connection refused")),
        "{cause:?}"
    );
    let waiting: Vec<_> = (0..8)
        .map(|_| {
            let db = db.clone();
            thread::spawn(move || {
                db.run(sql_query("SELECT 1").affected())
                    .map(|_| Instant::now())
            })
        })
        .collect();
    until(|| db.pool_state().waiting == 8);
    thread::sleep(Duration::from_millis(600));
    proxy.resume();
    let back = Instant::now();
    for caller in waiting {
        let served = caller.join().expect("no panic").expect("it is back");
        assert!(served.duration_since(back) < Duration::from_secs(1) + SPARE);
    }
}

#[test]
fn terminated_sessions_cost_no_slot_in_the_pool() {
    const MAX: u32 = 3;
    let database = test_database();
    let db = database.config().max_size(MAX).open().expect("a server");
    let mut killer = Session::connect(&server().config("postgres")).expect("a server");
    let end = format!(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}' ORDER BY random() LIMIT 1",
        database.name()
    );
    let stop = Instant::now() + Duration::from_secs(1);
    let callers: Vec<_> = (0..6)
        .map(|_| {
            let db = db.clone();
            thread::spawn(move || {
                let mut served = 0;
                while Instant::now() < stop {
                    match db.run(sql_query("SELECT 1").affected()) {
                        Ok(_) => served += 1,
                        Err(error) => {
                            assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
                            assert!(error.no_session().is_none(), "{error:?}");
                        }
                    }
                }
                served
            })
        })
        .collect();
    let mut ended = 0;
    while Instant::now() < stop {
        ended += killer
            .run(sql_query(end.as_str()).affected())
            .expect("the right");
        thread::sleep(Duration::from_millis(5));
    }
    let served: usize = callers
        .into_iter()
        .map(|caller| caller.join().expect("no panic"))
        .sum();
    assert!(ended > 20 && served > 20, "{ended} ended, {served} served");
    let all: Vec<_> = (0..MAX).map(|_| db.session().expect("a session")).collect();
    let state = db.pool_state();
    assert_eq!((state.size, state.in_use), (MAX, MAX));
    drop(all);
}

#[test]
fn a_server_without_room_is_tried_until_it_has_some() {
    let settings = [
        ("max_connections", "4"),
        ("superuser_reserved_connections", "0"),
        ("max_wal_senders", "0"),
    ];
    let server = LocalServer::private(&settings).expect("a server");
    let config = server.config("postgres");
    let impatient = config
        .clone()
        .checkout_timeout(Duration::from_millis(200))
        .open()
        .expect("a server");
    let db = config.open().expect("a server");
    let held = (
        impatient.session().expect("the first session"),
        db.session().expect("the first session"),
    );
    let others: Vec<_> = std::iter::from_fn(|| Session::connect(&server.config("postgres")).ok())
        .take(4)
        .collect();
    assert!(!others.is_empty() && others.len() < 4);
    let error = impatient.session().expect_err("the server is full");
    assert!(
        matches!(error.no_session(), Some(NoSession::ServerDown { cause: Some(cause), .. }) if cause.contains("too many clients")),
        "{error:?}"
    );
    let asking = db.clone();
    let asking = thread::spawn(move || asking.session().map(drop));
    until(|| db.pool_state().waiting == 1);
    drop(others);
    asking.join().expect("no panic").expect("there is room");
    drop(held);
}

#[test]
fn a_permanent_error_reaches_all_waiters_at_once() {
    let server = LocalServer::private(&[]).expect("a server");
    let mut admin = Session::connect(&server.config("postgres")).expect("a server");
    let mut run = |text: &str| {
        admin
            .run(sql_query(text).affected())
            .unwrap_or_else(|error| panic!("{error}"))
    };
    run("CREATE ROLE ann LOGIN PASSWORD 's3cretmarker'");
    run("CREATE DATABASE bank");
    let config = || server.config("bank").user("ann").password("s3cretmarker");
    let open = |config: Config| config.open().expect("a server");
    let db = open(config().checkout_timeout(Duration::from_secs(30)));
    let held = db.session().expect("the first session");
    run("ALTER ROLE ann NOLOGIN");
    let asked = Instant::now();
    for (error, _) in eight_ask(&db) {
        let error = error.expect("no login");
        assert_eq!(error.kind(), ErrorKind::Config, "{error:?}");
        assert_eq!(
            error.sqlstate(),
            Some(SqlState::INVALID_AUTHORIZATION_SPECIFICATION)
        );
    }
    assert!(asked.elapsed() < SPARE);
    run("ALTER ROLE ann LOGIN");
    drop((db.session().expect("a login"), held));

    let hba = "DO $$ BEGIN EXECUTE format(
        'COPY (VALUES (''local all postgres trust''), (''local all all scram-sha-256'')) TO %L', current_setting('hba_file'));
        END $$";
    run(hba);
    run("SELECT pg_reload_conf()");
    let code = |config: Config| {
        let asked = Instant::now();
        let error = config.open().expect_err("a refusal");
        assert!(asked.elapsed() < SPARE);
        assert_eq!(error.kind(), ErrorKind::Config, "{error:?}");
        let shown = format!("{error} {error:?}");
        assert!(
            !shown.contains("s3cretmarker") && !shown.contains("LOCATION"),
            "{shown}"
        );
        error.sqlstate()
    };
    until(|| server.config("bank").user("ann").open().is_err());
    open(config());
    let wrong = server.config("bank").user("ann").password("wrong");
    assert_eq!(code(wrong), Some(SqlState::INVALID_PASSWORD));
    assert_eq!(code(server.config("bank").user("ann")), None);
    assert_eq!(
        code(server.config("nowhere")),
        Some(SqlState::INVALID_CATALOG_NAME)
    );
}
