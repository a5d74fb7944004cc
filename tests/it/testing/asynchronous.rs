//! `#[bowline::test]` of an `async fn`.

use std::time::Duration;

use bank::Account;
use bowline::{AsyncDatabase, Result, StatementDsl as _, sql_query};
use tokio::time::timeout;

use crate::support::new_account;

#[bowline::test]
async fn a_sandbox_is_undone(db: AsyncDatabase) -> Result<()> {
    assert_eq!(db.run(Account::count()).await?, 0);
    db.run(Account::insert(new_account("ann"))).await?;
    // The blocking type has the same sandbox.
    assert_eq!(db.database().run(Account::count())?, 1);
    Ok(())
}

#[bowline::test]
async fn and_the_next_one_too(db: AsyncDatabase) -> Result<()> {
    a_transaction_is_a_savepoint(&db).await?;
    assert_eq!(db.run(Account::count()).await?, 1);
    Ok(())
}

async fn a_transaction_is_a_savepoint(db: &AsyncDatabase) -> Result<()> {
    let failed = db.transaction(async |tx| {
        tx.run(Account::insert(new_account("bob"))).await?;
        tx.run(sql_query("SELECT 1 / 0").affected()).await
    });
    failed.await.expect_err("a division by zero");
    db.run(Account::insert(new_account("ann"))).await.map(drop)
}

#[bowline::test]
async fn a_dropped_call_leaves_the_test_usable(db: AsyncDatabase) -> Result<()> {
    let slow = db.transaction(async |tx| {
        tx.run(Account::insert(new_account("ann"))).await?;
        tx.run(sql_query("SELECT pg_sleep(60)").affected()).await
    });
    timeout(Duration::from_millis(200), slow)
        .await
        .expect_err("it sleeps");
    assert_eq!(db.run(Account::count()).await?, 0);
    Ok(())
}

#[bowline::test(database)]
async fn a_database_of_its_own_has_a_pool(db: AsyncDatabase) -> Result<()> {
    let (left, right) = tokio::join!(
        db.run(Account::insert(new_account("ann"))),
        db.run(Account::insert(new_account("bob"))),
    );
    left.and(right)?;
    assert_eq!(db.run(Account::count()).await?, 2);
    Ok(())
}
