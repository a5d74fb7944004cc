//! The SQL type of a row within a row.

use std::marker::PhantomData;

use diesel::pg::{Pg, PgTypeMetadata};
use diesel::sql_types::{HasSqlType, SqlType, is_nullable};

pub(super) const RECORD: u32 = 2249;
const RECORD_ARRAY: u32 = 2287;

/// The SQL type of a whole row that is read as `R`. `table_row!` and `query_row!` make `R` readable
/// as this type.
#[doc(hidden)]
#[derive(Debug)]
pub struct RowOf<R>(PhantomData<fn() -> R>);

impl<R: 'static> SqlType for RowOf<R> {
    type IsNull = is_nullable::NotNull;
}

impl<R> HasSqlType<RowOf<R>> for Pg {
    fn metadata(_: &mut Self::MetadataLookup) -> PgTypeMetadata {
        PgTypeMetadata::new(RECORD, RECORD_ARRAY)
    }
}
