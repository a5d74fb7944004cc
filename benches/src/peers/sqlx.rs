//! sqlx, with its pool.

mod bulk;
mod upsert;

use std::hint::black_box;

use ::sqlx::postgres::{PgConnection, PgPoolOptions, PgRow};
use ::sqlx::{Acquire as _, Connection as _, PgPool, Row as _};

use super::Peer;
use crate::contender::Contender;
use crate::crowd::Crowd;
use crate::db::{User, UserId};
use crate::futures::{contender, runtime};
use crate::target::{Target, Tpcb};

pub struct Sqlx;

const FIND: &str = "SELECT id, name, email, balance, created_at, note FROM users WHERE id = $1";
const ADD: &str = "UPDATE users SET balance = balance + 1 WHERE id = $1";

/// Opens a pool. With `is_tested` it pings the server at each checkout, which is the default.
fn lazy(target: &Target, sessions: usize, is_tested: bool) -> PgPool {
    PgPoolOptions::new()
        .max_connections(sessions as u32)
        .test_before_acquire(is_tested)
        .connect_lazy(&target.url)
        .expect("a URL")
}

async fn tested(target: &Target) -> PgPool {
    lazy(target, 4, true)
}

async fn untested(target: &Target) -> PgPool {
    lazy(target, 4, false)
}

async fn connect(target: &Target) -> PgConnection {
    let connected = PgConnection::connect(&target.url).await;
    connected.expect("a connection")
}

fn user(row: &PgRow) -> User {
    User {
        id: UserId(row.get(0)),
        name: row.get(1),
        email: row.get(2),
        balance: row.get(3),
        created_at: row.get(4),
        note: row.get(5),
    }
}

async fn find(connection: &mut PgConnection, id: i64) -> User {
    let row = ::sqlx::query(FIND).bind(id).fetch_one(connection).await;
    user(&row.expect("a user"))
}

async fn ten_updates(pool: &PgPool, ids: [i64; 10]) {
    let mut transaction = pool.begin().await.expect("a transaction");
    for id in ids {
        let update = ::sqlx::query(ADD).bind(id).execute(&mut *transaction).await;
        update.expect("an update");
    }
    transaction.commit().await.expect("a commit");
}

async fn tpcb(pool: &PgPool, of: Tpcb) -> i32 {
    let mut session = pool.acquire().await.expect("a connection");
    let work = async {
        let mut transaction = session.begin().await?;
        let update = "UPDATE pgbench_accounts SET abalance = abalance + $1 WHERE aid = $2";
        ::sqlx::query(update)
            .bind(of.delta)
            .bind(of.aid)
            .execute(&mut *transaction)
            .await?;
        let select = "SELECT abalance FROM pgbench_accounts WHERE aid = $1";
        let row = ::sqlx::query(select)
            .bind(of.aid)
            .fetch_one(&mut *transaction)
            .await?;
        let update = "UPDATE pgbench_tellers SET tbalance = tbalance + $1 WHERE tid = $2";
        ::sqlx::query(update)
            .bind(of.delta)
            .bind(of.tid)
            .execute(&mut *transaction)
            .await?;
        let update = "UPDATE pgbench_branches SET bbalance = bbalance + $1 WHERE bid = $2";
        ::sqlx::query(update)
            .bind(of.delta)
            .bind(of.bid)
            .execute(&mut *transaction)
            .await?;
        let insert = "INSERT INTO pgbench_history (tid, bid, aid, delta, mtime) \
            VALUES ($1, $2, $3, $4, CURRENT_TIMESTAMP)";
        ::sqlx::query(insert)
            .bind(of.tid)
            .bind(of.bid)
            .bind(of.aid)
            .bind(of.delta)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok::<i32, ::sqlx::Error>(row.get(0))
    };
    work.await.expect("a transaction")
}

impl Peer for Sqlx {
    fn find(&self) -> Vec<Contender> {
        vec![
            contender("sqlx", connect, async |connection, numbers, target| {
                black_box(find(connection, numbers.up_to(target.users)).await);
            }),
            contender(
                "sqlx pool, no ping",
                untested,
                async |pool, numbers, target| {
                    let mut session = pool.acquire().await.expect("a connection");
                    black_box(find(&mut session, numbers.up_to(target.users)).await);
                },
            ),
            contender("sqlx pool", tested, async |pool, numbers, target| {
                let mut session = pool.acquire().await.expect("a connection");
                black_box(find(&mut session, numbers.up_to(target.users)).await);
            }),
        ]
    }

    fn ten_updates(&self) -> Vec<Contender> {
        vec![
            contender(
                "sqlx pool, no ping",
                untested,
                async |pool, numbers, target| {
                    ten_updates(pool, [0; 10].map(|_| numbers.up_to(target.users))).await;
                },
            ),
            contender("sqlx pool", tested, async |pool, numbers, target| {
                ten_updates(pool, [0; 10].map(|_| numbers.up_to(target.users))).await;
            }),
        ]
    }

    fn checkout(&self) -> Vec<Contender> {
        vec![contender(
            "sqlx pool, no ping",
            untested,
            async |pool, _, _| {
                drop(pool.acquire().await.expect("a connection"));
            },
        )]
    }

    fn tpcb(&self) -> Vec<Contender> {
        vec![contender(
            "sqlx pool, no ping",
            untested,
            async |pool, numbers, target| {
                black_box(tpcb(pool, Tpcb::next(numbers, target.scale)).await);
            },
        )]
    }

    fn connect(&self) -> Vec<Contender> {
        vec![Contender::new("sqlx", |target| {
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

    fn crowd_checkout(&self) -> Vec<Crowd> {
        let open = |target: &Target, sessions| lazy(target, sessions, false);
        vec![Crowd::tasks(
            "sqlx pool, no ping",
            open,
            |pool, _| async move {
                drop(pool.acquire().await.expect("a connection"));
            },
        )]
    }

    fn crowd_find(&self) -> Vec<Crowd> {
        let open = |target: &Target, sessions| lazy(target, sessions, false);
        vec![Crowd::tasks(
            "sqlx pool, no ping",
            open,
            |pool, draw| async move {
                let mut session = pool.acquire().await.expect("a connection");
                black_box(find(&mut session, draw.user).await);
            },
        )]
    }

    fn task_find(&self) -> Vec<Crowd> {
        let open = |target: &Target, sessions| lazy(target, sessions, true);
        let mut crowds = self.crowd_find();
        crowds.push(Crowd::tasks("sqlx pool", open, |pool, draw| async move {
            let mut session = pool.acquire().await.expect("a connection");
            black_box(find(&mut session, draw.user).await);
        }));
        crowds
    }

    fn crowd_tpcb(&self) -> Vec<Crowd> {
        let open = |target: &Target, sessions| lazy(target, sessions, false);
        vec![Crowd::tasks(
            "sqlx pool, no ping",
            open,
            |pool, draw| async move {
                black_box(tpcb(&pool, draw.tpcb).await);
            },
        )]
    }
}
