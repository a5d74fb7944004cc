//! Functions that find rows and lock them.

use bank::Account;
use bowline::{ErrorKind, Page, Result, SqlState, Statement as _, StatementDsl as _, sql_query};

use crate::support::{new_account, test_database};

#[test]
fn no_wait_refuses_and_skip_locked_skips_a_locked_row() {
    let database = test_database();
    let db = database.open().expect("a server");
    let [ann, bob] = ["ann", "bob"].map(|name| {
        db.run(Account::insert(new_account(name)))
            .expect("an account")
    });
    let done = db.transaction(|tx| -> Result<()> {
        assert_eq!(tx.run(Account::get(ann.id).for_update())?, ann);
        let mut other = db.session()?;
        let refused = other
            .run(Account::get(ann.id).for_update().no_wait())
            .expect_err("it is locked");
        assert_eq!(refused.kind(), ErrorKind::Timeout, "{refused:?}");
        assert_eq!(refused.sqlstate(), Some(SqlState::LOCK_NOT_AVAILABLE));
        assert_eq!(
            other.run(Account::find(ann.id).for_update().skip_locked())?,
            None
        );
        assert_eq!(
            other.run(Account::list(Page::first(9)).for_update().skip_locked())?,
            std::slice::from_ref(&bob)
        );
        // A lock does not block plain reads.
        assert_eq!(other.run(Account::get(ann.id))?, ann);
        // In a tuple, the server checks the row count, and locks as well.
        let refused = other
            .run((
                Account::get(bob.id),
                Account::find_by_username("ann").for_update().no_wait(),
            ))
            .expect_err("it is locked");
        assert_eq!(refused.sqlstate(), Some(SqlState::LOCK_NOT_AVAILABLE));
        assert_eq!(refused.statement_index().map(|it| it.index), Some(1));
        Ok(())
    });
    done.expect("a commit");
    let free = db.run(Account::get(ann.id).for_update().no_wait());
    assert_eq!(free.expect("the lock went with the transaction"), ann);
}

#[test]
fn a_lock_in_a_tuple_lasts_until_the_transaction_ends() {
    let database = test_database();
    let db = database.open().expect("a server");
    let ann = db
        .run(Account::insert(new_account("ann")))
        .expect("an account");
    let done = db.transaction(|tx| -> Result<()> {
        tx.run((Account::get(ann.id).for_update(), Account::count()))?;
        let refused = db.run(Account::get(ann.id).for_share().no_wait());
        assert_eq!(
            refused.expect_err("it is locked").sqlstate(),
            Some(SqlState::LOCK_NOT_AVAILABLE)
        );
        Ok(())
    });
    done.expect("a commit");
}

#[test]
fn the_strengths_of_locks_are_postgresqls() {
    let database = test_database();
    let db = database.open().expect("a server");
    let ann = db
        .run(Account::insert(new_account("ann")))
        .expect("an account");
    let done = db.transaction(|tx| -> Result<()> {
        tx.run(Account::get(ann.id).for_no_key_update())?;
        db.run(Account::get(ann.id).for_key_share().no_wait())?;
        db.run(Account::get(ann.id).for_share().no_wait())
            .expect_err("a share lock keeps writers off");
        Ok(())
    });
    done.expect("a commit");
    let done = db.transaction(|tx| -> Result<()> {
        tx.run(Account::get(ann.id).for_share())?;
        db.run(Account::get(ann.id).for_share().no_wait())?;
        db.run(Account::get(ann.id).for_no_key_update().no_wait())
            .expect_err("somebody shares it");
        Ok(())
    });
    done.expect("a commit");
}

#[test]
fn hand_written_sql_can_lock_unless_it_writes() {
    let database = test_database();
    let db = database.open().expect("a server");
    let ann = db
        .run(Account::insert(new_account("ann")))
        .expect("an account");
    let commented = || sql_query("SELECT id FROM accounts -- all of them").affected();
    db.transaction(|tx| -> Result<()> {
        assert_eq!(tx.run(commented().for_update())?, 1);
        let refused = db.run(
            sql_query("SELECT id FROM accounts ;")
                .affected()
                .for_update()
                .no_wait(),
        );
        assert_eq!(
            refused.expect_err("it is locked").sqlstate(),
            Some(SqlState::LOCK_NOT_AVAILABLE)
        );
        Ok(())
    })
    .expect("a commit");
    let refused = db
        .run(
            sql_query("UPDATE accounts SET balance = 0")
                .affected()
                .for_update(),
        )
        .expect_err("it writes");
    assert!(refused.kind() == ErrorKind::Query && refused.sqlstate().is_none());
    assert_eq!(db.run(Account::get(ann.id)).expect("unchanged"), ann);
}
