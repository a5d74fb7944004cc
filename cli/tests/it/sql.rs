//! `bowline sql`, on a server, compared with psql.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use bowline::testing::LocalServer;

use crate::Project;

fn server() -> LocalServer {
    LocalServer::start().unwrap_or_else(|error| panic!("{error}"))
}

/// Returns the output of the command and its exit code, for this SQL on the database `postgres`.
fn sql(arguments: &[&str]) -> String {
    let project = Project::new(&[]);
    let url = server().url("postgres");
    let arguments: Vec<&str> = [&["sql"], arguments].concat();
    project.printed(&arguments, &[("DATABASE_URL", &url)])
}

/// Returns the output of psql for one command.
pub(crate) fn psql(url: &str, command: &str) -> String {
    let folder = std::env::var("BOWLINE_PG_BIN").map(|folder| format!("{folder}/"));
    let output = Command::new(format!("{}psql", folder.unwrap_or_default()))
        .args(["-X", "-d", url, "-c", command])
        .output()
        .expect("psql runs");
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn an_answer_is_printed_as_psql_prints_it() {
    for query in [
        "SELECT 1 AS n, 'ann' AS name, NULL AS nothing, 2.50 AS price",
        "SELECT * FROM (VALUES (1, 'a'), (200, NULL), (NULL, E'two\\nlines')) AS t (number, text)",
        "SELECT E'a\\nb' AS \"two\nlines\", E'c\\n\\nd' AS last, 3 AS n",
        "SELECT E'last\\nlines' AS a, E'and\\nmore\\nlines' AS b",
        "SELECT E'tab\\there', E'ab\\tc', E'\\r', E'\\x1b[2J', E'\\u0085'",
        "SELECT '日本語' AS wide, 'é' AS narrow, U&'e\\0301' AS combined, 'x' AS \"名前\"",
        "SELECT true AS yes, '{1,2}'::int[] AS numbers, 1::money, 2::oid, 3::real, 'NaN'::float8, now() > '2020-01-01' AS later",
        "SELECT 1 AS a WHERE false",
        "SELECT",
        "SELECT FROM generate_series(1, 3)",
        "CREATE TEMPORARY TABLE t (id int); INSERT INTO t VALUES (1), (2) RETURNING id; UPDATE t SET id = 3 WHERE id = 1; DELETE FROM t; DROP TABLE t",
        "SHOW client_encoding; SELECT 1; ; SELECT 2",
        "BEGIN; COMMIT",
        "COPY (VALUES (1, 'a'), (2, NULL)) TO STDOUT",
        "EXPLAIN (COSTS OFF) SELECT 1",
    ] {
        assert_eq!(
            sql(&[query]),
            format!("{}exit 0", psql(&server().url("postgres"), query)),
            "{query}"
        );
    }
}

#[test]
fn an_error_is_shown_where_it_is_written() {
    insta::assert_snapshot!(sql(&["SELECT 1 AS a;\nSELECT nothing\nFROM pg_class"]), @r#"
     a 
    ---
     1
    (1 row)

    error[42703]: column "nothing" does not exist
     --> query:2:8
      |
    2 | SELECT nothing
      |        ^^^^^^^

    error: failed to run statement 2
    hint: nothing is committed: the statements run in one transaction
    exit 1
    "#);
    insta::assert_snapshot!(sql(&["SELECT 1;\nSELECT 1 / 0 AS never;"]), @r"
     ?column? 
    ----------
            1
    (1 row)

    error[22012]: division by zero
     --> query:2:1
      |
    2 | SELECT 1 / 0 AS never;
      | ^^^^^^^^^^^^^^^^^^^^^^

    error: failed to run statement 2
    hint: nothing is committed: the statements run in one transaction
    exit 1
    ");
    insta::assert_snapshot!(sql(&["\\d accounts"]), @r#"
    error[42601]: syntax error at or near "\"
     --> query:1:1
      |
    1 | \d accounts
      | ^

    error: failed to run the query
    hint: commands of psql, such as \d, are not SQL; `bowline schema` shows tables
    exit 1
    "#);
    insta::assert_snapshot!(sql(&["DO $$ BEGIN EXECUTE 'SELECT nothing'; END $$"]), @r#"
    error[42703]: column "nothing" does not exist
     --> query:1:29
      |
    1 | DO $$ BEGIN EXECUTE 'SELECT nothing'; END $$
      |                             ^^^^^^^
      |
    note: in SQL that a function runs
      |
    1 | SELECT nothing
      |        ^^^^^^^
    note: PL/pgSQL function inline_code_block line 1 at EXECUTE

    error: failed to run the query
    exit 1
    "#);
    insta::assert_snapshot!(sql(&["CREATE TEMPORARY TABLE t (id int PRIMARY KEY);\nINSERT INTO t VALUES (1);\nINSERT INTO t VALUES (1);"]), @r#"
    CREATE TABLE
    INSERT 0 1
    error[23505]: duplicate key value violates unique constraint "t_pkey"
     --> query:3:1
      |
    3 | INSERT INTO t VALUES (1);
      | ^^^^^^^^^^^^^^^^^^^^^^^^^
      |
    note: Key (id)=(1) already exists.

    error: failed to run statement 3
    hint: nothing is committed: the statements run in one transaction
    exit 1
    "#);
}

#[test]
fn sql_comes_from_a_file_or_standard_input() {
    let project = Project::new(&[("a.sql", "SELECT 1 AS a;\nSELECT b;\n")]);
    let url = server().url("postgres");
    let variables = [("DATABASE_URL", url.as_str())];
    insta::assert_snapshot!(project.printed(&["sql", "-f", "a.sql"], &variables), @r#"
     a 
    ---
     1
    (1 row)

    error[42703]: column "b" does not exist
     --> a.sql:2:8
      |
    2 | SELECT b;
      |        ^

    error: failed to run statement 2
    hint: nothing is committed: the statements run in one transaction
    exit 1
    "#);
    insta::assert_snapshot!(project.printed(&["sql", "-f", "none.sql"], &variables), @r"
    error: cannot read none.sql: No such file or directory (os error 2)
    exit 1
    ");
    insta::assert_snapshot!(project.printed(&["sql", "SELECT 1", "-f", "a.sql"], &variables), @r"
    error: the argument '[QUERY]' cannot be used with '--file <FILE>'

    Usage: bowline sql <QUERY>

    For more information, try '--help'.
    exit 2
    ");
    let mut child = Command::new(env!("CARGO_BIN_EXE_bowline"))
        .args(["sql", "--database-url", &url])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it runs");
    child
        .stdin
        .take()
        .expect("its input")
        .write_all(b"COPY (SELECT 1 AS a) TO STDOUT (FORMAT csv, HEADER)")
        .expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "a\n1\n");
}

#[test]
fn a_statement_past_its_deadline_is_cancelled() {
    let started = Instant::now();
    let printed = sql(&["--timeout", "1", "SELECT pg_sleep(60)"]);
    assert!(
        printed.contains("error[57014]") && printed.ends_with("exit 1"),
        "{printed}"
    );
    assert!(started.elapsed() < Duration::from_secs(10));
    assert!(sql(&["--timeout", "0", "SELECT 1"]).ends_with("exit 2"));
}

#[test]
fn read_only_lets_nothing_be_written() {
    insta::assert_snapshot!(sql(&["--read-only", "CREATE TABLE never (id int)"]), @r"
    error[25006]: cannot execute CREATE TABLE in a read-only transaction
     --> query:1:1
      |
    1 | CREATE TABLE never (id int)
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^

    error: failed to run the query
    exit 1
    ");
    assert!(sql(&["--read-only", "SELECT 1"]).ends_with("exit 0"));
}

#[test]
fn a_notice_goes_to_standard_error() {
    insta::assert_snapshot!(sql(&["DROP TABLE IF EXISTS never; DO $$ BEGIN RAISE WARNING 'look out'; END $$"]), @r#"
    DROP TABLE
    DO
    notice: table "never" does not exist, skipping
    warning: look out
    exit 0
    "#);
}

#[test]
fn a_line_break_in_a_notice_imitates_no_error() {
    let notice = "DO $$ BEGIN RAISE NOTICE E'one\\nerror: two' USING DETAIL = E'three\\nhint: four', HINT = 'five'; END $$";
    insta::assert_snapshot!(sql(&[notice]), @r"
    DO
    notice: one
            error: two
    detail: three
            hint: four
    hint: five
    exit 0
    ");
    let failure = "DO $$ BEGIN RAISE EXCEPTION E'one\\nerror: two' USING DETAIL = E'three\\nhint: four'; END $$";
    let printed = sql(&[failure]);
    let forged = printed
        .lines()
        .filter(|line| line.starts_with("error: two") || line.starts_with("hint: four"));
    assert_eq!(forged.count(), 0, "{printed}");
}

#[test]
fn a_closed_output_ends_the_command_and_its_query() {
    let started = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_bowline"))
        .args([
            "sql",
            "COPY (SELECT generate_series(1, 2000000000) AS n) TO STDOUT",
            "--database-url",
            &server().url("postgres"),
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("its output"))
        .read_line(&mut line)
        .expect("a line");
    assert_eq!(line, "1\n");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(output.stderr.is_empty());
    assert!(started.elapsed() < Duration::from_secs(20));
}
