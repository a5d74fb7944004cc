//! Rust types for SQL types, as diesel 2.3 maps them.

use crate::catalog::{Catalog, Column, DataType, TypeKind};

use super::names::type_name;

/// A Rust type for a column, as if it were NOT NULL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RustType {
    /// In a row.
    pub owned: String,
    /// In what is inserted or changed.
    pub borrowed: String,
    /// As an argument of a function.
    pub argument: String,
    /// `use` lines that it needs.
    pub imports: Vec<String>,
    /// Whether it is an enum of `types.rs`.
    pub is_enum: bool,
}

impl RustType {
    /// A type that is one word everywhere and copied freely.
    pub(super) fn copied(name: &str, import: Option<&str>) -> Self {
        Self {
            owned: name.to_owned(),
            borrowed: name.to_owned(),
            argument: name.to_owned(),
            imports: import.map(str::to_owned).into_iter().collect(),
            is_enum: false,
        }
    }

    /// A type that is cloned, and lent as an argument.
    pub(super) fn cloned(name: &str, import: Option<&str>) -> Self {
        Self {
            argument: format!("&{name}"),
            ..Self::copied(name, import)
        }
    }

    /// The same list, of elements that are never NULL.
    pub(super) fn with_whole_elements(self) -> Self {
        let whole = |text: String| text.replace("Vec<Option<", "Vec<").replace(">>", ">");
        Self {
            owned: whole(self.owned),
            borrowed: whole(self.borrowed),
            argument: whole(self.argument),
            ..self
        }
    }

    /// Whether it borrows in what is inserted or changed.
    pub(crate) fn has_lifetime(&self) -> bool {
        self.borrowed.contains("'a")
    }
}

const COW: &str = "std::borrow::Cow";

/// The Rust type of a column, or `None` where diesel has none that serde can read and write too.
pub(super) fn of_column(catalog: &Catalog, column: &Column) -> Option<RustType> {
    let element = of_type(catalog, &column.data_type, 0)?;
    if column.data_type.dimensions == 0 {
        return Some(element);
    }
    let list = format!("Vec<Option<{}>>", element.owned);
    let imports = element
        .imports
        .into_iter()
        .filter(|import| import != COW)
        .collect();
    Some(RustType {
        owned: list.clone(),
        argument: format!("&{list}"),
        borrowed: list,
        imports,
        is_enum: element.is_enum,
    })
}

fn of_type(catalog: &Catalog, data_type: &DataType, depth: u8) -> Option<RustType> {
    match catalog.types.get(&data_type.name).map(|found| &found.kind) {
        Some(TypeKind::Enum { .. }) => {
            let name = type_name(&data_type.name.name);
            return Some(RustType {
                is_enum: true,
                ..RustType::copied(&name, None)
            });
        }
        Some(TypeKind::Domain { base, .. }) if depth < 32 && base.dimensions == 0 => {
            return of_type(catalog, base, depth + 1);
        }
        Some(TypeKind::External) if data_type.name.name == "citext" => return Some(text()),
        Some(_) => return None,
        None => {}
    }
    Some(match data_type.name.name.as_str() {
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
            is_enum: false,
        },
        "date" => RustType::copied("NaiveDate", Some("chrono::NaiveDate")),
        "time" => RustType::copied("NaiveTime", Some("chrono::NaiveTime")),
        "timestamp" => RustType::copied("NaiveDateTime", Some("chrono::NaiveDateTime")),
        "timestamptz" => RustType::copied("DateTime<Utc>", Some("chrono::{DateTime, Utc}")),
        "json" | "jsonb" => RustType::cloned("Value", Some("serde_json::Value")),
        // Where the feature is off the import alone fails, and names the feature; nothing is said of what rests on it.
        "uuid" => RustType::copied("Uuid", Some("bowline::uuid::Uuid")),
        "numeric" => RustType::cloned("BigDecimal", Some("bowline::bigdecimal::BigDecimal")),
        "inet" | "cidr" => RustType::copied("IpNetwork", Some("bowline::ipnetwork::IpNetwork")),
        _ => return None,
    })
}

fn text() -> RustType {
    RustType {
        owned: "String".to_owned(),
        borrowed: "Cow<'a, str>".to_owned(),
        argument: "&str".to_owned(),
        imports: vec![COW.to_owned()],
        is_enum: false,
    }
}

/// diesel's name of the SQL type under an id.
pub(super) fn sql_type_of_id(data_type: &DataType) -> Option<&'static str> {
    if data_type.dimensions > 0 {
        return None;
    }
    Some(match data_type.name.name.as_str() {
        "int2" => "SmallInt",
        "int4" => "Integer",
        "int8" => "BigInt",
        "text" | "varchar" => "Text",
        "uuid" => "Uuid",
        _ => return None,
    })
}
