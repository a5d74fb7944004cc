//! Round trips, counted by a proxy between the program and the server.

use bank::schema::accounts;
use bank::{Account, AccountChanges, AccountStatus, Transfer};
use bowline::{Database, Page, StatementDsl as _, TransactionOptions};
use diesel::ExpressionMethods as _;
use testkit::Proxy;

use crate::support::{new_account, server, test_database};

/// Opens a pool on a separate database through a counting proxy; the first session is connected
/// already.
fn counted() -> (Database, Proxy, bowline::testing::TestDatabase) {
    let (server, database) = (server(), test_database());
    let proxy = Proxy::start(&server).expect("a proxy");
    let db = proxy.config(database.name()).open().expect("a server");
    (db, proxy, database)
}

#[test]
fn a_new_connection_takes_what_libpq_needs_and_no_more() {
    let (_db, proxy, _database) = counted();
    assert_eq!((proxy.connections(), proxy.take_round_trips()), (1, 1));
}

#[test]
fn a_query_takes_one_round_trip_and_the_checkout_none() {
    let (db, proxy, _database) = counted();
    proxy.take_round_trips();
    for _ in 0..3 {
        db.run(Account::count()).expect("a count");
        assert_eq!(proxy.take_round_trips(), 1);
    }
    drop(db.session().expect("a session"));
    assert_eq!(proxy.take_round_trips(), 0);
}

#[test]
fn a_type_of_a_migration_is_looked_up_once_for_the_pool() {
    let (db, proxy, _database) = counted();
    let frozen = || {
        diesel::update(accounts::table)
            .set(accounts::status.eq(AccountStatus::Frozen))
            .affected()
    };
    db.run(frozen()).expect("an update");
    db.run(frozen()).expect("an update");
    // Connecting, the look-up and two updates.
    assert_eq!(proxy.take_round_trips(), 4);
    let _held = db.session().expect("the first session");
    proxy.take_round_trips();
    db.run(frozen()).expect("an update");
    // Connecting a second session and the update: no look-up.
    assert_eq!(proxy.take_round_trips(), 2);
}

#[test]
fn a_generated_function_looks_up_no_type() {
    let (db, proxy, _database) = counted();
    let ann = db
        .run(Account::insert(new_account("ann")))
        .expect("an account");
    proxy.take_round_trips();
    let frozen = AccountChanges {
        status: Some(AccountStatus::Frozen),
        ..Default::default()
    };
    let ann = db.run(Account::update(ann.id, frozen)).expect("an account");
    assert_eq!(ann.status, AccountStatus::Frozen);
    assert_eq!(proxy.take_round_trips(), 1);
}

#[test]
fn a_tuple_of_ten_writes_takes_one_round_trip() {
    let (db, proxy, _database) = counted();
    let ann = db
        .run(Account::insert(new_account("ann")))
        .expect("an account");
    proxy.take_round_trips();
    db.run((
        Account::get(ann.id),
        Account::count(),
        Transfer::list_by_sender(ann.id, Page::first(20)),
    ))
    .expect("answers");
    assert_eq!(proxy.take_round_trips(), 1);
    let names: Vec<_> = (0..10).map(|number| format!("user{number}")).collect();
    let writes = || {
        names
            .iter()
            .map(|name| Account::upsert_by_username(new_account(name), AccountChanges::default()))
    };
    db.run(writes().collect::<Vec<_>>()).expect("ten writes");
    assert_eq!(proxy.take_round_trips(), 1);
    db.with_options(TransactionOptions::serializable())
        .run(writes().collect::<Vec<_>>())
        .expect("ten writes");
    assert_eq!(proxy.take_round_trips(), 1);
}

#[test]
fn a_unit_of_work_takes_one_round_trip() {
    let (db, proxy, _database) = counted();
    db.run(Account::insert(new_account("zoe")))
        .expect("an account");
    proxy.take_round_trips();
    let mut work = db.unit_of_work();
    let ann = work.add(Account::insert(new_account("ann")));
    let bob = work.add(Account::insert(new_account("bob")));
    let count = work.add(Account::count());
    let mut done = work.commit().expect("a commit");
    assert_eq!(proxy.take_round_trips(), 1);
    assert_eq!(done.take(ann).expect("an account").username, "ann");
    assert_eq!(done.take(bob).expect("an account").username, "bob");
    assert_eq!(done.take(count).expect("a count"), 3);
}

#[test]
fn n_interactive_statements_take_n_plus_one_trips() {
    let (db, proxy, _database) = counted();
    db.run(Account::insert(new_account("zoe")))
        .expect("an account");
    proxy.take_round_trips();
    let done = db.transaction(|tx| {
        let ann = tx.run(Account::insert(new_account("ann")))?;
        tx.savepoint(|tx| tx.run(Account::insert(new_account("bob"))))?;
        tx.run(Account::get(ann.id))
    });
    assert_eq!(done.expect("a commit").username, "ann");
    assert_eq!(proxy.take_round_trips(), 4);
    db.transaction(|_| Ok::<_, bowline::Error>(()))
        .expect("nothing to do");
    assert_eq!(proxy.take_round_trips(), 0);
}

#[test]
fn a_failing_tuple_takes_one_more_to_roll_back() {
    let (db, proxy, _database) = counted();
    let ann = db
        .run(Account::insert(new_account("ann")))
        .expect("an account");
    db.run(Account::delete(ann.id)).expect("a deletion");
    proxy.take_round_trips();
    let richer = || AccountChanges {
        balance: Some(1),
        ..Default::default()
    };
    db.run((
        Account::update(ann.id, richer()),
        Account::insert(new_account("bob")),
    ))
    .expect_err("no such account");
    assert_eq!(proxy.take_round_trips(), 2);
    // Work that only reads, or whose only write comes last, needs no BEGIN.
    db.run((Account::get(ann.id), Account::insert(new_account("bob"))))
        .expect_err("no such account");
    assert_eq!(proxy.take_round_trips(), 1);
}
