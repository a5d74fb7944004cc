//! The rows that a query reads are locked.

use bank::{Account, AccountId};
use bowline::{Result, Session, Statement as _};

fn main() {
    let _ = lock;
}

fn lock(tx: &mut Session, id: AccountId) -> Result<Account> {
    tx.run(Account::get(id).for_update())
}
