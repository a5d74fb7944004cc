//! Values of the types that are not generated.

use syn::Type;

use super::{Code, FIRST_PAGE};

impl Code {
    pub(super) fn of_another_crate(
        &self,
        name: &str,
        inner: Option<&Type>,
        round: usize,
        module: &str,
    ) -> String {
        match (name, inner) {
            ("Option", Some(_)) if round == 1 => "None".to_owned(),
            ("Option", Some(inner)) => format!("Some({})", self.value(inner, round, module)),
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
                        self.value(inner, round + 3, module),
                        self.value(inner, round + 6, module)
                    )
                } else {
                    format!("vec![{}]", self.value(inner, round, module))
                }
            }
            ("Page", Some(inner)) if round == 1 || self.is_position(inner) => FIRST_PAGE.to_owned(),
            ("Page", Some(inner)) => {
                format!("bowline::Page::after({}, 5)", self.value(inner, 1, module))
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
                self.value(bound, round, module),
                self.value(bound, round + 10, module)
            ),
            ("PgMultirange", Some(bound)) => format!(
                "vec![(std::ops::Bound::Unbounded, std::ops::Bound::Excluded({}))]",
                self.value(bound, round, module)
            ),
            ("Date", _) => format!(
                "::time::Date::from_calendar_date(2026, ::time::Month::January, {round}).expect(\"a date\")"
            ),
            ("Time", _) => format!("::time::Time::from_hms({round}, 0, 0).expect(\"a time\")"),
            ("PrimitiveDateTime", _) => format!(
                "::time::PrimitiveDateTime::new({}, ::time::Time::MIDNIGHT)",
                self.of_name("Date", None, round, module)
            ),
            ("OffsetDateTime", _) => {
                format!("::time::OffsetDateTime::from_unix_timestamp({round}).expect(\"a time\")")
            }
            ("Value", _) => format!("serde_json::json!({round})"),
            ("Uuid", _) => format!("bowline::types::uuid::Uuid::from_u128({round})"),
            ("BigDecimal", _) => format!("bowline::types::bigdecimal::BigDecimal::from({round})"),
            ("IpNetwork", _) => format!(
                "\"10.0.0.{round}/32\".parse::<bowline::types::ipnetwork::IpNetwork>().expect(\"an address\")"
            ),
            _ => panic!("no value is known of the type {name}"),
        }
    }
}
