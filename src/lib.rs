//! A PostgreSQL data layer on diesel: write migrations, get a data layer.

// Generated code says `bowline::..`, here as in every other crate.
extern crate self as bowline;

#[cfg(feature = "bank")]
pub mod bank;

mod chunks;
mod config;
mod constraint;
mod database;
mod error;
mod executor;
mod nullable;
mod page;
mod pool;
mod retry;
mod session;
mod sqlstate;
mod statement;
#[cfg(feature = "testing")]
pub mod testing;
mod transaction;
mod types;
mod unit_of_work;

pub use chunks::chunks;
pub use config::Config;
pub use constraint::Constraint;
pub use database::{Database, PooledSession};
pub use diesel::sql_query as sql;
pub use error::{Error, Outcome, Place, Report, Result, ServerError};
pub use executor::Executor;
pub use nullable::nullable;
pub use page::Page;
pub use pool::{SessionManager, Slot};
pub use retry::RetryPolicy;
pub use session::Session;
pub use sqlstate::SqlState;
pub use statement::{BoxedStatement, Statement, StatementDsl};
pub use transaction::{
    Isolation, TransactionOptions, read_committed, read_only, repeatable_read, serializable,
};
pub use types::UnknownLabel;
pub use unit_of_work::{Done, Ticket, UnitOfWork};

#[cfg(feature = "testing")]
pub use bowline_macros::test;
