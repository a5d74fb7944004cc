//! Statements and sessions: SQL, values, errors, rows, COPY, notifications.

mod advisory_locks;
mod async_copies;
mod async_rows;
mod async_sessions;
mod async_shapes;
mod asynchronous;
mod beginner;
mod copies;
mod cursors;
mod errors;
mod notifications;
mod plain_diesel;
mod prepared;
mod quoting;
mod round_trips;
mod server_errors;
mod session;
mod simple_queries;
mod sql_by_hand;
mod streams;
mod type_names;
mod values;
