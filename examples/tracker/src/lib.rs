//! An issue tracker: what an application needs of its database, by generated code and query files.
//!
//! - `migrations/` has the schema, `queries/` the queries, and `bowline.toml` says what the schema
//!   does not: own types, columns with a role, and what is left out of lists and JSON.
//! - `api` has the routes and the bodies of requests, `failure` the responses to what fails.
//! - `graphs` has the rows that are shown with the rows they are related to.
//! - `worker` does the jobs that requests leave behind.
//!
//! There is neither a query of diesel nor a text of SQL in it.
//!
//! An update takes the version that was read:
//!
//! ```
//! use tracker::db::{Issue, IssueChanges, IssueId};
//!
//! let version = 3;
//! let _ = Issue::update(IssueId(1), version, IssueChanges::default());
//! ```
//!
//! Without it, it does not compile:
//!
//! ```compile_fail,E0061
//! use tracker::db::{Issue, IssueChanges, IssueId};
//!
//! let _ = Issue::update(IssueId(1), IssueChanges::default());
//! ```
//!
//! Nor does an id in the place of another:
//!
//! ```compile_fail,E0308
//! use tracker::db::{Membership, OrganisationId, UserId};
//!
//! let (organisation, user) = (OrganisationId(1), UserId(2));
//! let _ = Membership::get(user, organisation);
//! ```
//!
//! ```
//! use tracker::db::{Membership, OrganisationId, UserId};
//!
//! let (organisation, user) = (OrganisationId(1), UserId(2));
//! let _ = Membership::get(organisation, user);
//! ```

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
