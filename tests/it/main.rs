//! The run time against a real PostgreSQL, through the public API only.

mod activity;
mod advisory_locks;
mod async_database;
mod authentication;
mod axum_example;
mod bank_under_fire;
mod beginner;
mod byte_sweep;
mod commit_keys;
mod connecting;
mod copies;
#[cfg(feature = "metrics")]
mod counting;
mod cursors;
mod distributed;
mod errors;
mod fake_server;
mod fault_catalogue;
mod fault_proxy;
mod given_up;
mod hooks;
#[allow(
    missing_docs,
    unreachable_pub,
    non_camel_case_types,
    reason = "generated from names that were chosen to break it"
)]
mod hostile;
mod hostile_names;
mod local_server;
mod locks;
mod memory;
mod migrate;
mod migrations;
mod notifications;
mod observing;
mod plain_diesel;
mod pool;
mod pooler;
mod procedures;
mod process_faults;
mod quoting;
mod reads;
mod repositories;
mod retry;
mod round_trips;
mod sandbox;
mod scripts;
mod secrets;
mod server_errors;
mod server_faults;
mod session;
mod session_state;
mod simple_queries;
mod sql_by_hand;
mod standby;
mod statement_faults;
mod streams;
mod tls;
mod transactions;
mod type_names;
mod ui;
mod unknown_outcomes;
mod values;

use bowline::testing::{LocalServer, TestDatabase};
use std::path::Path;

/// The migrations of the sample.
const MIGRATIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");

/// A migrated database of its own.
fn test_database() -> TestDatabase {
    TestDatabase::create(Path::new(MIGRATIONS)).unwrap_or_else(|error| panic!("{error}"))
}

/// The server that the tests share.
fn server() -> LocalServer {
    LocalServer::start().unwrap_or_else(|error| panic!("{error}"))
}

/// Makes a function that takes 3 s, and that gives its row as soon as it is asked to cancel: as if the request came late.
const STUBBORN: &str = "CREATE FUNCTION pg_temp.stubborn() RETURNS int LANGUAGE plpgsql AS $$
    BEGIN PERFORM pg_sleep(3); RETURN 1; EXCEPTION WHEN query_canceled THEN RETURN 1; END $$";
