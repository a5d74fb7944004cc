//! Transactions without a closure.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bank::{Account, AccountConstraint};
use bowline::{Database, ErrorKind};
use testkit::Proxy;

use crate::support::{new_account, server, test_database};

#[test]
fn a_begun_transaction_commits_or_rolls_back() {
    let database = test_database();
    let db = database.config().max_size(1).open().expect("a server");
    let (committed, undone) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let begin = || {
        let mut tx = db.begin().expect("a transaction");
        let (committed, undone) = (Arc::clone(&committed), Arc::clone(&undone));
        tx.run(Account::insert(new_account("ann")))
            .expect("an account");
        tx.after_commit(move || {
            committed.fetch_add(1, Ordering::SeqCst);
        });
        tx.after_rollback(move || {
            undone.fetch_add(1, Ordering::SeqCst);
        });
        tx
    };
    drop(begin());
    assert_eq!(db.run(Account::count()).expect("a count"), 0);
    begin().rollback().expect("rolled back");
    assert_eq!(db.run(Account::count()).expect("a count"), 0);
    begin().commit().expect("committed");
    assert_eq!(db.run(Account::count()).expect("a count"), 1);
    assert_eq!(committed.load(Ordering::SeqCst), 1);
    assert_eq!(undone.load(Ordering::SeqCst), 2);
    assert_eq!(db.pool_state().opened, 1);
}

#[test]
fn begin_takes_no_round_trip_and_commit_one() {
    let (server, database) = (server(), test_database());
    let proxy = Proxy::start(&server).expect("a proxy");
    let db = proxy.config(database.name()).max_size(1).open();
    let db = db.expect("a server");
    let counted = |statements: usize| {
        proxy.take_round_trips();
        let mut tx = db.begin().expect("a transaction");
        for _ in 0..statements {
            tx.run(Account::count()).expect("a count");
        }
        tx.commit().expect("committed");
        proxy.take_round_trips()
    };
    counted(1);
    assert_eq!((counted(0), counted(1), counted(2)), (0, 2, 3));
}

#[bowline::test]
fn an_error_that_was_passed_over_fails_the_commit(db: Database) {
    db.run(Account::insert(new_account("ann")))
        .expect("an account");
    let mut tx = db.begin().expect("a transaction");
    let error = tx.run(Account::insert(new_account("ann")));
    let error = error.expect_err("a duplicate");
    assert_eq!(error.constraint(), Some(AccountConstraint::UsernameKey));
    let error = tx.commit().expect_err("a failed transaction");
    assert_eq!(error.kind(), ErrorKind::Constraint);
    assert_eq!(db.run(Account::count()).expect("a count"), 1);
}

#[test]
fn a_panic_rolls_a_begun_transaction_back() {
    let database = test_database();
    let db = database.config().max_size(1).open().expect("a server");
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let mut tx = db.begin().expect("a transaction");
        tx.run(Account::insert(new_account("ann")))
            .expect("an account");
        panic!("within");
    }));
    assert!(panicked.is_err());
    assert_eq!(db.run(Account::count()).expect("a count"), 0);
    assert_eq!(db.pool_state().opened, 1);
}
