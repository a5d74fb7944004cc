//! Two serializable transactions conflict; the one that fails is retried.
//!
//! Run it with `cargo run --example retry`. It starts its own PostgreSQL.

#![expect(clippy::print_stdout, reason = "an example shows its results")]

use std::cell::Cell;
use std::sync::Barrier;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use bank::{Account, AccountChanges, AccountId, AccountValues, NewAccount};
use bowline::retry::RetryPolicy;
use bowline::testing::TestDatabase;
use bowline::{Database, TransactionOptions};

type Result<T = (), E = Box<dyn std::error::Error>> = std::result::Result<T, E>;

pub(crate) fn main() -> Result {
    // An application has `Config::from_env()?` here.
    let database =
        TestDatabase::create(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations").as_ref())?;
    let db = database
        .config()
        .call_timeout(Duration::from_secs(10)) // for all attempts together
        .retry(RetryPolicy {
            attempts: 8,
            ..RetryPolicy::default()
        })
        .open()?;
    let username = "ann".into();
    let ann = db.run(Account::insert(AccountValues {
        balance: Some(100),
        ..NewAccount { username }.into()
    }))?;

    let (both_have_read, attempts) = (Barrier::new(2), AtomicU32::new(0));
    thread::scope(|scope| {
        let deposits = [10, 20].map(|cents| {
            let (db, meet, attempts) = (&db, &both_have_read, &attempts);
            scope.spawn(move || deposit(db, ann.id, cents, meet, attempts))
        });
        deposits
            .into_iter()
            .try_for_each(|deposit| deposit.join().expect("no panic"))
    })?;

    let balance = db.run(Account::get(ann.id))?.balance;
    let attempts = attempts.into_inner();
    println!("two deposits took {attempts} attempts; the balance is {balance}");
    assert_eq!(balance, 130);
    assert!(attempts >= 3, "both read 100, so one of them was run again");
    Ok(())
}

/// Adds to a balance. The closure may run several times, so it has no effects outside of the
/// database.
fn deposit(
    db: &Database,
    id: AccountId,
    cents: i64,
    both_have_read: &Barrier,
    attempts: &AtomicU32,
) -> bowline::Result<()> {
    let is_first = Cell::new(true);
    db.with_options(TransactionOptions::serializable())
        .transaction(|tx| {
            attempts.fetch_add(1, Ordering::Relaxed);
            let account = tx.run(Account::get(id))?;
            // For this example only: makes the first attempts conflict.
            if is_first.take() {
                both_have_read.wait();
            }
            let changes = AccountChanges {
                balance: Some(account.balance + cents),
                ..Default::default()
            };
            tx.run(Account::update(id, changes))?;
            Ok(())
        })
}
