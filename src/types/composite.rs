//! Values of composite types, attribute by attribute (PostgreSQL's `record_send`, `record_recv`).

use std::io::Write as _;
use std::num::NonZeroU32;

use diesel::deserialize::{self, FromSql};
use diesel::pg::{Pg, PgValue};
use diesel::query_builder::BindCollector as _;
use diesel::query_builder::bind_collector::RawBytesBindCollector;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::HasSqlType;

use super::value::{checked, read_length};

/// The attributes of a value that are not read yet.
#[doc(hidden)]
#[derive(Debug)]
pub struct Attributes<'a> {
    rest: &'a [u8],
}

/// The type of an attribute as PostgreSQL declares it.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub enum Declared {
    /// The type that diesel sends.
    Sent,
    /// A type by its OID; for an array, the OID of its elements too.
    BuiltIn(u32, u32),
    /// A type by its schema and name.
    Named(Option<&'static str>, &'static str),
}

/// The bytes of an array in binary that hold the OID of its elements' type.
const ELEMENT_TYPE: std::ops::Range<usize> = 8..12;

impl<'a> Attributes<'a> {
    /// Returns the attributes of a value. Fails unless there are `count` of them.
    pub fn of(value: &'a PgValue<'_>, count: usize) -> deserialize::Result<Self> {
        let mut rest = value.as_bytes();
        let found = read_length(&mut rest)?.unwrap_or_default();
        if found != count {
            return Err(
                format!("the value has {found} attributes, and {count} were expected").into(),
            );
        }
        Ok(Self { rest })
    }

    /// Reads the next attribute, as an SQL type. The name is for errors.
    pub fn read<ST, T>(&mut self, name: &str) -> deserialize::Result<T>
    where
        Pg: HasSqlType<ST>,
        T: FromSql<ST, Pg>,
    {
        self.read_next::<ST, T>()
            .map_err(|error| format!("attribute {name:?}: {error}").into())
    }

    fn read_next<ST, T>(&mut self) -> deserialize::Result<T>
    where
        Pg: HasSqlType<ST>,
        T: FromSql<ST, Pg>,
    {
        let (oid, rest) = self
            .rest
            .split_first_chunk()
            .ok_or("the value ends early")?;
        self.rest = rest;
        let oid = NonZeroU32::new(u32::from_be_bytes(*oid));
        let Some(length) = read_length(&mut self.rest)? else {
            return checked::<ST, T>(None, oid);
        };
        let (value, rest) = self
            .rest
            .split_at_checked(length)
            .ok_or("the value is shorter than its length")?;
        self.rest = rest;
        checked::<ST, T>(Some(value), oid)
    }
}

/// Writes the number of attributes.
#[doc(hidden)]
pub fn write_count(count: usize, out: &mut Output<'_, '_, Pg>) -> serialize::Result {
    out.write_all(&i32::try_from(count)?.to_be_bytes())?;
    Ok(IsNull::No)
}

/// Writes an attribute with the OID of its type.
#[doc(hidden)]
pub fn write_attribute<ST, T>(
    value: &T,
    declared: Declared,
    out: &mut Output<'_, '_, Pg>,
) -> serialize::Result
where
    Pg: HasSqlType<ST>,
    T: ToSql<ST, Pg>,
{
    let (oid, element) = match declared {
        Declared::Sent => {
            let metadata = <Pg as HasSqlType<ST>>::metadata(out.metadata_lookup());
            (metadata.oid()?, 0)
        }
        Declared::BuiltIn(oid, element) => (oid, element),
        Declared::Named(schema, name) => {
            let metadata = out.metadata_lookup().lookup_type(name, schema);
            (metadata.oid()?, 0)
        }
    };
    let mut collector = RawBytesBindCollector::<Pg>::new();
    collector.push_bound_value::<ST, T>(value, out.metadata_lookup())?;
    out.write_all(&oid.to_be_bytes())?;
    let Some(mut bytes) = collector.binds.pop().flatten() else {
        out.write_all(&(-1_i32).to_be_bytes())?;
        return Ok(IsNull::No);
    };
    if element != 0
        && let Some(of_elements) = bytes.get_mut(ELEMENT_TYPE)
    {
        of_elements.copy_from_slice(&element.to_be_bytes());
    }
    out.write_all(&i32::try_from(bytes.len())?.to_be_bytes())?;
    out.write_all(&bytes)?;
    Ok(IsNull::No)
}

/// Implements diesel's traits for the struct of a composite type: `Address: sql_types::Address {
/// street: Nullable<Text>, email: Nullable<Text> => Named(None, "email") }`.
#[doc(hidden)]
#[macro_export]
macro_rules! composite {
    ($Composite:ident: $($($marker:ident)::+),+ {
        $($field:ident: $ST:ty $(=> $declared:ident($($argument:expr),+))?),+ $(,)?
    }) => {
        impl $Composite {
            fn read_attributes(
                value: &::diesel::pg::PgValue<'_>,
            ) -> ::diesel::deserialize::Result<Self> {
                let count = [$(::core::stringify!($field)),+].len();
                let mut attributes = $crate::__generated::Attributes::of(value, count)?;
                Ok(Self {
                    $($field: attributes.read::<$ST, _>(::core::stringify!($field))?,)+
                })
            }

            fn write_attributes(
                &self,
                out: &mut ::diesel::serialize::Output<'_, '_, ::diesel::pg::Pg>,
            ) -> ::diesel::serialize::Result {
                let count = [$(::core::stringify!($field)),+].len();
                let written = $crate::__generated::write_count(count, out);
                // Types that are not known yet fail, and are looked up together.
                $(let written = written.and($crate::__generated::write_attribute::<$ST, _>(
                    &self.$field,
                    $crate::composite!(@declared $($declared($($argument),+))?),
                    out,
                ));)+
                written
            }
        }

        $(
            impl ::diesel::deserialize::FromSql<$($marker)::+, ::diesel::pg::Pg> for $Composite {
                fn from_sql(
                    value: ::diesel::pg::PgValue<'_>,
                ) -> ::diesel::deserialize::Result<Self> {
                    Self::read_attributes(&value)
                }
            }

            impl ::diesel::serialize::ToSql<$($marker)::+, ::diesel::pg::Pg> for $Composite {
                fn to_sql<'b>(
                    &'b self,
                    out: &mut ::diesel::serialize::Output<'b, '_, ::diesel::pg::Pg>,
                ) -> ::diesel::serialize::Result {
                    self.write_attributes(out)
                }
            }
        )+
    };
    (@declared) => {
        $crate::__generated::Declared::Sent
    };
    (@declared $declared:ident($($argument:expr),+)) => {
        $crate::__generated::Declared::$declared($($argument),+)
    };
}
