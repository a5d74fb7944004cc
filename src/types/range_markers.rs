//! SQL types for PostgreSQL's own ranges of other crates' types, which diesel does not read as
//! ranges of those: it asks for a trait of its own.

macro_rules! ranges {
    ($T:ty: $ST:ty, $Range:ident $range:literal $ranges:literal, $Multirange:ident $multirange:literal $multiranges:literal) => {
        /// The range.
        #[derive(Debug, Clone, Copy, Default, QueryId, SqlType)]
        #[diesel(postgres_type(oid = $range, array_oid = $ranges))]
        pub struct $Range;

        /// The multirange.
        #[derive(Debug, Clone, Copy, Default, QueryId, SqlType)]
        #[diesel(postgres_type(oid = $multirange, array_oid = $multiranges))]
        pub struct $Multirange;

        crate::own_range!($T: $ST, $Range);
        crate::own_multirange!($T: $ST, $Multirange);
    };
}

/// The ranges of dates and times of `jiff`.
#[cfg(feature = "jiff")]
pub mod jiff {
    use diesel::query_builder::QueryId;
    use diesel::sql_types::{self, SqlType};

    use crate::types::jiff::{Date, DateTime, Timestamp};

    ranges!(Date: sql_types::Date, Daterange 3912 3913, Datemultirange 4535 6155);
    ranges!(DateTime: sql_types::Timestamp, Tsrange 3908 3909, Tsmultirange 4533 6152);
    ranges!(Timestamp: sql_types::Timestamptz, Tstzrange 3910 3911, Tstzmultirange 4534 6153);
}

/// The ranges of numbers of `rust_decimal`.
#[cfg(feature = "rust-decimal")]
pub mod rust_decimal {
    use diesel::query_builder::QueryId;
    use diesel::sql_types::{self, SqlType};
    use rust_decimal::Decimal;

    ranges!(Decimal: sql_types::Numeric, Numrange 3906 3907, Nummultirange 4532 6151);
}
