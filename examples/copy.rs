//! Loads rows with binary COPY, and reads them back the same way.
//!
//! Run it with `cargo run --example copy`. It starts its own PostgreSQL.

#![expect(clippy::print_stdout, reason = "an example shows its results")]

use bank::schema::accounts;
use bowline::StatementDsl as _;
use bowline::testing::TestDatabase;
use diesel::prelude::*;

type Result<T = (), E = Box<dyn std::error::Error>> = std::result::Result<T, E>;

pub(crate) fn main() -> Result {
    // An application has `Database::from_env()` here.
    let database =
        TestDatabase::create(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations").as_ref())?;
    let db = database.open()?;

    // Two round trips for any number of rows, in one transaction.
    let columns = (accounts::username, accounts::balance);
    let rows = (0..10_000_i64).map(|number| (format!("user{number}"), number));
    let loaded = db.copy_in(columns, rows)?;
    println!("loaded {loaded} rows");
    assert_eq!(loaded, 10_000);

    // The error for a refused row has its number, counted from 1.
    let rows = [("ann", 1_i64), ("bob", -1), ("cyd", 2)];
    let error = db.copy_in(columns, rows).expect_err("a negative balance");
    println!("row {:?} was refused: {error}", error.row());
    assert_eq!(error.row(), Some(2));

    // Rows arrive one by one, so memory does not grow with their number.
    let query = accounts::table
        .select((accounts::username, accounts::balance))
        .order(accounts::balance)
        .all::<(String, i64)>();
    let mut total = 0;
    for row in db.copy_out(query)? {
        let (_, balance) = row?;
        total += balance;
    }
    println!("the balances add up to {total}");
    assert_eq!(total, (0..10_000).sum::<i64>());
    Ok(())
}
