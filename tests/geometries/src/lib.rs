//! Generated code for columns of PostGIS.

#[expect(missing_docs, reason = "the schema has no comments")]
pub mod db;
