//! Reads the values within composite types, ranges and multiranges.

use std::num::NonZeroU32;

use diesel::deserialize::{self, FromSql};
use diesel::pg::{Pg, PgValue};
use diesel::sql_types::HasSqlType;

use crate::command::columns::check_value;

/// Reads a value within another, with the checks that a column has too: it has the type `ST`, if
/// its OID is known, and `T` can hold it.
///
/// # Errors
/// If a check fails, or the value cannot be read.
pub(super) fn checked<ST, T>(
    value: Option<&[u8]>,
    oid: Option<NonZeroU32>,
) -> deserialize::Result<T>
where
    Pg: HasSqlType<ST>,
    T: FromSql<ST, Pg>,
{
    check_value::<ST>(value, oid)?;
    match value {
        None => T::from_nullable_sql(None),
        Some(bytes) => {
            // Any OID will do if it is not known: how the bytes are read does not depend on it.
            let oid = oid.unwrap_or(NonZeroU32::MIN);
            T::from_nullable_sql(Some(PgValue::new(bytes, &oid)))
        }
    }
}

/// Reads a 4-byte length and advances; `None` for -1, which is NULL.
pub(super) fn read_length(rest: &mut &[u8]) -> deserialize::Result<Option<usize>> {
    let (length, remaining) = rest
        .split_first_chunk()
        .ok_or("the value is truncated: expected a length")?;
    *rest = remaining;
    Ok(usize::try_from(i32::from_be_bytes(*length)).ok())
}
