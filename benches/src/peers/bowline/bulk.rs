//! Many rows at a time.

use std::hint::black_box;

use ::bowline::{Page, StatementDsl as _, sql_query};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Double, Integer, Nullable, Text};

use super::calls::on_database;
use super::open;
use crate::contender::{Contender, repeat};
use crate::db::schema::{comments, items, posts, users};
use crate::db::{Comment, Item, ItemValues, Post, User};
use crate::rows::{self, TREE_USERS, tree};

pub fn load(rows: i64) -> Vec<Contender> {
    vec![on_database("bowline", move |db, _, _| {
        let loaded = db.run(User::list(Page::first(rows as u32)))?;
        assert!(loaded.len() as i64 == rows);
        Ok(loaded)
    })]
}

const UNNEST: &str = "INSERT INTO items (owner_id, name, amount, price, note) \
    SELECT * FROM UNNEST($1, $2, $3, $4, $5)";

pub fn insert(rows: usize) -> Vec<Contender> {
    let items = rows::items(rows);
    let new =
        move || -> Vec<ItemValues<'static>> { items.iter().map(rows::Item::as_new).collect() };
    vec![
        on_database("bowline insert_many", move |db, _, _| {
            db.run(Item::insert_many(new()))
        }),
        on_database("bowline values, affected", move |db, _, _| {
            let chunks = ::bowline::statement::chunks(new(), 5)
                .map(|chunk| diesel::insert_into(items::table).values(chunk).affected());
            db.run(chunks.collect::<Vec<_>>())
        }),
        on_database("bowline UNNEST by hand", move |db, _, _| {
            let (owners, names, amounts, prices, notes) = rows::columns(items);
            db.run(
                sql_query(UNNEST)
                    .bind::<Array<BigInt>, _>(owners)
                    .bind::<Array<Text>, _>(names)
                    .bind::<Array<Integer>, _>(amounts)
                    .bind::<Array<Double>, _>(prices)
                    .bind::<Array<Nullable<Text>>, _>(notes)
                    .affected(),
            )
        }),
        copied("bowline copy_in", items),
    ]
}

/// Loads rows by binary COPY.
fn copied(name: &'static str, items: &'static [rows::Item]) -> Contender {
    on_database(name, move |db, _, _| {
        let columns = (
            items::owner_id,
            items::name,
            items::amount,
            items::price,
            items::note,
        );
        let rows = items.iter().map(|item| {
            (
                item.owner_id,
                item.name.as_str(),
                item.amount,
                item.price,
                item.note.as_deref(),
            )
        });
        db.copy_in(columns, rows)
    })
}

pub fn copy_in(rows: usize) -> Vec<Contender> {
    vec![copied("bowline copy_in", rows::items(rows))]
}

pub fn stream() -> Vec<Contender> {
    let all = || users::table.select(User::as_select()).all::<User>();
    vec![
        Contender::new("bowline stream", move |target| {
            let (db, expected) = (open(target, 4), target.users);
            repeat(move || {
                let rows = db.stream(all()).expect("a stream");
                fold(rows.map(|row| row.expect("a row")), expected);
            })
        }),
        Contender::new("bowline copy_out", move |target| {
            let (db, expected) = (open(target, 4), target.users);
            repeat(move || {
                let rows = db.copy_out(all()).expect("a stream");
                fold(rows.map(|row| row.expect("a row")), expected);
            })
        }),
    ]
}

/// Reads all rows and checks their number.
fn fold(rows: impl Iterator<Item = User>, expected: i64) {
    let (count, sum) = rows.fold((0, 0), |(count, sum), user| (count + 1, sum + user.balance));
    assert!(count == expected);
    black_box(sum);
}

pub fn graph() -> Vec<Contender> {
    vec![on_database("bowline, three statements", |db, _, _| {
        let first = || users::table.filter(users::id.le(TREE_USERS));
        let of_first = || {
            let ids = first().select(users::id);
            posts::table.filter(posts::user_id.eq_any(ids))
        };
        let of_those =
            comments::table.filter(comments::post_id.eq_any(of_first().select(posts::id)));
        let (users, posts, comments) = db.run((
            first().select(User::as_select()).all::<User>(),
            of_first().select(Post::as_select()).all::<Post>(),
            of_those.select(Comment::as_select()).all::<Comment>(),
        ))?;
        Ok(tree(users, posts, comments))
    })]
}
