//! Each type of PostgreSQL as generated code has it: a table for each family of types, and tables
//! whose keys have a type.

#[expect(missing_docs, reason = "the schema has no comments")]
pub mod db;
