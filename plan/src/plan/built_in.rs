//! The Rust types of PostgreSQL's own types, as diesel 2.3 maps them.

use super::rust_type::RustType;
use crate::project::{Crates, NumericCrate, TimeCrate};

/// A type of PostgreSQL's own.
pub(super) enum BuiltIn {
    /// diesel has a counterpart: its SQL type, and the Rust type.
    Known(&'static str, RustType),
    /// A type of functions only, which no value has.
    Pseudo,
    /// diesel has no counterpart, or one that cannot be read.
    Text,
}

/// Returns the counterpart of a type in `pg_catalog`.
pub(super) fn built_in(name: &str, crates: Crates) -> BuiltIn {
    use BuiltIn::Known;
    let copied = |sql_type, name: &str| Known(sql_type, RustType::copied(name, None));
    // A table can have the name of one of these types of `time` and `jiff`, so they are named with
    // their crate.
    let of_time = |chrono: (&str, &str), time: &str, jiff: &str| match crates.time {
        TimeCrate::Chrono => RustType::copied(chrono.0, Some(chrono.1)),
        TimeCrate::Time => RustType::copied(&format!("::time::{time}"), None),
        TimeCrate::Jiff => RustType::copied(&format!("::{JIFF}{jiff}"), None),
    };
    let date = || of_time(("NaiveDate", "chrono::NaiveDate"), "Date", "Date");
    let time = || of_time(("NaiveTime", "chrono::NaiveTime"), "Time", "Time");
    let timestamp = || {
        let chrono = ("NaiveDateTime", "chrono::NaiveDateTime");
        of_time(chrono, "PrimitiveDateTime", "DateTime")
    };
    let timestamptz = || {
        let chrono = ("DateTime<Utc>", "chrono::{DateTime, Utc}");
        of_time(chrono, "OffsetDateTime", "Timestamp")
    };
    // If the feature is not enabled, only the import fails, and the error names the feature.
    let numeric = || match crates.numeric {
        NumericCrate::Bigdecimal => {
            RustType::cloned("BigDecimal", Some("bowline::types::bigdecimal::BigDecimal"))
        }
        NumericCrate::RustDecimal => {
            RustType::copied("Decimal", Some("bowline::types::rust_decimal::Decimal"))
        }
    };
    // Ranges of types for which diesel has no traits are read by SQL types of Bowline's own.
    let of_crate = |name: &'static str, rust_type: RustType| {
        let has_own = match name.starts_with("Num") {
            true => crates.numeric == NumericCrate::RustDecimal,
            false => crates.time == TimeCrate::Jiff,
        };
        match range_marker(name).filter(|_| has_own) {
            Some(marker) => Known(marker, rust_type.never_nullable()),
            None => Known(name, rust_type),
        }
    };
    let integer = || RustType::copied("i32", None);
    let bigint = || RustType::copied("i64", None);
    match name {
        "bool" => copied("Bool", "bool"),
        "int2" => copied("Int2", "i16"),
        "int4" => copied("Int4", "i32"),
        "int8" => copied("Int8", "i64"),
        "oid" => copied("Oid", "u32"),
        "char" => copied("CChar", "u8"),
        "float4" => Known("Float4", RustType::copied("f32", None).unhashed()),
        "float8" => Known("Float8", RustType::copied("f64", None).unhashed()),
        "text" => Known("Text", RustType::text()),
        "varchar" => Known("Varchar", RustType::text()),
        "bpchar" => Known("Bpchar", RustType::text()),
        "bytea" => Known("Bytea", RustType::borrowed("Vec<u8>", "[u8]")),
        "date" => Known("Date", date()),
        "time" => Known("Time", time()),
        "timestamp" => Known("Timestamp", timestamp()),
        "timestamptz" => Known("Timestamptz", timestamptz()),
        "interval" => Known("Interval", of_diesel("PgInterval")),
        "money" => Known("Money", of_diesel("PgMoney")),
        "pg_lsn" => Known("PgLsn", of_diesel("PgLsn")),
        "macaddr" => copied("Macaddr", "[u8; 6]"),
        "macaddr8" => copied("Macaddr8", "[u8; 8]"),
        "json" => Known("Json", json()),
        "jsonb" => Known("Jsonb", json()),
        "uuid" => Known(
            "Uuid",
            RustType::copied("Uuid", Some("bowline::types::uuid::Uuid")),
        ),
        "numeric" => Known("Numeric", numeric()),
        "inet" => Known("Inet", network()),
        "cidr" => Known("Cidr", network()),
        "int4range" => Known("Int4range", range(integer())),
        "int8range" => Known("Int8range", range(bigint())),
        "numrange" => of_crate("Numrange", range(numeric())),
        "daterange" => of_crate("Daterange", range(date())),
        "tsrange" => of_crate("Tsrange", range(timestamp())),
        "tstzrange" => of_crate("Tstzrange", range(timestamptz())),
        "int4multirange" => Known("Int4multirange", multirange(integer())),
        "int8multirange" => Known("Int8multirange", multirange(bigint())),
        "nummultirange" => of_crate("Nummultirange", multirange(numeric())),
        "datemultirange" => of_crate("Datemultirange", multirange(date())),
        "tsmultirange" => of_crate("Tsmultirange", multirange(timestamp())),
        "tstzmultirange" => of_crate("Tstzmultirange", multirange(timestamptz())),
        _ if is_pseudo(name) => BuiltIn::Pseudo,
        _ => BuiltIn::Text,
    }
}

/// The module of the types of `jiff`.
pub(super) const JIFF: &str = "bowline::types::jiff::";

/// Returns the counterpart in the crate `pgvector` of a type of the extension `vector`: its SQL
/// type, and the Rust type.
pub(super) fn vector(name: &str) -> Option<(&'static str, RustType)> {
    let of = |name: &str| {
        let import = format!("bowline::types::pgvector::{name}");
        RustType::cloned(name, Some(&import)).unhashed()
    };
    Some(match name {
        "vector" => ("bowline::types::pgvector::sql_types::Vector", of("Vector")),
        "halfvec" => (
            "bowline::types::pgvector::sql_types::HalfVector",
            of("HalfVector").by_json(),
        ),
        "sparsevec" => (
            "bowline::types::pgvector::sql_types::SparseVector",
            of("SparseVector").by_json(),
        ),
        _ => return None,
    })
}

/// Returns the SQL type by which a range of another crate's type is read.
fn range_marker(name: &str) -> Option<&'static str> {
    Some(match name {
        "Numrange" => "bowline::types::range_markers::rust_decimal::Numrange",
        "Nummultirange" => "bowline::types::range_markers::rust_decimal::Nummultirange",
        "Daterange" => "bowline::types::range_markers::jiff::Daterange",
        "Datemultirange" => "bowline::types::range_markers::jiff::Datemultirange",
        "Tsrange" => "bowline::types::range_markers::jiff::Tsrange",
        "Tsmultirange" => "bowline::types::range_markers::jiff::Tsmultirange",
        "Tstzrange" => "bowline::types::range_markers::jiff::Tstzrange",
        "Tstzmultirange" => "bowline::types::range_markers::jiff::Tstzmultirange",
        _ => return None,
    })
}

fn json() -> RustType {
    RustType::cloned("Value", Some("serde_json::Value"))
}

fn network() -> RustType {
    RustType::copied("IpNetwork", Some("bowline::types::ipnetwork::IpNetwork"))
}

/// Returns a type of diesel's own, for which serde has no form.
fn of_diesel(name: &str) -> RustType {
    let import = format!("diesel::data_types::{name}");
    RustType::copied(name, Some(&import)).by_json().unhashed()
}

/// Returns the type of ranges with these bounds.
pub(super) fn range(bound: RustType) -> RustType {
    let path = Some("bowline::types::PgRange");
    bound.within(|bound| format!("PgRange<{bound}>"), path)
}

/// Returns the type of multiranges with these bounds.
pub(super) fn multirange(bound: RustType) -> RustType {
    let path = Some("bowline::types::PgMultirange");
    let multirange = bound.within(|bound| format!("PgMultirange<{bound}>"), path);
    multirange.never_nullable()
}

/// Returns true for pseudo-types (PostgreSQL manual, section 8.21).
fn is_pseudo(name: &str) -> bool {
    name.starts_with("any")
        || name.ends_with("_handler")
        || matches!(
            name,
            "_record"
                | "cstring"
                | "event_trigger"
                | "internal"
                | "pg_ddl_command"
                | "record"
                | "trigger"
                | "unknown"
                | "void"
        )
}
