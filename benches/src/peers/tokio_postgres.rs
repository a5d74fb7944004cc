//! tokio-postgres, alone and with deadpool.

mod bulk;
mod upsert;

use std::hint::black_box;

use ::tokio_postgres::{Client, NoTls, Row};
use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod};
use futures_util::future::try_join_all;

use super::Peer;
use crate::contender::Contender;
use crate::crowd::Crowd;
use crate::db::{User, UserId};
use crate::futures::{contender, runtime};
use crate::target::{Target, Tpcb};

pub struct TokioPostgres;

const FIND: &str = "SELECT id, name, email, balance, created_at, note FROM users WHERE id = $1";
const ADD: &str = "UPDATE users SET balance = balance + 1 WHERE id = $1";

/// Connects, and runs the connection on this runtime.
async fn connect(target: &Target) -> Client {
    let (client, connection) = ::tokio_postgres::connect(&target.url, NoTls)
        .await
        .expect("a connection");
    tokio::spawn(connection);
    client
}

/// Opens a pool that sends no query at a checkout.
fn pool(target: &Target, sessions: usize) -> Pool {
    let config = target.url.parse().expect("a URL");
    let recycling_method = RecyclingMethod::Fast;
    let manager = Manager::from_config(config, NoTls, ManagerConfig { recycling_method });
    Pool::builder(manager)
        .max_size(sessions)
        .build()
        .expect("a pool")
}

async fn pool_of_four(target: &Target) -> Pool {
    pool(target, 4)
}

/// Finds a user on a connection of the pool.
async fn find(pool: &Pool, id: i64) -> User {
    let client = pool.get().await.expect("a client");
    let find = client.prepare_cached(FIND).await.expect("prepared");
    let row = client.query_one(&find, &[&id]).await;
    user(&row.expect("a user"))
}

fn user(row: &Row) -> User {
    User {
        id: UserId(row.get(0)),
        name: row.get(1),
        email: row.get(2),
        balance: row.get(3),
        created_at: row.get(4),
        note: row.get(5),
    }
}

impl Peer for TokioPostgres {
    fn find(&self) -> Vec<Contender> {
        let prepared = async |target: &Target| {
            let client = connect(target).await;
            let find = client.prepare(FIND).await.expect("prepared");
            (client, find)
        };
        vec![
            contender(
                "tokio-postgres",
                prepared,
                async |(client, find), numbers, target| {
                    let row = client
                        .query_one(&*find, &[&numbers.up_to(target.users)])
                        .await;
                    black_box(user(&row.expect("a user")));
                },
            ),
            contender(
                "tokio-postgres + deadpool",
                pool_of_four,
                async |pool, numbers, target| {
                    black_box(find(pool, numbers.up_to(target.users)).await);
                },
            ),
        ]
    }

    fn ten_updates(&self) -> Vec<Contender> {
        let joined = "tokio-postgres + deadpool, joined";
        vec![contender(
            joined,
            pool_of_four,
            async |pool, numbers, target| {
                let mut client = pool.get().await.expect("a client");
                let add = client.prepare_cached(ADD).await.expect("prepared");
                let transaction = client.transaction().await.expect("a transaction");
                let ids = [0; 10].map(|_| numbers.up_to(target.users));
                let updates = ids.iter().map(|id| transaction.execute_raw(&add, [id]));
                black_box(try_join_all(updates).await.expect("ten updates"));
                transaction.commit().await.expect("a commit");
            },
        )]
    }

    fn checkout(&self) -> Vec<Contender> {
        vec![contender("deadpool", pool_of_four, async |pool, _, _| {
            drop(pool.get().await.expect("a client"));
        })]
    }

    fn tpcb(&self) -> Vec<Contender> {
        let name = "tokio-postgres + deadpool";
        vec![contender(
            name,
            pool_of_four,
            async |pool, numbers, target| {
                black_box(tpcb(pool, Tpcb::next(numbers, target.scale)).await);
            },
        )]
    }

    fn connect(&self) -> Vec<Contender> {
        vec![Contender::new("tokio-postgres", |target| {
            let (runtime, target) = (runtime(), target.clone());
            Box::new(move |times| {
                for _ in 0..times {
                    drop(runtime.block_on(connect(&target)));
                }
            })
        })]
    }

    fn load(&self, rows: i64) -> Vec<Contender> {
        bulk::load(rows)
    }

    fn insert(&self, rows: usize) -> Vec<Contender> {
        bulk::insert(rows)
    }

    fn insert_with_ids(&self, rows: usize) -> Vec<Contender> {
        upsert::insert_with_ids(rows)
    }

    fn upsert(&self, rows: usize, with_ids: bool) -> Vec<Contender> {
        upsert::upsert(rows, with_ids)
    }

    fn stream(&self) -> Vec<Contender> {
        bulk::stream()
    }

    fn copy_in(&self, rows: usize) -> Vec<Contender> {
        bulk::copy_in(rows)
    }

    fn graph(&self) -> Vec<Contender> {
        bulk::graph()
    }

    fn crowd_checkout(&self) -> Vec<Crowd> {
        vec![Crowd::tasks("deadpool", pool, |pool, _| async move {
            drop(pool.get().await.expect("a client"));
        })]
    }

    fn crowd_find(&self) -> Vec<Crowd> {
        self.task_find()
    }

    fn task_find(&self) -> Vec<Crowd> {
        vec![Crowd::tasks(
            "tokio-postgres + deadpool",
            pool,
            |pool, draw| async move {
                black_box(find(&pool, draw.user).await);
            },
        )]
    }

    fn crowd_tpcb(&self) -> Vec<Crowd> {
        vec![Crowd::tasks(
            "tokio-postgres + deadpool",
            pool,
            |pool, draw| async move {
                black_box(tpcb(&pool, draw.tpcb).await);
            },
        )]
    }
}

/// A transaction of pgbench's, a round trip for each statement.
async fn tpcb(pool: &Pool, of: Tpcb) -> i32 {
    let mut client = pool.get().await.expect("a client");
    let mut statements = Vec::with_capacity(TPCB.len());
    for sql in TPCB {
        statements.push(client.prepare_cached(sql).await.expect("prepared"));
    }
    let [account, balance, teller, branch, history] = &statements[..] else {
        unreachable!("as many as there are in TPCB");
    };
    let work = async {
        let transaction = client.transaction().await?;
        transaction.execute(account, &[&of.delta, &of.aid]).await?;
        let found = transaction.query_one(balance, &[&of.aid]).await?;
        transaction.execute(teller, &[&of.delta, &of.tid]).await?;
        transaction.execute(branch, &[&of.delta, &of.bid]).await?;
        transaction
            .execute(history, &[&of.tid, &of.bid, &of.aid, &of.delta])
            .await?;
        transaction.commit().await?;
        Ok::<_, ::tokio_postgres::Error>(found.get(0))
    };
    work.await.expect("a transaction")
}

const TPCB: [&str; 5] = [
    "UPDATE pgbench_accounts SET abalance = abalance + $1 WHERE aid = $2",
    "SELECT abalance FROM pgbench_accounts WHERE aid = $1",
    "UPDATE pgbench_tellers SET tbalance = tbalance + $1 WHERE tid = $2",
    "UPDATE pgbench_branches SET bbalance = bbalance + $1 WHERE bid = $2",
    "INSERT INTO pgbench_history (tid, bid, aid, delta, mtime) VALUES ($1, $2, $3, $4, CURRENT_TIMESTAMP)",
];
