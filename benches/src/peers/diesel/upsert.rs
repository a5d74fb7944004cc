//! Inserts and upserts of many rows that return ids.

use diesel::prelude::*;
use diesel::upsert::excluded;

use super::bulk::{CHUNK, alone, in_one};
use crate::contender::Contender;
use crate::db::schema::{articles, items};
use crate::db::{ArticleValues, ItemValues};
use crate::rows::{self, Item};

pub fn insert_with_ids(rows: usize) -> Vec<Contender> {
    let items = rows::items(rows);
    vec![alone("diesel values", move |connection, _| {
        let new: Vec<ItemValues<'_>> = items.iter().map(Item::as_new).collect();
        in_one(rows > CHUNK, connection, |connection| {
            let mut ids: Vec<i64> = Vec::with_capacity(rows);
            for chunk in new.chunks(CHUNK) {
                let insert = diesel::insert_into(items::table).values(chunk);
                let chunk: Vec<i64> = insert.returning(items::id).get_results(connection)?;
                ids.extend(chunk);
            }
            assert!(ids.len() == rows);
            Ok(ids)
        })
    })]
}

/// Returns the upsert of a chunk: a macro, since its type has no short name.
macro_rules! upsert {
    ($chunk:expr) => {
        diesel::insert_into(articles::table)
            .values($chunk)
            .on_conflict(articles::code)
            .do_update()
            .set((
                articles::name.eq(excluded(articles::name)),
                articles::amount.eq(excluded(articles::amount)),
                articles::price.eq(excluded(articles::price)),
                articles::note.eq(excluded(articles::note)),
            ))
    };
}

pub fn upsert(rows: usize, with_ids: bool) -> Vec<Contender> {
    let items = rows::items(rows);
    vec![alone("diesel values, do_update", move |connection, _| {
        let new: Vec<ArticleValues<'_>> = items.iter().map(Item::as_article).collect();
        in_one(rows > CHUNK, connection, |connection| {
            let mut written = 0;
            for chunk in new.chunks(CHUNK) {
                written += if with_ids {
                    let upsert = upsert!(chunk).returning(articles::id);
                    upsert.get_results::<i64>(connection)?.len()
                } else {
                    upsert!(chunk).execute(connection)?
                };
            }
            assert!(written == rows);
            Ok(())
        })
    })]
}
