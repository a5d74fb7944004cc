//! The Rust types of PostgreSQL's own types, as diesel 2.3 maps them.

use super::rust_type::RustType;
use crate::project::TimeCrate;

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
pub(super) fn built_in(name: &str, time_crate: TimeCrate) -> BuiltIn {
    use BuiltIn::Known;
    let copied = |sql_type, name: &str| Known(sql_type, RustType::copied(name, None));
    // A table can have the name of one of these types of `time`, so they are named with their
    // crate.
    let of_time = |name: &str, import: &str, other: &str| match time_crate {
        TimeCrate::Chrono => RustType::copied(name, Some(import)),
        TimeCrate::Time => RustType::copied(&format!("::time::{other}"), None),
    };
    let date = || of_time("NaiveDate", "chrono::NaiveDate", "Date");
    let time = || of_time("NaiveTime", "chrono::NaiveTime", "Time");
    let timestamp = || {
        of_time(
            "NaiveDateTime",
            "chrono::NaiveDateTime",
            "PrimitiveDateTime",
        )
    };
    let timestamptz = || of_time("DateTime<Utc>", "chrono::{DateTime, Utc}", "OffsetDateTime");
    // If the feature is not enabled, only the import fails, and the error names the feature.
    let numeric = || RustType::cloned("BigDecimal", Some("bowline::types::bigdecimal::BigDecimal"));
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
        "numrange" => Known("Numrange", range(numeric())),
        "daterange" => Known("Daterange", range(date())),
        "tsrange" => Known("Tsrange", range(timestamp())),
        "tstzrange" => Known("Tstzrange", range(timestamptz())),
        "int4multirange" => Known("Int4multirange", multirange(integer())),
        "int8multirange" => Known("Int8multirange", multirange(bigint())),
        "nummultirange" => Known("Nummultirange", multirange(numeric())),
        "datemultirange" => Known("Datemultirange", multirange(date())),
        "tsmultirange" => Known("Tsmultirange", multirange(timestamp())),
        "tstzmultirange" => Known("Tstzmultirange", multirange(timestamptz())),
        _ if is_pseudo(name) => BuiltIn::Pseudo,
        _ => BuiltIn::Text,
    }
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
