//! Settings of a migration apply to its own file only: one run of two migrations has the same
//! result as two runs.

use bowline::testing::LocalServer;
use bowline::{Session, sql_query};
use diesel::connection::SimpleConnection as _;
use diesel::sql_types::Text;

use super::{server, without_times};
use crate::Project;

#[derive(bowline::Row)]
struct Found {
    #[diesel(sql_type = Text)]
    schema: String,
}

#[test]
fn a_search_path_does_not_outlive_its_file() {
    let project = Project::new(&[
        (
            "migrations/1_a/up.sql",
            "CREATE SCHEMA app; SET search_path TO app, public; CREATE TABLE a (id int PRIMARY KEY);",
        ),
        (
            "migrations/1_a/down.sql",
            "SET search_path TO app; DROP TABLE a; DROP SCHEMA app;",
        ),
        (
            "migrations/2_b/up.sql",
            "CREATE TABLE b (id int PRIMARY KEY);",
        ),
        ("migrations/2_b/down.sql", "DROP TABLE b;"),
    ]);
    let server = server();
    let url = server.url("postgres");
    let printed =
        |arguments: &[&str]| without_times(&project.printed(arguments, &[("DATABASE_URL", &url)]));
    assert!(printed(&["migrate", "run"]).ends_with("exit 0"));
    let mut session = Session::connect(&server.config("postgres")).expect("a connection");
    let query = sql_query("SELECT schemaname::text AS schema FROM pg_tables WHERE tablename = 'b'");
    assert_eq!(
        session.run(query.one::<Found>()).expect("one").schema,
        "public"
    );
    assert!(printed(&["drift"]).ends_with("exit 0"));
    assert!(printed(&["verify", "--database-url", &url]).ends_with("exit 0"));
    // Reverts both on one session.
    assert!(printed(&["migrate", "revert", "-n", "2"]).ends_with("exit 0"));
}

#[test]
fn a_changed_search_path_of_the_database_keeps_the_table() {
    let project = Project::new(&[
        (
            "migrations/1_a/up.sql",
            "CREATE SCHEMA app; CREATE TABLE a (id int PRIMARY KEY);
             DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = app', current_database()); END $$;",
        ),
        ("migrations/2_b/up.sql", "CREATE TABLE b (id int PRIMARY KEY);"),
        ("migrations/2_b/down.sql", "DROP TABLE public.b;"),
    ]);
    let server = server();
    let url = server.url("postgres");
    let variables = [("DATABASE_URL", url.as_str())];
    let run = || without_times(&project.printed(&["migrate", "run"], &variables));
    assert!(run().ends_with("2 migrations, 2 run now\nexit 0"));
    insta::assert_snapshot!(run(), @r"
    2 migrations, 0 run now
    exit 0
    ");
    let status = project.printed(&["migrate", "status"], &variables);
    assert!(status.contains("2 migrations, 0 pending"), "{status}");
    let doctor = project.printed(&["doctor"], &variables);
    assert!(
        doctor.contains("all migrations of the folder have run"),
        "{doctor}"
    );
    let reverted = project.printed(&["migrate", "revert"], &variables);
    assert!(reverted.ends_with("exit 0"), "{reverted}");
    assert_eq!(tables(&server), "public");
    // A search path in the connection string selects the table in its own schema.
    let url = format!("{url}?options=-csearch_path%3Dother");
    let mut session = Session::connect(&server.config("postgres")).expect("a connection");
    session
        .batch_execute("CREATE SCHEMA other")
        .expect("a schema");
    let other = project.printed(&["migrate", "status"], &[("DATABASE_URL", &url)]);
    assert!(other.contains("2 migrations, 2 pending"), "{other}");
}

#[test]
fn a_path_of_the_role_keeps_the_table_of_the_role() {
    let project = Project::new(&[(
        "migrations/1_a/up.sql",
        "CREATE TABLE a (id int PRIMARY KEY);",
    )]);
    let server = server();
    let mut session = Session::connect(&server.config("postgres")).expect("a connection");
    session
        .batch_execute(
            "CREATE ROLE ann LOGIN; CREATE ROLE bob LOGIN;
             CREATE SCHEMA hers AUTHORIZATION ann; CREATE SCHEMA his AUTHORIZATION bob;
             GRANT ALL ON SCHEMA public TO ann, bob;",
        )
        .expect("roles");
    let run = |role: &str| {
        let url = server
            .url("postgres")
            .replace("postgres@", &format!("{role}@"));
        without_times(&project.printed(&["migrate", "run"], &[("DATABASE_URL", &url)]))
    };
    assert!(run("ann").ends_with("1 migration, 1 run now\nexit 0"));
    session
        .batch_execute(
            "ALTER ROLE ann SET search_path = hers; ALTER ROLE bob SET search_path = his",
        )
        .expect("settings");
    assert!(run("ann").ends_with("1 migration, 0 run now\nexit 0"));
    assert_eq!(tables(&server), "public");
    // Another role has another search path, and so another table.
    assert!(run("bob").ends_with("1 migration, 1 run now\nexit 0"));
    assert_eq!(tables(&server), "his public");
    // If the search path has no such table and two other schemas have one, the choice is ambiguous.
    session
        .batch_execute("CREATE SCHEMA app; ALTER DATABASE postgres SET search_path = app")
        .expect("a schema");
    insta::assert_snapshot!(run("postgres"), @r"
    error: the search path has no __diesel_schema_migrations, and there are several elsewhere: his.__diesel_schema_migrations, public.__diesel_schema_migrations
    hint: set search_path to the schema of the one that records these migrations
    exit 1
    ");
}

/// Returns the schemas that have diesel's table.
fn tables(server: &LocalServer) -> String {
    let mut session = Session::connect(&server.config("postgres")).expect("a connection");
    let query = sql_query(
        "SELECT string_agg(schemaname::text, ' ' ORDER BY schemaname) AS schema
                     FROM pg_tables WHERE tablename = '__diesel_schema_migrations'",
    );
    session.run(query.one::<Found>()).expect("one").schema
}

#[test]
fn a_read_only_database_is_named_as_the_cause() {
    let project = Project::new(&[(
        "migrations/1_a/up.sql",
        "CREATE TABLE a (id int PRIMARY KEY);",
    )]);
    let server = server();
    let mut session = Session::connect(&server.config("postgres")).expect("a connection");
    session
        .batch_execute("ALTER DATABASE postgres SET default_transaction_read_only = on")
        .expect("a setting");
    let url = server.url("postgres");
    let run = |url: &str| project.printed(&["migrate", "run"], &[("DATABASE_URL", url)]);
    insta::assert_snapshot!(run(&url), @r"
    error: failed to create the table of migrations that have run: cannot execute CREATE TABLE in a read-only transaction (SQLSTATE 25006)
    hint: the server is a standby, or default_transaction_read_only is on for the role or the database (\drds in psql lists such settings); the URL can override it: ?options=-cdefault_transaction_read_only%3Doff
    exit 1
    ");
    let end = if url.contains('?') { '&' } else { '?' };
    let writable = format!("{url}{end}options=-cdefault_transaction_read_only%3Doff");
    assert!(run(&writable).ends_with("exit 0"));
}

#[test]
fn settings_of_the_url_stay() {
    let project = Project::new(&[
        (
            "migrations/1_a/up.sql",
            "SET search_path = public; SET work_mem = '1MB'; CREATE TABLE a (id int);",
        ),
        ("migrations/2_b/up.sql", "CREATE TABLE b (id int);"),
    ]);
    let server = server();
    let mut session = Session::connect(&server.config("postgres")).expect("a connection");
    session
        .batch_execute("CREATE SCHEMA app")
        .expect("a schema");
    let url = format!("{}?options=-csearch_path%3Dapp", server.url("postgres"));
    let printed = project.printed(&["migrate", "run"], &[("DATABASE_URL", &url)]);
    assert!(printed.ends_with("exit 0"), "{printed}");
    let query = sql_query("SELECT string_agg(schemaname || '.' || tablename, ' ' ORDER BY tablename COLLATE \"C\") AS schema
                     FROM pg_tables WHERE tablename IN ('a', 'b', '__diesel_schema_migrations')");
    let found = session.run(query.one::<Found>()).expect("one").schema;
    assert_eq!(found, "app.__diesel_schema_migrations public.a app.b");
}
