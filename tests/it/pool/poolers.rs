//! PgBouncer in its other modes, and settings of it that hide what it is.

use bank::Account;
use bowline::{ErrorKind, Outcome, Session, StatementDsl as _, sql_query};
use testkit::fake_server::error_response;
use testkit::{FakeServer, PgBouncer};

use crate::support::{new_account, server, test_database};

fn start(settings: &str) -> PgBouncer {
    PgBouncer::with(&server(), settings)
}

fn zone() -> impl bowline::Statement<Output = String> {
    sql_query("SELECT current_setting('TimeZone')").one::<String>()
}

/// In session mode a client keeps its server session, so only the start-up options are missing.
#[test]
fn session_mode_is_a_session_of_the_server() {
    let bouncer = start("pool_mode = session\n");
    let config = bouncer.config("postgres");
    let error = Session::connect(&config).expect_err("the options are refused");
    assert!(error.is_permanent(), "{error:?}");
    let db = config.pooler(true).open().expect("pgbouncer");
    assert_eq!(db.run(zone()).expect("a setting"), "UTC");
    db.transaction(|tx| {
        tx.run(sql_query("CREATE TEMPORARY TABLE t (x int)").affected())?;
        tx.run(sql_query("INSERT INTO t VALUES (1)").affected())
    })
    .expect("a row");
}

/// `ignore_startup_parameters = options` drops the time zone, among others, without a word.
#[test]
fn a_pooler_that_ignores_the_options_is_found_out() {
    let database = test_database();
    let name = database.name();
    let set = format!("ALTER DATABASE \"{name}\" SET TimeZone = 'Asia/Tokyo'");
    Session::connect(&database.config())
        .and_then(|mut session| session.run(sql_query(set).affected()))
        .expect("a setting");
    let bouncer = start("ignore_startup_parameters = options\n");
    let pooled = bouncer.config(name).pooler(true);
    let mut session = Session::connect(&pooled).expect("pgbouncer");
    assert_eq!(session.run(zone()).expect("a setting"), "UTC");
    let refused = Session::connect(&bouncer.config(name)).expect_err("it is found out");
    assert_eq!(refused.kind(), ErrorKind::Config, "{refused:?}");
    assert!(
        refused
            .hint()
            .is_some_and(|hint| hint.contains("Config::pooler(true)")),
        "{refused:?}"
    );
}

/// In statement mode a session of the server is kept up to a Sync, so what takes one round trip works.
#[test]
fn statement_mode_is_refused_with_its_reason() {
    let database = test_database();
    let bouncer = start("pool_mode = statement\n");
    let config = bouncer.config(database.name()).pooler(true);
    let db = config.open().expect("pgbouncer");
    let error = db
        .transaction(|tx| tx.run(sql_query("SELECT 1").one::<i32>()))
        .expect_err("no transactions");
    assert_eq!(error.outcome(), Outcome::NotCommitted, "{error:?}");
    let hint = error.hint().unwrap_or_default();
    assert!(hint.contains("pool_mode = transaction"), "{error:?}");
    db.run((
        Account::insert(new_account("ann")),
        Account::insert(new_account("bob")),
    ))
    .expect("both");
    assert_eq!(db.run(Account::count()).expect("a count"), 2);
}

/// PgBouncer says so by itself when it has lost its server, which may have committed.
#[test]
fn an_error_of_a_pooler_does_not_deny_a_commit() {
    let write = || sql_query("INSERT INTO t VALUES (1)").affected();
    for (pooler, code, outcome) in [
        (false, "08P01", Outcome::Unknown),
        (true, "08P01", Outcome::Unknown),
        (true, "57P01", Outcome::Unknown),
        // A server that ends its session in a statement has not come to the commit.
        (false, "57P01", Outcome::NotCommitted),
    ] {
        let server = FakeServer::start(move |client| {
            client.welcome();
            client.read();
            client.send(&error_response("FATAL", code, "server conn crashed?"));
        });
        let mut session = Session::connect(&server.config().pooler(pooler)).expect("a welcome");
        let error = session.run(write()).expect_err("it is lost");
        assert_eq!(error.outcome(), outcome, "{pooler} {code}: {error:?}");
    }
}
