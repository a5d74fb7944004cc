//! Counters, gauges and histograms, with the feature `metrics`.

mod recorder;

use std::time::Duration;

use bank::Account;
use bowline::testing::{LocalServer, TestDatabase};
use bowline::{Database, ErrorKind, Outcome, StatementDsl as _, sql_query};
use diesel::connection::SimpleConnection as _;
use diesel::sql_types::Integer;
use testkit::{Direction, Ending, Proxy};

use crate::support::{new_account, server, test_database};
use recorder::{Recorder, recorder};

/// Returns the label of a database's pool on this server.
fn pool_name(server: &LocalServer, database: &TestDatabase) -> String {
    let folder = server.socket_folder().display();
    format!("{folder}:5432/{}", database.name())
}

fn opened(database: &TestDatabase) -> (Database, &'static Recorder) {
    let recorder = recorder();
    (database.open().expect("a server"), recorder)
}

#[test]
fn statements_are_counted_by_function_and_outcome() {
    let database = test_database();
    let (db, recorder) = opened(&database);
    let insert = || Account::insert(new_account("ann"));
    db.run((insert(), Account::count())).expect("an account");
    db.run(insert()).expect_err("a duplicate");
    let count = |function, outcome| {
        let labels = [
            ("db.namespace", database.name()),
            ("code.function.name", function),
            ("outcome", outcome),
        ];
        recorder.get("bowline.statements", &labels).value
    };
    assert_eq!(count("Account::insert", "ok"), 1.0);
    assert_eq!(count("Account::insert", "constraint"), 1.0);
    assert_eq!(count("Account::count", "ok"), 1.0);
    let duration = |operation, function, outcome| {
        let labels = [
            ("db.namespace", database.name()),
            ("db.operation.name", operation),
            ("code.function.name", function),
            ("outcome", outcome),
        ];
        let numbers = recorder.get("db.client.operation.duration", &labels);
        numbers.recorded
    };
    assert_eq!(duration("BATCH", "", "ok").len(), 1);
    let failed = duration("INSERT", "Account::insert", "constraint");
    assert!(failed.len() == 1 && failed[0] > 0.0, "{failed:?}");
    let here = [("db.namespace", database.name())];
    assert_eq!(recorder.get("bowline.round_trips", &here).value, 2.0);
    assert!(recorder.get("bowline.sent_bytes", &here).value > 100.0);
    assert!(recorder.get("bowline.received_bytes", &here).value > 16.0);
    let rows = [
        ("db.namespace", database.name()),
        ("code.function.name", ""),
    ];
    let rows = recorder.get("db.client.response.returned_rows", &rows);
    assert_eq!(rows.recorded, [2.0]);
}

#[test]
fn the_pool_shows_used_sessions_and_waiting_callers() {
    let (server, database) = (server(), test_database());
    let recorder = recorder();
    let db = database.config().max_size(2).open().expect("a server");
    let name = pool_name(&server, &database);
    let gauge = |metric: &str| {
        let labels = [("db.client.connection.pool.name", name.as_str())];
        recorder.get(metric, &labels).value
    };
    let connections = |state: &str| {
        let labels = [
            ("db.client.connection.pool.name", name.as_str()),
            ("db.client.connection.state", state),
        ];
        recorder.get("db.client.connection.count", &labels).value
    };
    assert_eq!(gauge("db.client.connection.max"), 2.0);
    let first = db.session().expect("a session");
    let second = db.session().expect("a session");
    assert_eq!((connections("used"), connections("idle")), (2.0, 0.0));
    std::thread::scope(|scope| {
        scope.spawn(|| db.run(Account::count()).expect("a count"));
        let deadline = std::time::Instant::now() + Duration::from_secs(10);
        while gauge("db.client.connection.pending_requests") != 1.0 {
            assert!(std::time::Instant::now() < deadline, "nobody waits");
            std::thread::sleep(Duration::from_millis(5));
        }
        drop(first);
    });
    drop(second);
    assert_eq!(gauge("db.client.connection.pending_requests"), 0.0);
    assert_eq!((connections("used"), connections("idle")), (0.0, 2.0));
    let labels = [
        ("db.client.connection.pool.name", name.as_str()),
        ("outcome", "ok"),
    ];
    let waits = recorder.get("db.client.connection.wait_time", &labels);
    assert_eq!(waits.recorded.len(), 3);
    assert!(waits.recorded.iter().any(|wait| *wait > 0.001));
}

#[test]
fn sessions_are_counted_at_open_and_close() {
    let (server, database) = (server(), test_database());
    let (db, recorder) = opened(&database);
    let name = pool_name(&server, &database);
    let pool = ("db.client.connection.pool.name", name.as_str());
    let opened = || recorder.get("bowline.connections.opened", &[pool]).value;
    let closed = |reason| {
        let labels = [pool, ("reason", reason)];
        recorder.get("bowline.connections.closed", &labels).value
    };
    assert_eq!(opened(), 1.0);
    let created = recorder.get("db.client.connection.create_time", &[pool]);
    assert_eq!(created.recorded.len(), 1);
    // Terminated while it is idle.
    let pid = db.session().expect("a session").backend_pid();
    let end = sql_query("SELECT pg_terminate_backend($1, 5000)").bind::<Integer, _>(pid);
    let mut other = bowline::Session::connect(&server.config("postgres")).expect("a server");
    other.run(end.affected()).expect("the right to do so");
    db.run(Account::count()).expect("a new session");
    assert_eq!((opened(), closed("closed_by_server")), (2.0, 1.0));
    // Terminated while it is in use.
    let end_itself = sql_query("SELECT pg_terminate_backend(pg_backend_pid())");
    let mut session = db.session().expect("a session");
    session.run(end_itself.affected()).expect_err("its end");
    drop(session);
    assert_eq!(closed("lost"), 1.0);
    db.run(Account::count()).expect("a new session");
    db.close(Duration::from_secs(10)).expect("closed");
    assert_eq!((opened(), closed("pool_closed")), (3.0, 1.0));
}

#[test]
fn retries_and_transactions_are_counted() {
    let database = test_database();
    let (db, recorder) = opened(&database);
    let mut session = db.session().expect("a session");
    session
        .batch_execute("CREATE SEQUENCE tries")
        .expect("a sequence");
    drop(session);
    let conflicts = || {
        recorder
            .get("bowline.retries", &[("class", "conflict")])
            .value
    };
    let before = conflicts();
    db.transaction(|tx| {
        tx.run(
            sql_query(
                "DO $$ BEGIN IF nextval('tries') < 3 THEN RAISE SQLSTATE '40001'; END IF; END $$",
            )
            .affected(),
        )
    })
    .expect("the third attempt");
    assert!(conflicts() >= before + 2.0);
    let transactions = |outcome| {
        let labels = [("db.namespace", database.name()), ("outcome", outcome)];
        recorder.get("bowline.transactions", &labels).value
    };
    assert_eq!(transactions("committed"), 1.0);
    assert_eq!(transactions("not committed"), 2.0);
}

#[test]
fn an_unknown_outcome_is_counted() {
    let (server, database) = (server(), test_database());
    let recorder = recorder();
    let proxy = Proxy::start(&server).expect("a proxy");
    let db = proxy.config(database.name()).open().expect("a server");
    db.run(Account::count()).expect("a count");
    let unknown = || recorder.get("bowline.unknown_outcomes", &[]).value;
    let before = unknown();
    proxy.cut_after(Direction::ToClient, 0, Ending::Fin);
    let error = db
        .run(Account::insert(new_account("ann")))
        .expect_err("no answer");
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
    assert_eq!(error.outcome(), Outcome::Unknown);
    assert!(unknown() >= before + 1.0);
}

#[test]
fn every_number_is_described() {
    let database = test_database();
    let (db, recorder) = opened(&database);
    db.transaction(|tx| tx.run(Account::count()))
        .expect("a count");
    let names = recorder.names();
    let of_ours = names
        .iter()
        .filter(|name| name.starts_with("bowline.") || name.starts_with("db."));
    let undescribed: Vec<_> = of_ours
        .filter(|name| !recorder.is_described(name))
        .collect();
    assert!(undescribed.is_empty() && names.len() > 8, "{undescribed:?}");
    let page = include_str!("../../../docs/OBSERVING.md");
    let undocumented: Vec<_> = names.iter().filter(|name| !page.contains(*name)).collect();
    assert!(undocumented.is_empty(), "{undocumented:?}");
}
