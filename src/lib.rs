//! A PostgreSQL data layer on diesel: write migrations, get a data layer.

extern crate self as bowline;

mod config;
mod constraint;
mod error;
mod retry;
mod session;
mod sqlstate;
mod statement;
mod transaction;

pub use config::Config;
pub use constraint::Constraint;
pub use diesel::sql_query as sql;
pub use error::{Error, Outcome, Place, Report, Result, ServerError};
pub use retry::RetryPolicy;
pub use session::Session;
pub use sqlstate::SqlState;
pub use statement::{BoxedStatement, Statement, StatementDsl};
pub use transaction::{Isolation, TransactionOptions, read_committed, read_only, repeatable_read, serializable};
