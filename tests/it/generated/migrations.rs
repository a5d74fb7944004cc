//! The check on opening: whether the migrations that the program was built for have run on the
//! database.

use std::time::{Duration, Instant};

use bank::MIGRATIONS;
use bowline::testing::TestDatabase;
use bowline::{
    Config, Database, ErrorKind, Migrations, Result, Session, StatementDsl as _, sql_query,
};
use diesel::connection::SimpleConnection as _;
use testkit::Proxy;
use testkit::recorder::{Recorder, Seen};

use crate::support::{server, test_database};

const CREATE_ACCOUNTS: (&str, &str, u64) =
    ("20260105090000", "2026-01-05-090000_create_accounts", 0);

/// Code from before the later migrations.
const AN_OLD_VERSION: Migrations = Migrations::generated(&[CREATE_ACCOUNTS]);

/// Code with a migration that is in no other version.
const ANOTHER_BRANCH: Migrations = Migrations::generated(&[
    CREATE_ACCOUNTS,
    ("20260105090001", "2026-01-05-090001_of_a_branch", 0),
]);

/// Opens the database, and returns the warnings and the result.
fn opened(config: Config) -> (Vec<Seen>, Result<Database>) {
    let recorder = Recorder::default();
    let database = recorder.listen(|| config.open());
    (recorder.events("bowline::migrations"), database)
}

fn texts(events: &[Seen]) -> Vec<&str> {
    events
        .iter()
        .map(|event| event.get("message").expect("a text"))
        .collect()
}

/// Creates a database on which the newest two migrations have not run.
fn behind() -> TestDatabase {
    let database = test_database();
    let forget = sql_query("DELETE FROM __diesel_schema_migrations WHERE version >= '20260511'");
    let opened = database.open().expect("a server");
    opened.run(forget.exactly(2)).expect("two rows");
    database
}

#[test]
fn generated_migrations_are_the_folders_in_order() {
    let versions: Vec<_> = MIGRATIONS.iter().map(|one| one.version).collect();
    assert_eq!(versions.len(), 10);
    assert!(versions.is_sorted(), "{versions:?}");
    assert!(format!("{MIGRATIONS:?}").starts_with("[\"2026-01-05-090000_create_accounts\", "));
}

#[test]
fn an_up_to_date_database_costs_one_round_trip() {
    let (server, database) = (server(), test_database());
    let proxy = Proxy::start(&server).expect("a proxy");
    let config = || proxy.config(database.name());
    drop(config().open().expect("a server"));
    let without = proxy.take_round_trips();
    let (warnings, opened) = opened(config().migrations(MIGRATIONS));
    let db = opened.expect("a server");
    assert_eq!(proxy.take_round_trips(), without + 1);
    assert!(warnings.is_empty(), "{warnings:?}");
    // The pool checks it once, not for each session.
    let sessions = [db.session(), db.session()];
    assert!(sessions.iter().all(Result::is_ok));
    assert_eq!(proxy.take_round_trips(), without);
}

#[test]
fn pending_migrations_are_a_warning_that_names_them() {
    let database = behind();
    let (warnings, opened) = opened(database.config().migrations(MIGRATIONS));
    opened.expect("a database that can be used");
    insta::assert_snapshot!(texts(&warnings).join("\n"), @"the database has not run these migrations: 2026-05-11-093000_add_display_name, 2026-06-01-100000_comment_on_the_schema");
    assert_eq!(warnings[0].get("hint"), Some("run `bowline migrate run`"));
}

#[test]
fn pending_migrations_can_be_an_error() {
    let database = behind();
    let config = database.config().migrations(MIGRATIONS);
    let (warnings, opened) = opened(config.refuse_pending(true));
    let error = opened.expect_err("a refusal");
    assert!(error.kind() == ErrorKind::Config && warnings.is_empty());
    insta::assert_snapshot!(
        format!("{error}\nhint: {}", error.hint().expect("a hint")),
        @r"
        the database has not run these migrations: 2026-05-11-093000_add_display_name, 2026-06-01-100000_comment_on_the_schema
        hint: run `bowline migrate run`
        "
    );
}

#[test]
fn a_database_that_never_saw_a_migration_lacks_them_all() {
    let server = server();
    let config = server.config("postgres").migrations(MIGRATIONS);
    let error = config.refuse_pending(true).open().expect_err("a refusal");
    insta::assert_snapshot!(error, @"the database has not run these migrations: 2026-01-05-090000_create_accounts, 2026-01-12-101500_create_transfers, 2026-02-02-143000_add_email_to_accounts, 2026-02-16-083000_rename_opened_at, 2026-03-02-120000_add_closed_status and 5 more");
}

#[test]
fn a_table_outside_of_the_search_path_is_found() {
    let database = test_database();
    let name = database.name();
    let path = format!("CREATE SCHEMA app; ALTER DATABASE {name} SET search_path = app");
    let mut session = Session::connect(&database.config()).expect("a connection");
    session.batch_execute(&path).expect("a setting");
    let config = database.config().migrations(MIGRATIONS);
    let (warnings, opened) = opened(config.refuse_pending(true));
    opened.expect("all have run");
    assert!(warnings.is_empty(), "{warnings:?}");
}

#[test]
fn a_database_that_is_ahead_is_only_a_warning() {
    let database = test_database();
    let config = database.config().migrations(AN_OLD_VERSION);
    let (warnings, opened) = opened(config.refuse_pending(true));
    opened.expect("a database that can be used");
    insta::assert_snapshot!(texts(&warnings).join("\n"), @"the database has run migrations that this program does not know: 20260112101500, 20260202143000, 20260216083000, 20260302120000, 20260320091500 and 4 more");
}

#[test]
fn a_database_of_another_branch_is_reported() {
    let database = behind();
    let (warnings, opened) = opened(database.config().migrations(ANOTHER_BRANCH));
    opened.expect("a database that can be used");
    insta::assert_snapshot!(texts(&warnings).join("\n"), @r"
    the database has run migrations that this program does not know: 20260112101500, 20260202143000, 20260216083000, 20260302120000, 20260320091500 and 2 more
    the database has not run these migrations: 2026-01-05-090001_of_a_branch
    ");
}

#[test]
fn a_locked_migration_table_delays_opening_only_briefly() {
    let database = test_database();
    let other = database.open().expect("a server");
    let mut holder = other.session().expect("a session");
    holder
        .batch_execute("BEGIN; LOCK TABLE __diesel_schema_migrations")
        .expect("a lock");
    let config = database.config().migrations(MIGRATIONS);
    let config = config.connect_timeout(Duration::from_secs(1));
    let began = Instant::now();
    let (warnings, opened) = opened(config.clone());
    opened.expect("a database that can be used");
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    let error = config.refuse_pending(true).open().expect_err("no answer");
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    assert!(began.elapsed() < Duration::from_secs(4));
}

#[test]
fn a_role_without_select_gets_the_grant_as_a_hint() {
    let database = test_database();
    let owner = database.open().expect("a server");
    let role = format!("{}_reader", database.name());
    let make = sql_query(format!("CREATE ROLE {role} LOGIN")).affected();
    owner.run(make).expect("a role");
    let config = database.config().user(role.clone()).migrations(MIGRATIONS);
    let (warnings, opened) = opened(config.clone());
    drop(opened.expect("a database that can be used"));
    let error = config.refuse_pending(true).open().expect_err("a refusal");
    let drop_role = sql_query(format!("DROP ROLE {role}")).affected();
    owner.run(drop_role).expect("no role");
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    insta::assert_snapshot!(
        format!("{error}\nhint: {}", error.hint().expect("a hint")),
        @r"
        it is not known which migrations have run: permission denied for table __diesel_schema_migrations
        hint: GRANT SELECT ON __diesel_schema_migrations to the role of the program
        "
    );
}
