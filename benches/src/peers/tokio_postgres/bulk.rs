//! Many rows at a time.

use std::hint::black_box;
use std::pin::pin;

use ::tokio_postgres::binary_copy::BinaryCopyInWriter;
use ::tokio_postgres::types::{ToSql, Type};
use ::tokio_postgres::{Client, Row, Statement};
use futures_util::TryStreamExt as _;

use super::{connect, user};
use crate::contender::Contender;
use crate::db::{Comment, CommentId, Post, PostId, UserId};
use crate::futures;
use crate::rows::{self, TREE_USERS, tree};
use crate::target::Target;

/// A client on a runtime of its own, and an asynchronous function that does something with it and
/// these statements.
pub fn alone(
    name: &'static str,
    statements: &'static [&'static str],
    work: impl AsyncFn(&Client, &[Statement]) + Copy + 'static,
) -> Contender {
    let connect = async move |target: &Target| {
        let client = connect(target).await;
        let mut prepared = Vec::new();
        for sql in statements {
            prepared.push(client.prepare(sql).await.expect("prepared"));
        }
        (client, prepared)
    };
    futures::contender(name, connect, async move |(client, prepared), _, _| {
        work(client, prepared).await;
    })
}

const LOAD: &[&str] =
    &["SELECT id, name, email, balance, created_at, note FROM users ORDER BY id LIMIT $1"];

pub fn load(rows: i64) -> Vec<Contender> {
    vec![alone(
        "tokio-postgres",
        LOAD,
        async move |client, statements| {
            let loaded = client.query(&statements[0], &[&rows]).await;
            let users: Vec<_> = loaded.expect("an answer").iter().map(user).collect();
            assert!(users.len() as i64 == rows);
            black_box(users);
        },
    )]
}

const UNNEST: &[&str] = &["INSERT INTO items (owner_id, name, amount, price, note) \
    SELECT * FROM UNNEST($1::bigint[], $2::text[], $3::integer[], $4::double precision[], $5::text[])"];

pub fn insert(rows: usize) -> Vec<Contender> {
    let items = rows::items(rows);
    let insert = async move |client: &Client, statements: &[Statement]| {
        let (owners, names, amounts, prices, notes) = rows::columns(items);
        let values: [&(dyn ToSql + Sync); 5] = [&owners, &names, &amounts, &prices, &notes];
        let inserted = client.execute(&statements[0], &values).await;
        assert!(inserted.expect("an answer") == items.len() as u64);
    };
    vec![
        alone("tokio-postgres UNNEST", UNNEST, insert),
        copied("tokio-postgres copy_in", items),
    ]
}

const COPY: &str = "COPY items (owner_id, name, amount, price, note) FROM STDIN (FORMAT binary)";

fn copied(name: &'static str, items: &'static [rows::Item]) -> Contender {
    alone(name, &[], async move |client, _| {
        let sink = client.copy_in(COPY).await.expect("an answer");
        let types = [Type::INT8, Type::TEXT, Type::INT4, Type::FLOAT8, Type::TEXT];
        let mut writer = pin!(BinaryCopyInWriter::new(sink, &types));
        for item in items {
            let values: [&(dyn ToSql + Sync); 5] = [
                &item.owner_id,
                &item.name,
                &item.amount,
                &item.price,
                &item.note,
            ];
            writer.as_mut().write(&values).await.expect("a row is sent");
        }
        let copied = writer.finish().await.expect("an answer");
        assert!(copied == items.len() as u64);
    })
}

pub fn copy_in(rows: usize) -> Vec<Contender> {
    vec![copied("tokio-postgres copy_in", rows::items(rows))]
}

pub fn stream() -> Vec<Contender> {
    let name = "tokio-postgres query_raw";
    vec![futures::contender(
        name,
        connect,
        async |client, _, target| {
            let none: [&i64; 0] = [];
            let sql = "SELECT id, name, email, balance, created_at, note FROM users";
            let rows = client.query_raw(sql, none).await.expect("an answer");
            let mut rows = pin!(rows);
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

const GRAPH: &[&str] = &[
    "SELECT id, name, email, balance, created_at, note FROM users WHERE id <= $1",
    "SELECT id, user_id, title FROM posts WHERE user_id = ANY($1)",
    "SELECT id, post_id, body FROM comments WHERE post_id = ANY($1)",
];

pub fn graph() -> Vec<Contender> {
    let graph = async |client: &Client, statements: &[Statement]| {
        let rows = async |index: usize, value: &(dyn ToSql + Sync)| -> Vec<Row> {
            let rows = client.query(&statements[index], &[value]).await;
            rows.expect("an answer")
        };
        let users: Vec<_> = rows(0, &TREE_USERS).await.iter().map(user).collect();
        let ids: Vec<i64> = users.iter().map(|user| user.id.0).collect();
        let post = |row: &Row| Post {
            id: PostId(row.get(0)),
            user_id: UserId(row.get(1)),
            title: row.get(2),
        };
        let posts: Vec<_> = rows(1, &ids).await.iter().map(post).collect();
        let ids: Vec<i64> = posts.iter().map(|post| post.id.0).collect();
        let comment = |row: &Row| Comment {
            id: CommentId(row.get(0)),
            post_id: PostId(row.get(1)),
            body: row.get(2),
        };
        let comments = rows(2, &ids).await.iter().map(comment).collect();
        black_box(tree(users, posts, comments));
    };
    vec![alone("tokio-postgres, three queries", GRAPH, graph)]
}
