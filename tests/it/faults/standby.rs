//! A hot standby: it refuses writes, it is promoted, and its recovery can cancel a query.

use std::thread;
use std::time::{Duration, Instant};

use bowline::testing::{LocalServer, Shutdown};
use bowline::{
    Config, ErrorKind, Outcome, Session, SqlState, StatementDsl as _, TransactionOptions, sql_query,
};
use diesel::connection::SimpleConnection as _;

fn primary() -> LocalServer {
    let settings = [
        ("wal_level", "replica"),
        ("max_wal_senders", "4"),
        ("hot_standby", "on"),
        ("synchronous_commit", "on"),
        ("max_standby_streaming_delay", "0"),
        ("wal_receiver_status_interval", "1"),
    ];
    LocalServer::private(&settings).expect("a server")
}

fn insert() -> impl bowline::Statement<Output = usize> {
    sql_query("INSERT INTO t VALUES (1)").affected()
}

fn count(session: &mut Session) -> usize {
    session
        .run(sql_query("SELECT FROM t").affected())
        .expect("a count")
}

/// Repeats a call until it succeeds, 20 s at most.
fn until_ok<T>(mut call: impl FnMut() -> bowline::Result<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        match call() {
            Ok(done) => return done,
            Err(error) => assert!(Instant::now() < deadline, "{error}"),
        }
        thread::sleep(Duration::from_millis(10));
    }
}

/// Returns a configuration with both hosts, of which libpq takes one that accepts writes.
fn either(servers: [&LocalServer; 2]) -> Config {
    let hosts = servers.map(|server| server.socket_folder().to_string_lossy().into_owned());
    Config::new()
        .host(hosts.join(","))
        .port(5432)
        .user("postgres")
        .dbname("postgres")
        .parameter("target_session_attrs", "read-write")
        .checkout_timeout(Duration::from_secs(1))
}

#[test]
fn a_standby_is_written_to_after_its_promotion() {
    let primary = primary();
    let mut session = Session::connect(&primary.config("postgres")).expect("a server");
    session
        .batch_execute("CREATE TABLE t (x int)")
        .expect("DDL");
    let standby = primary.standby().expect("a standby");
    let mut reader = Session::connect(&standby.config("postgres")).expect("a standby");
    let error = reader.run(insert()).expect_err("it only reads");
    assert_eq!(
        (error.sqlstate(), error.outcome()),
        (
            Some(SqlState::READ_ONLY_SQL_TRANSACTION),
            Outcome::NotCommitted
        )
    );
    let db = either([&standby, &primary]).open().expect("the primary");
    db.run(insert()).expect("a row on the primary");
    let deadline = Instant::now() + Duration::from_secs(20);
    while count(&mut reader) == 0 {
        assert!(Instant::now() < deadline, "the row does not arrive");
        thread::sleep(Duration::from_millis(10));
    }

    primary.shut_down(Shutdown::Fast).expect("it stops");
    let error = db.run(insert()).expect_err("nobody takes writes");
    assert_eq!(error.outcome(), Outcome::NotCommitted, "{error:?}");
    reader
        .run(sql_query("SELECT pg_promote()").affected())
        .expect("it takes over");
    until_ok(|| db.run(insert()));
    assert_eq!(count(&mut reader), 2);
}

#[test]
fn a_recovery_conflict_on_a_standby_is_a_conflict() {
    let primary = primary();
    let mut writer = Session::connect(&primary.config("postgres")).expect("a server");
    writer
        .batch_execute("CREATE TABLE t (x int); INSERT INTO t SELECT generate_series(1, 1000)")
        .expect("DDL");
    let standby = primary.standby().expect("a standby");
    let mut reader = Session::connect(&standby.config("postgres")).expect("a standby");
    let error = thread::scope(|scope| {
        let reading =
            scope.spawn(|| reader.run(sql_query("SELECT x, pg_sleep(0.05) FROM t").affected()));
        // The query holds a lock that conflicts with the replayed DDL on the table.
        let sees = "SELECT FROM pg_locks WHERE relation = 't'::regclass";
        let mut witness = Session::connect(&standby.config("postgres")).expect("a standby");
        let deadline = Instant::now() + Duration::from_secs(10);
        while witness.run(sql_query(sees).affected()).expect("an answer") == 0 {
            assert!(Instant::now() < deadline, "it does not read");
        }
        writer.batch_execute("DROP TABLE t").expect("DDL");
        reading.join().expect("no panic").expect_err("a conflict")
    });
    assert_eq!(error.kind(), ErrorKind::Conflict, "{error:?}");
    assert_eq!(
        (error.sqlstate(), error.outcome()),
        (Some(SqlState::SERIALIZATION_FAILURE), Outcome::NotCommitted)
    );
}

#[test]
fn after_a_failed_begin_nothing_runs() {
    let primary = primary();
    let standby = primary.standby().expect("a standby");
    let db = standby.config("postgres").open().expect("a standby");
    let ended = db
        .with_options(TransactionOptions::serializable())
        .transaction(|tx| {
            let error = tx
                .run(sql_query("SELECT 1").affected())
                .expect_err("no BEGIN");
            // Another statement, as an application runs it that ignores the error.
            assert!(tx.run(sql_query("SELECT 2").affected()).is_err());
            Err::<(), _>(error)
        });
    let error = ended.expect_err("a standby is not serializable");
    assert_eq!(
        (error.sqlstate(), error.outcome()),
        (Some(SqlState::FEATURE_NOT_SUPPORTED), Outcome::NotCommitted)
    );
    assert_eq!(
        db.run(sql_query("SELECT 1").affected()).expect("a session"),
        1
    );
}
