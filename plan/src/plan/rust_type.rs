//! Rust types for SQL types, as diesel 2.3 maps them.

use crate::project::Settings;
use bowline_catalog::{Catalog, Name, TypeKind};

use super::enums::enum_name;
use super::schema::{SchemaPlan, ShownType};

/// A Rust type for a column, as if it were NOT NULL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RustType {
    /// The type in a row.
    pub owned: String,
    /// The type in `New` and `Changes`.
    pub borrowed: String,
    /// The type of a function's argument.
    pub argument: String,
    /// The paths to import.
    pub imports: Vec<String>,
    /// The enum in the type, if there is one. Its Rust type is in `types.rs`.
    pub of_enum: Option<Name>,
}

impl RustType {
    /// Returns a type that is `Copy` and passed by value.
    pub(super) fn copied(name: &str, import: Option<&str>) -> Self {
        Self {
            owned: name.to_owned(),
            borrowed: name.to_owned(),
            argument: name.to_owned(),
            imports: import.map(str::to_owned).into_iter().collect(),
            of_enum: None,
        }
    }

    /// Returns a type that is not `Copy`, and passed by reference.
    pub(super) fn cloned(name: &str, import: Option<&str>) -> Self {
        Self {
            argument: format!("&{name}"),
            ..Self::copied(name, import)
        }
    }

    /// Returns the same list with elements that are never NULL.
    pub(super) fn with_whole_elements(self) -> Self {
        let whole = |text: String| text.replace("Vec<Option<", "Vec<").replace(">>", ">");
        Self {
            owned: whole(self.owned),
            borrowed: whole(self.borrowed),
            argument: whole(self.argument),
            ..self
        }
    }

    /// Returns true for an array.
    pub fn is_array(&self) -> bool {
        self.owned.starts_with("Vec<") && self.owned != "Vec<u8>"
    }

    /// Returns true if the type in `New` and `Changes` borrows.
    pub fn has_lifetime(&self) -> bool {
        self.borrowed.contains("'a")
    }
}

const COW: &str = "std::borrow::Cow";

/// Returns the Rust type for a column of `schema.rs`, which has to support serde; fails with the
/// reason if there is no such type.
pub(super) fn of_column(
    catalog: &Catalog,
    schema: &SchemaPlan,
    shown: &ShownType,
    settings: &Settings,
) -> Result<RustType, String> {
    if shown.dimensions > 1 {
        return Err("arrays of several dimensions cannot be read".to_owned());
    }
    let element = of_type(catalog, schema, &shown.name, settings)?;
    if !shown.is_array {
        return Ok(element);
    }
    let list = format!("Vec<Option<{}>>", element.owned);
    let imports = element
        .imports
        .into_iter()
        .filter(|import| import != COW)
        .collect();
    Ok(RustType {
        owned: list.clone(),
        argument: format!("&{list}"),
        borrowed: list,
        imports,
        of_enum: element.of_enum,
    })
}

fn of_type(
    catalog: &Catalog,
    schema: &SchemaPlan,
    name: &Name,
    settings: &Settings,
) -> Result<RustType, String> {
    let none = || format!("there is no Rust type for {}", name.name);
    match catalog.types.get(name).map(|found| &found.kind) {
        Some(TypeKind::Enum { labels }) if labels.is_empty() => {
            return Err(format!("the enum {} has no labels", name.name));
        }
        Some(TypeKind::Enum { .. }) => {
            // Without a generated marker type, the user has written the SQL type.
            let has_marker = schema.custom_types.iter().any(|custom| custom.marks(name));
            return if has_marker {
                Ok(RustType {
                    of_enum: Some(name.clone()),
                    ..RustType::copied(&enum_name(name, settings), None)
                })
            } else {
                Err(format!(
                    "diesel.toml keeps the SQL type of the enum {} out of schema.rs",
                    name.name
                ))
            };
        }
        Some(TypeKind::Domain { .. }) => {
            return Err(format!(
                "schema.rs shows the domain {} as a type of its own, for which there is no Rust type",
                name.name
            ));
        }
        Some(TypeKind::External) if name.name == "citext" => return Ok(text()),
        Some(_) => return Err(none()),
        None => {}
    }
    builtin(&name.name).ok_or_else(none)
}

/// Returns the Rust type of a type of PostgreSQL's own.
pub(super) fn builtin(name: &str) -> Option<RustType> {
    Some(match name {
        "bool" => RustType::copied("bool", None),
        "int2" => RustType::copied("i16", None),
        "int4" => RustType::copied("i32", None),
        "int8" => RustType::copied("i64", None),
        "oid" => RustType::copied("u32", None),
        "float4" => RustType::copied("f32", None),
        "float8" => RustType::copied("f64", None),
        "text" | "varchar" | "bpchar" => text(),
        "bytea" => RustType {
            owned: "Vec<u8>".to_owned(),
            borrowed: "Cow<'a, [u8]>".to_owned(),
            argument: "&[u8]".to_owned(),
            imports: vec![COW.to_owned()],
            of_enum: None,
        },
        "date" => RustType::copied("NaiveDate", Some("chrono::NaiveDate")),
        "time" => RustType::copied("NaiveTime", Some("chrono::NaiveTime")),
        "timestamp" => RustType::copied("NaiveDateTime", Some("chrono::NaiveDateTime")),
        "timestamptz" => RustType::copied("DateTime<Utc>", Some("chrono::{DateTime, Utc}")),
        "json" | "jsonb" => RustType::cloned("Value", Some("serde_json::Value")),
        // If the feature is not enabled, only the import fails, and the error names the feature.
        "uuid" => RustType::copied("Uuid", Some("bowline::types::uuid::Uuid")),
        "numeric" => RustType::cloned("BigDecimal", Some("bowline::types::bigdecimal::BigDecimal")),
        "inet" | "cidr" => {
            RustType::copied("IpNetwork", Some("bowline::types::ipnetwork::IpNetwork"))
        }
        _ => return None,
    })
}

fn text() -> RustType {
    RustType {
        owned: "String".to_owned(),
        borrowed: "Cow<'a, str>".to_owned(),
        argument: "&str".to_owned(),
        imports: vec![COW.to_owned()],
        of_enum: None,
    }
}

/// Returns diesel's name for the SQL type of an id.
pub(super) fn sql_type_of_id(shown: &ShownType) -> Option<&'static str> {
    if shown.is_array {
        return None;
    }
    sql_type_of_name(&shown.name)
}

/// Returns diesel's name for a type of PostgreSQL's own that an id can have.
pub(super) fn sql_type_of_name(name: &Name) -> Option<&'static str> {
    if name.schema != "pg_catalog" {
        return None;
    }
    Some(match name.name.as_str() {
        "int2" => "SmallInt",
        "int4" => "Integer",
        "int8" => "BigInt",
        "text" | "varchar" => "Text",
        "uuid" => "Uuid",
        _ => return None,
    })
}
