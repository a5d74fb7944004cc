//! Rust types of their own for domains: those that the setting `newtypes` names.

use std::collections::BTreeSet;

use bowline_catalog::{Catalog, Name, TypeKind};

use super::mapping::{Mapping, base};
use super::rust_type::{RustType, SqlType};

/// A struct around the value of a domain's base type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewtypePlan {
    /// The name in Rust.
    pub name: String,
    /// The name of the domain.
    pub sql_name: Name,
    /// The text of `COMMENT ON DOMAIN`.
    pub comment: Option<String>,
    /// The type of its value.
    pub inner: RustType,
    /// The type of diesel that it is sent and read as.
    pub sql_type: SqlType,
}

impl NewtypePlan {
    /// Returns true if its values have an order and a text, as those of an id.
    pub fn is_plain(&self) -> bool {
        is_plain(&self.inner)
    }

    /// Returns true if it implements `Copy`.
    pub fn is_copied(&self) -> bool {
        is_copied(&self.inner)
    }
}

/// Returns true if a type implements `Display`, `Ord` and `Hash`.
fn is_plain(inner: &RustType) -> bool {
    const PLAIN: [&str; 13] = [
        "BigDecimal",
        "DateTime<Utc>",
        "Decimal",
        "IpNetwork",
        "NaiveDate",
        "NaiveDateTime",
        "NaiveTime",
        "String",
        "Uuid",
        "bool",
        "i16",
        "i32",
        "i64",
    ];
    PLAIN.contains(&inner.owned.as_str())
}

fn is_copied(inner: &RustType) -> bool {
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
    COPIED.contains(&inner.owned.as_str())
}

/// Returns the Rust type of a domain with this name.
pub(super) fn rust_type(name: &str, domain: &Name, inner: &RustType) -> RustType {
    let rust_type = if is_copied(inner) {
        RustType::copied(name, None)
    } else {
        RustType::cloned(name, None)
    };
    RustType {
        of_types: vec![name.to_owned()],
        of_sql: vec![domain.clone()],
        is_hashed: is_plain(inner),
        ..rust_type
    }
}

/// Returns why a domain cannot have a type of its own, if it cannot.
pub(super) fn why_not(catalog: &Catalog, domain: &Name) -> Option<&'static str> {
    let found = catalog.types.get(domain)?;
    let TypeKind::Domain { base: of, .. } = &found.kind else {
        return Some("is no domain");
    };
    let of = base(catalog, of);
    if of.dimensions > 0 {
        return Some("is a domain over an array");
    }
    match catalog.types.get(&of.name).map(|found| &found.kind) {
        Some(TypeKind::Enum { .. }) => {
            Some("is a domain over an enum, which has a type of its own")
        }
        Some(TypeKind::Composite { .. }) => {
            Some("is a domain over a composite type, which has a struct of its own")
        }
        Some(TypeKind::Range { .. }) => Some("is a domain over a range type"),
        _ => None,
    }
}

/// Returns the newtypes of the domains that columns have.
pub(super) fn newtypes(
    catalog: &Catalog,
    mapping: &Mapping,
    used: &BTreeSet<Name>,
) -> Vec<NewtypePlan> {
    let mut planned: Vec<NewtypePlan> = used
        .iter()
        .filter_map(|domain| {
            let found = catalog.types.get(domain)?;
            let TypeKind::Domain { base, .. } = &found.kind else {
                return None;
            };
            let mapped = mapping.of(catalog, base, false)?;
            Some(NewtypePlan {
                name: mapping.rust_name(domain)?.clone(),
                sql_name: domain.clone(),
                comment: found.comment.clone(),
                inner: mapped.rust_type,
                sql_type: mapped.wire.sql_type,
            })
        })
        .collect();
    planned.sort_by(|a, b| a.name.cmp(&b.name));
    planned
}
