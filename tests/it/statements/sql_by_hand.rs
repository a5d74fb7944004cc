//! SQL written by hand: comments, semicolons, row counts checked by the server.

use bowline::{ErrorKind, Outcome, Session, SqlState, StatementDsl as _, sql_query};
use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::sql_types::Integer;

use crate::support::test_database;

#[derive(bowline::Row, Debug, PartialEq)]
struct Number {
    #[diesel(sql_type = Integer)]
    x: i32,
}

/// Creates a table `t (x int, note text)` with three rows, and returns a session.
fn session() -> (bowline::testing::TestDatabase, Session) {
    let database = test_database();
    let mut session = Session::connect(&database.config()).expect("a server");
    session
        .batch_execute("CREATE TABLE t (x int, note text); INSERT INTO t VALUES (1), (2), (3)")
        .expect("DDL");
    (database, session)
}

fn count(session: &mut Session) -> usize {
    let rows = session.run(sql_query("SELECT x FROM t").all::<Number>());
    rows.expect("rows").len()
}

#[test]
fn written_rows_are_counted_however_the_sql_is_written() {
    let (_database, mut session) = session();
    for text in [
        "INSERT INTO t VALUES (9)",
        "INSERT INTO t VALUES (9);",
        "INSERT INTO t VALUES (9) -- note",
        "INSERT INTO t VALUES (9); -- done",
        "; ;INSERT INTO t VALUES (9) /* ; */ ; /* a /* b */ c */",
        "-- first\n/* second */ INSERT INTO t VALUES (9)",
        "INSERT INTO t VALUES (9) RETURNING x",
        "INSERT INTO t VALUES (9) RETURNING x, note -- both",
        "INSERT INTO t VALUES (9, 'RETURNING; --')",
        "INSERT INTO t SELECT 9 WHERE (SELECT count(*) FROM t) > 0",
        "WITH new AS (SELECT 9) INSERT INTO t SELECT * FROM new",
        "WITH new AS (INSERT INTO t VALUES (9) RETURNING x) SELECT * FROM new;",
        "WITH new AS (SELECT 9) INSERT INTO t SELECT * FROM new RETURNING x",
        "MERGE INTO t USING (VALUES (9)) s (y) ON false WHEN NOT MATCHED THEN INSERT (x) VALUES (s.y)",
        "INSERT INTO t VALUES (9) ON CONFLICT DO NOTHING /* ; */ ;",
        "WITH gone AS (DELETE FROM t WHERE false) INSERT INTO t VALUES (9)",
    ] {
        let before = count(&mut session);
        assert_eq!(
            session.run(sql_query(text).exactly(1)).expect(text),
            1,
            "{text}"
        );
        assert_eq!(count(&mut session), before + 1, "{text}");
        let error = session.run(sql_query(text).exactly(2)).expect_err(text);
        assert_eq!(error.kind(), ErrorKind::NotFound, "{text}: {error:?}");
        assert_eq!(error.message(), "expected 2 rows, got 1", "{text}");
        assert_eq!(error.outcome(), Outcome::NotCommitted, "{text}");
        let error = session
            .run((sql_query(text).exactly(0), sql_query("SELECT 1").affected()))
            .expect_err(text);
        assert_eq!(error.kind(), ErrorKind::TooManyRows, "{text}: {error:?}");
        assert_eq!(count(&mut session), before + 1, "{text}");
    }
}

#[test]
fn rows_that_are_read_are_counted_too() {
    let (_database, mut session) = session();
    for text in [
        "SELECT x FROM t",
        "SELECT x FROM t; -- all",
        "(SELECT x FROM t)",
        "TABLE t",
        "VALUES (1), (2), (3);",
        "WITH all_of_it AS (SELECT x FROM t) SELECT * FROM all_of_it",
        "SELECT x FROM t FOR UPDATE",
        "SELECT x AS a, x AS a FROM t",
        "SELECT x FROM t ORDER BY x FETCH FIRST 3 ROWS ONLY",
        "TABLE t UNION ALL SELECT * FROM t WHERE false -- ;",
        "SELECT ';' FROM t /* '; */",
    ] {
        assert_eq!(
            session.run(sql_query(text).exactly(3)).expect(text),
            3,
            "{text}"
        );
        let error = session.run(sql_query(text).exactly(4)).expect_err(text);
        assert_eq!(error.message(), "expected 4 rows, got 3", "{text}");
    }
    let copied = "SELECT x INTO copied FROM t";
    assert!(session.run(sql_query(copied).exactly(4)).is_err());
    assert_eq!(
        session.run(sql_query(copied).exactly(3)).expect("a table"),
        3
    );
}

diesel::table! {
    t (x) {
        x -> Integer,
    }
}

#[test]
fn a_diesel_query_that_reads_is_counted_too() {
    let (_database, mut session) = session();
    let query = || t::table.select(t::x);
    assert_eq!(session.run(query().exactly(3)).expect("three"), 3);
    let error = session.run(query().exactly(5)).expect_err("not five");
    assert_eq!(error.message(), "expected 5 rows, got 3");
}

#[test]
fn one_row_is_read_however_the_sql_is_written() {
    let (_database, mut session) = session();
    for text in [
        "SELECT x FROM t WHERE x = 2; -- two",
        "; /* ; */ SELECT x FROM t WHERE x = 2",
        "(SELECT x FROM t WHERE x = 2)",
        "UPDATE t SET note = ';' WHERE x = 2 RETURNING x;",
        "WITH two AS (SELECT 2 AS x) SELECT x FROM two -- ;",
        "SELECT x FROM t WHERE x = 2 FOR UPDATE; ;",
    ] {
        let both = (
            sql_query(text).one::<Number>(),
            sql_query(text).optional::<Number>(),
        );
        let (one, optional) = session.run(both).expect(text);
        assert_eq!((one.x, optional), (2, Some(Number { x: 2 })), "{text}");
    }
    let none = "DELETE FROM t WHERE x = 7 RETURNING x; -- none";
    let both = (
        sql_query(none).optional::<Number>(),
        sql_query("SELECT 1").affected(),
    );
    assert_eq!(session.run(both).expect("no row").0, None);
}

#[test]
fn a_statement_without_a_count_is_refused_with_why() {
    let (_database, mut session) = session();
    session
        .batch_execute("CREATE TABLE log (x int); CREATE RULE r AS ON INSERT TO t DO ALSO INSERT INTO log VALUES (new.x)")
        .expect("DDL");
    let error = session
        .run(sql_query("INSERT INTO t VALUES (4)").exactly(1))
        .expect_err("a rule");
    assert_eq!(error.sqlstate(), Some(SqlState::FEATURE_NOT_SUPPORTED));
    assert!(
        error.hint().is_some_and(|hint| hint.contains("rules")),
        "{error:?}"
    );
    let error = session
        .run((
            sql_query("DELETE FROM t WHERE x = 1").one::<Number>(),
            sql_query("SELECT 1").affected(),
        ))
        .expect_err("no RETURNING");
    assert!(
        error.hint().is_some_and(|hint| hint.contains("RETURNING")),
        "{error:?}"
    );
    let error = session
        .run(sql_query("DELETE FROM t; DELETE FROM t").exactly(3))
        .expect_err("two statements");
    assert!(error.message().contains("multiple commands"), "{error:?}");
    for nothing in ["-- nothing", " ; ", "/* a */;"] {
        let error = session
            .run(sql_query(nothing).exactly(0))
            .expect_err(nothing);
        assert_eq!(error.message(), "the query is empty");
    }
    assert_eq!(count(&mut session), 3);
}

#[test]
fn an_error_points_into_the_sql_as_it_was_written() {
    let (_database, mut session) = session();
    for text in [
        "\n\t SELECT nothing FROM t",
        "; SELECT é, nothing FROM t; -- a",
        "/* ü; */ UPDATE t SET nothing = 1 RETURNING x",
    ] {
        let error = session
            .run((
                sql_query(text).one::<Number>(),
                sql_query("SELECT 1").affected(),
            ))
            .expect_err(text);
        let position = error
            .server()
            .and_then(|server| server.position)
            .expect(text);
        let at: String = text.chars().skip(position - 1).collect();
        assert!(
            at.starts_with("é") || at.starts_with("nothing"),
            "{text}: {at}"
        );
        assert_eq!(error.sql(), Some(text));
    }
}

#[test]
fn a_locked_query_may_end_with_a_semicolon_or_a_comment() {
    use bowline::Statement as _;
    let (_database, mut session) = session();
    for text in [
        "SELECT x FROM t; -- all",
        "SELECT x FROM t -- all",
        ";SELECT x FROM t /* ; */;",
    ] {
        let rows = session.run(sql_query(text).all::<Number>().for_update().skip_locked());
        assert_eq!(rows.expect(text).len(), 3, "{text}");
    }
}

#[test]
fn a_subquery_may_end_with_semicolon_or_comment() {
    let (_database, mut session) = session();
    for text in [
        "SELECT x FROM t ORDER BY x; -- all",
        "SELECT x FROM t ORDER BY x -- all",
        ";SELECT x FROM t ORDER BY x /* ; */;",
    ] {
        let all = || sql_query(text).all::<Number>();
        let first = session.transaction(|session| {
            let mut cursor = session.cursor(all())?;
            cursor.next_row()
        });
        assert_eq!(first.expect(text), Some(Number { x: 1 }), "{text}");
        let streamed = session.stream(all()).expect(text);
        assert_eq!(streamed.filter_map(Result::ok).count(), 3, "{text}");
        // COPY accepts the query; only reading its rows needs column names.
        drop(session.copy_out(all()).expect(text));
    }
}

#[test]
fn a_copy_as_a_statement_is_refused() {
    let (_database, mut session) = session();
    for text in [
        "COPY t FROM /* x */ STDIN",
        ";COPY t FROM STDIN",
        "COPY t FROM -- x\n STDIN",
        "COPY t TO /* x */ STDOUT",
        "COPY t TO -- x\n STDOUT",
        "COPY t FROM STDOUT",
        "/* a /* b */ */ COPY (SELECT ') TO x' FROM t) TO STDOUT (FORMAT csv)",
    ] {
        let error = session.run(sql_query(text).affected()).expect_err(text);
        assert!(
            error.hint().is_some_and(|hint| hint.contains("copy_in")),
            "{text}: {error:?}"
        );
        assert_eq!(error.outcome(), Outcome::NotCommitted, "{text}");
        assert!(!session.is_broken(), "{text}");
    }
    let copied = session.copy_in_from(
        "COPY t (x) FROM /* x */ STDIN; -- rows",
        "4\n5\n".as_bytes(),
    );
    assert_eq!(copied.expect("rows"), 2);
    let mut out = Vec::new();
    let copied = session.copy_out_to(";COPY t (x) TO -- x\n STDOUT", &mut out);
    assert_eq!(
        (copied.expect("rows"), out.as_slice()),
        (5, &b"1\n2\n3\n4\n5\n"[..])
    );
}

#[test]
fn a_role_or_setting_is_not_handed_on_to_the_next_holder() {
    let database = test_database();
    let db = database.config().max_size(1).open().expect("a server");
    let mut maker = Session::connect(&database.config()).expect("a server");
    maker
        .batch_execute("DROP ROLE IF EXISTS bowline_weak; CREATE ROLE bowline_weak")
        .expect("a role");
    for text in [
        ";SET ROLE bowline_weak",
        "SET /* local */ ROLE bowline_weak",
        "SELECT U&\"set\\005fconfig\"('role', 'bowline_weak', false)",
        "SELECT U&\"set!005fconfig\" UESCAPE '!' ('role', 'bowline_weak', false)",
        "EXPLAIN ANALYZE SELECT set_config('role', 'bowline_weak', false)",
        "COPY (SELECT set_config('role', 'bowline_weak', false)) TO '/dev/null'",
        "UPDATE pg_settings SET setting = 'bowline_weak' WHERE name = 'role'",
        "DO $$ BEGIN SET ROLE bowline_weak; END $$",
        "SET SESSION ROLE bowline_weak",
        "set \"role\" = 'bowline_weak'",
        "SELECT set_config(E'r\\x6fle', 'bowline_weak', false)",
        "VALUES (pg_catalog.set_config('role', 'bowline_weak', false))",
        "WITH x AS MATERIALIZED (SELECT set_config('role', 'bowline_weak', false)) TABLE x",
    ] {
        db.run(sql_query(text).affected()).expect(text);
        let is_weak = "SELECT 1 WHERE current_user = 'bowline_weak'";
        assert_eq!(
            db.run(sql_query(is_weak).affected()).expect("a look"),
            0,
            "{text}"
        );
    }
    let made = "CREATE TABLE mine (x int)";
    for path in [
        "SET LOCAL search_path TO pg_temp, public",
        "SELECT set_config('search_path', 'pg_temp', true)",
    ] {
        db.run((sql_query(path).affected(), sql_query(made).affected()))
            .expect(path);
        let is_there = "SELECT 1 WHERE to_regclass('pg_temp.mine') IS NOT NULL";
        assert_eq!(
            db.run(sql_query(is_there).affected()).expect("a look"),
            0,
            "{path}"
        );
    }
    for name in ["local", "transaction", "constraints"] {
        db.run(sql_query(format!("SET {name}.x = 'a'")).affected())
            .expect(name);
        let is_set = format!("SELECT 1 WHERE current_setting('{name}.x', true) = 'a'");
        assert_eq!(
            db.run(sql_query(is_set).affected()).expect("a look"),
            0,
            "{name}"
        );
    }
    maker
        .batch_execute("DROP ROLE bowline_weak")
        .expect("no role");
}
