//! An INSERT has no rows to lock beforehand.

use bank::{Account, AccountValues};
use bowline::{Result, Session, Statement as _};

fn main() {
    let _ = lock;
}

fn lock(tx: &mut Session, new: AccountValues<'_>) -> Result<Account> {
    tx.run(Account::insert(new).for_update())
}
