//! Many rows at a time.

use std::hint::black_box;

use diesel::pg::PgRowByRowLoadingMode;
use diesel::prelude::*;

use crate::contender::{Contender, repeat};
use crate::db::schema::{comments, items, posts, users};
use crate::db::{Comment, ItemValues, Post, User};
use crate::rows::{self, TREE_USERS, Tree, tree};
use crate::target::Target;

/// Creates a contender with a connection and no pool.
pub fn alone<T>(
    name: &'static str,
    work: impl Fn(&mut PgConnection, &Target) -> QueryResult<T> + Copy + 'static,
) -> Contender {
    Contender::new(name, move |target| {
        let mut connection = PgConnection::establish(&target.url).expect("a connection");
        let target = target.clone();
        repeat(move || {
            black_box(work(&mut connection, &target).expect("an answer"));
        })
    })
}

pub fn load(rows: i64) -> Vec<Contender> {
    vec![alone("diesel", move |connection, _| {
        let users = users::table.select(User::as_select()).order(users::id);
        let loaded: Vec<User> = users.limit(rows).load(connection)?;
        assert!(loaded.len() as i64 == rows);
        Ok(loaded)
    })]
}

/// The number of rows in one statement, which has at most 65,535 parameters.
pub const CHUNK: usize = 13_000;

/// Does the work in a transaction if it is more than one statement.
pub fn in_one<T>(
    is_needed: bool,
    connection: &mut PgConnection,
    work: impl FnOnce(&mut PgConnection) -> QueryResult<T>,
) -> QueryResult<T> {
    if is_needed {
        connection.transaction(work)
    } else {
        work(connection)
    }
}

pub fn insert(rows: usize) -> Vec<Contender> {
    let items = rows::items(rows);
    let new =
        move || -> Vec<ItemValues<'static>> { items.iter().map(rows::Item::as_new).collect() };
    vec![
        alone("diesel values", move |connection, _| {
            in_one(rows > CHUNK, connection, |connection| {
                for chunk in new().chunks(CHUNK) {
                    diesel::insert_into(items::table)
                        .values(chunk)
                        .execute(connection)?;
                }
                Ok(())
            })
        }),
        copied("diesel copy_from", items),
    ]
}

/// An item to insert, in the form that diesel's COPY takes: each column has a value.
#[derive(Insertable)]
#[diesel(table_name = items, treat_none_as_default_value = false)]
struct CopiedItem<'a> {
    owner_id: i64,
    name: &'a str,
    amount: i32,
    price: f64,
    note: Option<&'a str>,
}

fn copied(name: &'static str, items: &'static [rows::Item]) -> Contender {
    alone(name, move |connection, _| {
        let copied = |item: &'static rows::Item| CopiedItem {
            owner_id: item.owner_id,
            name: &item.name,
            amount: item.amount,
            price: item.price,
            note: item.note.as_deref(),
        };
        let new: Vec<_> = items.iter().map(copied).collect();
        diesel::copy_from(items::table)
            .from_insertable(new)
            .execute(connection)
    })
}

pub fn copy_in(rows: usize) -> Vec<Contender> {
    vec![copied("diesel copy_from", rows::items(rows))]
}

pub fn stream() -> Vec<Contender> {
    vec![alone("diesel row by row", |connection, target| {
        let users = users::table.select(User::as_select());
        let rows = users.load_iter::<User, PgRowByRowLoadingMode>(connection)?;
        let (mut count, mut sum) = (0, 0);
        for user in rows {
            count += 1;
            sum += user?.balance;
        }
        assert!(count == target.users);
        Ok(sum)
    })]
}

pub fn graph() -> Vec<Contender> {
    vec![alone(
        "diesel, three queries",
        |connection, _| -> QueryResult<Tree> {
            let users: Vec<User> = users::table
                .filter(users::id.le(TREE_USERS))
                .select(User::as_select())
                .load(connection)?;
            let of_users: Vec<Post> = posts::table
                .filter(posts::user_id.eq_any(users.iter().map(|user| user.id)))
                .select(Post::as_select())
                .load(connection)?;
            let of_posts: Vec<Comment> = comments::table
                .filter(comments::post_id.eq_any(of_users.iter().map(|post| post.id)))
                .select(Comment::as_select())
                .load(connection)?;
            Ok(tree(users, of_users, of_posts))
        },
    )]
}
