use bowline::Database;
use bank::{Account, AccountId};

fn touch(db: &Database, id: AccountId) -> Result<bool, Box<dyn std::error::Error>> {
    db.transaction(|tx| {
        tx.run(Account::get(id))?;
        Ok(())
    })?;
    db.transaction_once(|tx| {
        tx.savepoint(|tx| {
            tx.run(Account::get(id))?;
            Ok(())
        })?;
        Ok(())
    })?;
    Ok(true)
}

fn main() {
    let _ = touch;
}
