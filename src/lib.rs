//! A PostgreSQL data layer on diesel: write migrations, get a data layer.
//!
//! `bowline generate` generates a type and its functions for each table of a directory of SQL
//! migrations. The functions return [`Statement`]s, which are values; a [`Database`] runs them, all
//! or nothing, in one round trip:
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
//! Any diesel query is a statement too, by [`StatementDsl`], and a [`Session`] is a diesel
//! connection.
//!
//! | feature | |
//! |---|---|
//! | `bundled` (default) | libpq 18, built in; without it the system's, 17 or later |
//! | `testing` | a throwaway server and databases for tests, `#[bowline::test]` |
//! | `query` | `query!` and `query_as!`: SQL that is checked when the crate compiles; needs Rust 1.94 |
//! | `metrics` | counters and histograms, by the facade `metrics` |
//! | `tokio` | the database from asynchronous code: `AsyncDatabase` |
//! | `uuid`, `numeric`, `network-address` | columns of these types (inet, cidr), by diesel's features of the same names |
//! | `jiff`, `rust-decimal`, `pgvector`, `postgis` | columns with types of these crates, by settings of `bowline.toml` |

// Generated code uses paths that begin with `bowline::`, here as in every other crate.
extern crate self as bowline;

#[doc(hidden)]
#[path = "generated.rs"]
pub mod __generated;
mod activity;
#[cfg(feature = "tokio")]
mod async_database;
#[cfg(feature = "tokio")]
pub mod asynchronous;
mod chunks;
mod command;
pub mod commit_keys;
mod config;
mod connect;
mod constraint;
pub mod copy;
mod database;
mod deadline;
pub mod error;
mod executor;
#[cfg(doctest)]
mod guide;
pub mod locks;
pub mod migrations;
mod no_session;
pub mod notify;
mod nullable;
mod observe;
mod page;
pub mod pool;
mod random;
pub mod reader;
pub mod retry;
pub mod session;
mod sql_text;
pub mod sqlstate;
pub mod statement;
#[cfg(feature = "testing")]
pub mod testing;
pub mod transaction;
pub mod types;
mod wire;

#[cfg(feature = "tokio")]
pub use async_database::AsyncDatabase;
#[cfg(feature = "testing")]
pub use bowline_macros::test;
pub use bowline_macros::{Graph, Row, migrations};
#[cfg(feature = "query")]
pub use bowline_macros::{query, query_as};
pub use config::Config;
pub use database::{Database, PooledSession, Transaction, UnitOfWork, unit_of_work};
pub use error::{Error, ErrorKind, Outcome, Result};
pub use executor::Executor;
pub use migrations::Migrations;
pub use page::Page;
pub use session::Session;
pub use sqlstate::SqlState;
pub use statement::{Graph, Query, Row, Statement, StatementDsl, WriteQuery, sql_query};
pub use transaction::TransactionOptions;

// These names are for code that 0.1 generated, so that the error of `migrations!` is the only one.
#[doc(hidden)]
pub use crate::{chunks::chunks, nullable::nullable};
#[cfg(feature = "numeric")]
#[doc(hidden)]
pub use bigdecimal;
#[cfg(feature = "network-address")]
#[doc(hidden)]
pub use ipnetwork;
#[cfg(feature = "uuid")]
#[doc(hidden)]
pub use uuid;
