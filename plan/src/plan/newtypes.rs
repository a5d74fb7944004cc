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
        self.inner.is_plain()
    }

    /// Returns true if it implements `Copy`.
    pub fn is_copied(&self) -> bool {
        self.inner.is_copied()
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
