//! The Rust types of `types.rs` besides enums: structs of composite types, the ranges of the
//! schema, and the marker types that no `schema.rs` has.

use std::collections::BTreeSet;

use bowline_catalog::{Attribute, Catalog, DataType, Name, TypeKind};

use super::mapping::{Mapping, TYPES, base, multirange_of};
use super::names::{distinct, rust_name};
use super::rust_type::RustType;

/// A struct for a composite type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompositePlan {
    /// The name in Rust.
    pub name: String,
    /// The name of the type in PostgreSQL.
    pub sql_name: Name,
    /// The text of `COMMENT ON TYPE`.
    pub comment: Option<String>,
    /// Its marker types: the path of each module, and the name in its `sql_types`.
    pub markers: Vec<(String, String)>,
    /// A field for each attribute.
    pub attributes: Vec<AttributePlan>,
}

/// An attribute of a composite type. Each can be NULL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttributePlan {
    /// The name in Rust.
    pub name: String,
    /// The name in PostgreSQL.
    pub sql_name: String,
    /// The type in Rust.
    pub rust_type: RustType,
    /// The type of diesel that it is sent and read as.
    pub sql_type: String,
    /// The type that PostgreSQL expects, if it differs from `sql_type`.
    pub declared: Option<Declared>,
}

/// The type of an attribute that diesel has no SQL type for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Declared {
    /// A type of PostgreSQL's own, by its OID; for an array, that of its elements too.
    BuiltIn(u32, Option<u32>),
    /// A domain.
    Domain(Name),
}

/// A range type of the schema, or the multirange that was created with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RangePlan {
    /// The name of the type in PostgreSQL.
    pub sql_name: Name,
    /// Its marker types: the path of each module, and the name in its `sql_types`.
    pub markers: Vec<(String, String)>,
    /// True for the multirange.
    pub is_multirange: bool,
    /// The type of its bounds.
    pub bound: RustType,
    /// The type of diesel that bounds are sent and read as.
    pub sql_type: String,
}

/// A marker type that no `schema.rs` has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarkerPlan {
    /// The name in Rust.
    pub rust_name: String,
    /// The name of the type in PostgreSQL.
    pub sql_name: Name,
}

/// Returns the types that generated code needs: those that columns have, and those that are within
/// them.
pub(super) fn reachable(
    catalog: &Catalog,
    mapping: &Mapping,
    used: impl Iterator<Item = Name>,
) -> BTreeSet<Name> {
    let mut found = BTreeSet::new();
    let mut rest: Vec<Name> = used.collect();
    while let Some(name) = rest.pop() {
        if let Some(TypeKind::Composite { attributes }) =
            catalog.types.get(&name).map(|found| &found.kind)
        {
            let mapped = attributes
                .iter()
                .filter_map(|attribute| mapping.of(catalog, &attribute.data_type, false));
            rest.extend(mapped.flat_map(|mapped| mapped.rust_type.of_sql));
        }
        found.insert(name);
    }
    found
}

/// Returns the structs of composite types.
pub(super) fn composites(
    catalog: &Catalog,
    mapping: &Mapping,
    used: &BTreeSet<Name>,
) -> Vec<CompositePlan> {
    let mut planned: Vec<CompositePlan> = used
        .iter()
        .filter_map(|name| {
            let found = catalog.types.get(name)?;
            let TypeKind::Composite { attributes } = &found.kind else {
                return None;
            };
            let names = attributes
                .iter()
                .map(|attribute| rust_name(&attribute.name, None));
            let attributes = distinct(names).into_iter().zip(attributes);
            let attributes =
                attributes.filter_map(|(name, attribute)| plan(catalog, mapping, name, attribute));
            Some(CompositePlan {
                name: mapping.rust_name(name)?.clone(),
                sql_name: name.clone(),
                comment: found.comment.clone(),
                markers: mapping.markers(name).to_vec(),
                attributes: attributes.collect(),
            })
        })
        .collect();
    planned.sort_by(|a, b| (&a.name, &a.sql_name).cmp(&(&b.name, &b.sql_name)));
    planned
}

fn plan(
    catalog: &Catalog,
    mapping: &Mapping,
    name: String,
    attribute: &Attribute,
) -> Option<AttributePlan> {
    let mapped = mapping.of(catalog, &attribute.data_type, false)?;
    Some(AttributePlan {
        name,
        sql_name: attribute.name.clone(),
        rust_type: mapped.rust_type,
        sql_type: mapped.wire.sql_type.nullable().in_table(),
        declared: declared(catalog, &attribute.data_type),
    })
}

/// Returns the type that PostgreSQL expects in a record, if diesel would send another: it checks
/// the OID of each attribute (`record_recv`).
fn declared(catalog: &Catalog, data_type: &DataType) -> Option<Declared> {
    if base(catalog, data_type).name != data_type.name {
        return Some(Declared::Domain(data_type.name.clone()));
    }
    let (oid, element) = oids(data_type)?;
    Some(Declared::BuiltIn(oid, element))
}

/// Returns the OID of a type that diesel sends as text, and that of an array's elements.
pub(super) fn oids(data_type: &DataType) -> Option<(u32, Option<u32>)> {
    if data_type.name.schema != "pg_catalog" {
        return None;
    }
    let (scalar, array) = match data_type.name.name.as_str() {
        "bpchar" => (1042, 1014),
        "varchar" => (1043, 1015),
        _ => return None,
    };
    Some(if data_type.dimensions > 0 {
        (array, Some(scalar))
    } else {
        (scalar, None)
    })
}

/// Returns the ranges and multiranges of the schema.
pub(super) fn ranges(
    catalog: &Catalog,
    mapping: &Mapping,
    used: &BTreeSet<Name>,
) -> Vec<RangePlan> {
    let of_range = |name: &Name| {
        let found = catalog.types.get(name)?;
        let TypeKind::Range { subtype, .. } = &found.kind else {
            return None;
        };
        let (bound, sql_type) = mapping.bound(catalog, subtype)?;
        let multirange = multirange_of(name, &found.kind);
        let plan = |sql_name: &Name, is_multirange| RangePlan {
            sql_name: sql_name.clone(),
            markers: mapping.markers(sql_name).to_vec(),
            is_multirange,
            bound: bound.clone(),
            sql_type: sql_type.in_table(),
        };
        Some([plan(name, false), plan(&multirange, true)])
    };
    used.iter().filter_map(of_range).flatten().collect()
}

/// Returns the marker types of these types that no `schema.rs` has.
pub(super) fn markers(mapping: &Mapping, used: &BTreeSet<Name>) -> Vec<MarkerPlan> {
    let own = used.iter().flat_map(|name| {
        let markers = mapping.markers(name).iter();
        markers
            .filter(|(module, _)| module == TYPES)
            .map(move |(_, rust_name)| MarkerPlan {
                rust_name: rust_name.clone(),
                sql_name: name.clone(),
            })
    });
    own.collect()
}
