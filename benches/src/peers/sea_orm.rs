//! SeaORM, on sqlx's pool.

use std::hint::black_box;

use ::sea_orm::sea_query::Expr;
use ::sea_orm::{
    ColumnTrait as _, ConnectOptions, Database, DatabaseConnection, DatabaseTransaction, DbErr,
    EntityTrait as _, ExprTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _, Set,
    TransactionTrait as _,
};

use super::Peer;
use crate::contender::Contender;
use crate::crowd::Crowd;
use crate::futures::contender;
use crate::target::{Target, Tpcb};

mod bulk;
mod entities;

use entities::{accounts, branches, history, tellers, users};

pub struct SeaOrm;

fn options(target: &Target, sessions: usize) -> ConnectOptions {
    let mut options = ConnectOptions::new(&target.url);
    options
        .max_connections(sessions as u32)
        .test_before_acquire(false)
        .sqlx_logging(false);
    options
}

async fn connect(target: &Target) -> DatabaseConnection {
    let connected = Database::connect(options(target, 4)).await;
    connected.expect("a connection")
}

async fn find(db: &DatabaseConnection, id: i64) -> users::Model {
    let found = users::Entity::find_by_id(id).one(db).await;
    found.expect("an answer").expect("a user")
}

async fn ten_updates(db: &DatabaseConnection, ids: [i64; 10]) -> Result<(), DbErr> {
    let transaction = db.begin().await?;
    for id in ids {
        users::Entity::update_many()
            .col_expr(
                users::Column::Balance,
                Expr::col(users::Column::Balance).add(1),
            )
            .filter(users::Column::Id.eq(id))
            .exec(&transaction)
            .await?;
    }
    transaction.commit().await
}

async fn statements(tx: &DatabaseTransaction, of: Tpcb) -> Result<i32, DbErr> {
    accounts::Entity::update_many()
        .col_expr(
            accounts::Column::Abalance,
            Expr::col(accounts::Column::Abalance).add(of.delta),
        )
        .filter(accounts::Column::Aid.eq(of.aid))
        .exec(tx)
        .await?;
    let balance = accounts::Entity::find_by_id(of.aid)
        .select_only()
        .column(accounts::Column::Abalance)
        .into_tuple::<i32>()
        .one(tx)
        .await?;
    tellers::Entity::update_many()
        .col_expr(
            tellers::Column::Tbalance,
            Expr::col(tellers::Column::Tbalance).add(of.delta),
        )
        .filter(tellers::Column::Tid.eq(of.tid))
        .exec(tx)
        .await?;
    branches::Entity::update_many()
        .col_expr(
            branches::Column::Bbalance,
            Expr::col(branches::Column::Bbalance).add(of.delta),
        )
        .filter(branches::Column::Bid.eq(of.bid))
        .exec(tx)
        .await?;
    let row = history::ActiveModel {
        tid: Set(of.tid),
        bid: Set(of.bid),
        aid: Set(of.aid),
        delta: Set(of.delta),
        mtime: Set(chrono::Utc::now().naive_utc()),
        ..Default::default()
    };
    history::Entity::insert(row)
        .exec_without_returning(tx)
        .await?;
    Ok(balance.expect("an account"))
}

async fn tpcb(db: &DatabaseConnection, of: Tpcb) -> Result<i32, DbErr> {
    let transaction = db.begin().await?;
    let balance = statements(&transaction, of).await?;
    transaction.commit().await?;
    Ok(balance)
}

async fn load(db: &DatabaseConnection, rows: i64) -> Vec<users::Model> {
    let users = users::Entity::find().order_by_asc(users::Column::Id);
    let loaded = users.limit(rows as u64).all(db).await;
    loaded.expect("an answer")
}

fn lazy(target: &Target, sessions: usize) -> DatabaseConnection {
    let mut options = options(target, sessions);
    options.connect_lazy(true);
    futures_util::FutureExt::now_or_never(Database::connect(options))
        .expect("a lazy connection does not wait")
        .expect("a URL")
}

impl Peer for SeaOrm {
    fn find(&self) -> Vec<Contender> {
        vec![contender(
            "SeaORM, no ping",
            connect,
            async |db, numbers, target| {
                black_box(find(db, numbers.up_to(target.users)).await);
            },
        )]
    }

    fn ten_updates(&self) -> Vec<Contender> {
        vec![contender(
            "SeaORM, no ping",
            connect,
            async |db, numbers, target| {
                let ids = [0; 10].map(|_| numbers.up_to(target.users));
                ten_updates(db, ids).await.expect("ten updates");
            },
        )]
    }

    fn tpcb(&self) -> Vec<Contender> {
        vec![contender(
            "SeaORM, no ping",
            connect,
            async |db, numbers, target| {
                let done = tpcb(db, Tpcb::next(numbers, target.scale)).await;
                black_box(done.expect("a transaction"));
            },
        )]
    }

    fn load(&self, rows: i64) -> Vec<Contender> {
        vec![contender("SeaORM", connect, async move |db, _, _| {
            assert!(load(db, rows).await.len() as i64 == rows);
        })]
    }

    fn insert(&self, rows: usize) -> Vec<Contender> {
        bulk::insert(rows)
    }

    fn insert_with_ids(&self, rows: usize) -> Vec<Contender> {
        bulk::insert_with_ids(rows)
    }

    fn upsert(&self, rows: usize, with_ids: bool) -> Vec<Contender> {
        bulk::upsert(rows, with_ids)
    }

    fn task_find(&self) -> Vec<Crowd> {
        vec![Crowd::tasks(
            "SeaORM, no ping",
            lazy,
            |db, draw| async move {
                black_box(find(&db, draw.user).await);
            },
        )]
    }

    fn crowd_tpcb(&self) -> Vec<Crowd> {
        vec![Crowd::tasks(
            "SeaORM, no ping",
            lazy,
            |db, draw| async move {
                black_box(tpcb(&db, draw.tpcb).await.expect("a transaction"));
            },
        )]
    }
}
