//! Inserts and upserts of many rows that return ids.

use ::sqlx::{query, query_scalar};

use super::connect;
use crate::contender::Contender;
use crate::futures::contender;
use crate::rows;

pub fn insert_with_ids(rows: usize) -> Vec<Contender> {
    vec![returning(rows::INSERT_RETURNING, rows)]
}

pub fn upsert(rows: usize, with_ids: bool) -> Vec<Contender> {
    if with_ids {
        return vec![returning(rows::UPSERT_RETURNING, rows)];
    }
    let items = rows::items(rows);
    vec![contender(
        "sqlx UNNEST",
        connect,
        async move |connection, _, _| {
            let (codes, names, amounts, prices, notes) = rows::columns(items);
            let upsert = query(rows::UPSERT)
                .bind(codes)
                .bind(names)
                .bind(amounts)
                .bind(prices)
                .bind(notes);
            let done = upsert.execute(connection).await.expect("an answer");
            assert!(done.rows_affected() == items.len() as u64);
        },
    )]
}

fn returning(sql: &'static str, rows: usize) -> Contender {
    let items = rows::items(rows);
    contender("sqlx UNNEST", connect, async move |connection, _, _| {
        let (codes, names, amounts, prices, notes) = rows::columns(items);
        let write = query_scalar(sql)
            .bind(codes)
            .bind(names)
            .bind(amounts)
            .bind(prices)
            .bind(notes);
        let ids: Vec<i64> = write.fetch_all(connection).await.expect("an answer");
        assert!(ids.len() == items.len());
    })
}
