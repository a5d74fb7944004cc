use bank::Account;
use bowline::{AsyncDatabase, Result};

async fn count(db: &AsyncDatabase, name: String) -> Result<i64> {
    db.transaction(|tx| async move {
        let found = tx.run(Account::find_by_username(&name)).await?;
        Ok(found.map_or(0, |account| account.balance))
    })
    .await
}

fn main() {
    let _ = |db: AsyncDatabase| tokio::spawn(async move { count(&db, String::new()).await });
}
