//! A PostgreSQL data layer on diesel: write migrations, get a data layer.

extern crate self as bowline;

mod config;
mod constraint;
mod database;
mod error;
mod executor;
mod pool;
mod retry;
mod session;
mod sqlstate;
mod statement;
mod transaction;
mod unit_of_work;

pub use config::Config;
pub use constraint::Constraint;
pub use database::{Database, PooledSession};
pub use diesel::sql_query as sql;
pub use error::{Error, Outcome, Place, Report, Result, ServerError};
pub use executor::Executor;
pub use pool::{SessionManager, Slot};
pub use retry::RetryPolicy;
pub use session::Session;
pub use sqlstate::SqlState;
pub use statement::{BoxedStatement, Statement, StatementDsl};
pub use transaction::{Isolation, TransactionOptions, read_committed, read_only, repeatable_read, serializable};
pub use unit_of_work::{Done, Ticket, UnitOfWork};
