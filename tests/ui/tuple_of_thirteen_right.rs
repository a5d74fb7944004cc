use bank::Account;
use bowline::{Database, Result};

fn counts(db: &Database) -> Result<()> {
    let count = Account::count;
    db.run((
        count(),
        count(),
        count(),
        count(),
        count(),
        count(),
        count(),
        count(),
        count(),
        count(),
        count(),
        count(),
    ))?;
    Ok(())
}

fn main() {
    let _ = counts;
}
