//! Calls of few rows.

use std::hint::black_box;

use ::bowline::statement::Sql;
use ::bowline::{Config, Database, Result, Session, Statement, StatementDsl, sql_query};
use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{QueryFragment, QueryId};
use diesel::sql_types::BigInt;

use super::open;
use crate::contender::{Contender, repeat};
use crate::db::schema::{
    pgbench_accounts, pgbench_branches, pgbench_history, pgbench_tellers, users,
};
use crate::db::{User, UserChanges, UserId, queries};
use crate::target::{Numbers, Target, Tpcb};

/// A user, read by the names of its columns from SQL written by hand.
#[derive(::bowline::Row)]
#[expect(dead_code, reason = "it is read, not used")]
struct FoundUser {
    id: i64,
    name: String,
    email: String,
    balance: i64,
    created_at: DateTime<Utc>,
    note: Option<String>,
}

const ADD: &str = "UPDATE users SET balance = balance + 1 WHERE id = $1";

const FIND: &str = "SELECT id, name, email, balance, created_at, note FROM users WHERE id = $1";

/// Adds 1 to a user's balance.
fn add(id: i64) -> impl StatementDsl + QueryFragment<Pg> + QueryId {
    diesel::update(users::table.find(id)).set(users::balance.eq(users::balance + 1))
}

/// Returns ten users, possibly with duplicates.
fn ten(numbers: &mut Numbers, users: i64) -> impl Iterator<Item = i64> {
    (0..10).map(move |_| numbers.up_to(users))
}

fn teller(of: Tpcb) -> impl StatementDsl + QueryFragment<Pg> + QueryId {
    diesel::update(pgbench_tellers::table.find(of.tid))
        .set(pgbench_tellers::tbalance.eq(pgbench_tellers::tbalance + of.delta))
}

fn branch(of: Tpcb) -> impl StatementDsl + QueryFragment<Pg> + QueryId {
    diesel::update(pgbench_branches::table.find(of.bid))
        .set(pgbench_branches::bbalance.eq(pgbench_branches::bbalance + of.delta))
}

fn account(of: Tpcb) -> impl StatementDsl + QueryFragment<Pg> + QueryId {
    diesel::update(pgbench_accounts::table.find(of.aid))
        .set(pgbench_accounts::abalance.eq(pgbench_accounts::abalance + of.delta))
}

fn balance(of: Tpcb) -> impl Statement<Output = i32> {
    let account = pgbench_accounts::table.find(of.aid);
    account.select(pgbench_accounts::abalance).one::<i32>()
}

fn history(of: Tpcb) -> impl StatementDsl + QueryFragment<Pg> + QueryId {
    use pgbench_history as h;
    diesel::insert_into(h::table).values((
        h::tid.eq(of.tid),
        h::bid.eq(of.bid),
        h::aid.eq(of.aid),
        h::delta.eq(of.delta),
        h::mtime.eq(diesel::dsl::now),
    ))
}

/// Returns a transaction in one round trip. Only the statement for the balance has to find one row.
pub fn tpcb_affected(of: Tpcb) -> impl Statement<Output = (usize, Vec<i32>, usize, usize, usize)> {
    let read = pgbench_accounts::table.find(of.aid);
    (
        account(of).affected(),
        read.select(pgbench_accounts::abalance).all::<i32>(),
        teller(of).affected(),
        branch(of).affected(),
        history(of).affected(),
    )
}

/// Returns the same transaction, in which each statement has to find exactly one row.
pub fn tpcb_exactly(of: Tpcb) -> impl Statement<Output = (usize, i32, usize, usize, usize)> {
    (
        account(of).exactly(1),
        balance(of),
        teller(of).exactly(1),
        branch(of).exactly(1),
        history(of).exactly(1),
    )
}

/// Runs the same transaction, with a round trip for each statement.
pub fn tpcb_interactive(db: &Database, of: Tpcb) -> Result<i32> {
    db.transaction(|tx| {
        tx.run(account(of).exactly(1))?;
        let balance = tx.run(balance(of))?;
        tx.run(teller(of).exactly(1))?;
        tx.run(branch(of).exactly(1))?;
        tx.run(history(of).exactly(1))?;
        Ok(balance)
    })
}

/// Creates a contender that uses a database and random numbers.
pub fn on_database<T>(
    name: &'static str,
    work: impl Fn(&Database, &mut Numbers, &Target) -> Result<T> + Copy + 'static,
) -> Contender {
    Contender::new(name, move |target| {
        let (db, target, mut numbers) = (open(target, 4), target.clone(), Numbers::series(1));
        repeat(move || {
            let done = work(&db, &mut numbers, &target);
            black_box(done.unwrap_or_else(|error| panic!("{error}")));
        })
    })
}

pub fn find() -> Vec<Contender> {
    let mut all = find_blocking();
    all.extend(find_by_a_task());
    all
}

#[cfg(feature = "asynchronous")]
fn find_by_a_task() -> Vec<Contender> {
    let open = async |target: &Target| open(target, 4).into_async();
    vec![crate::futures::contender(
        "bowline task",
        open,
        async |db, numbers, target| {
            let found = db.run(User::find(UserId(numbers.up_to(target.users))));
            let found = found.await.unwrap_or_else(|error| panic!("{error}"));
            black_box(found.expect("a user"));
        },
    )]
}

#[cfg(not(feature = "asynchronous"))]
fn find_by_a_task() -> Vec<Contender> {
    Vec::new()
}

fn find_blocking() -> Vec<Contender> {
    vec![
        on_database("bowline", |db, numbers, target| {
            let found = db.run(User::find(UserId(numbers.up_to(target.users))))?;
            Ok(found.expect("a user"))
        }),
        on_database("bowline sql", |db, numbers, target| {
            let id = numbers.up_to(target.users);
            let found = db.run(
                sql_query(FIND)
                    .bind::<BigInt, _>(id)
                    .optional::<FoundUser>(),
            )?;
            Ok(found.expect("a user"))
        }),
        Contender::new("bowline session", |target| {
            let (db, users) = (open(target, 4), target.users);
            let mut session = db.session().expect("a session");
            let mut numbers = Numbers::series(1);
            repeat(move || {
                let found = session.run(User::find(UserId(numbers.up_to(users))));
                let found = found.unwrap_or_else(|error| panic!("{error}"));
                black_box(found.expect("a user"));
            })
        }),
    ]
}

/// Adds 1 to a user's balance, by SQL written by hand.
fn add_by_sql(id: i64) -> Sql<'static> {
    sql_query(ADD).bind::<BigInt, _>(id)
}

pub fn ten_updates() -> Vec<Contender> {
    vec![
        on_database("bowline affected", |db, numbers, target| {
            let updates = ten(numbers, target.users).map(|id| add(id).affected());
            db.run(updates.collect::<Vec<_>>())
        }),
        on_database("bowline exactly(1)", |db, numbers, target| {
            let updates = ten(numbers, target.users).map(|id| add(id).exactly(1));
            db.run(updates.collect::<Vec<_>>())
        }),
        on_database("bowline unit_of_work", |db, numbers, target| {
            let mut work = db.unit_of_work();
            for id in ten(numbers, target.users) {
                let changes = UserChanges {
                    balance: Some(id),
                    ..UserChanges::default()
                };
                work.add(User::update(UserId(id), changes));
            }
            work.commit()
        }),
        on_database("bowline transaction", |db, numbers, target| {
            let ids: Vec<_> = ten(numbers, target.users).collect();
            db.transaction(|tx| {
                ids.iter()
                    .try_for_each(|id| tx.run(add(*id).exactly(1)).map(drop))
            })
        }),
        on_database("bowline query file, affected", |db, numbers, target| {
            let updates = ten(numbers, target.users).map(|id| queries::users::add(UserId(id)));
            db.run(updates.collect::<Vec<_>>())
        }),
        on_database("bowline query file, exactly(1)", |db, numbers, target| {
            let updates = ten(numbers, target.users).map(|id| queries::users::add_once(UserId(id)));
            db.run(updates.collect::<Vec<_>>())
        }),
        on_database("bowline sql, affected", |db, numbers, target| {
            let updates = ten(numbers, target.users).map(|id| add_by_sql(id).affected());
            db.run(updates.collect::<Vec<_>>())
        }),
        on_database("bowline sql, exactly(1)", |db, numbers, target| {
            let updates = ten(numbers, target.users).map(|id| add_by_sql(id).exactly(1));
            db.run(updates.collect::<Vec<_>>())
        }),
    ]
}

pub fn checkout() -> Vec<Contender> {
    vec![on_database("bowline", |db, _, _| db.session().map(drop))]
}

pub fn tpcb() -> Vec<Contender> {
    vec![
        on_database("bowline affected", |db, numbers, target| {
            db.run(tpcb_affected(Tpcb::next(numbers, target.scale)))
        }),
        on_database("bowline exactly(1)", |db, numbers, target| {
            db.run(tpcb_exactly(Tpcb::next(numbers, target.scale)))
        }),
        on_database("bowline transaction", |db, numbers, target| {
            tpcb_interactive(db, Tpcb::next(numbers, target.scale))
        }),
    ]
}

/// Opens a new connection in each operation.
pub fn connect() -> Vec<Contender> {
    vec![Contender::new("bowline", |target| {
        let config = Config::from_url(&target.url).expect("a URL");
        repeat(move || drop(Session::connect(&config).expect("a session")))
    })]
}
