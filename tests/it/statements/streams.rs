//! Streams of rows.

use std::time::{Duration, Instant};

use bowline::{
    Error, ErrorKind, Outcome, Session, SqlState, StatementDsl as _, TransactionOptions, sql_query,
};
use diesel::connection::SimpleConnection as _;
use diesel::sql_types::Integer;
use testkit::Proxy;

use crate::support::{STUBBORN, server};

#[derive(bowline::Row, Debug, PartialEq)]
struct Number {
    #[diesel(sql_type = Integer)]
    n: i32,
}

fn session() -> Session {
    Session::connect(&server().config("postgres")).expect("a server")
}

fn numbers(to: i32) -> bowline::statement::Sql<'static> {
    // In the SELECT list, the server sends rows as it generates them; in FROM, it would generate
    // all of them first.
    sql_query(format!("SELECT generate_series(1, {to}) AS n"))
}

#[test]
fn rows_come_in_order_and_the_session_continues() {
    let mut session = session();
    let rows = session
        .stream(numbers(10_000).all::<Number>())
        .expect("a stream");
    let rows: Vec<i32> = rows.map(|row| row.expect("a row").n).collect();
    assert!(rows.into_iter().eq(1..=10_000));
    assert!(session.run(sql_query("SELECT 1").affected()).is_ok());
}

#[test]
fn a_stream_of_no_rows_ends_at_once() {
    let mut session = session();
    let mut rows = session
        .stream(numbers(0).all::<Number>())
        .expect("a stream");
    assert!(rows.next().is_none() && rows.next().is_none());
}

#[test]
fn a_stream_dropped_early_is_cancelled() {
    let mut session = session();
    let started = Instant::now();
    let first: Vec<_> = session
        .stream(numbers(2_000_000_000).all::<Number>())
        .expect("a stream")
        .take(3)
        .collect();
    assert_eq!(first.len(), 3);
    assert!(started.elapsed() < Duration::from_secs(4));
    assert!(!session.is_broken());
    assert!(session.run(sql_query("SELECT 1").affected()).is_ok());
}

#[test]
fn a_stream_dropped_early_keeps_its_transaction() {
    let db = server().config("postgres").open().expect("a server");
    let done = db.transaction(|tx| {
        tx.run(sql_query("CREATE TABLE a_streams_transaction (x int)").affected())?;
        drop(tx.stream(numbers(2_000_000_000).all::<Number>())?);
        let all: Result<Vec<_>, Error> = tx.stream(numbers(1000).all::<Number>())?.collect();
        assert_eq!(all?.len(), 1000);
        tx.run(sql_query("DROP TABLE a_streams_transaction").affected())
    });
    done.expect("a commit");
}

#[test]
fn an_error_comes_after_the_rows_before_it() {
    let mut session = session();
    let query = sql_query("SELECT 1 / (5000 - generate_series(1, 10000)) AS n");
    let mut good = 0;
    let mut failure = None;
    for row in session.stream(query.all::<Number>()).expect("a stream") {
        match row {
            Ok(_) => good += 1,
            Err(error) => failure = Some(error),
        }
    }
    let failure = failure.expect("a division by zero");
    assert_eq!(failure.sqlstate(), SqlState::new("22012"));
    assert!((1..5000).contains(&good), "{good}");
    assert!(failure.sql().is_some_and(|sql| sql.contains("5000")));
    assert!(session.run(sql_query("SELECT 1").affected()).is_ok());
}

#[test]
fn a_failure_before_the_first_row_fails_the_call() {
    let mut session = session();
    let error = session
        .stream(sql_query("SELECT n FROM nowhere").all::<Number>())
        .expect_err("no such table");
    assert_eq!(error.sqlstate(), Some(SqlState::UNDEFINED_TABLE));
}

#[test]
fn each_step_of_a_stream_has_the_deadline_of_a_call() {
    let mut session = session();
    let query = sql_query(
        "SELECT CASE WHEN n = 1000 THEN pg_sleep(20)::text::int ELSE n END AS n FROM generate_series(1, 2000) AS n",
    );
    session.set_timeout(Duration::from_millis(300));
    let started = Instant::now();
    let last = session
        .stream(query.all::<Number>())
        .expect("a stream")
        .last()
        .expect("rows");
    let error = last.expect_err("too slow");
    assert!(started.elapsed() < Duration::from_secs(4));
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error:?}");
    assert_eq!(error.outcome(), Outcome::NotCommitted);
    assert!(!session.is_broken());
}

#[test]
fn a_stream_heeds_the_limit_of_the_database_it_is_of() {
    let db = server().config("postgres").open().expect("a server");
    let query = sql_query("SELECT pg_sleep(20)::text::int AS n");
    let started = Instant::now();
    let error = db
        .with_timeout(Duration::from_millis(300))
        .stream(query.all::<Number>())
        .expect_err("too slow");
    assert!(started.elapsed() < Duration::from_secs(4));
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error:?}");
}

#[test]
fn a_stream_takes_one_round_trip() {
    let proxy = Proxy::start(&server()).expect("a proxy");
    let db = proxy.config("postgres").open().expect("a server");
    proxy.take_round_trips();
    let rows = db.stream(numbers(20).all::<Number>()).expect("a stream");
    assert_eq!((rows.count(), proxy.take_round_trips()), (20, 1));
    db.transaction(|tx| {
        let rows = tx.stream(numbers(20).all::<Number>())?;
        assert_eq!(rows.count(), 20);
        Ok::<_, Error>(())
    })
    .expect("a commit");
    // The stream and the commit.
    assert_eq!(proxy.take_round_trips(), 2);
}

#[test]
fn a_late_stream_fails_instead_of_ending_early() {
    let mut session = session();
    session.batch_execute(STUBBORN).expect("a function");
    session.set_timeout(Duration::from_millis(300));
    for query in [
        "SELECT pg_temp.stubborn() AS n",
        "SELECT CASE WHEN n < 20000 THEN n ELSE pg_temp.stubborn() END AS n FROM generate_series(1, 20000) AS n",
    ] {
        let error = match session.stream(sql_query(query).all::<Number>()) {
            Ok(rows) => rows.last().and_then(Result::err),
            Err(error) => Some(error),
        };
        let error = error.unwrap_or_else(|| panic!("the end of {query} without its last row"));
        assert_eq!(error.kind(), ErrorKind::Timeout, "{error:?}");
        assert!(!session.is_broken());
    }
}

#[test]
fn a_stream_or_copy_refuses_unsupported_options() {
    let db = server().config("postgres").open().expect("a server");
    let reading = db.with_options(TransactionOptions::new().read_only());
    let error = reading
        .stream(numbers(1).all::<Number>())
        .map(drop)
        .expect_err("options");
    assert!(
        error
            .hint()
            .is_some_and(|hint| hint.contains("transaction"))
    );
    let streamed =
        reading.transaction(|tx| Ok::<_, Error>(tx.stream(numbers(3).all::<Number>())?.count()));
    assert_eq!(streamed.expect("rows"), 3);
}
