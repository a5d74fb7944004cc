//! The pipeline of `bowline`: migrations to a catalog, to a plan, to files.

pub mod catalog;
pub mod migrations;
