//! A project that comes from sqlx: flat files, and the table `_sqlx_migrations`.

use bowline::testing::LocalServer;
use bowline::{Session, StatementDsl as _, sql_query};
use diesel::connection::SimpleConnection as _;

use super::server;
use super::status::without_times;
use crate::Project;

fn flat() -> Project {
    Project::new(&[
        (
            "migrations/1_accounts.sql",
            "CREATE TABLE accounts (id int PRIMARY KEY);",
        ),
        (
            "migrations/2_name.up.sql",
            "ALTER TABLE accounts ADD COLUMN name text;",
        ),
        (
            "migrations/2_name.down.sql",
            "ALTER TABLE accounts DROP COLUMN name;",
        ),
        (
            "migrations/10_index.sql",
            "-- no-transaction\nCREATE INDEX CONCURRENTLY names ON accounts (name);",
        ),
    ])
}

/// Runs files and records them in the same way as sqlx 0.8.
fn run_by_sqlx(
    project: &Project,
    server: &LocalServer,
    database: &str,
    files: &[(i64, &str)],
) -> Session {
    let mut session = Session::connect(&server.config(database)).expect("a connection");
    let table = "CREATE TABLE IF NOT EXISTS _sqlx_migrations (
        version BIGINT PRIMARY KEY, description TEXT NOT NULL,
        installed_on TIMESTAMPTZ NOT NULL DEFAULT now(), success BOOLEAN NOT NULL,
        checksum BYTEA NOT NULL, execution_time BIGINT NOT NULL)";
    session.batch_execute(table).expect("sqlx's table");
    for (version, file) in files {
        let text = project.read(&format!("migrations/{file}"));
        session.batch_execute(&text).expect("a migration");
        let row = sql_query(
            "INSERT INTO _sqlx_migrations VALUES ($1, '', '2026-01-02 03:04:05', true, sha384($2), 1)",
        );
        let row = row
            .bind::<diesel::sql_types::BigInt, _>(*version)
            .bind::<diesel::sql_types::Bytea, _>(text.into_bytes());
        session.run(row.affected()).expect("a row");
    }
    session
}

#[test]
fn the_history_of_flat_files_is_that_of_sqlx() {
    let (project, server) = (flat(), server());
    let url = server.url("postgres");
    let printed =
        |arguments: &[&str]| without_times(&project.printed(arguments, &[("DATABASE_URL", &url)]));
    insta::assert_snapshot!(printed(&["migrate", "status"]), @r"
    pending  1_accounts
    pending  2_name
    pending  10_index
    3 migrations, 3 pending
    exit 0
    ");
    let mut session = run_by_sqlx(
        &project,
        &server,
        "postgres",
        &[(1, "1_accounts.sql"), (2, "2_name.up.sql")],
    );
    insta::assert_snapshot!(printed(&["migrate", "status", "--check"]), @r"
    ran      1_accounts  [time]
    ran      2_name      [time]
    pending  10_index
    error: 3 migrations, 1 pending
    hint: run `sqlx migrate run`
    exit 1
    ");
    insta::assert_snapshot!(printed(&["drift"]), @r"
    note: 1 migration pending: `bowline migrate run`
    the migrations and the database are the same
    note: [the list of what is never compared] are not compared
    exit 0
    ");
    session
        .batch_execute("UPDATE _sqlx_migrations SET success = false WHERE version = 2; INSERT INTO _sqlx_migrations SELECT 7, description, installed_on, success, checksum, 1 FROM _sqlx_migrations WHERE version = 1")
        .expect("a failed one and one of another branch");
    project.write(
        "migrations/1_accounts.sql",
        "CREATE TABLE accounts (id bigint PRIMARY KEY);",
    );
    insta::assert_snapshot!(printed(&["migrate", "status", "--check"]), @r"
    ran      1_accounts  [time]  edited since it ran
    failed   2_name      [time]  began and did not finish
    ran      7           [time]  not in the folder
    pending  10_index
    error: 3 migrations, 1 pending, 1 run but not in the folder, 1 failed, 1 edited since
    hint: check what the failed one has changed, and finish it with the tool that began it
    exit 1
    ");
    insta::assert_snapshot!(printed(&["migrate", "import-sqlx"]), @r"
    error: sqlx began migrations and did not finish them: 2
    hint: check what it has changed; then either finish it with sqlx, or delete its row of _sqlx_migrations
    exit 1
    ");
}

#[test]
fn a_project_of_sqlx_continues_with_bowline() {
    let (project, server) = (flat(), server());
    let url = server.url("postgres");
    let printed = |arguments: &[&str]| {
        super::without_times(&without_times(
            &project.printed(arguments, &[("DATABASE_URL", &url)]),
        ))
    };
    insta::assert_snapshot!(printed(&["migrate", "import-sqlx"]), @r"
    error: the database has no table _sqlx_migrations in its search path
    hint: check the database and its search_path; for a new database, run `bowline migrate run`
    exit 1
    ");
    run_by_sqlx(
        &project,
        &server,
        "postgres",
        &[(1, "1_accounts.sql"), (2, "2_name.up.sql")],
    );
    insta::assert_snapshot!(printed(&["migrate", "run"]), @r"
    error: migrations/1_accounts.sql is a migration of sqlx or golang-migrate, and `bowline migrate` runs migrations that are folders with up.sql
    hint: run it with its tool, such as `sqlx migrate run`; `bowline migrate import-sqlx` takes over sqlx's
    exit 1
    ");
    insta::assert_snapshot!(printed(&["migrate", "import-sqlx"]), @r"
    2 migrations of sqlx, 2 taken over now
    note: the files are still flat: with --move-files each is moved into a folder of its own
    exit 0
    ");
    insta::assert_snapshot!(printed(&["migrate", "import-sqlx", "--move-files"]), @r"
    2 migrations of sqlx, 0 taken over now
    moved migrations/1_accounts.sql to migrations/01_accounts
    moved migrations/2_name.up.sql to migrations/02_name
    moved migrations/10_index.sql to migrations/10_index
    note: run `bowline generate` next
    exit 0
    ");
    insta::assert_snapshot!(printed(&["migrate", "status"]), @r"
    ran      01_accounts  [time]
    ran      02_name      [time]
    pending  10_index
    3 migrations, 1 pending
    exit 0
    ");
    insta::assert_snapshot!(printed(&["migrate", "run"]), @r"
    ran 10_index
    3 migrations, 1 run now
    exit 0
    ");
    insta::assert_snapshot!(printed(&["migrate", "revert", "-n", "2"]), @r"
    error: 10_index has no down.sql, so it cannot be reverted
    hint: write its down.sql, or another migration that reverts it
    exit 1
    ");
    assert!(!project.path("migrations/1_accounts.sql").exists());
}

#[test]
fn folders_do_not_run_again_on_a_database_of_sqlx() {
    let (project, server) = (flat(), server());
    run_by_sqlx(&project, &server, "postgres", &[(1, "1_accounts.sql")]);
    let mut session = Session::connect(&server.config("postgres")).expect("a connection");
    session
        .batch_execute("CREATE DATABASE second")
        .expect("a database");
    run_by_sqlx(&project, &server, "second", &[(1, "1_accounts.sql")]);
    let on = |database: &str, arguments: &[&str]| {
        let url = server.url(database);
        let printed = project.printed(arguments, &[("DATABASE_URL", &url)]);
        super::without_times(&without_times(&printed))
    };
    on("postgres", &["migrate", "import-sqlx", "--move-files"]);
    insta::assert_snapshot!(on("second", &["migrate", "run"]), @r"
    error: sqlx has run migrations on this database, and `bowline migrate` has run none
    hint: run `bowline migrate import-sqlx` first, which takes over sqlx's history
    exit 1
    ");
    insta::assert_snapshot!(on("second", &["migrate", "import-sqlx"]), @r"
    1 migration of sqlx, 1 taken over now
    exit 0
    ");
    insta::assert_snapshot!(on("second", &["migrate", "run"]), @r"
    ran 02_name
    ran 10_index
    3 migrations, 2 run now
    exit 0
    ");
}

#[test]
fn an_interrupted_move_of_files_is_finished() {
    let server = server();
    let url = server.url("postgres");
    let variables = [("DATABASE_URL", url.as_str())];
    run_by_sqlx(
        &flat(),
        &server,
        "postgres",
        &[(1, "1_accounts.sql"), (2, "2_name.up.sql")],
    );
    let aside = "migrations/.import-sqlx";
    // The number of folders that an interrupted move has moved.
    for in_place in 0..=3 {
        let (project, whole) = (flat(), flat());
        let moved = whole.printed(&["migrate", "import-sqlx", "--move-files"], &variables);
        assert!(moved.ends_with("exit 0"), "{moved}");
        let files = ["01_accounts/up.sql", "02_name/up.sql", "02_name/down.sql"];
        let files = files.into_iter();
        let files = files.chain(["10_index/up.sql", "10_index/metadata.toml"]);
        for file in files.clone() {
            let folders = ["01", "02", "10"].into_iter().take(in_place);
            let is_in_place = folders.into_iter().any(|number| file.starts_with(number));
            let parent = if is_in_place { "migrations" } else { aside };
            let text = whole.read(&format!("migrations/{file}"));
            project.write(&format!("{parent}/{file}"), &text);
        }
        match in_place {
            0 => project.write(&format!("{aside}/01_accounts/up.sql"), "CREATE TA"),
            3 => std::fs::remove_file(project.path("migrations/1_accounts.sql"))
                .expect("a flat file"),
            _ => {}
        }
        std::fs::create_dir_all(project.path(aside)).expect("a folder");
        for command in [
            &["generate"][..],
            &["migrate", "run"],
            &["migrate", "import-sqlx"],
        ] {
            let printed = project.printed(command, &variables);
            let is_refused = printed.contains("moved into folders only in part");
            assert_eq!(is_refused, in_place > 0, "{printed}");
        }
        let printed = project.printed(&["migrate", "import-sqlx", "--move-files"], &variables);
        assert!(printed.ends_with("exit 0"), "{printed}");
        for file in files {
            let file = format!("migrations/{file}");
            assert_eq!(project.read(&file), whole.read(&file), "{in_place}: {file}");
        }
        let left = std::fs::read_dir(project.path("migrations")).expect("a folder");
        assert_eq!(left.count(), 3, "{in_place}: {printed}");
        let status = project.printed(&["migrate", "status"], &variables);
        assert!(status.contains("3 migrations, 1 pending"), "{status}");
    }
}
