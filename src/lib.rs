//! A PostgreSQL data layer on diesel: write migrations, get a data layer.
//!
//! `bowline generate` makes a type and its functions for each table of a folder of SQL migrations. The
//! functions return [`Statement`]s, which are values; a [`Database`] runs them, all or nothing, in one
//! round trip:
//!
//! ```
//! use bank::Account;
//! use bowline::{Database, Page, Result};
//!
//! fn usernames(db: &Database) -> Result<(i64, Vec<String>)> {
//!     let (count, accounts) = db.run((Account::count(), Account::list(Page::first(20))))?;
//!     Ok((count, accounts.into_iter().map(|account| account.username).collect()))
//! }
//! ```
//!
//! Any diesel query is a statement too, by [`StatementDsl`], and a [`Session`] is a diesel connection.
//!
//! | feature | |
//! |---|---|
//! | `bundled` (default) | libpq 18, built in; without it the system's, 17 or later |
//! | `testing` | a throwaway server and databases for tests, `#[bowline::test]` |
//! | `metrics` | counters and histograms, by the facade `metrics` |
//! | `tokio` | the database from asynchronous code: `AsyncDatabase` |
//! | `uuid`, `numeric`, `network-address` | columns of these types (inet, cidr), by diesel's features of the same names |

// Generated code says `bowline::..`, here as in every other crate.
extern crate self as bowline;

mod activity;
#[cfg(feature = "tokio")]
mod async_database;
mod chunks;
mod command;
pub mod commit_keys;
mod config;
mod connect;
mod constraint;
mod copy;
mod database;
mod deadline;
mod error;
mod executor;
#[cfg(doctest)]
mod guide;
mod migrations;
mod no_session;
mod nullable;
mod observe;
mod page;
mod pool;
mod random;
mod retry;
mod session;
mod sql_text;
mod sqlstate;
mod statement;
#[cfg(feature = "testing")]
pub mod testing;
mod transaction;
mod types;
mod wire;

#[cfg(feature = "numeric")]
pub use bigdecimal;
#[cfg(feature = "network-address")]
pub use ipnetwork;
#[cfg(feature = "uuid")]
pub use uuid;

pub use activity::{Activity, SessionState};
#[cfg(feature = "tokio")]
pub use async_database::AsyncDatabase;
pub use bowline_macros::{Row, migrations};
pub use chunks::chunks;
#[doc(hidden)]
pub use command::columns::Columns as RowColumns;
pub use commit_keys::CommitKey;
pub use config::Config;
pub use connect::{Encryption, client_libraries};
pub use constraint::Constraint;
pub use copy::{CopiedRows, CopyRow};
pub use database::{Database, Done, PooledSession, Ticket, UnitOfWork};
#[doc(hidden)]
pub use diesel::deserialize::Result as RowResult;
#[doc(hidden)]
pub use error::is_hidden;
pub use error::{Error, ErrorKind, Outcome, Result, ServerError, StatementIndex};
pub use executor::Executor;
#[doc(hidden)]
pub use migrations::migrating;
pub use migrations::{Migration, Migrations};
pub use no_session::{Holder, NoSession, PoolState};
pub use nullable::nullable;
pub use page::Page;
pub use pool::SessionManager;
pub use retry::{RetryBudget, RetryPolicy};
pub use session::{
    AdvisoryLock, Cursor, LockKey, Session, SessionTransactions, SimpleColumn, SimpleQueryMessage,
    SimpleRow, Stream, Transactions, advisory_xact_lock, notify, try_advisory_xact_lock,
};
pub use sqlstate::{SqlState, SqlStateClass};
pub use statement::{
    BoxedStatement, DefaultSqlType, Locked, Map, Named, Row, RowStatement, Sql, Statement,
    StatementDsl, sql,
};
#[doc(hidden)]
pub use statement::{DieselQuery, row_value};
pub use transaction::{
    Isolation, TransactionOptions, commit_key, keyed, read_committed, read_only, repeatable_read,
    serializable,
};
pub use types::UnknownLabel;
pub use wire::notification::Notification;
#[doc(hidden)]
pub use wire::row::SessionRow;

#[cfg(feature = "testing")]
pub use bowline_macros::test;
