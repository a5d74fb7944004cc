//! Rust types for SQL types, and the SQL types as which their values are sent and read.

use bowline_catalog::Name;

/// The Rust type of a column's values, without the `Option` for NULL.
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
    /// The types of `types.rs` in it.
    pub of_types: Vec<String>,
    /// The SQL types whose Rust types are in `types.rs`.
    pub of_sql: Vec<Name>,
    /// The table whose id it is.
    pub id_of: Option<Box<Name>>,
    /// True if `bowline::types::json` writes it as JSON, since serde cannot.
    pub by_json: bool,
    /// True if it implements `Eq` and `Hash`.
    pub is_hashed: bool,
    /// True if it does not implement `ToSql` for `Nullable` types, so that it cannot be sent to a
    /// nullable column without an `Option` around it.
    pub is_never_nullable: bool,
}

/// The SQL type that values are sent and read as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlType {
    /// The type, with `{}` for the marker: `Array<Nullable<{}>>`. Names are those of
    /// `diesel::sql_types`.
    pattern: String,
    /// The marker type: the path of its module as a table's file names it, and its name.
    marker: Option<(String, String)>,
}

/// The way in which the values of a SQL type are sent and read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wire {
    /// The type of diesel.
    pub sql_type: SqlType,
    /// The type that a column is cast to when it is read: `text`.
    pub read: Option<String>,
    /// The types that a parameter is cast to, in their order: `text::tsvector`.
    pub write: Option<String>,
}

/// A SQL type with its counterpart in Rust.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mapped {
    pub rust_type: RustType,
    pub wire: Wire,
    /// The name of the SQL type under all domains, or of the elements of an array.
    pub base: Name,
    /// True if the type has no counterpart but text.
    pub is_text: bool,
}

impl RustType {
    /// Returns a type that is `Copy` and passed by value.
    pub(super) fn copied(name: &str, import: Option<&str>) -> Self {
        Self {
            owned: name.to_owned(),
            borrowed: name.to_owned(),
            argument: name.to_owned(),
            imports: import.map(str::to_owned).into_iter().collect(),
            of_types: Vec::new(),
            of_sql: Vec::new(),
            id_of: None,
            by_json: false,
            is_hashed: true,
            is_never_nullable: false,
        }
    }

    /// Returns a type that is not `Copy`, and passed by reference.
    pub(super) fn cloned(name: &str, import: Option<&str>) -> Self {
        Self {
            argument: format!("&{name}"),
            ..Self::copied(name, import)
        }
    }

    /// Returns a type that is borrowed in `New` and `Changes`, and passed by reference.
    pub(super) fn borrowed(owned: &str, target: &str) -> Self {
        Self {
            owned: owned.to_owned(),
            borrowed: format!("Cow<'a, {target}>"),
            argument: format!("&{target}"),
            ..Self::copied(owned, Some(COW))
        }
    }

    /// Returns a text.
    pub(super) fn text() -> Self {
        Self::borrowed("String", "str")
    }

    /// Returns the same type, which does not implement `Eq` and `Hash`.
    pub(super) fn unhashed(self) -> Self {
        Self {
            is_hashed: false,
            ..self
        }
    }

    /// Returns the same type, which serde does not know.
    pub(super) fn by_json(self) -> Self {
        Self {
            by_json: true,
            ..self
        }
    }

    /// Returns the same type, which is not sent as a `Nullable` type.
    pub(super) fn never_nullable(self) -> Self {
        Self {
            is_never_nullable: true,
            ..self
        }
    }

    /// Returns a type that contains this one, and is passed by reference.
    pub(super) fn within(self, around: impl Fn(&str) -> String, import: Option<&str>) -> Self {
        let owned = around(&self.owned);
        let mut imports = self.imports;
        imports.retain(|import| import != COW);
        imports.extend(import.map(str::to_owned));
        Self {
            argument: format!("&{owned}"),
            borrowed: owned.clone(),
            owned,
            imports,
            is_never_nullable: false,
            ..self
        }
    }

    /// Returns the type of a domain with this name, around this type.
    pub(super) fn newtype(&self, name: &str, domain: &Name) -> Self {
        let newtype = if self.is_copied() {
            Self::copied(name, None)
        } else {
            Self::cloned(name, None)
        };
        Self {
            of_types: vec![name.to_owned()],
            of_sql: vec![domain.clone()],
            is_hashed: self.is_plain(),
            ..newtype
        }
    }

    /// Returns true if it is known to implement `Display`, `Ord` and `Hash`.
    pub(super) fn is_plain(&self) -> bool {
        const OTHERS: [&str; 5] = [
            "BigDecimal",
            "DateTime<Utc>",
            "Decimal",
            "IpNetwork",
            "String",
        ];
        self.is_copied() || OTHERS.contains(&self.owned.as_str())
    }

    /// Returns true if it is known to implement `Copy`, and is plain.
    pub(super) fn is_copied(&self) -> bool {
        const COPIED: [&str; 8] = [
            "NaiveDate",
            "NaiveDateTime",
            "NaiveTime",
            "Uuid",
            "bool",
            "i16",
            "i32",
            "i64",
        ];
        COPIED.contains(&self.owned.as_str())
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

impl SqlType {
    /// Returns a type of diesel's own.
    pub(super) fn diesel(name: &str) -> Self {
        Self {
            pattern: name.to_owned(),
            marker: None,
        }
    }

    /// Returns a marker type.
    pub(super) fn marker(module: &str, name: &str) -> Self {
        Self {
            pattern: "{}".to_owned(),
            marker: Some((module.to_owned(), name.to_owned())),
        }
    }

    pub(super) fn nullable(self) -> Self {
        self.within("Nullable")
    }

    pub(super) fn array(self) -> Self {
        self.within("Array")
    }

    fn within(self, around: &str) -> Self {
        Self {
            pattern: format!("{around}<{}>", self.pattern),
            ..self
        }
    }

    /// Returns the module of its marker type, if it has one.
    pub fn module(&self) -> Option<&str> {
        self.marker.as_ref().map(|(module, _)| module.as_str())
    }

    /// Returns true if `schema.rs` has the same type, under this name or another.
    pub(super) fn is_shown(&self) -> bool {
        // `Char` is another name for `Text`; a type of another crate has a marker in schema.rs.
        self.marker.is_none() && !self.pattern.contains("CChar") && !self.pattern.contains("::")
    }

    /// Returns the type as a table's file names it, without imports.
    pub fn in_table(&self) -> String {
        let marker = self.marker.as_ref();
        let marker = marker.map(|(module, name)| format!("{module}::sql_types::{name}"));
        self.text("diesel::sql_types", marker)
    }

    /// Returns the type as the file of a query file names it, which imports `sql_types` and the
    /// module of the marker.
    pub fn in_queries(&self) -> String {
        let marker = self.marker.as_ref().map(|(module, name)| {
            let module = module.rsplit("::").next().unwrap_or_default();
            format!("{module}::sql_types::{name}")
        });
        self.text("sql_types", marker)
    }

    /// Writes each name of diesel's with its module, and the marker as it is given.
    fn text(&self, sql_types: &str, marker: Option<String>) -> String {
        let mut out = String::new();
        let mut rest = self.pattern.as_str();
        while let Some(first) = rest.chars().next() {
            let is_name = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
            let length = rest.find(|c| is_name(c) != is_name(first));
            let (word, behind) = rest.split_at(length.unwrap_or(rest.len()));
            if is_name(first) && !word.contains("::") {
                out.push_str(sql_types);
                out.push_str("::");
            }
            out.push_str(word);
            rest = behind;
        }
        match marker {
            Some(marker) => out.replace("{}", &marker),
            None => out,
        }
    }
}

impl Wire {
    pub(super) fn of(sql_type: SqlType) -> Self {
        Self {
            sql_type,
            read: None,
            write: None,
        }
    }

    /// Returns what follows a column in a list: `::text`, or nothing.
    pub fn read_suffix(&self) -> String {
        self.read
            .as_ref()
            .map_or(String::new(), |cast| format!("::{cast}"))
    }
}

/// Returns diesel's name for a type of PostgreSQL's own that an id can have.
pub(super) fn sql_type_of_id(name: &Name) -> Option<&'static str> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sql_type_is_written_with_its_modules() {
        let marker = SqlType::marker("super::schema", "Mood").nullable().array();
        assert_eq!(
            marker.in_table(),
            "diesel::sql_types::Array<diesel::sql_types::Nullable<super::schema::sql_types::Mood>>"
        );
        assert_eq!(
            marker.in_queries(),
            "sql_types::Array<sql_types::Nullable<schema::sql_types::Mood>>"
        );
        let foreign = SqlType::diesel("other::sql_types::Vector").nullable();
        assert_eq!(
            foreign.in_queries(),
            "sql_types::Nullable<other::sql_types::Vector>"
        );
    }
}
