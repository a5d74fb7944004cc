//! A reader runs what reads.

use bank::{Account, AccountId, AccountValues};
use bowline::{Database, Result};

fn main() {
    let _ = (insert, lock, all);
}

fn insert(db: &Database, new: AccountValues<'_>) -> Result<Account> {
    db.run(Account::insert(new))
}

fn lock(db: &Database, id: AccountId) -> Result<Account> {
    db.reader().run(Account::get(id))
}

fn all(db: &Database, id: AccountId) -> Result<()> {
    db.reader().run((Account::count(), Account::get(id)))?;
    Ok(())
}
