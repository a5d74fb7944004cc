//! A pool behind PgBouncer in transaction mode, which is the distribution's package.

use std::thread;
use std::time::Duration;

use bank::schema::accounts;
use bank::{Account, AccountChanges};
use bowline::testing::TestDatabase;
use bowline::{
    Config, Database, Error, ErrorKind, Outcome, Session, SqlState, StatementDsl as _,
    TransactionOptions, sql_query,
};
use diesel::prelude::*;
use diesel_migrations::{EmbeddedMigrations, embed_migrations};

use crate::support::{new_account, server, test_database};

/// A PgBouncer in front of one database.
struct PgBouncer {
    bouncer: testkit::PgBouncer,
    database: TestDatabase,
}

impl PgBouncer {
    fn start() -> Self {
        Self {
            bouncer: testkit::PgBouncer::start(&server()),
            database: test_database(),
        }
    }

    fn config(&self) -> Config {
        self.bouncer.config(self.database.name()).pooler(true)
    }

    fn open(&self) -> Database {
        self.config().open().expect("pgbouncer")
    }
}

#[test]
fn all_ways_of_running_work_behind_a_pooler() {
    let bouncer = PgBouncer::start();
    let db = bouncer.open();
    let ann = db
        .run(Account::insert(new_account("ann")))
        .expect("an account");
    let frozen = || AccountChanges {
        status: Some(bank::AccountStatus::Frozen),
        ..Default::default()
    };
    for _ in 0..20 {
        db.run((Account::update(ann.id, frozen()), Account::count()))
            .expect("answers");
        db.with_options(TransactionOptions::serializable())
            .run(Account::update(ann.id, frozen()))
            .expect("an answer");
    }
    db.transaction(|tx| {
        tx.run(Account::insert(new_account("bob")))?;
        let undone = tx.savepoint(|tx| tx.run(Account::insert(new_account("bob"))));
        assert!(undone.is_err());
        tx.run(Account::count())
    })
    .expect("a commit");
    let names = accounts::table
        .select(accounts::username)
        .order(accounts::id);
    let streamed: Vec<String> = db
        .stream(names.all::<String>())
        .expect("a stream")
        .collect::<Result<_, _>>()
        .expect("names");
    assert_eq!(streamed, ["ann", "bob"]);
    let more = (0..1000).map(|number| (format!("user{number}"),));
    assert_eq!(db.copy_in((accounts::username,), more).expect("rows"), 1000);
    db.run(sql_query("VACUUM accounts").affected())
        .expect("a statement that must run alone");
    let error = db
        .run(Account::insert(new_account("ann")))
        .expect_err("a duplicate");
    assert_eq!(error.sqlstate(), Some(SqlState::UNIQUE_VIOLATION));
}

/// Returns whether this PgBouncer keeps track of prepared statements, as it does from 1.21 on.
fn tracks_prepared_statements() -> bool {
    let (major, minor) = testkit::PgBouncer::version();
    (major, minor) >= (1, 21)
}

#[test]
fn a_pooler_can_prepare_statements() {
    let bouncer = PgBouncer::start();
    let db = bouncer.config().pooler_prepares(true).open();
    let db = db.expect("pgbouncer");
    let ann = db.run(Account::insert(new_account("ann")));
    let ann = ann.expect("an account");
    // More clients than sessions of the server, so each session serves several.
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..50 {
                    let found = db.run(Account::get(ann.id)).expect("an account");
                    assert_eq!(found.username, "ann");
                    assert_eq!(db.run(Account::count()).expect("a count"), 1);
                }
            });
        }
    });
    // The names are those that PgBouncer gives.
    let prepared = "SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'PGBOUNCER%'";
    let prepared = db.run(sql_query(prepared).one::<i64>()).expect("a count");
    assert_eq!(prepared > 0, tracks_prepared_statements(), "{prepared}");
}

/// What PgBouncer has prepared is found by its text, so a new session of the client does not help.
#[test]
fn what_a_pooler_prepared_too_early_is_done_without() {
    let bouncer = PgBouncer::start();
    let config = bouncer.config().pooler_prepares(true).max_size(2);
    let db = config.open().expect("pgbouncer");
    let texts = || sql_query("SELECT x FROM changing").all::<String>();
    let numbers = || sql_query("SELECT x FROM changing").all::<i64>();
    db.run(sql_query("CREATE TABLE changing (x text)").affected())
        .expect("a table");
    for _ in 0..20 {
        db.run(texts()).expect("no rows");
    }
    let changed = "ALTER TABLE changing ALTER x TYPE bigint USING x::bigint";
    let direct = bouncer.database.config();
    Session::connect(&direct)
        .and_then(|mut session| session.run(sql_query(changed).affected()))
        .expect("another type");
    for _ in 0..20 {
        db.run(numbers()).expect("no rows");
    }
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| db.run(numbers()).expect("no rows"));
        }
    });
}

#[test]
fn many_clients_share_few_sessions_of_the_servers() {
    let bouncer = PgBouncer::start();
    let db = bouncer.config().max_size(8).open().expect("pgbouncer");
    let counted = thread::scope(|scope| {
        let workers: Vec<_> = (0..8)
            .map(|worker| {
                let db = &db;
                scope.spawn(move || {
                    for number in 0..25 {
                        let name = format!("user{worker}_{number}");
                        db.run(Account::insert(new_account(&name)))
                            .expect("an account");
                        db.transaction(|tx| {
                            tx.run(Account::find_by_username(&name))?;
                            tx.run(Account::count())
                        })
                        .expect("a count");
                    }
                })
            })
            .collect();
        workers.into_iter().all(|worker| worker.join().is_ok())
    });
    assert!(counted);
    assert_eq!(db.run(Account::count()).expect("a count"), 200);
}

#[test]
fn settings_travel_with_each_transaction_behind_a_pooler() {
    #[derive(bowline::Row)]
    struct Settings {
        #[diesel(sql_type = diesel::sql_types::Text)]
        zone: String,
        #[diesel(sql_type = diesel::sql_types::Text)]
        memory: String,
    }
    let bouncer = PgBouncer::start();
    let plain = bouncer.open();
    let config = bouncer.config().parameter("options", "-c work_mem=7MB");
    let special = config.open().expect("pgbouncer");
    let ask = || {
        let settings =
            "SELECT current_setting('TimeZone') AS zone, current_setting('work_mem') AS memory";
        sql_query(settings).one::<Settings>()
    };
    for _ in 0..5 {
        let settings = special.run(ask()).expect("settings");
        assert_eq!(
            (settings.zone.as_str(), settings.memory.as_str()),
            ("UTC", "7MB")
        );
        let within = special.transaction(|tx| tx.run(ask())).expect("settings");
        assert_eq!(within.memory, "7MB");
        let copied = special.transaction(|tx| {
            tx.copy_in((accounts::username,), std::iter::empty::<(String,)>())?;
            tx.run(ask())
        });
        assert_eq!(copied.expect("settings").memory, "7MB");
        assert_eq!(plain.run(ask()).expect("settings").memory, "4MB");
    }
}

#[test]
fn a_slow_statement_is_cancelled_through_a_pooler() {
    let bouncer = PgBouncer::start();
    let db = bouncer.open();
    let mut session = db.session().expect("a session");
    session.set_timeout(Duration::from_millis(300));
    let error = session
        .run(sql_query("SELECT pg_sleep(20)").affected())
        .expect_err("too slow");
    assert_eq!(
        (error.sqlstate(), error.outcome()),
        (Some(SqlState::QUERY_CANCELED), Outcome::NotCommitted)
    );
    assert!(session.run(sql_query("SELECT 1").affected()).is_ok());
}

#[test]
fn session_features_are_refused_behind_a_pooler() {
    let bouncer = PgBouncer::start();
    let db = bouncer.open();
    let mut session = db.session().expect("a session");
    let errors: [Error; 2] = [
        session.listen("jobs").expect_err("no session of its own"),
        session
            .advisory_lock("jobs")
            .map(drop)
            .expect_err("no session of its own"),
    ];
    for error in errors {
        assert!(
            error.hint().is_some_and(|hint| hint.contains("pooler")),
            "{error:?}"
        );
    }
}

#[test]
fn migrations_are_refused_behind_a_pooler() {
    const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations");
    let bouncer = PgBouncer::start();
    let error = bouncer
        .open()
        .migrate(MIGRATIONS)
        .expect_err("no session of its own");
    assert_eq!(error.kind(), ErrorKind::Config, "{error:?}");
    assert!(
        error
            .hint()
            .is_some_and(|hint| hint.contains("the server itself")),
        "{error:?}"
    );
}

/// PgBouncer refuses the start-up options before version 1.20, and takes them from then on.
#[test]
fn an_undeclared_pooler_is_named_with_its_setting() {
    let bouncer = PgBouncer::start();
    let config = bouncer.bouncer.config(bouncer.database.name());
    let error = Session::connect(&config).expect_err("it is refused");
    assert!(error.is_permanent(), "{error:?}");
    let hint = error.hint().unwrap_or_default();
    assert!(hint.contains("Config::pooler(true)"), "{error:?}");
    let is_refused = error.message().contains("unsupported startup parameter");
    let is_found_out = error.message().contains("no server has the process id");
    assert!(is_refused || is_found_out, "{error}");
}
