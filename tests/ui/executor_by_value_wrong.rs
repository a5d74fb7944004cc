use bank::{Account, AccountId};
use bowline::{Database, Executor, Result};

fn account(mut db: impl Executor, id: i64) -> Result<Account> {
    db.run(Account::get(AccountId(id)))
}

fn both(db: Database) -> Result<(Account, Account)> {
    let one = account(db.clone(), 1)?;
    db.transaction(|tx| Ok((account(&mut *tx, 2)?, account(tx, 3)?)))
        .map(|(two, _)| (one, two))
}

fn main() {
    let _ = both;
}
