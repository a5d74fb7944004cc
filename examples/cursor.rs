//! Reads a large result in parts: all of it by a stream, and by a cursor between other statements.
//!
//! Run it with `cargo run --example cursor`. It starts its own PostgreSQL.

#![expect(clippy::print_stdout, reason = "an example shows its results")]

use bank::schema::accounts;
use bowline::testing::TestDatabase;
use bowline::{StatementDsl as _, sql_query};
use diesel::prelude::*;

type Result<T = (), E = Box<dyn std::error::Error>> = std::result::Result<T, E>;

pub(crate) fn main() -> Result {
    // An application has `Database::from_env()` here.
    let database =
        TestDatabase::create(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations").as_ref())?;
    let db = database.open()?;
    let fill = "INSERT INTO accounts (username, balance) SELECT 'user' || n, n FROM generate_series(1, 1000) AS n";
    db.run(sql_query(fill).exactly(1000))?;
    let balances = || {
        accounts::table
            .select(accounts::balance)
            .order(accounts::id)
    };

    // A stream takes one round trip and constant memory. Its session can run no other statement
    // meanwhile.
    let mut total = 0;
    for balance in db.stream(balances().all::<i64>())? {
        total += balance?;
    }
    println!("the balances add up to {total}");
    assert_eq!(total, 500_500);

    // A cursor takes one round trip for each part, and the session can run other statements in
    // between.
    let doubled = db.transaction(|tx| {
        let mut doubled = 0;
        let mut cursor = tx.cursor(
            accounts::table
                .select(accounts::id)
                .order(accounts::id)
                .all::<bank::AccountId>(),
        )?;
        loop {
            let ids = cursor.fetch(300)?;
            if ids.is_empty() {
                break;
            }
            let part = diesel::update(accounts::table.filter(accounts::id.eq_any(ids)))
                .set(accounts::balance.eq(accounts::balance * 2));
            doubled += cursor.session().run(part.affected())?;
        }
        Ok::<_, bowline::Error>(doubled)
    })?;
    println!("doubled {doubled} balances");
    assert_eq!(doubled, 1000);
    Ok(())
}
