//! Inserts and upserts of many rows that return ids.

use ::bowline::statement::Sql;
use ::bowline::{Result, StatementDsl as _, sql_query};
use diesel::sql_types::{Array, BigInt, Double, Integer, Nullable, Text};

use super::calls::on_database;
use crate::contender::Contender;
use crate::db::{Article, ArticleValues, Item, ItemValues};
use crate::rows;

pub fn insert_with_ids(rows: usize) -> Vec<Contender> {
    let items = rows::items(rows);
    vec![
        on_database("bowline insert_many", move |db, _, _| {
            let new: Vec<ItemValues<'_>> = items.iter().map(rows::Item::as_new).collect();
            let all = db.run(Item::insert_many(new))?;
            assert!(all.len() == rows);
            Ok(all)
        }),
        by_hand(rows::INSERT_RETURNING, items),
    ]
}

pub fn upsert(rows: usize, with_ids: bool) -> Vec<Contender> {
    let items = rows::items(rows);
    let upsert_many = on_database("bowline upsert_many", move |db, _, _| {
        let new: Vec<ArticleValues<'_>> = items.iter().map(rows::Item::as_article).collect();
        let all = db.run(Article::upsert_many_by_code(new))?;
        assert!(all.len() == rows);
        Ok(all)
    });
    if with_ids {
        return vec![upsert_many, by_hand(rows::UPSERT_RETURNING, items)];
    }
    let by_hand = on_database("bowline UNNEST by hand", move |db, _, _| {
        let affected = db.run(unnest(rows::UPSERT, items).affected())?;
        assert!(affected == rows);
        Ok(())
    });
    vec![upsert_many, by_hand]
}

fn by_hand(sql: &'static str, items: &'static [rows::Item]) -> Contender {
    on_database(
        "bowline UNNEST by hand",
        move |db, _, _| -> Result<Vec<i64>> {
            let ids = db.run(unnest(sql, items).all::<i64>())?;
            assert!(ids.len() == items.len());
            Ok(ids)
        },
    )
}

/// Returns SQL with an array for each column.
fn unnest(sql: &'static str, items: &'static [rows::Item]) -> Sql<'static> {
    let (codes, names, amounts, prices, notes) = rows::columns(items);
    sql_query(sql)
        .bind::<Array<BigInt>, _>(codes)
        .bind::<Array<Text>, _>(names)
        .bind::<Array<Integer>, _>(amounts)
        .bind::<Array<Double>, _>(prices)
        .bind::<Array<Nullable<Text>>, _>(notes)
}
