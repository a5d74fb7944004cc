//! Any SQL, with answers in PostgreSQL's text format.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use bowline::session::SimpleQueryMessage;
use bowline::{Error, ErrorKind, Outcome, Session, SqlState, StatementDsl as _, sql_query};
use diesel::connection::Connection as _;

use crate::support::server;

fn session() -> Session {
    Session::connect(&server().config("postgres")).expect("a server")
}

/// Returns one line for each message of the answer.
fn messages(session: &mut Session, sql: &str) -> (Vec<String>, bowline::Result<()>) {
    let mut lines = Vec::new();
    let done = session.simple_query(sql, |message| {
        lines.push(match message {
            SimpleQueryMessage::RowDescription(columns) => {
                let columns = columns.iter();
                let columns = columns.map(|column| format!("{} {}", column.name, column.type_oid));
                columns.collect::<Vec<_>>().join(", ")
            }
            SimpleQueryMessage::Row(row) => {
                let cells = (0..row.len()).map(|cell| match row.get(cell) {
                    Some(text) => format!("[{text}]"),
                    None => "NULL".to_owned(),
                });
                cells.collect::<Vec<_>>().join(" ")
            }
            SimpleQueryMessage::CopyData(data) => String::from_utf8_lossy(data).into_owned(),
            SimpleQueryMessage::CommandComplete(tag) => tag.to_owned(),
            other => format!("{other:?}"),
        });
        ControlFlow::Continue(())
    });
    (lines, done)
}

#[test]
fn each_statement_tells_its_columns_rows_and_tag_as_text() {
    let (lines, done) = messages(
        &mut session(),
        "CREATE TEMPORARY TABLE t (a int, b text[]); INSERT INTO t VALUES (1, '{x,y}'), (2, NULL);
         SELECT * FROM t ORDER BY a; SELECT * FROM t WHERE false; ; COPY t TO STDOUT; SELECT",
    );
    assert!(done.is_ok());
    assert_eq!(
        lines,
        [
            "CREATE TABLE",
            "INSERT 0 2",
            "a 23, b 1009",
            "[1] [{x,y}]",
            "[2] NULL",
            "SELECT 2",
            "a 23, b 1009",
            "SELECT 0",
            "1\t{x,y}\n",
            "2\t\\N\n",
            "COPY 2",
            "",
            "",
            "SELECT 1"
        ]
    );
}

#[test]
fn many_rows_follow_one_description() {
    let (lines, done) = messages(&mut session(), "SELECT generate_series(1, 1000) AS n");
    assert!(done.is_ok());
    assert_eq!(lines.len(), 1002);
    assert_eq!((&*lines[0], &*lines[1000]), ("n 23", "[1000]"));
}

#[test]
fn an_error_has_its_position_in_the_whole_text() {
    let (lines, done) = messages(&mut session(), "SELECT 1; SELECT 1 / 0");
    assert_eq!(lines, ["?column? 23", "[1]", "SELECT 1"]);
    let error = done.expect_err("an error");
    assert_eq!(error.sqlstate(), Some(SqlState::DIVISION_BY_ZERO));
    let (lines, done) = messages(&mut session(), "SELECT 1; SELECT nothing");
    assert_eq!(lines, ["?column? 23", "[1]", "SELECT 1"]);
    assert_eq!(done.expect_err("an error").position(), Some(18));
}

#[test]
fn a_transaction_reports_only_the_callers_statements() {
    let mut session = session();
    let lines = session.transaction(|session| {
        let (first, done) = messages(session, "SELECT 1 AS a");
        done?;
        let inner = session.savepoint(|session| {
            let (lines, done) = messages(session, "SELECT 2 AS b");
            done.map(|()| lines)
        })?;
        Ok::<_, Error>([first, inner].concat())
    });
    assert_eq!(
        lines.expect("no error"),
        ["a 23", "[1]", "SELECT 1", "b 23", "[2]", "SELECT 1"]
    );
}

#[test]
fn breaking_off_cancels_and_the_session_continues() {
    let mut session = session();
    let started = Instant::now();
    let mut rows = 0;
    let done = session.simple_query("SELECT generate_series(1, 2000000000)", |message| {
        rows += u64::from(matches!(message, SimpleQueryMessage::Row(_)));
        if rows < 3 {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    });
    assert_eq!(
        done.expect_err("it was cancelled").sqlstate(),
        Some(SqlState::QUERY_CANCELED)
    );
    assert_eq!(rows, 3);
    assert!(started.elapsed() < Duration::from_secs(4));
    assert!(session.run(sql_query("SELECT 1").affected()).is_ok());
}

#[test]
fn the_deadline_excludes_the_time_of_the_callback() {
    let mut session = session();
    session.set_timeout(Duration::from_millis(300));
    let started = Instant::now();
    let error = session
        .simple_query("SELECT 1; SELECT pg_sleep(60)", |_| {
            ControlFlow::Continue(())
        })
        .expect_err("it takes too long");
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    assert_eq!(error.outcome(), Outcome::NotCommitted);
    assert!(started.elapsed() < Duration::from_secs(3));
    let slow = session.simple_query("SELECT 1; SELECT 2", |_| {
        std::thread::sleep(Duration::from_millis(100));
        ControlFlow::Continue(())
    });
    assert!(slow.is_ok());
}

#[test]
fn the_next_statement_gets_its_whole_answer() {
    for text in [
        "SELECT 1",
        "SELECT 1 / 0",
        "SELECT",
        "SET work_mem = 1000",
        "nonsense",
    ] {
        let mut session = session();
        session
            .simple_query(text, |_| ControlFlow::Continue(()))
            .ok();
        let rows = session.run(sql_query("SELECT generate_series(1, 3)").affected());
        assert_eq!(rows.expect("an answer"), 3, "{text}");
        let mut broken_off = 0;
        session
            .simple_query("SELECT generate_series(1, 2000)", |_| {
                broken_off += 1;
                ControlFlow::Break(())
            })
            .ok();
        let rows = session.run(sql_query("SELECT generate_series(1, 4)").affected());
        assert_eq!(rows.expect("an answer"), 4, "{text}, broken off");
        assert_eq!(broken_off, 1);
    }
}
