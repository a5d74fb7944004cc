//! What is said of a migration that fails: where, why, and what was done.

use bowline::Session;
use diesel::connection::SimpleConnection as _;

use super::{server, without_times};
use crate::Project;

/// What `migrate run` says of these migrations.
fn run(files: &[(&str, &str)]) -> String {
    let (project, server) = (Project::new(files), server());
    let url = server.url("postgres");
    without_times(&project.said(&["migrate", "run"], &[("DATABASE_URL", &url)]))
}

#[test]
fn the_statement_at_fault_is_underlined_where_the_server_names_no_place() {
    insta::assert_snapshot!(run(&[(
        "migrations/1_a/up.sql",
        "CREATE TABLE a (id int PRIMARY KEY);\nINSERT INTO a VALUES (1);\n-- again\nINSERT INTO a\nVALUES (1);\n",
    )]), @r#"
    error[23505]: duplicate key value violates unique constraint "a_pkey"
     --> migrations/1_a/up.sql:4:1
      |
    4 | INSERT INTO a
      | ^^^^^^^^^^^^^
      |
    note: Key (id)=(1) already exists.

    error: failed to run 1_a
    hint: nothing of it was done: mend its up.sql and run again
    exit 1
    "#);
}

#[test]
fn a_failure_at_the_commit_has_no_place() {
    insta::assert_snapshot!(run(&[(
        "migrations/1_a/up.sql",
        "CREATE TABLE a (id int PRIMARY KEY, b int REFERENCES a DEFERRABLE INITIALLY DEFERRED);\nINSERT INTO a VALUES (1, 2);\n",
    )]), @r#"
    error[23503]: insert or update on table "a" violates foreign key constraint "a_b_fkey"
     |
    note: Key (b)=(2) is not present in table "a".

    error: failed to run 1_a
    hint: nothing of it was done: mend its up.sql and run again
    exit 1
    "#);
}

#[test]
fn an_index_that_is_left_behind_is_named() {
    insta::assert_snapshot!(run(&[
        ("migrations/1_a/up.sql", "CREATE TABLE a (id int); INSERT INTO a VALUES (1), (1);"),
        ("migrations/2_index/up.sql", "CREATE UNIQUE INDEX CONCURRENTLY a_id ON a (id);"),
        ("migrations/2_index/metadata.toml", "run_in_transaction = false"),
    ]), @r#"
    ran 1_a
    error[23505]: could not create unique index "a_id"
     --> migrations/2_index/up.sql:1:34
      |
    1 | CREATE UNIQUE INDEX CONCURRENTLY a_id ON a (id);
      |                                  ^^^^
      |
    note: Key (id)=(1) is duplicated.

    error: failed to run 2_index
    hint: it left what is of no use, so first run DROP INDEX a_id: mend its up.sql and run again
    exit 1
    "#);
}

#[test]
fn what_no_transaction_takes_is_told_where_it_belongs() {
    const TWO: &str = "CREATE TABLE a (id int);\nCREATE INDEX CONCURRENTLY a_id ON a (id);\n";
    let hint = |files: &[(&str, &str)]| {
        let said = run(files);
        let hint = said.lines().find(|line| line.starts_with("hint: "));
        hint.expect(&said).to_owned()
    };
    assert_eq!(
        hint(&[("migrations/1_a/up.sql", TWO)]),
        "hint: nothing of it was done: move the statement, alone, to a migration with a file metadata.toml that says run_in_transaction = false"
    );
    assert_eq!(
        hint(&[
            ("migrations/1_a/up.sql", TWO),
            ("migrations/1_a/metadata.toml", "run_in_transaction = false"),
        ]),
        "hint: it does not run in a transaction, so a part of it may be done: leave the statement alone in its file, since several of one file are one transaction"
    );
}

#[test]
fn what_a_commit_of_its_own_kept_is_said() {
    insta::assert_snapshot!(run(&[
        ("migrations/1_a/up.sql", "BEGIN;\nCREATE TABLE a (id int);\nCOMMIT;\nSELECT nothing;\n"),
        ("migrations/1_a/metadata.toml", "run_in_transaction = false"),
    ]), @r#"
    error[42703]: column "nothing" does not exist
     --> migrations/1_a/up.sql:4:8
      |
    4 | SELECT nothing;
      |        ^^^^^^^

    error: failed to run 1_a
    hint: what stands before its last COMMIT was done, nothing else: mend its up.sql and run again
    exit 1
    "#);
}

#[test]
fn a_second_try_names_the_index_that_the_first_has_left() {
    let project = Project::new(&[
        (
            "migrations/1_a/up.sql",
            "CREATE TABLE a (id int); INSERT INTO a VALUES (1), (1);",
        ),
        (
            "migrations/2_index/up.sql",
            "CREATE UNIQUE INDEX CONCURRENTLY a_id ON a (id);",
        ),
        (
            "migrations/2_index/metadata.toml",
            "run_in_transaction = false",
        ),
    ]);
    let server = server();
    let url = server.url("postgres");
    let said = || without_times(&project.said(&["migrate", "run"], &[("DATABASE_URL", &url)]));
    said();
    insta::assert_snapshot!(said(), @r#"
    error[42P07]: relation "a_id" already exists
     --> migrations/2_index/up.sql:1:34
      |
    1 | CREATE UNIQUE INDEX CONCURRENTLY a_id ON a (id);
      |                                  ^^^^

    error: failed to run 2_index
    hint: an earlier try left an invalid index, so first run DROP INDEX a_id: mend its up.sql and run again
    exit 1
    "#);
}

#[test]
fn a_timeout_of_the_role_is_named() {
    let project = Project::new(&[("migrations/1_a/up.sql", "SELECT pg_sleep(10);")]);
    let server = server();
    let mut session = Session::connect(&server.config("postgres")).expect("a connection");
    session
        .batch_execute("ALTER ROLE postgres SET statement_timeout = '200ms'")
        .expect("a setting");
    let url = server.url("postgres");
    let said = project.said(&["migrate", "run"], &[("DATABASE_URL", &url)]);
    assert!(
        said.contains("begin up.sql with SET LOCAL statement_timeout = 0;"),
        "{said}"
    );
}

#[test]
fn a_down_that_fails_leaves_the_migration_as_run() {
    let project = Project::new(&[
        (
            "migrations/1_a/up.sql",
            "CREATE TABLE a (id int PRIMARY KEY);",
        ),
        ("migrations/1_a/down.sql", "DROP TABLE b;"),
    ]);
    let server = server();
    let url = server.url("postgres");
    let said =
        |arguments: &[&str]| without_times(&project.said(arguments, &[("DATABASE_URL", &url)]));
    said(&["migrate", "run"]);
    insta::assert_snapshot!(said(&["migrate", "revert"]), @r#"
    error[42P01]: table "b" does not exist
     --> migrations/1_a/down.sql:1:12
      |
    1 | DROP TABLE b;
      |            ^

    error: failed to revert 1_a
    hint: nothing of it was done: mend its down.sql and run again
    exit 1
    "#);
    assert!(said(&["migrate", "status", "--check"]).ends_with("exit 0"));
}

#[test]
fn notices_of_a_migration_are_shown() {
    insta::assert_snapshot!(run(&[("migrations/1_a/up.sql", "DROP TABLE IF EXISTS a;")]), @r#"
    notice: table "a" does not exist, skipping
    ran 1_a
    1 migration, 1 run now
    exit 0
    "#);
}

#[test]
fn what_others_keep_locked_is_no_failure_of_the_lock_of_migrations() {
    let project = Project::new(&[(
        "migrations/1_a/up.sql",
        "SET LOCAL lock_timeout = '100ms';\nALTER TABLE a ADD b int;",
    )]);
    let server = server();
    let mut other = Session::connect(&server.config("postgres")).expect("a connection");
    for sql in ["CREATE TABLE a (id int)", "BEGIN; SELECT * FROM a"] {
        other.batch_execute(sql).expect("a lock");
    }
    let url = server.url("postgres");
    let said = project.said(&["migrate", "run"], &[("DATABASE_URL", &url)]);
    insta::assert_snapshot!(without_times(&said), @r"
    error[55P03]: canceling statement due to lock timeout
     --> migrations/1_a/up.sql:2:1
      |
    2 | ALTER TABLE a ADD b int;
      | ^^^^^^^^^^^^^^^^^^^^^^^^

    error: failed to run 1_a
    hint: nothing of it was done: run again once others are out of the way
    exit 1
    ");
}
