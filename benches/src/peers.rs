//! The libraries that are compared. Each has a file of its own.

mod bowline;
mod diesel;
#[cfg(feature = "diesel-async")]
mod diesel_async;
mod libpq;
mod pgbench;
mod psql;
mod r2d2;
#[cfg(feature = "sea-orm")]
mod sea_orm;
#[cfg(feature = "sqlx")]
mod sqlx;
#[cfg(feature = "tokio-postgres")]
mod tokio_postgres;

use crate::contender::Contender;
use crate::crowd::Crowd;

/// A library. It has no contenders for work that it cannot do, or in which it has no part.
pub trait Peer {
    /// B1: finds a user by key and reads all of its columns.
    fn find(&self) -> Vec<Contender> {
        Vec::new()
    }

    /// B4: adds to the balances of ten users by key in one transaction, and commits.
    fn ten_updates(&self) -> Vec<Contender> {
        Vec::new()
    }

    /// B5: takes a connection from a pool of four and returns it.
    fn checkout(&self) -> Vec<Contender> {
        Vec::new()
    }

    /// B7: one transaction of pgbench's default script.
    fn tpcb(&self) -> Vec<Contender> {
        Vec::new()
    }

    /// B12: connects, and disconnects.
    fn connect(&self) -> Vec<Contender> {
        Vec::new()
    }

    /// B2b: loads this many users, in the order of their keys.
    fn load(&self, rows: i64) -> Vec<Contender> {
        let _ = rows;
        Vec::new()
    }

    /// B2b: inserts this many items in one transaction.
    fn insert(&self, rows: usize) -> Vec<Contender> {
        let _ = rows;
        Vec::new()
    }

    /// B14: inserts this many items in one transaction, and reads their ids.
    fn insert_with_ids(&self, rows: usize) -> Vec<Contender> {
        let _ = rows;
        Vec::new()
    }

    /// B14: upserts this many articles by their codes in one transaction; reads their ids if this
    /// is wanted.
    fn upsert(&self, rows: usize, with_ids: bool) -> Vec<Contender> {
        let _ = (rows, with_ids);
        Vec::new()
    }

    /// B2: reads all users one after the other, in constant memory.
    fn stream(&self) -> Vec<Contender> {
        Vec::new()
    }

    /// B6: loads this many items by COPY.
    fn copy_in(&self, rows: usize) -> Vec<Contender> {
        let _ = rows;
        Vec::new()
    }

    /// B3: loads the first users with their posts and the comments on those.
    fn graph(&self) -> Vec<Contender> {
        Vec::new()
    }

    /// B5: many callers take a connection and return it.
    fn crowd_checkout(&self) -> Vec<Crowd> {
        Vec::new()
    }

    /// B5: many callers find a user each.
    fn crowd_find(&self) -> Vec<Crowd> {
        Vec::new()
    }

    /// B13: many tasks find a user each.
    fn task_find(&self) -> Vec<Crowd> {
        Vec::new()
    }

    /// B7: many callers run pgbench's default transaction.
    fn crowd_tpcb(&self) -> Vec<Crowd> {
        Vec::new()
    }
}

/// Returns the libraries that this program was built with.
pub fn all() -> Vec<Box<dyn Peer>> {
    vec![
        Box::new(bowline::Bowline),
        Box::new(libpq::Libpq),
        Box::new(diesel::Diesel),
        Box::new(r2d2::R2d2),
        Box::new(pgbench::Pgbench),
        Box::new(psql::Psql),
        #[cfg(feature = "tokio-postgres")]
        Box::new(tokio_postgres::TokioPostgres),
        #[cfg(feature = "diesel-async")]
        Box::new(diesel_async::DieselAsync),
        #[cfg(feature = "sqlx")]
        Box::new(sqlx::Sqlx),
        #[cfg(feature = "sea-orm")]
        Box::new(sea_orm::SeaOrm),
    ]
}
