//! Ranges: those of PostgreSQL as diesel reads them, and those that migrations create.

use std::ops::Bound;

use diesel::deserialize::{self, FromSql};
use diesel::pg::{Pg, PgValue};
use diesel::sql_types::HasSqlType;

use super::value::{checked, read_length};

/// A range: its lower and its upper bound.
///
/// PostgreSQL's empty range has two excluded bounds of the same value.
pub type PgRange<T> = (Bound<T>, Bound<T>);

/// A multirange: its ranges, in order.
pub type PgMultirange<T> = Vec<PgRange<T>>;

const EMPTY: u8 = 0x01;
const LOWER_INCLUDED: u8 = 0x02;
const UPPER_INCLUDED: u8 = 0x04;
const LOWER_INFINITE: u8 = 0x08;
const UPPER_INFINITE: u8 = 0x10;

/// Reads a range in binary (PostgreSQL's `range_send`).
#[doc(hidden)]
pub fn read_range<ST, T>(bytes: &[u8]) -> deserialize::Result<PgRange<T>>
where
    Pg: HasSqlType<ST>,
    T: FromSql<ST, Pg> + Default,
{
    let (&flags, mut rest) = bytes.split_first().ok_or("a range has no flags")?;
    if flags & EMPTY != 0 {
        return Ok((Bound::Excluded(T::default()), Bound::Excluded(T::default())));
    }
    let mut bound = |infinite: u8, included: u8| {
        if flags & infinite != 0 {
            return Ok(Bound::Unbounded);
        }
        let value = read_bytes(&mut rest)?;
        let value = checked::<ST, T>(Some(value), None)?;
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>(if flags & included != 0 {
            Bound::Included(value)
        } else {
            Bound::Excluded(value)
        })
    };
    Ok((
        bound(LOWER_INFINITE, LOWER_INCLUDED)?,
        bound(UPPER_INFINITE, UPPER_INCLUDED)?,
    ))
}

/// Reads a multirange in binary (PostgreSQL's `multirange_send`).
#[doc(hidden)]
pub fn read_multirange<ST, T>(value: &PgValue<'_>) -> deserialize::Result<PgMultirange<T>>
where
    Pg: HasSqlType<ST>,
    T: FromSql<ST, Pg> + Default,
{
    let mut rest = value.as_bytes();
    let count = read_length(&mut rest)?.ok_or("a multirange has no count")?;
    (0..count)
        .map(|_| read_range::<ST, T>(read_bytes(&mut rest)?))
        .collect()
}

/// Takes a value after its length.
fn read_bytes<'b>(rest: &mut &'b [u8]) -> deserialize::Result<&'b [u8]> {
    let length = read_length(rest)?.ok_or("a bound of a range is NULL")?;
    let (value, remaining) = rest
        .split_at_checked(length)
        .ok_or("a range is shorter than its length")?;
    *rest = remaining;
    Ok(value)
}

/// Implements diesel's traits for the ranges of a range type:
/// `own_range! { f64: Double, sql_types::Floatrange }`.
#[doc(hidden)]
#[macro_export]
macro_rules! own_range {
    ($T:ty: $ST:ty, $($($marker:ident)::+),+ $(,)?) => {
        $(
            $crate::own_range!(
                @of $crate::types::PgRange<$T>, $ST, $($marker)::+,
                ::diesel::sql_types::Range<$ST>,
                |value| $crate::__generated::read_range::<$ST, $T>(value.as_bytes())
            );

            impl ::diesel::deserialize::Queryable<$($marker)::+, ::diesel::pg::Pg>
                for $crate::types::PgRange<$T>
            {
                type Row = Self;

                fn build(row: Self) -> ::diesel::deserialize::Result<Self> {
                    Ok(row)
                }
            }
        )+
    };
    (@of $T:ty, $ST:ty, $($marker:ident)::+, $range:ty, |$value:ident| $read:expr) => {
        impl ::diesel::deserialize::FromSql<$($marker)::+, ::diesel::pg::Pg> for $T {
            fn from_sql($value: ::diesel::pg::PgValue<'_>) -> ::diesel::deserialize::Result<Self> {
                $read
            }
        }

        impl ::diesel::serialize::ToSql<$($marker)::+, ::diesel::pg::Pg> for $T {
            fn to_sql<'b>(
                &'b self,
                out: &mut ::diesel::serialize::Output<'b, '_, ::diesel::pg::Pg>,
            ) -> ::diesel::serialize::Result {
                ::diesel::serialize::ToSql::<$range, ::diesel::pg::Pg>::to_sql(self, out)
            }
        }
    };
}

/// Implements diesel's traits for the multiranges of a range type, as [`own_range`] does.
#[doc(hidden)]
#[macro_export]
macro_rules! own_multirange {
    ($T:ty: $ST:ty, $($($marker:ident)::+),+ $(,)?) => {
        $($crate::own_range!(
            @of $crate::types::PgMultirange<$T>, $ST, $($marker)::+,
            ::diesel::sql_types::Multirange<$ST>,
            |value| $crate::__generated::read_multirange::<$ST, $T>(&value)
        );)+
    };
}

#[cfg(test)]
mod tests {
    use diesel::sql_types::Double;

    use super::*;

    #[test]
    fn bounds_are_read_by_their_flags() {
        let mut bytes = vec![LOWER_INCLUDED | UPPER_INFINITE, 0, 0, 0, 8];
        bytes.extend(1.5_f64.to_be_bytes());
        let range = read_range::<Double, f64>(&bytes).expect("a range");
        assert_eq!(range, (Bound::Included(1.5), Bound::Unbounded));
        let empty = read_range::<Double, f64>(&[EMPTY]).expect("a range");
        assert_eq!(empty, (Bound::Excluded(0.0), Bound::Excluded(0.0)));
        assert!(read_range::<Double, f64>(&bytes[..7]).is_err());
        assert!(read_range::<Double, f64>(&[]).is_err());
    }
}
