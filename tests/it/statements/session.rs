//! One session: deadlines, large batches, lost connections, stale plans.

use std::time::{Duration, Instant};

use bank::Account;
use bowline::{ErrorKind, Outcome, Session, SqlState, StatementDsl as _, sql_query};
use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::sql_types::{Integer, Text};

use crate::support::{new_account, server, test_database};

#[derive(bowline::Row, Debug, PartialEq)]
struct Line {
    #[diesel(sql_type = Integer)]
    number: i32,
    #[diesel(sql_type = Text)]
    filling: String,
}

fn session() -> Session {
    Session::connect(&server().config("postgres")).expect("a server")
}

#[test]
fn a_call_ends_at_its_deadline_and_the_session_continues() {
    let mut session = session();
    session.set_timeout(Duration::from_millis(200));
    let started = Instant::now();
    let error = session
        .run(sql_query("SELECT pg_sleep(20)").affected())
        .expect_err("too slow");
    assert!(started.elapsed() < Duration::from_secs(3));
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error:?}");
    assert_eq!(
        (error.sqlstate(), error.outcome()),
        (Some(SqlState::QUERY_CANCELED), Outcome::NotCommitted)
    );
    assert!(!session.is_broken());
    assert!(session.run(sql_query("SELECT 1").affected()).is_ok());
}

#[test]
fn a_large_batch_with_large_answers_does_not_lock_up() {
    let mut session = session();
    let filling = "x".repeat(1000);
    let query = |number| {
        sql_query("SELECT $1 AS number, $2 AS filling")
            .bind::<Integer, _>(number)
            .bind::<Text, _>(filling.clone())
    };
    let answers = session
        .run(
            (0..20_000)
                .map(|number| query(number).one::<Line>())
                .collect::<Vec<_>>(),
        )
        .expect("all answers");
    assert_eq!(answers.len(), 20_000);
    assert!(
        answers
            .iter()
            .zip(0..)
            .all(|(line, number)| line.number == number && line.filling == filling)
    );
}

#[test]
fn a_failure_among_100_000_statements_is_named() {
    use diesel::sql_types::Integer;
    for (cache, many, bad) in [(256, 100_000, 77_777), (0, 20_000, 17_777)] {
        let config = server().config("postgres").statement_cache(cache);
        let mut session = Session::connect(&config).expect("a server");
        // The test checks the index of the statement, not the time that a busy machine takes.
        session.set_timeout(Duration::from_secs(600));
        let divide = |number: i32| {
            diesel::select(diesel::dsl::sql::<Integer>("60000 / ").bind::<Integer, _>(number))
        };
        let all = (1..=many).map(|number| divide(number - bad).one::<i32>());
        let error = session
            .run(all.collect::<Vec<_>>())
            .expect_err("a division by zero");
        assert_eq!(
            error.sqlstate(),
            Some(SqlState::DIVISION_BY_ZERO),
            "{error:?}"
        );
        let failed = error.statement_index().expect("an index");
        assert_eq!(
            (failed.index + 1, failed.total),
            (bad as usize, many as usize)
        );
        assert!(error.sql().is_some_and(|sql| sql.contains("60000")));
        let some = (1..=1000).map(|number| divide(number).one::<i32>());
        let answers = session.run(some.collect::<Vec<_>>()).expect("all answers");
        assert_eq!((answers[0], answers[9]), (60_000, 6_000));
    }
}

#[test]
fn a_session_whose_server_process_was_ended_says_so() {
    let (mut session, mut other) = (session(), session());
    let end =
        sql_query("SELECT pg_terminate_backend($1)").bind::<Integer, _>(session.backend_pid());
    other.run(end.affected()).expect("the right to do so");
    let error = session
        .run(sql_query("SELECT 1").affected())
        .expect_err("the process is gone");
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
    assert!(session.is_broken());
    assert!(session.run(sql_query("SELECT 1").affected()).is_err());
}

#[test]
fn the_pool_replaces_a_session_that_was_ended_while_idle() {
    let database = test_database();
    let db = database.config().max_size(1).open().expect("a server");
    let pid = db.session().expect("a session").backend_pid();
    let end = sql_query("SELECT pg_terminate_backend($1, 5000)").bind::<Integer, _>(pid);
    session().run(end.affected()).expect("the right to do so");
    assert_eq!(db.run(Account::count()).expect("a new session"), 0);
}

#[test]
fn a_plan_made_stale_by_a_migration_is_prepared_again() {
    let database = test_database();
    let db = database.open().expect("a server");
    let session = &mut *db.session().expect("a session");
    let ann = session
        .run(Account::insert(new_account("ann")))
        .expect("an account");
    let everything = || {
        bank::schema::accounts::table
            .find(ann.id)
            .select(bank::schema::accounts::balance)
    };
    assert_eq!(
        session.run(everything().one::<i64>()).expect("a balance"),
        100
    );
    session.batch_execute("ALTER TABLE accounts DROP COLUMN display_name; ALTER TABLE accounts ALTER balance TYPE numeric").expect("DDL");
    session
        .batch_execute("ALTER TABLE accounts ALTER balance TYPE bigint")
        .expect("DDL");
    assert_eq!(
        session.run(everything().one::<i64>()).expect("a balance"),
        100
    );
    session.batch_execute("DEALLOCATE ALL").expect("DDL");
    assert_eq!(
        session.run(everything().one::<i64>()).expect("a balance"),
        100
    );
}

#[test]
fn a_recreated_enum_is_looked_up_again() {
    let database = test_database();
    let db = database.open().expect("a server");
    let session = &mut *db.session().expect("a session");
    let frozen = || bank::AccountChanges {
        status: Some(bank::AccountStatus::Frozen),
        ..Default::default()
    };
    let ann = session
        .run(Account::insert(new_account("ann")))
        .expect("an account");
    session
        .run(Account::update(ann.id, frozen()))
        .expect("an account");
    session
        .batch_execute(
            "DROP INDEX accounts_open_email_key; ALTER TABLE accounts ALTER status DROP DEFAULT; ALTER TABLE accounts ALTER status TYPE text;
             DROP TYPE account_status; CREATE TYPE account_status AS ENUM ('active', 'frozen', 'closed');
             ALTER TABLE accounts ALTER status TYPE account_status USING status::account_status",
        )
        .expect("DDL");
    session
        .run(Account::update(ann.id, frozen()))
        .expect("the type's new number");
}

#[test]
fn a_statement_that_must_run_alone_does() {
    let database = test_database();
    let db = database.open().expect("a server");
    db.run(
        sql_query("CREATE INDEX CONCURRENTLY accounts_balance ON accounts (balance)").affected(),
    )
    .expect("an index");
    let error = db
        .run((Account::count(), sql_query("VACUUM accounts").affected()))
        .expect_err("not with others");
    assert_eq!(error.sqlstate(), Some(SqlState::ACTIVE_SQL_TRANSACTION));
}

#[test]
fn a_row_count_of_with_is_judged_before_the_commit() {
    let database = test_database();
    let db = database.open().expect("a server");
    db.run(Account::insert_many(["ann", "bob"].map(new_account).into()))
        .expect("two accounts");
    let delete = sql_query(
        "WITH gone AS (DELETE FROM accounts RETURNING 1) SELECT 1 AS number, 'x' AS filling FROM gone",
    );
    let error = db.run(delete.one::<Line>()).expect_err("two rows");
    assert_eq!(error.kind(), ErrorKind::TooManyRows);
    assert_eq!(
        (error.outcome(), db.run(Account::count()).expect("a count")),
        (Outcome::NotCommitted, 2)
    );
}

#[test]
fn a_server_on_tcp_is_reached_by_name_and_by_address() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = free.local_addr().expect("an address").port();
    drop(free);
    let settings = [
        ("listen_addresses", "127.0.0.1"),
        ("port", &port.to_string()),
    ];
    let server = bowline::testing::LocalServer::private(&settings).expect("a server");
    let config = |host| {
        let config = bowline::Config::new().host(host).port(port);
        config
            .user("postgres")
            .dbname("postgres")
            .parameter("sslmode", "disable")
    };
    for host in ["127.0.0.1", "localhost", "no.such.host.invalid,localhost"] {
        let mut session = Session::connect(&config(host)).expect("a connection");
        session.set_timeout(Duration::from_millis(200));
        let error = session
            .run(sql_query("SELECT pg_sleep(20)").affected())
            .expect_err("too slow");
        assert_eq!(error.sqlstate(), Some(SqlState::QUERY_CANCELED));
        assert!(session.run(sql_query("SELECT 1").affected()).is_ok());
    }
    let error = Session::connect(&config("no.such.host.invalid")).expect_err("no such host");
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
    drop(server);
}

#[test]
fn a_silent_server_ends_at_the_connect_timeout() {
    let deaf = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = deaf.local_addr().expect("an address").port();
    let config = bowline::Config::new()
        .host("127.0.0.1")
        .port(port)
        .user("ann")
        .dbname("bank");
    let started = Instant::now();
    let error = config
        .connect_timeout(Duration::from_millis(300))
        .open()
        .expect_err("nobody answers");
    assert!(started.elapsed() < Duration::from_millis(2300));
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error:?}");
}

#[test]
fn a_stopped_server_process_does_not_block_its_caller() {
    let server = bowline::testing::LocalServer::private(&[]).expect("a server");
    let mut session = Session::connect(&server.config("postgres")).expect("a connection");
    let pid = session.backend_pid().to_string();
    let signal = |name: &str| {
        std::process::Command::new("kill")
            .args([name, &pid])
            .status()
    };
    assert!(signal("-STOP").expect("kill is there").success());
    session.set_timeout(Duration::from_millis(200));
    let started = Instant::now();
    let error = session
        .run(sql_query("CREATE TABLE t (x int)").affected())
        .expect_err("it hangs");
    assert!(started.elapsed() < Duration::from_secs(4));
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error:?}");
    assert_eq!(
        (error.outcome(), session.is_broken()),
        (Outcome::Unknown, true)
    );
    assert!(signal("-CONT").expect("kill is there").success());
}
