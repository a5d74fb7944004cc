use bank::{Account, schema::accounts};
use bowline::{Database, Result};
use diesel::prelude::*;

fn names(db: &Database) -> Result<Vec<Account>> {
    let query = accounts::table.select(Account::as_select());
    db.run(query.all::<Account>())
}

fn main() {
    let _ = names;
}
