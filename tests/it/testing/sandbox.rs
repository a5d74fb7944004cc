//! `#[bowline::test]` itself.

use bank::Account;
use bowline::{Database, ErrorKind, Result, Session};

use crate::support::new_account;

#[bowline::test]
fn what_one_test_writes_another_does_not_see(db: Database) -> Result<()> {
    assert_eq!(db.run(Account::count())?, 0);
    db.run(Account::insert(new_account("ann")))?;
    Ok(())
}

#[bowline::test]
fn and_the_other_way_round(db: Database) -> Result<()> {
    assert_eq!(db.run(Account::count())?, 0);
    db.run(Account::insert(new_account("ann")))?;
    Ok(())
}

#[bowline::test]
fn a_failed_call_leaves_the_test_usable(db: Database) -> Result<()> {
    db.run(Account::insert(new_account("ann")))?;
    db.run(Account::insert(new_account("ann")))
        .expect_err("a duplicate");
    let failed = db.transaction(|tx| -> Result<()> {
        tx.run(Account::insert(new_account("bob")))?;
        tx.run(Account::insert(new_account("ann")))?;
        Ok(())
    });
    assert!(failed.is_err());
    assert_eq!(db.run(Account::count())?, 1);
    Ok(())
}

#[bowline::test]
fn a_second_session_in_a_sandbox_fails_at_once(db: Database) {
    let _held = db.session().expect("the only session");
    let error = db.run(Account::count()).expect_err("it is held");
    assert_eq!(error.kind(), ErrorKind::Query);
    assert_eq!(
        error
            .message()
            .matches("tests/it/testing/sandbox.rs")
            .count(),
        2,
        "{error}"
    );
}

#[bowline::test(database)]
fn a_database_of_its_own_takes_commits_and_two_sessions(db: Database) -> Result<()> {
    let mut first = db.session()?;
    first.run(Account::insert(new_account("ann")))?;
    let count = |session: &mut Session| session.run(Account::count());
    assert_eq!((count(&mut first)?, count(&mut *db.session()?)?), (1, 1));
    Ok(())
}
