//! The items that generated code, macros and the command use, under separate paths, so that they
//! may change.
//!
//! Nothing here is covered by semver. Generated code names the format that it was written in, and
//! `bowline::migrations!` refuses code of another format.

pub use diesel::deserialize::Result as RowResult;

pub use crate::command::columns::Columns as RowColumns;
pub use crate::error::is_hidden;
pub use crate::migrations::migrating;
pub use crate::nullable::nullable;
pub use crate::statement::ready::{
    AnswerRow, ColumnArrays, ColumnValues, Fields, GivenArrays, GivenColumns, StaticSql, TableRow,
};
pub use crate::statement::{chunks, row_value};
pub use crate::wire::row::SessionRow;
pub use crate::{column_arrays, column_values, constraints, id, pg_enum, table_row};
