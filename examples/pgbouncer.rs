//! Connects through PgBouncer in transaction mode.
//!
//! Run it with `cargo run --example pgbouncer`. It starts its own PostgreSQL, and a PgBouncer
//! (Debian: `pgbouncer`).

#![expect(clippy::print_stdout, reason = "an example shows its results")]

use std::time::Duration;

use bank::{Account, AccountValues, NewAccount};
use bowline::TransactionOptions;
use bowline::testing::{LocalServer, TestDatabase};
use testkit::PgBouncer;

type Result<T = (), E = Box<dyn std::error::Error>> = std::result::Result<T, E>;

pub(crate) fn main() -> Result {
    let server = LocalServer::start()?;
    let database =
        TestDatabase::create(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations").as_ref())?;
    let bouncer = PgBouncer::start(&server);

    // An application has `Config::from_env()?.pooler(true)` here.
    let db = bouncer
        .config(database.name())
        .pooler(true) // nothing is prepared by name; settings travel with each transaction
        .call_timeout(Duration::from_secs(10))
        .open()?;
    let new = |username: &'static str| AccountValues {
        balance: Some(100),
        ..NewAccount {
            username: username.into(),
        }
        .into()
    };
    db.run((Account::insert(new("ann")), Account::insert(new("bob"))))?;
    let count = db
        .with_options(TransactionOptions::serializable())
        .transaction(|tx| tx.run(Account::count()))?;
    println!("{count} accounts");
    assert_eq!(count, 2);

    // PgBouncer gives the next transaction another session, so session state such as LISTEN is
    // refused.
    let error = db.session()?.listen("accounts").expect_err("LISTEN");
    println!("LISTEN: {error}");
    let error = db
        .advisory_lock("nightly report")
        .expect_err("a lock of a session");
    println!("a lock: {error}");
    Ok(())
}
