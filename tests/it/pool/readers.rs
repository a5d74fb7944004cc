//! Readers on a standby, and marks of writes.

mod cluster;

use std::thread;
use std::time::{Duration, Instant};

use bank::{Account, AccountStatus, Transfer};
use bowline::reader::WriteMark;
use bowline::{
    ErrorKind, Outcome, Page, Result, Session, SqlState, Statement as _, StatementDsl as _,
    TransactionOptions, sql_query,
};
use diesel::connection::SimpleConnection as _;
use testkit::{Direction, Ending, Proxy};

use super::SPARE;
use crate::support::{MIGRATIONS, balance, new_account, test_database};
use cluster::{Cluster, replay};

fn is_standby() -> impl bowline::reader::ReadStatement<Output = bool> {
    sql_query("SHOW in_hot_standby")
        .one::<String>()
        .map(|shown| shown == "on")
}

#[test]
fn a_reader_is_on_the_standby_in_one_round_trip() {
    let _turn = replay();
    let cluster = Cluster::start("on_the_standby");
    let db = cluster.open();
    db.run(Account::insert(new_account("ann")))
        .expect("an account");
    assert!(db.reader().run(is_standby()).expect("an answer"));
    assert!(!db.run(is_standby()).expect("an answer"));
    cluster.forget();
    let reader = db.reader();
    reader.run(Account::count()).expect("a count");
    assert_eq!(cluster.trips(), (0, 1));
    reader
        .run((Account::list(Page::first(5)), Transfer::count()))
        .expect("rows");
    assert_eq!(cluster.trips(), (0, 1));
    let streamed: Result<Vec<i32>> = reader
        .stream(sql_query("SELECT generate_series(1, 3)").all::<i32>())
        .expect("a stream")
        .collect();
    assert_eq!(streamed.expect("numbers"), [1, 2, 3]);
    assert_eq!(cluster.trips(), (0, 1));
    assert_eq!((reader.pool_state().size, db.pool_state().size), (1, 1));
}

#[test]
fn a_write_is_refused_before_anything_is_sent() {
    let _turn = replay();
    let cluster = Cluster::start("refused");
    let db = cluster.open();
    let reader = db.reader();
    reader.run(Account::count()).expect("a count");
    cluster.forget();
    let mark: WriteMark = "0/1".parse().expect("a place");
    for reader in [reader.clone(), reader.at_least(&mark)] {
        let writes = [
            reader
                .run(sql_query("UPDATE accounts SET balance = 1").affected())
                .map(drop),
            reader
                .run(sql_query("SELECT id FROM accounts FOR UPDATE").all::<i64>())
                .map(drop),
            reader
                .run(
                    diesel::insert_into(bank::schema::accounts::table)
                        .default_values()
                        .affected(),
                )
                .map(drop),
            reader
                .run((
                    Account::count(),
                    Account::insert(new_account("ann")).boxed(),
                ))
                .map(drop),
            reader
                .run(
                    sql_query("SELECT nextval('accounts_id_seq')")
                        .one::<i64>()
                        .named("next"),
                )
                .map(drop),
            reader
                .stream(sql_query("SELECT pg_sleep(0), 1").all::<i32>().unprepared())
                .map(drop),
        ];
        for refused in writes {
            let error = refused.expect_err("it may write");
            assert_eq!(error.kind(), ErrorKind::Query, "{error:?}");
            assert_eq!(error.outcome(), Outcome::NotCommitted);
            assert!(error.message().contains("not known to read"), "{error}");
        }
    }
    // Nothing of a statement was sent. The stream with a mark asked the standby how far it is.
    assert_eq!(cluster.trips(), (0, 1));
}

/// A function is known by its name only, so a function of the database can be another one.
#[test]
fn what_nobody_knew_to_write_the_server_refuses() {
    let database = test_database();
    Session::connect(&database.config())
        .and_then(|mut session| {
            Ok(session.batch_execute(
                "CREATE SCHEMA own; CREATE TABLE own.t (x int);
                 CREATE FUNCTION own.lower(text) RETURNS text LANGUAGE sql
                 AS 'INSERT INTO own.t VALUES (1) RETURNING $1'",
            )?)
        })
        .expect("DDL");
    // No standby: the reader's own sessions are read only on the primary.
    let config = database
        .config()
        .parameter("options", "-c search_path=own,pg_catalog,public");
    let db = config.open().expect("a server");
    let reader = db.reader();
    let pid = || {
        let pid = sql_query(
            "SELECT pid FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%itself%'",
        );
        reader.run(pid.all::<i32>())
    };
    let before = pid().expect("a process");
    let writes = sql_query("SELECT lower(username) FROM accounts UNION ALL SELECT lower('x')");
    let error = reader
        .run(writes.all::<String>())
        .expect_err("it only reads");
    assert_eq!(
        error.sqlstate(),
        Some(SqlState::READ_ONLY_SQL_TRANSACTION),
        "{error:?}"
    );
    // That is no sign of a fail-over here: the session stays.
    assert_eq!(pid().expect("a process"), before);
}

#[test]
fn a_mark_takes_no_round_trip_of_its_own() {
    let _turn = replay();
    let cluster = Cluster::start("marks");
    let mark = WriteMark::new();
    let db = cluster.open().with_mark(&mark);
    let ann = db
        .run(Account::insert(new_account("ann")))
        .expect("an account");
    let mut seen = WriteMark::new().to_string();
    let mut moved = |what: &str| {
        let before = std::mem::replace(&mut seen, mark.to_string());
        assert_ne!(seen, before, "{what}");
        assert!(!mark.is_unknown(), "{what}");
        cluster.trips().0
    };
    moved("the first write, with connecting");
    db.run(Account::update(ann.id, balance(1))).expect("a row");
    assert_eq!(moved("a write"), 1);
    db.run((
        Account::update(ann.id, balance(2)),
        Account::update(ann.id, balance(3)),
    ))
    .expect("rows");
    assert_eq!(moved("a tuple"), 1);
    let careful = db.with_options(TransactionOptions::serializable());
    careful
        .run(Account::update(ann.id, balance(4)))
        .expect("a row");
    assert_eq!(moved("a write with options"), 1);
    let mut work = db.unit_of_work();
    work.add(Account::update(ann.id, balance(5)));
    let _outputs = work.commit().expect("a commit");
    assert_eq!(moved("a unit of work"), 1);
    // The first transaction of a session also asks which server it is on, in the same round trips.
    db.transaction(|tx| tx.run(Account::update(ann.id, balance(6))))
        .expect("a commit");
    assert_eq!(moved("a transaction"), 2);
    let mut tx = db.begin().expect("a transaction");
    tx.run(Account::update(ann.id, balance(7))).expect("a row");
    tx.commit().expect("a commit");
    assert_eq!(moved("a transaction without a closure"), 2);
    // These have no COMMIT to ask behind.
    db.run(sql_query("VACUUM accounts").affected())
        .expect("an answer");
    assert_eq!(moved("a statement that runs alone"), 2);
}

#[test]
fn who_only_reads_moves_no_mark() {
    let _turn = replay();
    let cluster = Cluster::start("unmoved");
    let mark = WriteMark::new();
    let db = cluster.open().with_mark(&mark);
    cluster.forget();
    db.run(Account::count()).expect("a count");
    db.transaction(|tx| tx.run(Account::count()))
        .expect("a count");
    let failed = db.run(sql_query("UPDATE accounts SET id = 1 / 0").exactly(1));
    failed.expect_err("no row");
    assert_eq!(mark.to_string(), "0/0");
    let copied = db.copy_in(
        (bank::schema::accounts::username,),
        std::iter::empty::<(String,)>(),
    );
    let error = copied.expect_err("it would not move the mark");
    assert!(error.message().contains("write mark"), "{error}");
}

#[test]
fn a_reader_waits_for_the_write_of_a_mark() {
    let _turn = replay();
    let mut cluster = Cluster::start("waits");
    let (mark, db) = (WriteMark::new(), cluster.open());
    let reader = db.reader();
    reader.run(Account::count()).expect("a count");
    cluster.stop_replay();
    db.with_mark(&mark)
        .run(Account::insert(new_account("ann")))
        .expect("an account");
    // Without the mark it does not see the write; with it, it does not pass over it.
    assert_eq!(reader.run(Account::count()).expect("a count"), 0);
    let limit = Duration::from_millis(300);
    let began = Instant::now();
    let hurried = reader.at_least(&mark).with_timeout(limit);
    let error = hurried.run(Account::count()).expect_err("it is not there");
    assert!(began.elapsed() < limit + SPARE);
    assert_eq!(
        (error.kind(), error.outcome()),
        (ErrorKind::Timeout, Outcome::NotCommitted),
        "{error:?}"
    );
    assert!(error.message().contains(&mark.to_string()), "{error}");
    let streamed = hurried.stream(Account::list(Page::first(1))).map(drop);
    assert_eq!(
        streamed.expect_err("it is not there").kind(),
        ErrorKind::Timeout
    );

    // The primary has it. The standby is asked once, with the statement and alone.
    cluster.forget();
    let impatient = reader.at_least(&mark).or_primary_after(Duration::ZERO);
    assert_eq!(impatient.run(Account::count()).expect("a count"), 1);
    assert_eq!(cluster.trips(), (1, 2));
    // Not to find the row at once is no answer either.
    let by_name = || sql_query("SELECT balance FROM accounts WHERE username = 'ann'").one::<i64>();
    assert_eq!(impatient.run(by_name()).expect("a row"), 100);

    let counted = thread::scope(|scope| {
        let waits = scope.spawn(|| reader.at_least(&mark).run(by_name()));
        thread::sleep(Duration::from_millis(100));
        assert!(!waits.is_finished());
        cluster.go_on();
        waits.join().expect("no panic")
    });
    assert_eq!(counted.expect("a row"), 100);
    // Once it is there, the question travels with the statement.
    cluster.forget();
    let there = reader.at_least(&mark);
    assert_eq!(there.run(by_name()).expect("a row"), 100);
    assert_eq!(cluster.trips(), (0, 1));
    let rows = there
        .stream(Account::list(Page::first(5)))
        .expect("a stream");
    assert_eq!(rows.count(), 1);
    assert_eq!(cluster.trips(), (0, 2));
}

#[test]
fn an_isolated_reader_sees_the_write_of_a_mark() {
    let _turn = replay();
    let mut cluster = Cluster::start("isolated");
    let (mark, db) = (WriteMark::new(), cluster.open());
    cluster.stop_replay();
    db.with_mark(&mark)
        .run(Account::insert(new_account("ann")))
        .expect("an account");
    let reader = db
        .with_options(TransactionOptions::repeatable_read())
        .reader()
        .at_least(&mark);
    let count = thread::scope(|scope| {
        let waits = scope.spawn(|| reader.run((Account::count(), Transfer::count())));
        thread::sleep(Duration::from_millis(50));
        cluster.go_on();
        waits.join().expect("no panic")
    });
    assert_eq!(count.expect("counts"), (1, 0));
}

#[test]
fn a_lost_answer_leaves_no_mark_that_is_too_low() {
    let database = test_database();
    let proxy = Proxy::start(&crate::support::server()).expect("a proxy");
    let mark = WriteMark::new();
    let db = proxy.config(database.name()).open().expect("a server");
    let db = db.with_mark(&mark);
    db.run(Account::insert(new_account("ann")))
        .expect("an account");
    let before = mark.to_string();
    // The commit is found out on another session, and so is its place.
    db.transaction(|tx| {
        let bob = tx.run(Account::insert(new_account("bob")))?;
        proxy.cut_after(Direction::ToClient, 1, Ending::Fin);
        Ok::<_, bowline::Error>(bob)
    })
    .expect("a commit");
    assert_ne!(mark.to_string(), before);
    assert!(!mark.is_unknown());
}

#[test]
fn a_mark_is_no_standbys_if_its_place_is_unknown() {
    let _turn = replay();
    let cluster = Cluster::start("unknown");
    let db = cluster.open();
    let mark: WriteMark = "FFFFFFFF/FFFFFFFF".parse().expect("a place");
    assert!(mark.is_unknown());
    let reader = db.reader().at_least(&mark);
    let error = reader.run(Account::count()).expect_err("nobody has it");
    assert_eq!(error.kind(), ErrorKind::Timeout);
    let reader = reader.or_primary_after(Duration::from_secs(10));
    assert!(!reader.run(is_standby()).expect("the primary"));
}

#[test]
fn a_reader_of_one_server_is_on_that_server() {
    let database = test_database();
    let mark = WriteMark::new();
    let db = database.config().open().expect("a server");
    db.with_mark(&mark)
        .run(Account::insert(new_account("ann")))
        .expect("an account");
    let reader = db.reader().at_least(&mark);
    assert_eq!(reader.run(Account::count()).expect("a count"), 1);
    // A reader that has to be on a standby finds none.
    let config = database
        .config()
        .reader_parameter("target_session_attrs", "standby")
        .checkout_timeout(Duration::from_millis(300));
    let db = config.open().expect("a server");
    db.reader().run(Account::count()).expect_err("no standby");
    db.run(Account::count()).expect("the primary");
}

#[test]
fn readers_are_closed_with_their_database() {
    let database = test_database();
    let db = database.config().open().expect("a server");
    let reader = db.reader();
    reader.run(Account::count()).expect("a count");
    let held = reader.stream(Account::list(Page::first(1)));
    let error = db.close(Duration::from_millis(50)).expect_err("it is held");
    assert!(error.message().contains("readers.rs"), "{error}");
    drop(held);
    db.close(Duration::from_secs(5)).expect("all are returned");
    for closed in [&reader, &db.reader()] {
        let error = closed.run(Account::count()).expect_err("closed");
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
    }
    let unused = database.config().open().expect("a server");
    unused.close(Duration::from_secs(5)).expect("closed");
    unused.reader().run(Account::count()).expect_err("closed");
}

#[test]
fn in_a_tests_transaction_a_reader_sees_its_writes() {
    let db = bowline::testing::sandbox(std::path::Path::new(MIGRATIONS)).expect("a sandbox");
    let mark = WriteMark::new();
    db.with_mark(&mark)
        .run(Account::insert(new_account("ann")))
        .expect("an account");
    assert_eq!(mark.to_string(), "0/0");
    let reader = db.reader().at_least(&mark);
    assert_eq!(reader.run(Account::count()).expect("a count"), 1);
    reader
        .run(sql_query("DELETE FROM accounts").affected())
        .expect_err("it may write");
}

#[test]
fn tasks_have_readers_too() {
    let _turn = replay();
    let mut cluster = Cluster::start("tasks");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let (mark, db) = (WriteMark::new(), cluster.open().into_async());
    let reader = db.reader();
    runtime.block_on(async {
        assert!(reader.run(is_standby()).await.expect("an answer"));
        cluster.stop_replay();
        let ann = db
            .with_mark(&mark)
            .transaction(async |tx| tx.run(Account::insert(new_account("ann"))).await)
            .await
            .expect("an account");
        assert_eq!(ann.status, AccountStatus::Active);
        let reader = reader.at_least(&mark);
        let hurried = reader.with_timeout(Duration::from_millis(100));
        let error = hurried.run(Account::count()).await.expect_err("not there");
        assert_eq!(error.kind(), ErrorKind::Timeout);
        let primary = reader.or_primary_after(Duration::from_millis(20));
        assert_eq!(primary.run(Account::count()).await.expect("a count"), 1);
        cluster.go_on();
        let boxed = reader.run(Account::count().boxed()).await;
        assert_eq!(boxed.expect("a count"), 1);
        let mut rows = reader
            .stream(Account::list(Page::first(5)))
            .await
            .expect("rows");
        assert!(rows.next().await.expect("a row").is_ok());
    });
    assert_eq!(reader.pool_state().max, db.pool_state().max);
}
