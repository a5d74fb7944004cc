//! A bank: accounts and transfers, as `bowline generate` wrote them from the repository's
//! `migrations/`.
//!
//! An application has such a module in its own crate. Here it is a package that Bowline's tests,
//! examples and documentation share.

#[expect(
    missing_docs,
    reason = "generated code has the text of COMMENT ON, or none"
)]
mod db;

pub use db::*;
