//! An issue tracker: what an application needs of its database, by generated code and query files.
//!
//! - `migrations/` has the schema, `queries/` the queries, and `bowline.toml` says what the schema
//!   does not: own types, columns with a role, and what is left out of lists and JSON.
//! - `api` has the routes and the bodies of requests, `failure` the responses to what fails.
//! - `graphs` has the rows that are shown with the rows they are related to.
//! - `worker` does the jobs that requests leave behind.
//!
//! There is neither a query of diesel nor a text of SQL in it.

mod api;
#[expect(
    missing_docs,
    reason = "generated code has the text of COMMENT ON, or none"
)]
pub mod db;
mod failure;
#[expect(missing_docs, reason = "the names of the fields say all")]
pub mod graphs;
pub mod types;
pub mod worker;

pub use api::router;
