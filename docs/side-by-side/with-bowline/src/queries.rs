//! Five queries, checked by `bowline generate` against the migrations.

use bowline::{Database, Result};

use crate::db::AccountId;
use crate::db::queries::reports;

pub(crate) fn show(db: &Database) -> Result<()> {
    let (ann, bob) = (AccountId(1), AccountId(2));
    for row in db.run(reports::received(bob, 10))? {
        println!("received: {} {} from {}", row.key, row.amount, row.sender);
    }
    for row in db.run(reports::totals())? {
        println!("total: {} {}", row.username, row.received);
    }
    if let Some(row) = db.run(reports::largest("ann"))? {
        println!("largest: {} {} {:?}", row.id, row.balance, row.amount);
    }
    let left = db.run(reports::withdraw(100, ann))?;
    println!("withdrawn: {:?}", left.map(|row| row.balance));
    for row in db.run(reports::forget_small(6, &[ann, bob]))? {
        println!("forgotten: {} of {}", row.forgotten, row.sender_id);
    }
    Ok(())
}
