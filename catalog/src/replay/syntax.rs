//! Readers of the syntax tree, which need only the statement and not the state.

pub(crate) mod array_text;
pub(crate) mod brackets;
pub(crate) mod call;
pub(crate) mod clause;
pub(crate) mod column_name;
pub(crate) mod effect;
pub(crate) mod expression;
pub(crate) mod geometry;
pub(crate) mod green;
pub(crate) mod index;
pub(crate) mod nesting;
pub(crate) mod off;
pub(crate) mod operators;
pub(crate) mod parse;
pub(crate) mod routine;
pub(crate) mod schema;
pub(crate) mod setting;
pub(crate) mod tree;
pub(crate) mod type_name;
#[cfg(test)]
pub(crate) mod words;

/// The schema of PostgreSQL's built-in objects.
pub(crate) const SYSTEM: &str = "pg_catalog";

#[cfg(test)]
pub(crate) use off::without;
