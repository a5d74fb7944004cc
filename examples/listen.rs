//! Waits for notifications that a transaction sends when it commits.
//!
//! Run it with `cargo run --example listen`. It starts its own PostgreSQL.

#![expect(clippy::print_stdout, reason = "an example shows its results")]

use std::time::Duration;

use bowline::notify::notify;
use bowline::testing::TestDatabase;
use bowline::{StatementDsl as _, sql_query};
use diesel::sql_types::Text;

type Result<T = (), E = Box<dyn std::error::Error>> = std::result::Result<T, E>;

pub(crate) fn main() -> Result {
    // An application has `Database::from_env()` here.
    let database =
        TestDatabase::create(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations").as_ref())?;
    let db = database.open()?;

    // A separate session, which the pool gives to no other caller while it listens.
    let mut listener = db.session()?;
    listener.listen("accounts")?;

    // The notification is sent with the row, and delivered only if the row is committed.
    let open = |name: &'static str| {
        let insert = sql_query("INSERT INTO accounts (username) VALUES ($1)").bind::<Text, _>(name);
        (insert.exactly(1), notify("accounts", name))
    };
    db.run(open("ann"))?;
    db.run(open("ann")).expect_err("the username is taken");
    db.run(open("bob"))?;

    let mut names = Vec::new();
    while let Some(news) = listener.wait_for_notification(Duration::from_secs(1))? {
        println!("{} was opened by process {}", news.payload, news.pid);
        names.push(news.payload);
        if names.len() == 2 {
            break;
        }
    }
    assert_eq!(names, ["ann", "bob"]);
    Ok(())
}
