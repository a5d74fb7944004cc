//! Values of the types that are not generated.

use syn::Type;

use super::{Code, FIRST_PAGE, NoValue, Value};

impl Code {
    pub(super) fn of_another_crate(
        &self,
        name: &str,
        inner: Option<&Type>,
        round: usize,
        module: &str,
    ) -> Value {
        let value = match (name, inner) {
            ("Option", Some(_)) if round == 1 => "None".to_owned(),
            ("Option", Some(inner)) => format!("Some({})", self.value(inner, round, module)?),
            ("Vec", Some(inner)) => {
                // Whole rows are given two at a time, which are not to be one.
                let is_new = |path: &syn::TypePath| {
                    let last = path.path.segments.last();
                    last.is_some_and(|last| last.ident.to_string().starts_with("New"))
                };
                let is_row = match inner {
                    Type::Path(path) => is_new(path),
                    other => matches!(other, Type::ImplTrait(_)),
                };
                if is_row {
                    format!(
                        "vec![{}, {}]",
                        self.value(inner, round + 3, module)?,
                        self.value(inner, round + 6, module)?
                    )
                } else {
                    format!("vec![{}]", self.value(inner, round, module)?)
                }
            }
            ("Page", Some(inner)) if round == 1 || self.is_position(inner) => FIRST_PAGE.to_owned(),
            ("Page", Some(inner)) => {
                format!("bowline::Page::after({}, 5)", self.value(inner, 1, module)?)
            }
            ("Cow", Some(Type::Slice(_))) => format!("vec![{round}u8].into()"),
            ("Cow", _) => format!("\"x{round}\".into()"),
            ("String", _) => format!("\"x{round}\".to_owned()"),
            ("bool", _) => round.is_multiple_of(2).to_string(),
            ("u8" | "i16" | "i32" | "i64" | "u32", _) => format!("{round}{name}"),
            ("f32" | "f64", _) => format!("{round}.5"),
            ("NaiveDate", _) => {
                format!("chrono::NaiveDate::from_ymd_opt(2026, 1, {round}).expect(\"a date\")")
            }
            ("NaiveTime", _) => {
                format!("chrono::NaiveTime::from_hms_opt({round}, 0, 0).expect(\"a time\")")
            }
            ("NaiveDateTime", _) => format!(
                "chrono::DateTime::from_timestamp({round}, 0).expect(\"a time\").naive_utc()"
            ),
            ("DateTime", _) => {
                format!("chrono::DateTime::from_timestamp({round}, 0).expect(\"a time\")")
            }
            ("PgInterval", _) => format!("diesel::data_types::PgInterval::from_days({round})"),
            ("PgMoney", _) => format!("diesel::data_types::PgMoney({round})"),
            ("PgLsn", _) => format!("diesel::data_types::PgLsn({round})"),
            ("PgRange", Some(bound)) => format!(
                "(std::ops::Bound::Included({}), std::ops::Bound::Excluded({}))",
                self.value(bound, round, module)?,
                self.value(bound, round + 10, module)?
            ),
            ("PgMultirange", Some(bound)) => format!(
                "vec![(std::ops::Bound::Unbounded, std::ops::Bound::Excluded({}))]",
                self.value(bound, round, module)?
            ),
            ("Date", _) => format!(
                "::time::Date::from_calendar_date(2026, ::time::Month::January, {round}).expect(\"a date\")"
            ),
            ("Time", _) => format!("::time::Time::from_hms({round}, 0, 0).expect(\"a time\")"),
            ("PrimitiveDateTime", _) => format!(
                "::time::PrimitiveDateTime::new({}, ::time::Time::MIDNIGHT)",
                self.of_name("Date", None, round, module)?
            ),
            ("OffsetDateTime", _) => {
                format!("::time::OffsetDateTime::from_unix_timestamp({round}).expect(\"a time\")")
            }
            ("jiff::Date" | "jiff::DateTime" | "jiff::Timestamp", _) => {
                let name = name.trim_start_matches("jiff::");
                let time = match name {
                    "Date" => "",
                    "DateTime" => "T00:00:00",
                    _ => "T00:00:00Z",
                };
                format!(
                    "bowline::types::jiff::{name}(\"2026-01-{round:02}{time}\".parse().expect(\"a time\"))"
                )
            }
            ("jiff::Time", _) => {
                format!("bowline::types::jiff::Time(\"0{round}:00\".parse().expect(\"a time\"))")
            }
            ("Decimal", _) => {
                format!("bowline::types::rust_decimal::Decimal::from({round})")
            }
            ("Vector", _) => {
                format!("bowline::types::pgvector::Vector::from(vec![{round}.5f32])")
            }
            ("HalfVector" | "SparseVector", _) => {
                let of = match name {
                    "HalfVector" => "from_f32_slice",
                    _ => "from_dense",
                };
                format!("bowline::types::pgvector::{name}::{of}(&[{round}.5f32])")
            }
            ("Value", _) => format!("serde_json::json!({round})"),
            ("Uuid", _) => format!("bowline::types::uuid::Uuid::from_u128({round})"),
            ("BigDecimal", _) => format!("bowline::types::bigdecimal::BigDecimal::from({round})"),
            ("IpNetwork", _) => format!(
                "\"10.0.0.{round}/32\".parse::<bowline::types::ipnetwork::IpNetwork>().expect(\"an address\")"
            ),
            _ => return Err(NoValue(format!("the type {name}"))),
        };
        Ok(value)
    }
}

/// Returns a value of a SQL type as text; an empty text for a type that has no value but NULL.
pub(super) fn text(sql_type: &str, round: usize) -> Option<String> {
    // In a string literal of Rust within `format!`, which has no placeholders here.
    let element = sql_type.strip_suffix("[]");
    if let Some(element) = element {
        let element = text(element, round)?;
        return Some(format!("{{\\\"{element}\\\"}}"));
    }
    let name = sql_type.rsplit('.').next().unwrap_or(sql_type);
    let name = name.trim_matches('"').split('(').next().unwrap_or(name);
    Some(match name {
        "" => String::new(),
        "bigint" | "integer" | "int2" | "int4" | "int8" | "numeric" | "smallint" => {
            format!("{round}")
        }
        "bit" | "bit varying" | "varbit" => "1".repeat(bits(sql_type)),
        "box" => format!("(1,1),(0,{round})"),
        "circle" => format!("<(0,0),{round}>"),
        "cube" | "point" => format!("(0,{round})"),
        "geometry" | "geography" => format!("POINT(1 {round})"),
        "hstore" => format!("a=>{round}"),
        "int2vector" | "oidvector" => format!("{round}"),
        "jsonpath" => format!("$.x{round}"),
        "line" => format!("{{1,0,{round}}}"),
        "lseg" => format!("[(0,0),(0,{round})]"),
        "path" => format!("[(0,0),(1,{round})]"),
        "pg_snapshot" | "txid_snapshot" => format!("{round}:{round}:"),
        "polygon" => format!("((0,0),(1,{round}),(1,0))"),
        "regclass" => "pg_class".to_owned(),
        "regconfig" => "simple".to_owned(),
        "regnamespace" => "pg_catalog".to_owned(),
        "regproc" => "now".to_owned(),
        "regrole" => "pg_monitor".to_owned(),
        "regtype" => "int4".to_owned(),
        "tid" => format!("(0,{round})"),
        "time with time zone" | "timetz" => format!("0{round}:00+00"),
        "vector" => format!("[{round}]"),
        "xid" | "xid8" => format!("{round}"),
        "xml" => format!("<x{round}/>"),
        "character" | "citext" | "lquery" | "ltree" | "ltxtquery" | "name" | "text" | "tsquery"
        | "tsvector" => format!("x{round}"),
        _ => return None,
    })
}

/// Returns the number of bits of `bit(4)`.
fn bits(sql_type: &str) -> usize {
    let length = sql_type
        .split_once('(')
        .and_then(|(_, rest)| rest.split_once(')'));
    let length = length.and_then(|(length, _)| length.parse().ok());
    length.unwrap_or(1_usize).min(100)
}
