use axum::extract::{Path, State};
use axum::routing::get;
use axum::{Json, Router};
use bank::schema::accounts;
use bank::{Account, AccountId};
use bowline::asynchronous::AsyncSession;
use bowline::{AsyncDatabase, Result, StatementDsl as _};
use diesel::prelude::*;

#[async_trait::async_trait]
trait Totals {
    async fn total(&self, names: &[&str]) -> Result<i64>;
}

struct Service {
    db: AsyncDatabase,
    suffix: String,
}

#[async_trait::async_trait]
impl Totals for Service {
    #[tracing::instrument(skip(self))]
    async fn total(&self, names: &[&str]) -> Result<i64> {
        self.db
            .transaction(async |tx| {
                let mut total = 0;
                for name in names {
                    let name = format!("{name}{}", self.suffix);
                    total += balance(&tx, &name).await?;
                }
                let (left, right) = tokio::join!(tx.run(Account::count()), others(&tx));
                Ok(total + left? + right?)
            })
            .await
    }
}

#[tracing::instrument(skip(tx))]
async fn balance(tx: &AsyncSession, name: &str) -> Result<i64> {
    let found = tx.run(Account::find_by_username(name)).await?;
    Ok(found.map_or(0, |account| account.balance))
}

async fn others(tx: &AsyncSession) -> Result<i64> {
    let balances = accounts::table.select(accounts::balance);
    let balances = balances.load::<i64>(&mut tx.clone())?;
    Ok(balances.into_iter().sum())
}

#[tracing::instrument(skip_all)]
async fn handler(State(db): State<AsyncDatabase>, Path(id): Path<AccountId>) -> Json<i64> {
    let suffix = String::from("!");
    let service = Service { db, suffix };
    let total = tokio::spawn(async move { service.total(&["ann", "bob"]).await });
    let total = total.await.expect("no panic").unwrap_or(id.0);
    Json(total)
}

fn main() {
    let _ = |db: AsyncDatabase| Router::<()>::new().route("/{id}", get(handler).with_state(db));
}
