//! A program that runs its migrations by `Database::migrate`, at the same time as the command.

use std::thread;
use std::time::{Duration, Instant};

use bowline::{Session, StatementDsl as _, sql_query};
use diesel_migrations::FileBasedMigrations;

use super::server;
use crate::Project;

#[test]
fn a_program_and_the_command_take_turns() {
    let project = Project::new(&[
        (
            "migrations/1_big/up.sql",
            "CREATE TABLE big AS SELECT 1 AS id;
             CREATE FUNCTION slow(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(1); RETURN $1; END';",
        ),
        ("migrations/2_index/up.sql", "CREATE INDEX CONCURRENTLY big_slow ON big (slow(id));"),
        ("migrations/2_index/metadata.toml", "run_in_transaction = false"),
    ]);
    let server = server();
    let url = server.url("postgres");
    let migrations =
        || FileBasedMigrations::from_path(project.path("migrations")).expect("a folder");
    thread::scope(|scope| {
        let command =
            scope.spawn(|| project.printed(&["migrate", "run"], &[("DATABASE_URL", &url)]));
        // The program starts while the command creates the index.
        let mut session = Session::connect(&server.config("postgres")).expect("a connection");
        let making = sql_query(
            "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'CREATE INDEX CONC%' AND state = 'active'",
        );
        let deadline = Instant::now() + Duration::from_secs(20);
        while session.run(making.clone().affected()).expect("an answer") == 0 {
            assert!(Instant::now() < deadline, "the index is never made");
            thread::sleep(Duration::from_millis(20));
        }
        let db = server.config("postgres").open().expect("a server");
        let ran = db.migrate(migrations()).expect("no deadlock");
        assert_eq!(ran, [""; 0], "the command ran them");
        let printed = command.join().expect("it runs");
        assert!(printed.ends_with("exit 0"), "{printed}");
    });
    let mut session = Session::connect(&server.config("postgres")).expect("a connection");
    let valid =
        sql_query("SELECT 1 FROM pg_index WHERE indexrelid = 'big_slow'::regclass AND indisvalid");
    assert_eq!(session.run(valid.affected()).expect("an answer"), 1);
}
