//! The run time against a real PostgreSQL, through the public API only.
//!
//! One folder for each duty; `support.rs` has what they share.

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
