//! Tests of the run time against a PostgreSQL server, through the public API only.
//!
//! One folder for each subject; `support.rs` has what they share.

mod connect;
mod examples;
mod faults;
mod generated;
mod observe;
mod pool;
mod public_names;
mod statements;
mod support;
mod testing;
mod transactions;
