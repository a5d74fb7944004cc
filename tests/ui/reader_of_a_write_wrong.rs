//! A reader runs no INSERT, no UPDATE and no query that locks rows, alone or among others.

use bank::{Account, AccountId, AccountValues};
use bowline::{Database, Result, Statement as _};

fn main() {
    let _ = (insert, lock, all);
}

fn insert(db: &Database, new: AccountValues<'_>) -> Result<Account> {
    db.reader().run(Account::insert(new))
}

fn lock(db: &Database, id: AccountId) -> Result<Account> {
    db.reader().run(Account::get(id).for_update())
}

fn all(db: &Database, id: AccountId) -> Result<()> {
    db.reader().run((Account::count(), Account::delete(id)))?;
    Ok(())
}
