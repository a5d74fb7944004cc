//! Generated code and migrations.

mod compile_errors;
mod constant_sql;
mod graphs;
#[allow(
    missing_docs,
    unreachable_pub,
    non_camel_case_types,
    reason = "generated from names that were chosen to break it"
)]
mod hostile;
mod hostile_names;
mod inline;
mod lists;
mod many;
mod migrate;
mod migrations;
mod nested;
mod pages;
mod queries;
mod relations;
mod repositories;
pub(crate) mod roles;
#[allow(
    missing_docs,
    unreachable_pub,
    clippy::module_inception,
    reason = "generated, and named after its main table"
)]
pub(crate) mod tickets;
