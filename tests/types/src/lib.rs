//! Generated code for each type of PostgreSQL: a table for each family of types, and a table with a
//! key of each type.

#[expect(missing_docs, reason = "the schema has no comments")]
pub mod db;
