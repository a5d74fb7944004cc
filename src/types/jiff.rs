//! Dates and times of the crate `jiff`: its types, for which diesel's traits are implemented here.
//!
//! Each dereferences to the type of `jiff` and converts from and to it. PostgreSQL counts
//! microseconds: a part of one is cut off when a value is written. `infinity`, `-infinity`, `24:00`
//! and years that `jiff` does not have are errors when they are read.

use std::fmt;
use std::ops::Deref;

use diesel::data_types::{PgDate, PgTime, PgTimestamp};
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types;
use jiff::civil;
use jiff::{SignedDuration, Span};
use serde::{Deserialize, Serialize};

use crate::statement::DefaultSqlType;

macro_rules! of_jiff {
    ($(#[$doc:meta])* $Name:ident($Inner:ty): $SqlType:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[derive(Serialize, Deserialize, AsExpression, FromSqlRow)]
        #[serde(transparent)]
        #[diesel(sql_type = sql_types::$SqlType)]
        pub struct $Name(pub $Inner);

        impl DefaultSqlType for $Name {
            type SqlType = sql_types::$SqlType;
        }

        impl From<$Inner> for $Name {
            fn from(inner: $Inner) -> Self {
                Self(inner)
            }
        }

        impl From<$Name> for $Inner {
            fn from(outer: $Name) -> Self {
                outer.0
            }
        }

        impl Deref for $Name {
            type Target = $Inner;

            fn deref(&self) -> &$Inner {
                &self.0
            }
        }

        impl fmt::Display for $Name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
    };
}

of_jiff! {
    /// A point in time: `timestamptz`.
    Timestamp(jiff::Timestamp): Timestamptz
}

of_jiff! {
    /// A date with a time of day, without a zone: `timestamp`.
    DateTime(civil::DateTime): Timestamp
}

of_jiff! {
    /// A date.
    Date(civil::Date): Date
}

of_jiff! {
    /// A time of day: `time`.
    Time(civil::Time): Time
}

/// The day from which PostgreSQL counts.
const EPOCH: civil::DateTime = civil::datetime(2000, 1, 1, 0, 0, 0, 0);

/// Seconds from 1970 to 2000.
const EPOCH_SECONDS: i64 = 946_684_800;

const MICROSECONDS: i64 = 1_000_000;

/// Returns the microseconds since 2000; fails for `infinity` and `-infinity`.
fn finite(microseconds: i64) -> deserialize::Result<i64> {
    match microseconds {
        i64::MAX => Err("infinity is not a time of the crate jiff".into()),
        i64::MIN => Err("-infinity is not a time of the crate jiff".into()),
        finite => Ok(finite),
    }
}

impl FromSql<sql_types::Timestamptz, Pg> for Timestamp {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let PgTimestamp(since) = FromSql::<sql_types::Timestamptz, Pg>::from_sql(value)?;
        let since = finite(since)?.checked_add(EPOCH_SECONDS * MICROSECONDS);
        let since = since.ok_or("the time is not one of the crate jiff")?;
        Ok(Self(jiff::Timestamp::from_microsecond(since)?))
    }
}

impl ToSql<sql_types::Timestamptz, Pg> for Timestamp {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        let since = self.0.as_microsecond() - EPOCH_SECONDS * MICROSECONDS;
        ToSql::<sql_types::Timestamptz, Pg>::to_sql(&PgTimestamp(since), &mut out.reborrow())
    }
}

impl FromSql<sql_types::Timestamp, Pg> for DateTime {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let PgTimestamp(since) = FromSql::<sql_types::Timestamp, Pg>::from_sql(value)?;
        let since = SignedDuration::from_micros(finite(since)?);
        Ok(Self(EPOCH.checked_add(since)?))
    }
}

impl ToSql<sql_types::Timestamp, Pg> for DateTime {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        let since = self.0.duration_since(EPOCH).as_micros();
        let since = PgTimestamp(i64::try_from(since)?);
        ToSql::<sql_types::Timestamp, Pg>::to_sql(&since, &mut out.reborrow())
    }
}

impl FromSql<sql_types::Date, Pg> for Date {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let PgDate(days) = FromSql::<sql_types::Date, Pg>::from_sql(value)?;
        match days {
            i32::MAX => Err("infinity is not a date of the crate jiff".into()),
            i32::MIN => Err("-infinity is not a date of the crate jiff".into()),
            days => Ok(Self(EPOCH.date().checked_add(Span::new().try_days(days)?)?)),
        }
    }
}

impl ToSql<sql_types::Date, Pg> for Date {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        let days = self.0.duration_since(EPOCH.date()).as_hours() / 24;
        let days = PgDate(i32::try_from(days)?);
        ToSql::<sql_types::Date, Pg>::to_sql(&days, &mut out.reborrow())
    }
}

impl FromSql<sql_types::Time, Pg> for Time {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let PgTime(since) = FromSql::<sql_types::Time, Pg>::from_sql(value)?;
        let since = SignedDuration::from_micros(since);
        Ok(Self(civil::Time::midnight().checked_add(since)?))
    }
}

impl ToSql<sql_types::Time, Pg> for Time {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        let since = self.0.duration_since(civil::Time::midnight()).as_micros();
        let since = PgTime(i64::try_from(since)?);
        ToSql::<sql_types::Time, Pg>::to_sql(&since, &mut out.reborrow())
    }
}
