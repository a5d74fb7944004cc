//! `Database::migrate`: migrations in the program, and two programs that start at the same time.

use std::thread;
use std::time::{Duration, Instant};

use bowline::testing::TestDatabase;
use bowline::{Database, ErrorKind, Session, SqlState, StatementDsl as _, sql_query};
use diesel::connection::BoxableConnection;
use diesel::migration::{
    Migration, MigrationMetadata, MigrationName, MigrationSource, MigrationVersion,
};
use diesel::pg::Pg;
use diesel::sql_types::Text;
use testkit::Recorder;

use crate::support::test_database;

/// Migrations by name and SQL, as `embed_migrations!` returns them.
#[derive(Clone)]
struct Scripts(Vec<Script>);

#[derive(Clone, Copy)]
struct Script {
    name: &'static str,
    sql: &'static str,
    in_transaction: bool,
}

fn script(name: &'static str, sql: &'static str) -> Script {
    Script {
        name,
        sql,
        in_transaction: true,
    }
}

fn alone(name: &'static str, sql: &'static str) -> Script {
    Script {
        name,
        sql,
        in_transaction: false,
    }
}

impl MigrationSource<Pg> for Scripts {
    fn migrations(&self) -> diesel::migration::Result<Vec<Box<dyn Migration<Pg>>>> {
        let boxed = |script: &Script| Box::new(*script) as Box<dyn Migration<Pg>>;
        Ok(self.0.iter().map(boxed).collect())
    }
}

impl Migration<Pg> for Script {
    fn run(&self, connection: &mut dyn BoxableConnection<Pg>) -> diesel::migration::Result<()> {
        Ok(connection.batch_execute(self.sql)?)
    }

    fn revert(&self, _: &mut dyn BoxableConnection<Pg>) -> diesel::migration::Result<()> {
        Ok(())
    }

    fn metadata(&self) -> &dyn MigrationMetadata {
        self
    }

    fn name(&self) -> &dyn MigrationName {
        self
    }
}

impl MigrationMetadata for Script {
    fn run_in_transaction(&self) -> bool {
        self.in_transaction
    }
}

impl MigrationName for Script {
    fn version(&self) -> MigrationVersion<'_> {
        self.name.split('_').next().unwrap_or_default().into()
    }
}

impl std::fmt::Display for Script {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

fn database() -> (TestDatabase, Database) {
    let database = test_database();
    let pool = database.open().expect("a server");
    (database, pool)
}

#[derive(bowline::Row)]
struct Found {
    #[diesel(sql_type = Text)]
    text: String,
}

/// Returns the result of a query with one value, as text.
fn ask(db: &Database, query: &str) -> String {
    let query = format!("SELECT coalesce(({query})::text, '') AS text");
    let found = db.run(sql_query(query).optional::<Found>());
    found
        .expect("an answer")
        .map_or_else(String::new, |found| found.text)
}

/// The schemas that have a table `b`.
const SCHEMA_OF_B: &str = "SELECT string_agg(schemaname, ',') FROM pg_tables WHERE tablename = 'b'";

#[test]
fn pending_migrations_run_once_in_order() {
    let (_database, db) = database();
    let all = Scripts(vec![
        script("9002_b", "ALTER TABLE a ADD b int"),
        script("9001_a", "BEGIN;\nCREATE TABLE a (id int);\nCOMMIT;\n"),
    ]);
    assert_eq!(
        db.migrate(all.clone()).expect("both run"),
        ["9001_a", "9002_b"]
    );
    assert_eq!(db.migrate(all).expect("nothing is left"), [""; 0]);
    let noted = "SELECT count(*) FROM __diesel_schema_migrations WHERE version LIKE '900%'";
    assert_eq!(ask(&db, noted), "2");
}

#[test]
fn progress_is_shown_by_events() {
    let (_database, db) = database();
    let all = Scripts(vec![
        script("9001_a", "SELECT 1"),
        script("9002_b", "SELECT 2"),
    ]);
    let recorder = Recorder::default();
    recorder.listen(|| db.migrate(all)).expect("both run");
    let events = recorder.events("bowline::migrations");
    let events: Vec<_> = events
        .iter()
        .map(|event| {
            let message = event.get("message").unwrap_or_default();
            let (what, _) = message.split_once(" in ").unwrap_or((message, ""));
            (event.level, event.get("migration"), what)
        })
        .collect();
    let info = Some(tracing::Level::INFO);
    let debug = Some(tracing::Level::DEBUG);
    assert_eq!(
        events,
        [
            (info, Some("9001_a"), "running the migration 9001_a"),
            (debug, Some("9001_a"), "ran statement 1 of 9001_a"),
            (info, Some("9001_a"), "ran the migration 9001_a"),
            (info, Some("9002_b"), "running the migration 9002_b"),
            (debug, Some("9002_b"), "ran statement 1 of 9002_b"),
            (info, Some("9002_b"), "ran the migration 9002_b"),
        ]
    );
}

#[test]
fn a_migrations_settings_end_with_it() {
    let (_database, db) = database();
    let sets = "CREATE SCHEMA app; CREATE TABLE app.kept (id int); CREATE ROLE weak_migrate; GRANT weak_migrate TO postgres;
        SELECT pg_catalog.set_config('search_path', 'app', false); SET session_replication_role = replica;
        SET client_encoding = 'LATIN1'; SET standard_conforming_strings = off; SET app.x = '1'; CREATE TEMP TABLE b (id int);
        PREPARE p AS SELECT 1; DECLARE c CURSOR WITH HOLD FOR SELECT 1; LISTEN l; SET ROLE weak_migrate";
    const TELLS: &str = "CREATE TABLE b (id int); CREATE TABLE told AS SELECT current_user::text AS me, current_setting('search_path') AS path,
        current_setting('session_replication_role') AS replication, current_setting('client_encoding') AS encoding,
        coalesce(nullif(current_setting('app.x', true), ''), 'none') AS x,
        (SELECT count(*) FROM pg_cursors)::text AS cursors, (SELECT count(*) FROM pg_listening_channels())::text AS channels";
    let migrations = vec![
        script("9001_sets", sets),
        script("9002_tells", TELLS),
        alone(
            "9003_sets",
            "SET search_path = app; CREATE TABLE c (id int)",
        ),
        alone("9004_tells", "CREATE TABLE d (id int)"),
    ];
    db.migrate(Scripts(migrations)).expect("all of them run");
    assert_eq!(ask(&db, SCHEMA_OF_B), "public");
    let told =
        "SELECT concat_ws(' ', me, path, replication, encoding, x, cursors, channels) FROM told";
    assert_eq!(
        ask(&db, told),
        "postgres \"$user\", public origin UTF8 none 0 0"
    );
    let places = "SELECT string_agg(schemaname || '.' || tablename, ',' ORDER BY tablename) FROM pg_tables WHERE tablename IN ('c', 'd')";
    assert_eq!(ask(&db, places), "app.c,public.d");
    db.run(sql_query("DROP OWNED BY weak_migrate").affected())
        .expect("nothing is its");
    db.run(sql_query("DROP ROLE weak_migrate").affected())
        .expect("no other test has it");
}

#[test]
fn constraints_are_checked_under_their_files_settings() {
    let (_database, db) = database();
    // The trigger finds its table by the search path of the file.
    let sets = "CREATE SCHEMA app; SET search_path = app; CREATE TABLE log (id int); CREATE TABLE a (id int);
        CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO log VALUES (NEW.id); RETURN NULL; END';
        CREATE CONSTRAINT TRIGGER notes AFTER INSERT ON a DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION note();
        INSERT INTO a VALUES (7)";
    let migrations = vec![script("9001_a", sets)];
    db.migrate(Scripts(migrations)).expect("it runs");
    assert_eq!(ask(&db, "SELECT id FROM app.log"), "7");
}

#[test]
fn a_migration_that_ends_its_transaction_is_refused() {
    let (_database, db) = database();
    let error = db
        .migrate(Scripts(vec![
            script("9001_a", "CREATE TABLE a (id int)"),
            script(
                "9002_b",
                "CREATE TABLE b (id int);\nROLLBACK;\nCREATE TABLE c (id int)",
            ),
        ]))
        .expect_err("it cannot be noted truthfully");
    assert_eq!(error.kind(), ErrorKind::Query, "{error:?}");
    assert!(error.message().starts_with("line 2 of 9002_b: "), "{error}");
    assert_eq!(ask(&db, "SELECT to_regclass('a')"), "");
}

#[test]
fn a_transaction_that_a_procedure_leaves_is_no_success() {
    let (_database, db) = database();
    let error = db
        .migrate(Scripts(vec![alone(
            "9001_a",
            "CREATE TABLE a (id int); DO $$ BEGIN EXECUTE 'CREATE TABLE b (id int)'; COMMIT; RAISE 'after'; END $$",
        )]))
        .expect_err("it fails");
    assert!(
        error.to_string().contains("run the migration 9001_a"),
        "{error}"
    );
    let noted = "SELECT count(*) FROM __diesel_schema_migrations WHERE version = '9001'";
    assert_eq!(ask(&db, noted), "0");
}

#[test]
fn programs_that_start_together_do_not_deadlock() {
    let (database, db) = database();
    // The index takes a second. CREATE INDEX CONCURRENTLY waits for all older transactions, so it must
    // not meet a program that waits for its turn within a statement: the two would deadlock.
    let slow = "CREATE TABLE big AS SELECT 1 AS id; CREATE FUNCTION slow(int) RETURNS int IMMUTABLE LANGUAGE plpgsql
        AS 'BEGIN PERFORM pg_sleep(0.5); RETURN $1; END'";
    let migrations = vec![
        script("9001_big", slow),
        alone(
            "9002_index",
            "CREATE INDEX CONCURRENTLY big_slow ON big (slow(id))",
        ),
    ];
    let ran: Vec<Vec<String>> = thread::scope(|scope| {
        let programs: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let db = database
                        .config()
                        .call_timeout(Duration::from_millis(200))
                        .open();
                    db.expect("a server")
                        .migrate(Scripts(migrations.clone()))
                        .expect("no deadlock")
                })
            })
            .collect();
        programs
            .into_iter()
            .map(|one| one.join().expect("no panic"))
            .collect()
    });
    assert_eq!(
        ran.iter().filter(|ran| !ran.is_empty()).count(),
        1,
        "{ran:?}"
    );
    let valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'big_slow'::regclass";
    assert_eq!(ask(&db, valid), "true");
}

#[test]
fn only_an_own_limit_bounds_migrations() {
    let database = test_database();
    let db = database
        .config()
        .call_timeout(Duration::from_millis(200))
        .open()
        .expect("a server");
    db.migrate(Scripts(vec![script("9001_a", "SELECT pg_sleep(1)")]))
        .expect("the limit of calls does not count");
    let started = Instant::now();
    let error = db
        .with_timeout(Duration::from_millis(500))
        .migrate(Scripts(vec![script("9002_b", "SELECT pg_sleep(20)")]))
        .expect_err("it is cut off");
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error:?}");
    assert!(started.elapsed() < Duration::from_secs(5));
    let mut other = Session::connect(&database.config()).expect("a server");
    let _lock = other.advisory_lock("bowline migrate").expect("a lock");
    let error = db
        .with_timeout(Duration::from_millis(500))
        .migrate(Scripts(vec![script("9003_c", "SELECT 1")]))
        .expect_err("somebody has the lock");
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error:?}");
    assert!(error.message().contains("runs migrations"), "{error}");
}

#[test]
fn a_failure_names_its_migration_and_keeps_those_before() {
    let (_database, db) = database();
    let error = db
        .migrate(Scripts(vec![
            script("9001_a", "CREATE TABLE a (id int)"),
            script("9002_b", "CREATE TABLE b (id int); SELECT nothing"),
        ]))
        .expect_err("there is no such column");
    assert_eq!(error.sqlstate(), Some(SqlState::UNDEFINED_COLUMN));
    assert!(
        error
            .to_string()
            .starts_with("failed to run the migration 9002_b: "),
        "{error}"
    );
    assert_eq!(ask(&db, "SELECT to_regclass('a')"), "a");
    assert_eq!(ask(&db, "SELECT to_regclass('b')"), "");
}

#[bowline::test]
fn a_sandbox_runs_no_migrations(db: Database) -> bowline::Result<()> {
    let error = db.migrate(Scripts(vec![])).expect_err("it is one session");
    assert!(
        error
            .hint()
            .is_some_and(|hint| hint.contains("bowline::test(database)"))
    );
    Ok(())
}

#[tokio::test]
async fn tasks_migrate_without_the_limit_of_a_call() {
    let database = test_database();
    let config = database.config().call_timeout(Duration::from_millis(300));
    let db = config.open().expect("a server").into_async();
    let slow = || {
        Scripts(vec![script(
            "99990101_slow",
            "SELECT pg_sleep(1); CREATE TABLE t ()",
        )])
    };
    let ran = db.migrate(slow()).await;
    assert_eq!(ran.expect("more time than a call has"), ["99990101_slow"]);
    assert!(db.migrate(slow()).await.expect("none is left").is_empty());
    let further = Scripts(vec![
        script("99990101_slow", "SELECT pg_sleep(1); CREATE TABLE t ()"),
        script("99990102_slower", "SELECT pg_sleep(60)"),
    ]);
    let within = db.with_timeout(Duration::from_millis(300));
    let error = within
        .migrate(further)
        .await
        .expect_err("a limit of its own");
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error:?}");
}
