//! `bowline migrate`, on a server.

use bowline::testing::LocalServer;
use bowline::{Session, StatementDsl as _, sql_query};

use crate::Project;

mod backfill;
mod failures;
mod history;
mod kills;
mod lock;
mod plan;
mod pooler;
mod program;
mod scripts;
mod settings;
mod sqlx;
mod status;
mod under_load;
mod waits;
mod ways;

/// A private server, so that its content is known.
fn server() -> LocalServer {
    LocalServer::private(&[]).unwrap_or_else(|error| panic!("{error}"))
}

fn project() -> Project {
    Project::new(&[
        (
            "migrations/1_accounts/up.sql",
            "CREATE TABLE accounts (id int PRIMARY KEY);",
        ),
        ("migrations/1_accounts/down.sql", "DROP TABLE accounts;"),
        (
            "migrations/2_name/up.sql",
            "ALTER TABLE accounts ADD COLUMN name text;",
        ),
    ])
}

/// Returns output without the times.
fn without_times(printed: &str) -> String {
    let time = regex::Regex::new(r" \([\d.]+(ns|µs|ms|s)\)\n").expect("an expression");
    time.replace_all(printed, "\n").into_owned()
}

#[test]
fn migrations_run_once_are_listed_and_reverted() {
    let (project, server) = (project(), server());
    let url = server.url("postgres");
    let variables = [("DATABASE_URL", url.as_str())];
    insta::assert_snapshot!(status::without_times(&project.printed(&["migrate", "status"], &variables)), @r"
    pending  1_accounts
    pending  2_name
    2 migrations, 2 pending
    exit 0
    ");
    let mut session = Session::connect(&server.config("postgres")).expect("a connection");
    let table = sql_query("SELECT 1 WHERE to_regclass('__diesel_schema_migrations') IS NOT NULL");
    assert_eq!(
        session.run(table.affected()).expect("an answer"),
        0,
        "a status changes nothing"
    );
    insta::assert_snapshot!(without_times(&project.printed(&["migrate", "run"], &variables)), @r"
    ran 1_accounts
    ran 2_name
    2 migrations, 2 run now
    exit 0
    ");
    insta::assert_snapshot!(without_times(&project.printed(&["migrate", "run"], &variables)), @r"
    2 migrations, 0 run now
    exit 0
    ");
    insta::assert_snapshot!(project.printed(&["migrate", "revert"], &variables), @r"
    error: 2_name has no down.sql, so it cannot be reverted
    hint: write its down.sql, or another migration that reverts it
    exit 1
    ");
    project.write(
        "migrations/2_name/down.sql",
        "ALTER TABLE accounts DROP COLUMN name;",
    );
    insta::assert_snapshot!(without_times(&project.printed(&["migrate", "revert"], &variables)), @r"
    reverted 2_name
    exit 0
    ");
    insta::assert_snapshot!(status::without_times(&project.printed(&["migrate", "status"], &variables)), @r"
    ran      1_accounts  [time]
    pending  2_name
    2 migrations, 1 pending
    exit 0
    ");
}

#[test]
fn a_migration_that_fails_leaves_nothing_and_is_named() {
    let (project, server) = (project(), server());
    project.write(
        "migrations/3_wrong/up.sql",
        "CREATE TABLE b (id int);\nCREATE TABLE a (id nothing);\n",
    );
    let url = server.url("postgres");
    insta::assert_snapshot!(without_times(&project.printed(&["migrate", "run"], &[("DATABASE_URL", &url)])), @r#"
    ran 1_accounts
    ran 2_name
    error[42704]: type "nothing" does not exist
     --> migrations/3_wrong/up.sql:2:20
      |
    2 | CREATE TABLE a (id nothing);
      |                    ^^^^^^^

    error: failed to run 3_wrong
    hint: no changes were applied; fix up.sql and run `bowline migrate` again
    exit 1
    "#);
    let mut session = Session::connect(&server.config("postgres")).expect("a connection");
    assert_eq!(
        session
            .run(sql_query("SELECT 1 WHERE to_regclass('b') IS NOT NULL").affected())
            .expect("an answer"),
        0
    );
}

#[test]
fn errors_before_connecting_change_nothing() {
    let project = project();
    project.write(
        "migrations/1_accounts/metadata.toml",
        "run_in_transactions = true\n",
    );
    insta::assert_snapshot!(project.printed(&["migrate", "run"], &[("DATABASE_URL", "postgres://127.0.0.1:1/x")]), @r"
    error: [project]/migrations/1_accounts/metadata.toml:1 is not valid: unknown field `run_in_transactions`, expected `run_in_transaction`
    hint: write `run_in_transaction = true` or `run_in_transaction = false`, or remove the file
    exit 1
    ");
}

#[test]
fn an_unavailable_database_is_an_error_with_a_hint() {
    let project = project();
    insta::assert_snapshot!(project.printed(&["migrate", "run"], &[]), @r"
    error: failed to find the database: DATABASE_URL is not set
    hint: set it, in the environment or in a file .env: DATABASE_URL=postgres://user@host:5432/database
    exit 1
    ");
    insta::assert_snapshot!(project.printed(&["migrate", "run"], &[("DATABASE_URL", "postgres://ann:s3cret/marker@host:port/x")]), @r"
    error: failed to find the database: DATABASE_URL cannot be read: there is a / before its @
    hint: in a password write / as %2F, @ as %40, % as %25, a space as %20
    exit 1
    ");
    let refused = project.printed(
        &["migrate", "run"],
        &[("DATABASE_URL", "postgres://ann:s3cretmarker@127.0.0.1:1/x")],
    );
    assert!(
        refused.contains("Connection refused")
            && refused.contains("hint: ")
            && refused.ends_with("exit 1"),
        "{refused}"
    );
    assert!(!refused.contains("s3cretmarker"), "{refused}");
}

#[test]
fn a_file_env_is_read() {
    let (project, server) = (project(), server());
    project.write(
        ".env",
        &format!("DATABASE_URL={}\n", server.url("postgres")),
    );
    assert!(project.run(&["migrate", "run"]).status.success());
}
