//! Transactions: commit, rollback, savepoints, retries, and honest outcomes.

use std::sync::Barrier;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use bowline::bank::{Account, AccountChanges, AccountConstraint};
use bowline::{Database, Error, Outcome, Result, SqlState, StatementDsl as _, serializable, sql};

use crate::repositories::new_account;
use crate::test_database;

#[test]
fn what_a_transaction_did_is_there_after_ok_and_not_after_err() {
    let database = test_database();
    let db = database.open().expect("a server");
    db.transaction(|tx| tx.run(Account::insert(new_account("ann"))))
        .expect("a commit");
    let failed = db.transaction(|tx| -> Result<()> {
        tx.run(Account::insert(new_account("bob")))?;
        Err(tx
            .run(Account::insert(new_account("ann")))
            .expect_err("a duplicate"))
    });
    assert_eq!(
        failed.expect_err("a duplicate").constraint(),
        Some(AccountConstraint::UsernameKey)
    );
    assert_eq!(db.run(Account::count()).expect("a count"), 1);
}

#[test]
fn an_error_that_was_passed_over_is_never_a_success() {
    let database = test_database();
    let db = database.open().expect("a server");
    let passed_over = db.transaction(|tx| -> Result<&str> {
        tx.run(Account::insert(new_account("ann")))?;
        tx.run(sql("SELECT 1 / 0").affected())
            .expect_err("a division by zero");
        Ok("committed")
    });
    let error = passed_over.expect_err("PostgreSQL commits nothing of it");
    assert_eq!(
        (error.sqlstate(), error.outcome()),
        (SqlState::new("22012"), Outcome::NotCommitted)
    );
    let in_savepoint = db.transaction(|tx| {
        tx.savepoint(|tx| -> Result<()> {
            tx.run(sql("SELECT 1 / 0").affected())
                .expect_err("a division by zero");
            Ok(())
        })
    });
    assert_eq!(
        in_savepoint.expect_err("neither here").sqlstate(),
        SqlState::new("22012")
    );
    assert_eq!(db.run(Account::count()).expect("a count"), 0);
}

#[test]
fn a_savepoint_in_a_failed_transaction_does_not_hide_the_failure() {
    let database = test_database();
    let db = database.open().expect("a server");
    let error = db
        .transaction(|tx| -> Result<()> {
            tx.run(sql("SELECT 1 / 0").affected())
                .expect_err("a division by zero");
            let inner = tx.savepoint(|tx| tx.run(Account::count()));
            assert_eq!(
                inner.expect_err("it failed before").sqlstate(),
                Some(SqlState::IN_FAILED_SQL_TRANSACTION)
            );
            Ok(())
        })
        .expect_err("PostgreSQL commits nothing of it");
    assert_eq!(error.sqlstate(), SqlState::new("22012"));
    assert_eq!(db.run(Account::count()).expect("the session is whole"), 0);
}

#[test]
fn a_savepoint_undoes_its_own_work_only() {
    let database = test_database();
    let db = database.open().expect("a server");
    db.transaction(|tx| -> Result<()> {
        tx.run(Account::insert(new_account("ann")))?;
        let inner = tx.savepoint(|tx| -> Result<()> {
            tx.run(Account::insert(new_account("bob")))?;
            tx.run(Account::insert(new_account("ann")))?;
            Ok(())
        });
        assert!(inner.is_err());
        tx.run(Account::insert(new_account("cid")))?;
        Ok(())
    })
    .expect("a commit");
    let names = db
        .run(Account::list(bowline::Page::first(9)))
        .expect("a list");
    assert_eq!(
        names
            .iter()
            .map(|account| account.username.as_str())
            .collect::<Vec<_>>(),
        ["ann", "cid"]
    );
}

#[test]
fn a_panic_rolls_back_and_the_session_is_used_again() {
    let database = test_database();
    let db = database.config().max_size(1).open().expect("a server");
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        db.transaction(|tx| -> Result<()> {
            tx.run(Account::insert(new_account("ann")))?;
            panic!("on purpose");
        })
    }));
    assert!(panicked.is_err());
    assert_eq!(db.run(Account::count()).expect("a count"), 0);
}

/// Moves money by reading and writing, which only serializable transactions make safe.
fn move_money(
    db: &Database,
    from: &str,
    to: &str,
    meet: &Barrier,
    attempts: &AtomicU32,
) -> Result<()> {
    db.with(serializable()).transaction(|tx| {
        let first = attempts.fetch_add(1, Ordering::SeqCst) < 2;
        let payer = tx.run(Account::find_by_username(from))?.expect("the payer");
        let payee = tx.run(Account::find_by_username(to))?.expect("the payee");
        if first {
            meet.wait();
        }
        let changes = |balance| AccountChanges {
            balance: Some(balance),
            ..Default::default()
        };
        tx.run((
            Account::update(payer.id, changes(payer.balance - 10)),
            Account::update(payee.id, changes(payee.balance + 10)),
        ))?;
        Ok(())
    })
}

#[test]
fn a_conflict_is_retried_and_the_total_stays() {
    let database = test_database();
    let db = database.open().expect("a server");
    db.run(Account::insert_many(["ann", "bob"].map(new_account).into()))
        .expect("two accounts");
    let (meet, attempts) = (Barrier::new(2), AtomicU32::new(0));
    thread::scope(|scope| {
        let there = scope.spawn(|| move_money(&db, "ann", "bob", &meet, &attempts));
        let back = scope.spawn(|| move_money(&db, "bob", "ann", &meet, &attempts));
        there.join().expect("no panic").expect("a commit");
        back.join().expect("no panic").expect("a commit");
    });
    assert!(
        attempts.load(Ordering::SeqCst) > 2,
        "both read before either wrote, so one had to try again"
    );
    let balances: Vec<_> = db
        .run(Account::list(bowline::Page::first(2)))
        .expect("both")
        .iter()
        .map(|account| account.balance)
        .collect();
    assert_eq!(balances, [100, 100]);
}

#[test]
fn a_conflict_is_retried_whatever_error_the_closure_makes_of_it() {
    let database = test_database();
    let db = database.open().expect("a server");
    let attempts = AtomicU32::new(0);
    let done: std::result::Result<u32, String> = db
        .transaction(|tx| {
            let attempt = attempts.fetch_add(1, Ordering::SeqCst);
            if attempt < 2 {
                tx.run(sql("DO $$ BEGIN RAISE EXCEPTION SQLSTATE '40001'; END $$").affected())
                    .map_err(|_| Text("lost".to_owned()))?;
            }
            Ok::<_, Text>(attempt)
        })
        .map_err(|Text(text)| text);
    assert_eq!(done, Ok(2));
}

struct Text(String);

impl From<Error> for Text {
    fn from(error: Error) -> Self {
        Self(error.to_string())
    }
}

#[test]
fn a_one_trip_transaction_that_always_conflicts_says_how_often_it_was_tried() {
    let database = test_database();
    let db = database.open().expect("a server");
    let error = db
        .run(sql("DO $$ BEGIN RAISE EXCEPTION SQLSTATE '40P01'; END $$").affected())
        .expect_err("a deadlock");
    assert!(matches!(error, Error::Conflict(_)));
    assert_eq!(
        (error.attempts(), error.outcome()),
        (5, Outcome::NotCommitted)
    );
    let error = db.transaction_once(|tx| {
        tx.run(sql("DO $$ BEGIN RAISE EXCEPTION SQLSTATE '40P01'; END $$").affected())
    });
    assert_eq!(error.expect_err("a deadlock").attempts(), 1);
}

#[test]
fn options_shape_the_transaction() {
    let database = test_database();
    let db = database.open().expect("a server");
    let isolation = db.with(serializable()).transaction(|tx| {
        use diesel::prelude::*;
        let level =
            diesel::dsl::sql::<diesel::sql_types::Text>("current_setting('transaction_isolation')");
        Ok::<_, Error>(diesel::select(level).get_result::<String>(tx)?)
    });
    assert_eq!(isolation.expect("a level"), "serializable");
    let error = db
        .with(bowline::read_only())
        .run(Account::insert(new_account("ann")))
        .expect_err("no writing");
    assert_eq!(error.sqlstate(), Some(SqlState::READ_ONLY_SQL_TRANSACTION));
    assert_eq!(
        db.run(Account::count())
            .expect("the session is clean again"),
        0
    );
}
