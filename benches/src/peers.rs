//! The libraries that are compared. Each has a file of its own.

mod bowline;
mod diesel;
mod libpq;
mod r2d2;
#[cfg(feature = "tokio-postgres")]
mod tokio_postgres;

use crate::contender::Contender;

/// A library. What it cannot do, or what would measure nothing of it, it has no contenders for.
pub trait Peer {
    /// B1: finds a user by key and reads all of its columns.
    fn find(&self) -> Vec<Contender> {
        Vec::new()
    }

    /// B4: adds to the balances of ten users by key, all or none, and commits.
    fn ten_updates(&self) -> Vec<Contender> {
        Vec::new()
    }

    /// B5: takes a connection from a pool of four and gives it back.
    fn checkout(&self) -> Vec<Contender> {
        Vec::new()
    }

    /// B7: one transaction of pgbench's default script.
    fn tpcb(&self) -> Vec<Contender> {
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
        #[cfg(feature = "tokio-postgres")]
        Box::new(tokio_postgres::TokioPostgres),
    ]
}
