//! The settings of a bowline project, and the names and types of the Rust code for a catalog.
//!
//! The command `bowline` writes code from a [`plan`]. The macros `bowline::query!` and
//! `bowline::query_as!` choose the types of parameters and columns by the same plan.
//!
//! Nothing here is for other use, or covered by semver.

#![allow(
    unreachable_pub,
    reason = "the fields of a plan are shared by two packages of this repository only"
)]

pub mod committed;
pub mod failure;
pub mod paths;
pub mod plan;
pub mod project;
pub mod suggestion;
