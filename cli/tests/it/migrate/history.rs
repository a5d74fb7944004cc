//! Bowline's table of migrations: the text of each one that ran, and whether it stopped halfway.

use bowline::testing::LocalServer;
use bowline::{Session, sql_query};
use diesel::connection::SimpleConnection as _;

use super::status::without_times;
use super::{project, server};
use crate::Project;

/// A project whose second migration runs without a transaction.
fn with_index(duplicate: bool) -> Project {
    let rows = if duplicate { "(1), (1)" } else { "(1), (2)" };
    Project::new(&[
        (
            "migrations/1_a/up.sql",
            &format!("CREATE TABLE a (id int); INSERT INTO a VALUES {rows};"),
        ),
        (
            "migrations/2_index/up.sql",
            "CREATE UNIQUE INDEX CONCURRENTLY a_id ON a (id);",
        ),
        (
            "migrations/2_index/metadata.toml",
            "run_in_transaction = false",
        ),
    ])
}

/// Runs the command on a server, without the times in its output.
fn printer<'a>(project: &'a Project, server: &LocalServer) -> impl Fn(&[&str]) -> String + use<'a> {
    let url = server.url("postgres");
    move |arguments| {
        let printed = project.printed(arguments, &[("DATABASE_URL", &url)]);
        super::without_times(&without_times(&printed))
    }
}

fn text(session: &mut Session, query: &str) -> Vec<String> {
    session.run(sql_query(query).all::<String>()).expect("rows")
}

#[test]
fn a_migration_that_was_edited_after_it_ran_stops_a_run() {
    let (project, server) = (project(), server());
    let printed = printer(&project, &server);
    assert!(printed(&["migrate", "run"]).ends_with("exit 0"));
    project.write(
        "migrations/1_accounts/up.sql",
        "-- a comment\nCREATE TABLE accounts  (id int PRIMARY KEY);\n",
    );
    assert!(
        printed(&["migrate", "status", "--check"]).ends_with("exit 0"),
        "comments and white space are no edit"
    );
    project.write(
        "migrations/1_accounts/up.sql",
        "CREATE TABLE accounts (id bigint PRIMARY KEY);",
    );
    project.write("migrations/3_c/up.sql", "CREATE TABLE c (id int);");
    insta::assert_snapshot!(printed(&["migrate", "status", "--check"]), @r"
    ran      1_accounts  [time]  edited since it ran
    ran      2_name      [time]
    pending  3_c
    error: 3 migrations, 1 pending, 1 edited since
    hint: restore the text that ran, and write a new migration for the change
    exit 1
    ");
    insta::assert_snapshot!(printed(&["migrate", "run"]), @r"
    error: 1_accounts was edited after it ran
    hint: restore the text that ran, and write a new migration for the change; if the schema is the same, `bowline migrate resolve 1_accounts --accept-edit`
    exit 1
    ");
    project.write("bowline.toml", "[migrate]\nedited = \"warn\"\n");
    insta::assert_snapshot!(printed(&["migrate", "run"]), @r"
    note: 1_accounts was edited after it ran
    ran 3_c
    3 migrations, 1 run now
    exit 0
    ");
    insta::assert_snapshot!(printed(&["migrate", "resolve", "1_accounts", "--accept-edit"]), @r"
    the present text of 1_accounts is recorded now
    exit 0
    ");
    assert!(printed(&["migrate", "status", "--check"]).ends_with("exit 0"));
}

#[test]
fn a_migration_that_stops_halfway_stops_the_next_run() {
    let (project, server) = (with_index(true), server());
    let printed = printer(&project, &server);
    insta::assert_snapshot!(printed(&["migrate", "run"]), @r#"
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
    insta::assert_snapshot!(printed(&["migrate", "status", "--check"]), @r"
    ran      1_a      [time]
    failed   2_index  [time]  began and did not finish
    error: 2 migrations, 0 pending, 1 failed
    hint: find out what the failed one has changed, and say so with `bowline migrate resolve`
    exit 1
    ");
    insta::assert_snapshot!(printed(&["migrate", "run"]), @r"
    error: 2_index began at [time] and did not finish, and left an invalid index
    hint: run DROP INDEX a_id, and then `bowline migrate resolve 2_index --rolled-back`
    exit 1
    ");
    let mut session = Session::connect(&server.config("postgres")).expect("a connection");
    session
        .batch_execute("DROP INDEX a_id; DELETE FROM a")
        .expect("the cause is gone");
    insta::assert_snapshot!(printed(&["migrate", "run"]), @r"
    error: 2_index began at [time] and did not finish, so a part of its changes may be there
    hint: find out, then say so: `bowline migrate resolve 2_index --applied` if all of them are there, --rolled-back if none is
    exit 1
    ");
    insta::assert_snapshot!(printed(&["migrate", "resolve", "2_index", "--accept-edit"]), @r"
    error: 2_index has begun and not finished
    hint: say with --applied or --rolled-back what became of it
    exit 1
    ");
    insta::assert_snapshot!(printed(&["migrate", "resolve", "2_index", "--rolled-back"]), @r"
    2_index is not recorded as run any more
    exit 0
    ");
    insta::assert_snapshot!(printed(&["migrate", "run"]), @r"
    ran 2_index
    2 migrations, 1 run now
    exit 0
    ");
    insta::assert_snapshot!(printed(&["migrate", "resolve", "2_index", "--rolled-back"]), @r"
    error: 2_index has run
    hint: `bowline migrate revert` and `bowline migrate to` run its down.sql
    exit 1
    ");
}

#[test]
fn a_migration_that_changed_nothing_can_run_again() {
    let server = server();
    for sql in [
        "CREATE TABLE b (id int); SELECT nothing;",
        "CREATE INDEX CONCURRENTLY x ON nothing (id);",
        "SELECT nothing;",
        "VACUUM nothing;",
    ] {
        let project = with_index(false);
        let printed = printer(&project, &server);
        project.write("migrations/2_index/up.sql", sql);
        assert!(
            printed(&["migrate", "run"]).contains("no changes were applied"),
            "{sql}"
        );
        assert!(
            printed(&["migrate", "status"]).contains("pending  2_index"),
            "{sql}"
        );
    }
    let project = with_index(false);
    let printed = printer(&project, &server);
    project.write(
        "migrations/2_index/up.sql",
        "DO $$ BEGIN CREATE TABLE b (id int); COMMIT; PERFORM nothing; END $$;",
    );
    printed(&["migrate", "run"]);
    assert!(printed(&["migrate", "status"]).contains("failed   2_index"));
    insta::assert_snapshot!(printed(&["migrate", "run"]), @r"
    error: 2_index began at [time] and did not finish, so a part of its changes may be there
    hint: find out, then say so: `bowline migrate resolve 2_index --applied` if all of them are there, --rolled-back if none is
    exit 1
    ");
    insta::assert_snapshot!(printed(&["migrate", "resolve", "2_index", "--applied"]), @r"
    2_index is recorded as run now
    exit 0
    ");
    assert!(printed(&["migrate", "status", "--check"]).ends_with("exit 0"));
}

#[test]
fn a_renamed_folder_is_no_edit_and_does_not_run_twice() {
    let (project, server) = (project(), server());
    let printed = printer(&project, &server);
    printed(&["migrate", "run"]);
    let rename = |from: &str, to: &str| {
        std::fs::rename(project.path(from), project.path(to)).expect("a folder");
    };
    rename("migrations/2_name", "migrations/2_names");
    assert!(printed(&["migrate", "status", "--check"]).ends_with("exit 0"));
    rename("migrations/2_names", "migrations/3_names");
    insta::assert_snapshot!(printed(&["migrate", "run"]), @r"
    note: 2 has run and is not in the folder: deleted, renamed, or of another branch
    error: 3_names has the text of 2_name, which has run and is not in the folder
    hint: if it was renamed, `bowline migrate resolve 3_names --applied`
    exit 1
    ");
    insta::assert_snapshot!(printed(&["migrate", "resolve", "3_names", "--applied"]), @r"
    3_names is recorded as run now, in place of 2_name
    exit 0
    ");
    assert!(printed(&["migrate", "run"]).ends_with("exit 0"));
    assert!(printed(&["migrate", "status", "--check"]).ends_with("exit 0"));
}

#[test]
fn a_late_migration_is_refused_where_the_setting_says_so() {
    let (project, server) = (project(), server());
    let printed = printer(&project, &server);
    printed(&["migrate", "run"]);
    project.write("migrations/11_late/up.sql", "SELECT 1;");
    project.write("bowline.toml", "[migrate]\nlate = \"refuse\"\n");
    insta::assert_snapshot!(printed(&["migrate", "run"]), @r#"
    error: 11_late is older than 2, which has run already
    hint: give it a later version by renaming its folder, or set late = "warn" under [migrate] in bowline.toml
    exit 1
    "#);
    let status = printed(&["migrate", "status", "--check"]);
    assert!(
        status.contains("11_late") && status.contains("so `run` refuses it"),
        "{status}"
    );
    assert!(
        status.contains("hint: `bowline migrate run` refuses one that is older"),
        "{status}"
    );
    project.write("bowline.toml", "[migrate]\nlate = \"run\"\n");
    insta::assert_snapshot!(printed(&["migrate", "run"]), @r"
    ran 11_late
    3 migrations, 1 run now
    exit 0
    ");
    project.write("bowline.toml", "[migrate]\nlate = \"never\"\n");
    insta::assert_snapshot!(printed(&["migrate", "run"]), @r#"
    error: unknown variant `never`
     --> bowline.toml:2:8
      |
    2 | late = "never"
      |        ^^^^^^^

    error: [project]/bowline.toml is not valid
    hint: the known keys are run, warn, refuse
    hint: the guide's page on settings lists the keys of bowline.toml
    exit 1
    "#);
}

#[test]
fn a_baseline_is_recorded_where_the_schemas_are_the_same() {
    let (project, server) = (project(), server());
    project.write("migrations/3_c/up.sql", "CREATE TABLE c (id int);");
    let mut session = Session::connect(&server.config("postgres")).expect("a connection");
    session
        .batch_execute("CREATE TABLE accounts (id int PRIMARY KEY)")
        .expect("a table by hand");
    let printed = printer(&project, &server);
    insta::assert_snapshot!(printed(&["migrate", "baseline", "2_name"]), @r"
    column accounts.name is in the migrations, but not in the database
    error: 1 difference between the migrations and the database
    hint: choose the version that the database is at, or record it as it is with --accept-differences
    exit 1
    ");
    assert!(printed(&["migrate", "status"]).contains("pending  1_accounts"));
    session
        .batch_execute("ALTER TABLE accounts ADD COLUMN name text")
        .expect("a column by hand");
    insta::assert_snapshot!(printed(&["migrate", "baseline", "2_name"]), @r"
    the migrations and the database are the same
    note: [the list of what is never compared] are not compared
    2 migrations, 2 recorded as run now
    exit 0
    ");
    insta::assert_snapshot!(printed(&["migrate", "run"]), @r"
    ran 3_c
    3 migrations, 1 run now
    exit 0
    ");
    insta::assert_snapshot!(printed(&["migrate", "baseline", "3_c"]), @r"
    the migrations and the database are the same
    note: [the list of what is never compared] are not compared
    3 migrations, 0 recorded as run now
    exit 0
    ");
}

#[test]
fn who_ran_a_migration_is_recorded() {
    let (project, server) = (project(), server());
    let printed = printer(&project, &server);
    printed(&["migrate", "run"]);
    let mut session = Session::connect(&server.config("postgres")).expect("a connection");
    let rows = text(
        &mut session,
        "SELECT concat_ws(' ', version, name, origin, ran_by, program, finished_at >= started_at)
         FROM __bowline_migrations ORDER BY 1",
    );
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        rows,
        [
            format!("1 1_accounts run postgres bowline migrate (bowline {version}) t"),
            format!("2 2_name run postgres bowline migrate (bowline {version}) t"),
        ]
    );
    let json = printed(&["migrate", "status", "--json"]);
    assert!(json.contains("\"ran_by\": \"postgres\""), "{json}");
    // diesel's command deletes the row in its own table only.
    session
        .batch_execute("DROP TABLE accounts; DELETE FROM __diesel_schema_migrations")
        .expect("reverted with diesel's command");
    assert!(printed(&["migrate", "status"]).contains("2 migrations, 2 pending"));
    assert!(printed(&["migrate", "run"]).ends_with("exit 0"));
    assert!(printed(&["drift"]).ends_with("exit 0"), "it is no drift");
}

#[test]
fn a_role_that_cannot_create_the_table_does_without() {
    let (project, server) = (project(), server());
    let printed = printer(&project, &server);
    printed(&["migrate", "to", "1_accounts"]);
    let mut session = Session::connect(&server.config("postgres")).expect("a connection");
    session
        .batch_execute(
            "DROP TABLE __bowline_migrations; CREATE ROLE walter LOGIN;
             GRANT ALL ON __diesel_schema_migrations TO walter; ALTER TABLE accounts OWNER TO walter;
             REVOKE CREATE ON SCHEMA public FROM PUBLIC",
        )
        .expect("a role");
    let url = server.url("postgres").replace("postgres@", "walter@");
    let printed = |arguments: &[&str]| {
        let printed = project.printed(arguments, &[("DATABASE_URL", &url)]);
        super::without_times(&without_times(&printed))
    };
    insta::assert_snapshot!(printed(&["migrate", "run"]), @r"
    note: this role may not write to __bowline_migrations, so what runs is recorded in diesel's table only
    ran 2_name
    2 migrations, 1 run now
    exit 0
    ");
    assert!(printed(&["migrate", "status", "--check"]).ends_with("exit 0"));
}
