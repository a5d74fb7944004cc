//! The SQL type that `print-schema` shows for a column, and the marker types that diesel lacks.
//!
//! diesel reads `information_schema.columns`. That view resolves one level of domains and has no
//! element type of arrays. It has the length that a type or its domain defines.

use std::collections::BTreeMap;

use super::{CustomType, DEFAULT_SCHEMA};
use crate::plan::names::{derivable_name, type_name};
use crate::project::Output;
use bowline_catalog::information_schema;
use bowline_catalog::{Catalog, Column, DataType, Name, Relation, RelationKind, TypeKind};

/// The type that is shown for a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownType {
    /// The type, or the element type of an array.
    pub name: Name,
    pub is_array: bool,
    /// The number of dimensions of an array. diesel supports one.
    pub dimensions: u8,
    pub is_nullable: bool,
    pub(super) max_length: Option<i32>,
}

impl ShownType {
    /// Returns the type of a column. PostgreSQL checks a domain that is NOT NULL where a value is
    /// stored, so that a column of a view can be NULL all the same: of an outer join, or of a
    /// subquery without a row.
    pub(super) fn of(
        catalog: &Catalog,
        relation: &Relation,
        column: &Column,
        output: &Output,
    ) -> Self {
        let is_stored = !matches!(
            relation.kind,
            RelationKind::View | RelationKind::MaterializedView
        );
        let declared = &column.data_type;
        let of_name = catalog.types.get(&declared.name).map(|found| &found.kind);
        let of_postgresql = information_schema::base(&declared.name);
        let (base, strict) = match (of_name, &of_postgresql) {
            _ if declared.dimensions > 0 => (declared, false),
            (Some(TypeKind::Domain { base, not_null, .. }), _) => (base, *not_null && is_stored),
            (_, Some(base)) => (base, false),
            _ => (declared, false),
        };
        let is_kept = |name: &str| {
            let mut patterns = output.domains_as_custom_types.iter();
            !std::ptr::eq(base, declared) && patterns.any(|pattern| pattern.is_match(name))
        };
        let shown = if is_kept(&declared.name.name) {
            declared
        } else {
            base
        };
        Self {
            name: shown.name.clone(),
            is_array: shown.dimensions > 0,
            dimensions: shown.dimensions,
            is_nullable: !column.not_null && !strict,
            max_length: length(base),
        }
    }

    /// Returns the type as it is written in `schema.rs`.
    pub(super) fn text(&self, rust_name: &str) -> String {
        let mut text = rust_name.to_owned();
        if self.is_array {
            text = format!("Array<Nullable<{text}>>");
        }
        if self.is_nullable {
            text = format!("Nullable<{text}>");
        }
        text
    }
}

/// Returns the length limit in characters or bits.
fn length(data_type: &DataType) -> Option<i32> {
    let has_length = matches!(
        data_type.name.name.as_str(),
        "varchar" | "bpchar" | "bit" | "varbit"
    );
    let first = data_type.modifiers.first().copied();
    first.filter(|_| {
        has_length && data_type.name.schema == "pg_catalog" && data_type.dimensions == 0
    })
}

/// Returns the marker types of an output, by the name of the SQL type.
///
/// Two types with the same Rust name, for example in two schemas, get different numbers. diesel's
/// own command would show the second as the first.
pub(super) fn custom_types(
    catalog: &Catalog,
    relations: &[&Relation],
    output: &Output,
) -> BTreeMap<Name, CustomType> {
    let columns = relations.iter().flat_map(|relation| {
        relation
            .columns
            .iter()
            .map(move |column| (relation, column))
    });
    let mut names: Vec<Name> = columns
        .map(|(relation, column)| ShownType::of(catalog, relation, column, output).name)
        .filter(|name| is_custom(catalog, name, output))
        .collect();
    // A type of the default schema keeps its name.
    names.sort_by(|a, b| {
        let key = |name: &Name| (name.schema != DEFAULT_SCHEMA, name.clone());
        key(a).cmp(&key(b))
    });
    names.dedup();
    let rust_names = crate::plan::names::distinct(names.iter().map(marker_name));
    names
        .into_iter()
        .zip(rust_names)
        .map(|(name, rust_name)| {
            let custom = CustomType {
                rust_name,
                sql_name: name.name.clone(),
                schema: Some(name.schema.clone())
                    .filter(|schema| schema != DEFAULT_SCHEMA || name.is_hidden_type()),
            };
            (name, custom)
        })
        .collect()
}

/// Returns true for a type that needs a marker. diesel's own command takes an enum `date` for
/// PostgreSQL's `date`.
fn is_custom(catalog: &Catalog, name: &Name, output: &Output) -> bool {
    let rust_name = type_name(&name.name);
    let mut excepted = output.except_custom_type_definitions.iter();
    output.generate_missing_sql_type_definitions
        && !excepted.any(|pattern| pattern.is_match(&rust_name))
        && (is_own(catalog, name) || !DIESEL_TYPES.contains(&rust_name.as_str()))
}

/// Returns true for a type that no extension and not PostgreSQL itself has.
fn is_own(catalog: &Catalog, name: &Name) -> bool {
    let found = catalog.types.get(name);
    found.is_some_and(|found| !matches!(found.kind, TypeKind::External))
}

/// Names in the module of a table that a marker type must not hide, beside those of diesel's types.
const TAKEN: [&str; 6] = ["Array", "BoxedQuery", "Nullable", "Ok", "SqlType", "T"];

/// Returns the name of a marker type. It has the schema in front where it would hide a type of
/// diesel's.
fn marker_name(name: &Name) -> String {
    let marker = derivable_name(&name.name);
    let is_own = name.schema != "pg_catalog" && name.name != "citext";
    let is_taken = TAKEN.contains(&marker.as_str()) || DIESEL_TYPES.contains(&marker.as_str());
    if is_own && is_taken {
        derivable_name(&format!("{}_{}", name.schema, name.name))
    } else {
        marker
    }
}

/// The types that diesel 2.3 has for PostgreSQL, which need no marker type.
const DIESEL_TYPES: [&str; 66] = [
    "Bool",
    "Integer",
    "SmallInt",
    "BigInt",
    "Binary",
    "Text",
    "Double",
    "Float",
    "Numeric",
    "Timestamp",
    "Date",
    "Time",
    "Float4",
    "Smallint",
    "Int2",
    "Int4",
    "Int8",
    "Bigint",
    "Float8",
    "Decimal",
    "VarChar",
    "Varchar",
    "Char",
    "Tinytext",
    "Mediumtext",
    "Longtext",
    "Tinyblob",
    "Blob",
    "Mediumblob",
    "Longblob",
    "Varbinary",
    "Bit",
    "Cidr",
    "Citext",
    "Inet",
    "Jsonb",
    "MacAddr",
    "MacAddr8",
    "Money",
    "Oid",
    "Range",
    "Timestamptz",
    "Uuid",
    "Json",
    "PgLsn",
    "Record",
    "Interval",
    "Int4range",
    "Int8range",
    "Daterange",
    "Numrange",
    "Tsrange",
    "Tstzrange",
    "Int4multirange",
    "Int8multirange",
    "Datemultirange",
    "Nummultirange",
    "Tsmultirange",
    "Tstzmultirange",
    "SmallSerial",
    "BigSerial",
    "Serial",
    "Bytea",
    "Bpchar",
    "Macaddr",
    "Macaddr8",
];
