//! The error of a failed migration: where, why, and what was applied.

use bowline::Session;
use diesel::connection::SimpleConnection as _;

use super::{server, without_times};
use crate::Project;

/// Returns the output of `migrate run` with these migrations.
fn run(files: &[(&str, &str)]) -> String {
    let (project, server) = (Project::new(files), server());
    let url = server.url("postgres");
    without_times(&project.printed(&["migrate", "run"], &[("DATABASE_URL", &url)]))
}

#[test]
fn the_failed_statement_is_underlined() {
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
    hint: no changes were applied; fix up.sql and run `bowline migrate` again
    exit 1
    "#);
}

#[test]
fn a_failure_at_the_commit_has_no_position() {
    insta::assert_snapshot!(run(&[(
        "migrations/1_a/up.sql",
        "CREATE TABLE a (id int PRIMARY KEY, b int REFERENCES a DEFERRABLE INITIALLY DEFERRED);\nINSERT INTO a VALUES (1, 2);\n",
    )]), @r#"
    error[23503]: insert or update on table "a" violates foreign key constraint "a_b_fkey"
     |
    note: Key (b)=(2) is not present in table "a".

    error: failed to run 1_a
    hint: no changes were applied; fix up.sql and run `bowline migrate` again
    exit 1
    "#);
}

#[test]
fn an_invalid_index_is_named() {
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
    hint: it left an invalid index, so first run DROP INDEX a_id; then `bowline migrate resolve 2_index --rolled-back`; fix up.sql and run `bowline migrate` again
    exit 1
    "#);
}

#[test]
fn an_invalid_index_is_not_resolved_as_applied() {
    let (project, server) = (
        Project::new(&[
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
        ]),
        server(),
    );
    let url = server.url("postgres");
    let variables = [("DATABASE_URL", url.as_str())];
    project.printed(&["migrate", "run"], &variables);
    let arguments = ["migrate", "resolve", "2_index", "--applied"];
    insta::assert_snapshot!(project.printed(&arguments, &variables), @r"
    error: 2_index left an invalid index, which no query uses and each write maintains
    hint: REINDEX INDEX CONCURRENTLY makes it valid; or run DROP INDEX a_id, and then `bowline migrate resolve 2_index --rolled-back`
    exit 1
    ");
}

#[test]
fn statements_outside_transactions_get_a_hint() {
    const TWO: &str = "CREATE TABLE a (id int);\nCREATE INDEX CONCURRENTLY a_id ON a (id);\n";
    let hint = |files: &[(&str, &str)]| {
        let printed = run(files);
        let hint = printed.lines().find(|line| line.starts_with("hint: "));
        hint.expect(&printed).to_owned()
    };
    assert_eq!(
        hint(&[("migrations/1_a/up.sql", TWO)]),
        "hint: no changes were applied; move the statement to a migration of its own, with a metadata.toml that contains run_in_transaction = false"
    );
    assert_eq!(
        hint(&[
            ("migrations/1_a/up.sql", TWO),
            ("migrations/1_a/metadata.toml", "run_in_transaction = false"),
        ]),
        "hint: no changes were applied; the statement must be the only one in its file, since PostgreSQL runs several of one file in one transaction"
    );
}

#[test]
fn changes_before_a_commit_are_reported() {
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
    hint: only the changes before its last COMMIT were applied; then `bowline migrate resolve 1_a` with --rolled-back if nothing of it is left, or with --applied if all of it is there; fix up.sql and run `bowline migrate` again
    exit 1
    "#);
}

#[test]
fn a_second_attempt_names_the_invalid_index() {
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
    let printed = || {
        super::status::without_times(
            &project.printed(&["migrate", "run"], &[("DATABASE_URL", &url)]),
        )
    };
    printed();
    insta::assert_snapshot!(printed(), @r"
    error: 2_index began at [time] and did not finish, and left an invalid index
    hint: run DROP INDEX a_id, and then `bowline migrate resolve 2_index --rolled-back`
    exit 1
    ");
}

#[test]
fn only_a_files_own_statement_timeout_applies() {
    let project = Project::new(&[("migrations/1_a/up.sql", "SELECT pg_sleep(0.5);")]);
    let server = server();
    let mut session = Session::connect(&server.config("postgres")).expect("a connection");
    session
        .batch_execute("ALTER ROLE postgres SET statement_timeout = '200ms'")
        .expect("a setting");
    let url = server.url("postgres");
    let printed = || project.printed(&["migrate", "run"], &[("DATABASE_URL", &url)]);
    let first = printed();
    assert!(first.ends_with("exit 0"), "{first}");
    project.write(
        "migrations/2_b/up.sql",
        "SET LOCAL statement_timeout = '200ms'; SELECT pg_sleep(10);",
    );
    let second = printed();
    assert!(
        second.contains("up.sql sets a statement_timeout"),
        "{second}"
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
    let printed =
        |arguments: &[&str]| without_times(&project.printed(arguments, &[("DATABASE_URL", &url)]));
    printed(&["migrate", "run"]);
    insta::assert_snapshot!(printed(&["migrate", "revert"]), @r#"
    error[42P01]: table "b" does not exist
     --> migrations/1_a/down.sql:1:12
      |
    1 | DROP TABLE b;
      |            ^

    error: failed to revert 1_a
    hint: no changes were applied; fix down.sql and run `bowline migrate` again
    exit 1
    "#);
    assert!(printed(&["migrate", "status", "--check"]).ends_with("exit 0"));
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
fn a_lock_timeout_is_not_the_lock_of_migrations() {
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
    let printed = project.printed(
        &["migrate", "run", "--lock-attempts", "1"],
        &[("DATABASE_URL", &url)],
    );
    insta::assert_snapshot!(without_times(&printed), @r"
    error[55P03]: canceling statement due to lock timeout
     --> migrations/1_a/up.sql:2:1
      |
    2 | ALTER TABLE a ADD b int;
      | ^^^^^^^^^^^^^^^^^^^^^^^^

    error: failed to run 1_a
    hint: no changes were applied; run `bowline migrate` again when other sessions have ended their transactions
    exit 1
    ");
}
