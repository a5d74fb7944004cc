//! diesel-async on tokio-postgres, alone and with deadpool.

use std::hint::black_box;

use ::diesel_async::pooled_connection::deadpool::Pool;
use ::diesel_async::pooled_connection::{
    AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod,
};
use ::diesel_async::{AsyncConnection as _, AsyncPgConnection, RunQueryDsl as _};
use diesel::prelude::{ExpressionMethods as _, QueryDsl as _, QueryResult, SelectableHelper as _};

use super::Peer;
use crate::contender::Contender;
use crate::crowd::Crowd;
use crate::db::User;
use crate::db::schema::{
    pgbench_accounts, pgbench_branches, pgbench_history, pgbench_tellers, users,
};
use crate::futures::contender;
use crate::target::{Target, Tpcb};

pub struct DieselAsync;

async fn connect(target: &Target) -> AsyncPgConnection {
    let connected = AsyncPgConnection::establish(&target.url).await;
    connected.expect("a connection")
}

/// Opens a pool that sends no query at a checkout.
fn pool(target: &Target, sessions: usize) -> Pool<AsyncPgConnection> {
    let mut config = ManagerConfig::default();
    config.recycling_method = RecyclingMethod::Fast;
    let manager = AsyncDieselConnectionManager::new_with_config(&target.url, config);
    Pool::builder(manager)
        .max_size(sessions)
        .build()
        .expect("a pool")
}

async fn pool_of_four(target: &Target) -> Pool<AsyncPgConnection> {
    pool(target, 4)
}

async fn find(connection: &mut AsyncPgConnection, id: i64) -> User {
    let found = users::table
        .find(id)
        .select(User::as_select())
        .first(connection)
        .await;
    found.expect("a user")
}

async fn ten_updates(connection: &mut AsyncPgConnection, ids: [i64; 10]) -> QueryResult<()> {
    connection
        .transaction(async move |connection| {
            for id in ids {
                diesel::update(users::table.find(id))
                    .set(users::balance.eq(users::balance + 1))
                    .execute(connection)
                    .await?;
            }
            Ok(())
        })
        .await
}

async fn tpcb(connection: &mut AsyncPgConnection, of: Tpcb) -> QueryResult<i32> {
    connection
        .transaction(async move |connection| {
            let account = pgbench_accounts::table.find(of.aid);
            diesel::update(account)
                .set(pgbench_accounts::abalance.eq(pgbench_accounts::abalance + of.delta))
                .execute(connection)
                .await?;
            let balance = account
                .select(pgbench_accounts::abalance)
                .first(connection)
                .await?;
            diesel::update(pgbench_tellers::table.find(of.tid))
                .set(pgbench_tellers::tbalance.eq(pgbench_tellers::tbalance + of.delta))
                .execute(connection)
                .await?;
            diesel::update(pgbench_branches::table.find(of.bid))
                .set(pgbench_branches::bbalance.eq(pgbench_branches::bbalance + of.delta))
                .execute(connection)
                .await?;
            diesel::insert_into(pgbench_history::table)
                .values((
                    pgbench_history::tid.eq(of.tid),
                    pgbench_history::bid.eq(of.bid),
                    pgbench_history::aid.eq(of.aid),
                    pgbench_history::delta.eq(of.delta),
                    pgbench_history::mtime.eq(diesel::dsl::now),
                ))
                .execute(connection)
                .await?;
            Ok(balance)
        })
        .await
}

impl Peer for DieselAsync {
    fn find(&self) -> Vec<Contender> {
        let pooled = "diesel-async + deadpool";
        vec![
            contender(
                "diesel-async",
                connect,
                async |connection, numbers, target| {
                    black_box(find(connection, numbers.up_to(target.users)).await);
                },
            ),
            contender(pooled, pool_of_four, async |pool, numbers, target| {
                let mut connection = pool.get().await.expect("a connection");
                black_box(find(&mut connection, numbers.up_to(target.users)).await);
            }),
        ]
    }

    fn ten_updates(&self) -> Vec<Contender> {
        let pooled = "diesel-async + deadpool";
        vec![contender(
            pooled,
            pool_of_four,
            async |pool, numbers, target| {
                let mut connection = pool.get().await.expect("a connection");
                let ids = [0; 10].map(|_| numbers.up_to(target.users));
                ten_updates(&mut connection, ids)
                    .await
                    .expect("ten updates");
            },
        )]
    }

    fn tpcb(&self) -> Vec<Contender> {
        let pooled = "diesel-async + deadpool";
        vec![contender(
            pooled,
            pool_of_four,
            async |pool, numbers, target| {
                let mut connection = pool.get().await.expect("a connection");
                let done = tpcb(&mut connection, Tpcb::next(numbers, target.scale)).await;
                black_box(done.expect("a transaction"));
            },
        )]
    }

    fn task_find(&self) -> Vec<Crowd> {
        vec![Crowd::tasks(
            "diesel-async + deadpool",
            pool,
            |pool, draw| async move {
                let mut connection = pool.get().await.expect("a connection");
                black_box(find(&mut connection, draw.user).await);
            },
        )]
    }

    fn crowd_tpcb(&self) -> Vec<Crowd> {
        vec![Crowd::tasks(
            "diesel-async + deadpool",
            pool,
            |pool, draw| async move {
                let mut connection = pool.get().await.expect("a connection");
                let done = tpcb(&mut connection, draw.tpcb).await;
                black_box(done.expect("a transaction"));
            },
        )]
    }
}
