//! Many rows at a time.

use std::hint::black_box;

use ::sqlx::postgres::PgConnection;
use ::sqlx::{Executor as _, query};
use futures_util::TryStreamExt as _;

use super::{connect, user};
use crate::contender::Contender;
use crate::futures::contender;
use crate::rows;

pub fn load(rows: i64) -> Vec<Contender> {
    vec![contender("sqlx", connect, async move |connection, _, _| {
        let sql =
            "SELECT id, name, email, balance, created_at, note FROM users ORDER BY id LIMIT $1";
        let loaded = query(sql).bind(rows).fetch_all(connection).await;
        let users: Vec<_> = loaded.expect("an answer").iter().map(user).collect();
        assert!(users.len() as i64 == rows);
        black_box(users);
    })]
}

const UNNEST: &str = "INSERT INTO items (owner_id, name, amount, price, note) \
    SELECT * FROM UNNEST($1::bigint[], $2::text[], $3::integer[], $4::double precision[], $5::text[])";

async fn insert_all(connection: &mut PgConnection, items: &'static [rows::Item]) -> u64 {
    let (owners, names, amounts, prices, notes) = rows::columns(items);
    let insert = query(UNNEST)
        .bind(owners)
        .bind(names)
        .bind(amounts)
        .bind(prices)
        .bind(notes);
    let done = connection.execute(insert).await;
    done.expect("an answer").rows_affected()
}

pub fn insert(rows: usize) -> Vec<Contender> {
    let items = rows::items(rows);
    vec![contender(
        "sqlx UNNEST",
        connect,
        async move |connection, _, _| {
            assert!(insert_all(connection, items).await == items.len() as u64);
        },
    )]
}

pub fn stream() -> Vec<Contender> {
    vec![contender(
        "sqlx fetch",
        connect,
        async |connection, _, target| {
            let sql = "SELECT id, name, email, balance, created_at, note FROM users";
            let mut rows = query(sql).fetch(&mut *connection);
            let (mut count, mut sum) = (0, 0);
            while let Some(row) = rows.try_next().await.expect("a row") {
                let user = black_box(user(&row));
                count += 1;
                sum += user.balance;
            }
            assert!(count == target.users);
            black_box(sum);
        },
    )]
}
