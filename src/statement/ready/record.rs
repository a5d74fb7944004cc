//! Rows within a row: values of the type `record`, in binary (`record_send`).
//!
//! A record is the number of its columns, then for each the OID of its type, its length, and its
//! bytes. The server describes only the record itself, so each type is compared here.

use std::num::NonZeroU32;

use diesel::deserialize::{self, FromSql};
use diesel::pg::{Pg, PgMetadataLookup, PgTypeMetadata, PgValue};
use diesel::sql_types::HasSqlType;

use crate::command::columns::{ValueCheck, type_name};
use crate::command::types::SqlType;

const TEXT_ARRAY: u32 = 1009;

/// The columns of a record that are not read yet.
#[derive(Debug)]
pub(super) struct Record<'a> {
    bytes: &'a [u8],
    pub(super) columns: u32,
}

impl<'a> Record<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> deserialize::Result<Self> {
        let mut record = Self { bytes, columns: 0 };
        record.columns = record.number()?;
        Ok(record)
    }

    /// Reads the next column.
    pub(super) fn read<ST, T>(&mut self) -> deserialize::Result<T>
    where
        T: FromSql<ST, Pg>,
        Pg: HasSqlType<ST>,
    {
        let Some(left) = self.columns.checked_sub(1) else {
            return Err("the row has no such column".into());
        };
        self.columns = left;
        let oid = self.number()?;
        let length = self.number()?;
        let expected = Expected::of::<ST>()?;
        expected.compare(oid)?;
        // A length of -1 is NULL.
        if length == u32::MAX {
            return T::from_nullable_sql(None);
        }
        let length = usize::try_from(length)?;
        let (value, rest) = self.bytes.split_at_checked(length).ok_or(TRUNCATED)?;
        self.bytes = rest;
        expected.check(oid, value)?;
        let oid = NonZeroU32::new(oid).ok_or(TRUNCATED)?;
        T::from_nullable_sql(Some(PgValue::new(value, &oid)))
    }

    fn number(&mut self) -> deserialize::Result<u32> {
        let (number, rest) = self.bytes.split_first_chunk().ok_or(TRUNCATED)?;
        self.bytes = rest;
        Ok(u32::from_be_bytes(*number))
    }
}

const TRUNCATED: &str = "the bytes of the row are incomplete";

/// The type that a column is read as.
enum Expected {
    /// One of PostgreSQL's, under its OID.
    BuiltIn(SqlType),
    /// One of a migration, whose OID each database chooses.
    Named { is_array: bool },
}

/// Answers each look-up of a type's name with OIDs that no type has.
struct AnyName;

const NAMED: (u32, u32) = (u32::MAX - 1, u32::MAX);

impl PgMetadataLookup for AnyName {
    fn lookup_type(&mut self, _: &str, _: Option<&str>) -> PgTypeMetadata {
        PgTypeMetadata::new(NAMED.0, NAMED.1)
    }
}

impl Expected {
    fn of<ST>() -> deserialize::Result<Self>
    where
        Pg: HasSqlType<ST>,
    {
        let metadata = <Pg as HasSqlType<ST>>::metadata(&mut AnyName);
        let oid = metadata.oid().map_err(|error| error.to_string())?;
        Ok(match oid {
            oid if oid == NAMED.0 => Self::Named { is_array: false },
            oid if oid == NAMED.1 => Self::Named { is_array: true },
            oid => Self::BuiltIn(SqlType::BuiltIn(oid)),
        })
    }

    /// Compares with the type of a value.
    fn compare(&self, actual: u32) -> deserialize::Result<()> {
        const FIRST_OF_DATABASE: u32 = crate::command::columns::FIRST_NORMAL;
        match self {
            Self::Named { .. } if actual >= FIRST_OF_DATABASE => Ok(()),
            Self::BuiltIn(expected)
                if expected
                    .reads(actual)
                    .unwrap_or_else(|| expected.may_read()) =>
            {
                Ok(())
            }
            expected => Err(format!(
                "it has type {}, but the program expects {}",
                type_name(actual),
                expected.words()
            )
            .into()),
        }
    }

    fn words(&self) -> String {
        match self {
            Self::BuiltIn(expected) => expected.to_string(),
            Self::Named { .. } => "a type of a migration".to_owned(),
        }
    }

    /// Checks a value that has the right type.
    fn check(&self, actual: u32, value: &[u8]) -> deserialize::Result<()> {
        let check = match self {
            Self::BuiltIn(expected) => ValueCheck::of(expected, actual, true),
            Self::Named { is_array: false } => None,
            // Only the subscripts are checked.
            Self::Named { is_array: true } => {
                ValueCheck::of(&SqlType::BuiltIn(TEXT_ARRAY), actual, true)
            }
        };
        match check {
            Some(check) => Ok(check.check(value)?),
            None => Ok(()),
        }
    }
}
