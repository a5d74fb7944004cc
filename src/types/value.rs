//! Values within other values.

use std::num::NonZeroU32;

use diesel::deserialize::{self, FromSql};
use diesel::pg::{Pg, PgValue};
use diesel::sql_types::HasSqlType;

use crate::command::columns::check_value;

/// Reads a value within another, after the checks that a column has: that it has this type, if its
/// OID is known, and that the Rust type can hold it.
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
            // The value that is read does not depend on the OID.
            let oid = oid.unwrap_or(NonZeroU32::MIN);
            T::from_nullable_sql(Some(PgValue::new(bytes, &oid)))
        }
    }
}

/// Takes a length; `None` for NULL.
pub(super) fn read_length(rest: &mut &[u8]) -> deserialize::Result<Option<usize>> {
    let (length, remaining) = rest.split_first_chunk().ok_or("a value ends early")?;
    *rest = remaining;
    Ok(usize::try_from(i32::from_be_bytes(*length)).ok())
}
