//! Inserts and upserts of many rows that return ids.

use ::tokio_postgres::types::ToSql;
use ::tokio_postgres::{Client, Statement};

use super::bulk::alone;
use crate::contender::Contender;
use crate::rows::{self, Item};

pub fn insert_with_ids(rows: usize) -> Vec<Contender> {
    vec![returning(&[rows::INSERT_RETURNING], rows)]
}

pub fn upsert(rows: usize, with_ids: bool) -> Vec<Contender> {
    if with_ids {
        return vec![returning(&[rows::UPSERT_RETURNING], rows)];
    }
    let items = rows::items(rows);
    let upsert = async move |client: &Client, statements: &[Statement]| {
        let (codes, names, amounts, prices, notes) = rows::columns(items);
        let values: [&(dyn ToSql + Sync); 5] = [&codes, &names, &amounts, &prices, &notes];
        let written = client.execute(&statements[0], &values).await;
        assert!(written.expect("an answer") == items.len() as u64);
    };
    vec![alone("tokio-postgres UNNEST", &[rows::UPSERT], upsert)]
}

fn returning(sql: &'static [&'static str], rows: usize) -> Contender {
    let items: &'static [Item] = rows::items(rows);
    let write = async move |client: &Client, statements: &[Statement]| {
        let (codes, names, amounts, prices, notes) = rows::columns(items);
        let values: [&(dyn ToSql + Sync); 5] = [&codes, &names, &amounts, &prices, &notes];
        let answer = client.query(&statements[0], &values).await;
        let rows = answer.expect("an answer");
        let ids: Vec<i64> = rows.iter().map(|row| row.get(0)).collect();
        assert!(ids.len() == items.len());
    };
    alone("tokio-postgres UNNEST", sql, write)
}
