//! What a migration sets holds for its own file: one run of two migrations makes what two runs
//! make.

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
    // One after the other down, on one session.
    assert!(printed(&["migrate", "revert", "-n", "2"]).ends_with("exit 0"));
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
