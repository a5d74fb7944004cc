//! Commit keys without faults: their cost, and requests that are sent twice.

use std::thread;
use std::time::Duration;

use bank::Account;
use bowline::commit_keys::{self, CommitKey};
use bowline::testing::TestDatabase;
use bowline::{
    Database, Error, ErrorKind, Outcome, Result, Session, SqlState, StatementDsl as _,
    TransactionOptions, sql_query,
};
use diesel::connection::SimpleConnection as _;
use testkit::Proxy;

use crate::support::{new_account, server, test_database};

/// A database with the table of keys.
fn with_table() -> (TestDatabase, Database) {
    let database = test_database();
    let db = database.open().expect("a server");
    db.session()
        .expect("a session")
        .batch_execute(commit_keys::MIGRATION)
        .expect("DDL");
    (database, db)
}

fn keys(db: &Database) -> usize {
    db.run(sql_query("SELECT FROM __bowline_commit_keys").affected())
        .expect("an answer")
}

#[test]
fn a_key_takes_no_round_trip_and_one_row() {
    let (database, plain) = with_table();
    let proxy = Proxy::start(&server()).expect("a proxy");
    let db = proxy.config(database.name()).open().expect("a server");
    db.run(Account::insert(new_account("zoe"))).expect("warm");
    proxy.take_round_trips();
    db.with_options(TransactionOptions::new().with_generated_commit_key())
        .run(Account::insert(new_account("ann")))
        .expect("an account");
    assert_eq!((proxy.take_round_trips(), keys(&plain)), (1, 1));
    db.with_options(TransactionOptions::serializable().with_generated_commit_key())
        .transaction(|tx| {
            tx.run(Account::insert(new_account("bob")))?;
            tx.run(Account::count())
        })
        .expect("a commit");
    assert_eq!((proxy.take_round_trips(), keys(&plain)), (3, 2));
    let mut work = db.unit_of_work();
    work.add(Account::insert(new_account("cid")));
    let _done = work.commit().expect("a commit");
    assert_eq!((proxy.take_round_trips(), keys(&plain)), (1, 2));
    db.with_options(TransactionOptions::new().with_generated_commit_key())
        .run(Account::insert(new_account("ann")))
        .expect_err("a duplicate");
    assert_eq!(keys(&plain), 2, "what was rolled back leaves no key");
    db.with_options(TransactionOptions::new().with_generated_commit_key())
        .transaction(|_| Ok::<_, Error>(()))
        .expect("nothing to do");
    assert_eq!(keys(&plain), 2);
}

#[test]
fn a_request_that_is_sent_twice_is_done_once() {
    let (_database, db) = with_table();
    let request = CommitKey::new();
    let once = db.with_options(TransactionOptions::new().with_commit_key(request));
    once.run(Account::insert(new_account("ann")))
        .expect("an account");
    let again = once.run(Account::insert(new_account("bob")));
    let error = again.expect_err("it was done");
    assert_eq!(error.kind(), ErrorKind::Constraint, "{error:?}");
    assert_eq!(error.outcome(), Outcome::Committed);
    assert_eq!(error.constraint_name(), Some("__bowline_commit_keys_pkey"));
    let again = once.transaction(|tx| tx.run(Account::insert(new_account("bob"))));
    assert_eq!(
        again.expect_err("it was done").outcome(),
        Outcome::Committed
    );
    assert_eq!(db.run(Account::count()).expect("a count"), 1);
    // Another request: its first attempt fails, and a second one with the same key succeeds.
    let other = db.with_options(
        TransactionOptions::serializable().with_commit_key(u128::from_be_bytes([7; 16])),
    );
    other
        .run(Account::insert(new_account("ann")))
        .expect_err("a duplicate");
    other
        .run(Account::insert(new_account("cid")))
        .expect("an account");
    assert_eq!(db.run(Account::count()).expect("a count"), 2);
}

#[test]
fn a_second_request_waits_for_the_first() {
    let (_database, db) = with_table();
    let request = db.with_options(TransactionOptions::new().with_commit_key(CommitKey::new()));
    let (first, second) = thread::scope(|scope| {
        let mut second = None;
        let first = request.transaction_once(|tx| {
            tx.run(Account::insert(new_account("ann")))?;
            second = Some(scope.spawn(|| request.run(Account::insert(new_account("bob")))));
            let waits = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' \
                         AND datname = current_database() AND query LIKE '%__bowline_commit_keys%'";
            while db.run(sql_query(waits).affected())? == 0 {
                thread::yield_now();
            }
            Ok::<_, Error>(())
        });
        let second = second.expect("started").join().expect("no panic");
        (first, second)
    });
    first.expect("a commit");
    assert_eq!(
        second.expect_err("it was done").outcome(),
        Outcome::Committed
    );
    assert_eq!(db.run(Account::count()).expect("a count"), 1);
}

#[bowline::test]
fn a_request_is_done_once_in_a_test_transaction_too(db: Database) -> Result<()> {
    let mut session = db.session()?;
    session.batch_execute(commit_keys::MIGRATION)?;
    drop(session);
    let request = db.with_options(TransactionOptions::new().with_commit_key([1; 16]));
    request.run(Account::insert(new_account("ann")))?;
    let again = request.run(Account::insert(new_account("bob")));
    assert_eq!(
        again.expect_err("it was done").outcome(),
        Outcome::Committed
    );
    assert_eq!(db.run(Account::count())?, 1);
    Ok(())
}

#[test]
fn without_its_table_a_key_is_refused_with_the_remedy() {
    let database = test_database();
    let db = database.open().expect("a server");
    let error = db
        .with_options(TransactionOptions::new().with_generated_commit_key())
        .run(Account::insert(new_account("ann")))
        .expect_err("no table");
    assert_eq!(error.sqlstate(), Some(SqlState::UNDEFINED_TABLE));
    assert!(error.hint().is_some_and(|hint| hint.contains("MIGRATION")));
    assert_eq!(db.run(Account::count()).expect("a count"), 0);
}

#[test]
fn old_keys_are_pruned_and_young_ones_stay() {
    let (_database, db) = with_table();
    let aged = "INSERT INTO __bowline_commit_keys (key, at) VALUES \
                (gen_random_uuid(), now() - interval '3 days'), (gen_random_uuid(), now() - interval '2 hours'), \
                (gen_random_uuid(), now() - interval '10 minutes')";
    db.run(sql_query(aged).affected()).expect("three keys");
    let days = |days: u64| Duration::from_secs(days * 24 * 60 * 60);
    assert_eq!(db.run(commit_keys::prune(days(1))).expect("a number"), 1);
    // A key younger than an hour is kept, since its outcome may still be queried.
    assert_eq!(db.run(commit_keys::prune(days(0))).expect("a number"), 1);
    assert_eq!(keys(&db), 1);
}

#[test]
fn the_migration_can_be_reverted() {
    let (database, db) = with_table();
    let mut session = Session::connect(&database.config()).expect("a server");
    session.batch_execute(commit_keys::REVERT).expect("DDL");
    let there =
        sql_query("SELECT FROM pg_class WHERE relname LIKE '__bowline_commit_keys%'").affected();
    assert_eq!(db.run(there).expect("an answer"), 0);
}
