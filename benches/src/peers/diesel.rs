//! diesel on its own `PgConnection`, alone and with r2d2.

mod bulk;
mod upsert;

use std::hint::black_box;

use ::r2d2::Pool;
use diesel::prelude::*;
use diesel::r2d2::ConnectionManager;

use super::Peer;
use crate::contender::{Contender, repeat};
use crate::crowd::Crowd;
use crate::db::User;
use crate::db::schema::{
    pgbench_accounts, pgbench_branches, pgbench_history, pgbench_tellers, users,
};
use crate::target::{Numbers, Target, Tpcb};

pub struct Diesel;

fn find(connection: &mut PgConnection, id: i64) -> QueryResult<User> {
    users::table
        .find(id)
        .select(User::as_select())
        .first(connection)
        .optional()
        .map(|found| found.expect("a user"))
}

fn ten_updates(connection: &mut PgConnection, ids: [i64; 10]) -> QueryResult<()> {
    connection.transaction(|connection| {
        for id in ids {
            diesel::update(users::table.find(id))
                .set(users::balance.eq(users::balance + 1))
                .execute(connection)?;
        }
        Ok(())
    })
}

fn tpcb(connection: &mut PgConnection, of: Tpcb) -> QueryResult<i32> {
    connection.transaction(|connection| {
        let account = pgbench_accounts::table.find(of.aid);
        diesel::update(account)
            .set(pgbench_accounts::abalance.eq(pgbench_accounts::abalance + of.delta))
            .execute(connection)?;
        let balance = account
            .select(pgbench_accounts::abalance)
            .first(connection)?;
        diesel::update(pgbench_tellers::table.find(of.tid))
            .set(pgbench_tellers::tbalance.eq(pgbench_tellers::tbalance + of.delta))
            .execute(connection)?;
        diesel::update(pgbench_branches::table.find(of.bid))
            .set(pgbench_branches::bbalance.eq(pgbench_branches::bbalance + of.delta))
            .execute(connection)?;
        diesel::insert_into(pgbench_history::table)
            .values((
                pgbench_history::tid.eq(of.tid),
                pgbench_history::bid.eq(of.bid),
                pgbench_history::aid.eq(of.aid),
                pgbench_history::delta.eq(of.delta),
                pgbench_history::mtime.eq(diesel::dsl::now),
            ))
            .execute(connection)?;
        Ok(balance)
    })
}

/// The work with a connection.
type Work<T> = fn(&mut PgConnection, &mut Numbers, &Target) -> QueryResult<T>;

/// Creates a contender with a connection and no pool.
fn alone<T: 'static>(work: Work<T>) -> Contender {
    Contender::new("diesel", move |target| {
        let mut connection = PgConnection::establish(&target.url).expect("a connection");
        let (target, mut numbers) = (target.clone(), Numbers::series(1));
        repeat(move || {
            black_box(work(&mut connection, &mut numbers, &target).expect("an answer"));
        })
    })
}

/// Opens a pool of four. With `is_tested` it sends `SELECT 1` at each checkout, which is the
/// default.
pub fn pool(
    target: &Target,
    sessions: u32,
    is_tested: bool,
) -> Pool<ConnectionManager<PgConnection>> {
    Pool::builder()
        .max_size(sessions)
        .test_on_check_out(is_tested)
        .build(ConnectionManager::new(&target.url))
        .expect("a pool")
}

fn pooled<T: 'static>(name: &'static str, is_tested: bool, work: Work<T>) -> Contender {
    Contender::new(name, move |target| {
        let pool = pool(target, 4, is_tested);
        let (target, mut numbers) = (target.clone(), Numbers::series(1));
        repeat(move || {
            let mut connection = pool.get().expect("a connection");
            black_box(work(&mut connection, &mut numbers, &target).expect("an answer"));
        })
    })
}

fn all_ways<T: 'static>(work: Work<T>) -> Vec<Contender> {
    vec![
        alone(work),
        pooled("diesel + r2d2, no test", false, work),
        pooled("diesel + r2d2", true, work),
    ]
}

impl Peer for Diesel {
    fn find(&self) -> Vec<Contender> {
        all_ways(|connection, numbers, target| find(connection, numbers.up_to(target.users)))
    }

    fn ten_updates(&self) -> Vec<Contender> {
        all_ways(|connection, numbers, target| {
            ten_updates(connection, [0; 10].map(|_| numbers.up_to(target.users)))
        })
    }

    fn checkout(&self) -> Vec<Contender> {
        vec![
            pooled("diesel + r2d2, no test", false, |_, _, _| Ok(())),
            pooled("diesel + r2d2", true, |_, _, _| Ok(())),
        ]
    }

    fn tpcb(&self) -> Vec<Contender> {
        all_ways(|connection, numbers, target| tpcb(connection, Tpcb::next(numbers, target.scale)))
    }

    fn connect(&self) -> Vec<Contender> {
        vec![Contender::new("diesel", |target| {
            let url = target.url.clone();
            repeat(move || drop(PgConnection::establish(&url).expect("a connection")))
        })]
    }

    fn load(&self, rows: i64) -> Vec<Contender> {
        bulk::load(rows)
    }

    fn insert(&self, rows: usize) -> Vec<Contender> {
        bulk::insert(rows)
    }

    fn insert_with_ids(&self, rows: usize) -> Vec<Contender> {
        upsert::insert_with_ids(rows)
    }

    fn upsert(&self, rows: usize, with_ids: bool) -> Vec<Contender> {
        upsert::upsert(rows, with_ids)
    }

    fn stream(&self) -> Vec<Contender> {
        bulk::stream()
    }

    fn copy_in(&self, rows: usize) -> Vec<Contender> {
        bulk::copy_in(rows)
    }

    fn graph(&self) -> Vec<Contender> {
        bulk::graph()
    }

    fn crowd_checkout(&self) -> Vec<Crowd> {
        vec![Crowd::threads(
            "diesel + r2d2, no test",
            untested,
            |pool, _| {
                drop(pool.get().expect("a connection"));
            },
        )]
    }

    fn crowd_find(&self) -> Vec<Crowd> {
        vec![Crowd::threads(
            "diesel + r2d2, no test",
            untested,
            |pool, draw| {
                find(&mut pool.get().expect("a connection"), draw.user).expect("an answer");
            },
        )]
    }

    fn task_find(&self) -> Vec<Crowd> {
        #[cfg(feature = "asynchronous")]
        return vec![Crowd::tasks(
            "diesel + r2d2, no test, spawn_blocking",
            untested,
            |pool, draw| async move {
                let work = move || {
                    find(&mut pool.get().expect("a connection"), draw.user).expect("an answer");
                };
                tokio::task::spawn_blocking(work).await.expect("no panic");
            },
        )];
        #[cfg(not(feature = "asynchronous"))]
        Vec::new()
    }

    fn crowd_tpcb(&self) -> Vec<Crowd> {
        vec![Crowd::threads(
            "diesel + r2d2, no test",
            untested,
            |pool, draw| {
                tpcb(&mut pool.get().expect("a connection"), draw.tpcb).expect("an answer");
            },
        )]
    }
}

fn untested(target: &Target, sessions: usize) -> Pool<ConnectionManager<PgConnection>> {
    pool(target, sessions as u32, false)
}
