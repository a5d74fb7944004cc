//! The tutorial: a bank, with the code that `bowline generate` wrote for `migrations/`.
//!
//! Run it with `script/demo`. It needs no running server: it starts a throwaway one, and connects
//! to it through a proxy that counts the round trips that are printed.

#![expect(clippy::print_stdout, reason = "it tells a story")]

use std::path::Path;
use std::sync::Barrier;
use std::thread;

use bank::{
    Account, AccountChanges, AccountConstraint, AccountStatus, AccountValues, NewAccount,
    NewTransfer, Transfer, TransferValues,
};
use bowline::testing::{LocalServer, TestDatabase};
use bowline::{Database, Executor, Page, TransactionOptions};
use testkit::Proxy;

type Result<T = (), E = Box<dyn std::error::Error>> = std::result::Result<T, E>;

fn main() -> Result {
    // A throwaway PostgreSQL; an application calls `Database::from_env()` here instead.
    let server = LocalServer::start()?;
    let database = TestDatabase::create(Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/migrations"
    )))?;
    let proxy = Proxy::start(&server)?;
    let db = proxy.config(database.name()).open()?;
    println!(
        "PostgreSQL {} in {}",
        server.version(),
        server.socket_folder().display()
    );

    open_accounts(&db)?;
    change_an_account(&db)?;
    move_money(&db, &proxy)?;
    break_a_constraint(&db)?;
    lose_a_race(&db)?;
    count_round_trips(&db, &proxy)?;
    turn_pages(&db)?;
    close_accounts(&db)
}

/// A `New` has the columns that each row needs, and `Values` also those that can be left out.
fn new_account(username: &str, balance: i64) -> AccountValues<'_> {
    let username = username.into();
    AccountValues {
        balance: Some(balance),
        ..NewAccount { username }.into()
    }
}

fn open_accounts(db: &Database) -> Result {
    println!("\nAnn and Bob open accounts.");
    // A statement is a value: nothing happens before it is run. Two of them in a tuple are one
    // transaction and one round trip.
    let (ann, bob) = db.run((
        Account::insert(new_account("ann", 100)),
        Account::insert(new_account("bob", 50)),
    ))?;
    println!(
        "  {} is account {}, {} is account {}",
        ann.username, ann.id, bob.username, bob.id
    );

    let found = db.run(Account::find_by_username("ann"))?;
    println!(
        "  found by username: {}",
        found.is_some_and(|account| account == ann)
    );
    Ok(())
}

fn change_an_account(db: &Database) -> Result {
    println!("\nAnn tells her full name.");
    let ann = account(db, "ann")?;
    let changes = AccountChanges {
        full_name: Some(Some("Ann Lee".into())),
        ..Default::default()
    };
    let changed = db.run(Account::update(ann.id, changes))?;
    // PostgreSQL generates this column, so it is in the row, and in neither `New` nor `Changes`.
    println!(
        "  {:?} becomes {:?}",
        ann.display_name, changed.display_name
    );
    Ok(())
}

/// Finds an account by a database, a session or a transaction: `Executor` is implemented by all of
/// them.
fn account(mut db: impl Executor, username: &str) -> bowline::Result<Account> {
    Ok(db
        .run(Account::find_by_username(username))?
        .expect("the story opened it"))
}

fn balance(amount: i64) -> AccountChanges<'static> {
    AccountChanges {
        balance: Some(amount),
        ..Default::default()
    }
}

fn new_transfer(from: &Account, to: &Account, amount: i64) -> TransferValues {
    let new = NewTransfer {
        sender_id: from.id,
        receiver_id: to.id,
        amount,
    };
    TransferValues {
        details: Some(serde_json::json!({ "for": "lunch" })),
        ..new.into()
    }
}

fn move_money(db: &Database, proxy: &Proxy) -> Result {
    println!("\nAnn sends Bob 30, in a unit of work.");
    let (ann, bob) = (account(db, "ann")?, account(db, "bob")?);
    proxy.take_round_trips();
    let mut work = db.unit_of_work();
    let paid = work.add(Account::update(ann.id, balance(ann.balance - 30)));
    let received = work.add(Account::update(bob.id, balance(bob.balance + 30)));
    let transfer = work.add(Transfer::insert(new_transfer(&ann, &bob, 30)));
    let mut done = work.commit()?;
    let (paid, received) = (done.take(paid)?, done.take(received)?);
    println!(
        "  transfer {}: ann has {}, bob has {}",
        done.take(transfer)?.id,
        paid.balance,
        received.balance
    );
    println!(
        "  round trips, counted by the proxy: {}",
        proxy.take_round_trips()
    );
    Ok(())
}

fn break_a_constraint(db: &Database) -> Result {
    println!("\nSomebody else wants to be Ann, and Bob wants to spend what he does not have.");
    let error = db
        .run(Account::insert(new_account("ann", 0)))
        .expect_err("the username is taken");
    // The constraint is a value: after a migration renames it, this no longer compiles.
    match error.constraint::<AccountConstraint>() {
        Some(AccountConstraint::UsernameKey) => println!("  that username is taken"),
        _ => return Err(error.into()),
    }
    let (ann, bob) = (account(db, "ann")?, account(db, "bob")?);
    let overdraft = (
        Account::update(ann.id, balance(ann.balance + 1000)),
        Account::update(bob.id, balance(bob.balance - 1000)),
    );
    let error = db
        .run(overdraft)
        .expect_err("the balance may not be negative");
    println!("  {error}");
    println!(
        "  outcome: {:?}; ann still has {}",
        error.outcome(),
        account(db, "ann")?.balance
    );
    Ok(())
}

fn lose_a_race(db: &Database) -> Result {
    println!("\nAnn and Bob send each other 10 at the same moment.");
    let total = |db: &Database| -> bowline::Result<i64> {
        Ok(db
            .run(Account::list(Page::first(10)))?
            .iter()
            .map(|account| account.balance)
            .sum())
    };
    let (before, both_have_read) = (total(db)?, Barrier::new(2));
    let send = |from: &str, to: &str| {
        let attempts = std::cell::Cell::new(0);
        // The code decides between reading and writing, so it needs a transaction with a closure.
        // The closure runs again from its beginning if PostgreSQL reports a conflict with another
        // transaction.
        db.with_options(TransactionOptions::serializable())
            .transaction(|tx| {
                attempts.set(attempts.get() + 1);
                let (payer, payee) = (account(&mut *tx, from)?, account(&mut *tx, to)?);
                if attempts.get() == 1 {
                    both_have_read.wait();
                }
                tx.run((
                    Account::update(payer.id, balance(payer.balance - 10)),
                    Account::update(payee.id, balance(payee.balance + 10)),
                    Transfer::insert(new_transfer(&payer, &payee, 10)),
                ))?;
                Ok(attempts.get())
            })
    };
    let (ann, bob) = thread::scope(|scope| {
        let (there, back) = (
            scope.spawn(|| send("ann", "bob")),
            scope.spawn(|| send("bob", "ann")),
        );
        (
            there.join().expect("it does not panic"),
            back.join().expect("it does not panic"),
        )
    });
    println!("  attempts: {} and {}", ann?, bob?);
    println!("  the total was {before} and is {}", total(db)?);
    Ok(())
}

fn count_round_trips(db: &Database, proxy: &Proxy) -> Result {
    println!("\nTen people open accounts, in one transaction.");
    let names: Vec<_> = (1..=10).map(|number| format!("person{number}")).collect();
    let statements: Vec<_> = names
        .iter()
        .map(|name| Account::insert(new_account(name, number_of(name))))
        .collect();
    proxy.take_round_trips();
    let opened = db.run(statements)?;
    println!(
        "  {} accounts; round trips, counted by the proxy: {}",
        opened.len(),
        proxy.take_round_trips()
    );
    Ok(())
}

fn number_of(name: &str) -> i64 {
    name.trim_start_matches("person").parse().unwrap_or(0)
}

fn turn_pages(db: &Database) -> Result {
    println!("\nThe accounts, five at a time.");
    let mut page = Page::first(5);
    loop {
        let accounts = db.run(Account::list(page))?;
        let Some(last) = accounts.last() else { break };
        let names: Vec<_> = accounts
            .iter()
            .map(|account| account.username.as_str())
            .collect();
        println!("  {}", names.join(", "));
        // The next page begins after the last row, not at an offset, so it is as fast as the first
        // one.
        page = Page::after(last.id, 5);
    }
    let ann = account(db, "ann")?;
    let sent = db.run(Transfer::list_by_sender(ann.id, Page::first(10)))?;
    println!("  ann sent {} transfers", sent.len());
    Ok(())
}

fn close_accounts(db: &Database) -> Result {
    println!("\nPerson 1 leaves; Bob's account is closed, and kept for its transfers.");
    let person = account(db, "person1")?;
    println!("  deleted: {}", db.run(Account::delete(person.id))?);
    let bob = account(db, "bob")?;
    let closed = AccountChanges {
        status: Some(AccountStatus::Closed),
        ..Default::default()
    };
    let (bob, left) = db.run((Account::update(bob.id, closed), Account::count()))?;
    println!("  bob is {}; {left} accounts are left", bob.status);
    Ok(())
}
