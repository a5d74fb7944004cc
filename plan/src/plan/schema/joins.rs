//! The tables that queries may join: `joinable!` and `allow_tables_to_appear_in_same_query!`.

use std::collections::{BTreeMap, BTreeSet};

use super::{Joinable, SchemaTable};
use crate::plan::names::column_names;
use crate::project::{Settings, is_named};
use bowline_catalog::{Catalog, ConstraintKind, Name, Relation, RelationKind};

/// A foreign key, as in `pg_constraint`.
struct ForeignKey<'a> {
    child: &'a Name,
    parent: &'a Name,
    columns: &'a [String],
    referenced: &'a [String],
}

/// Returns the foreign keys that diesel uses for joins, in its order. Such a key has one column,
/// refers to the whole primary key of another table, and is the only one between the two.
///
/// If there are several between two tables, the settings can name the one to join by.
pub(super) fn joinables(
    catalog: &Catalog,
    relations: &[&Relation],
    rust_names: &BTreeMap<Name, String>,
    settings: &Settings,
) -> Vec<(Name, Name, Joinable)> {
    let keys = foreign_keys(catalog, relations);
    let between = |a: &Name, b: &Name| {
        let is_between = |key: &&ForeignKey<'_>| {
            (key.child == a && key.parent == b) || (key.child == b && key.parent == a)
        };
        keys.iter().filter(is_between).count()
    };
    let is_chosen = |key: &ForeignKey<'_>| {
        let columns = key.columns.join(",");
        let mut names = settings.joinables.iter();
        names.any(|name| {
            let named = name.rsplit_once('.');
            named.is_some_and(|(table, of)| of == columns && is_named(key.child, table))
        })
    };
    let is_shown = |name: &Name| relations.iter().any(|relation| relation.name == *name);
    let mut joinables: Vec<_> = keys
        .iter()
        .filter(|key| {
            let primary = catalog.relations.get(key.parent);
            let primary = primary.and_then(|parent| settings.primary_key(parent));
            key.child != key.parent
                && is_shown(key.child)
                && is_shown(key.parent)
                && key.columns.len() == 1
                && primary.as_deref() == Some(key.referenced)
                && (between(key.child, key.parent) == 1 || is_chosen(key))
                && are_comparable(catalog, key)
        })
        .filter_map(|key| {
            let child = catalog.relations.get(key.child)?;
            let index = child
                .columns
                .iter()
                .position(|column| column.name == key.columns[0])?;
            let joinable = Joinable {
                child: rust_names.get(key.child)?.clone(),
                parent: rust_names.get(key.parent)?.clone(),
                column: column_names(child).swap_remove(index),
            };
            Some((key.child.clone(), key.parent.clone(), joinable))
        })
        .collect();
    joinables.sort();
    joinables.dedup();
    joinables
}

/// Returns true if both sides have the same SQL type. PostgreSQL lets an `int4` refer to an `int8`,
/// but diesel has no `=` for the two.
fn are_comparable(catalog: &Catalog, key: &ForeignKey<'_>) -> bool {
    let of = |table: &Name, columns: &[String]| {
        let relation = catalog.relations.get(table)?;
        let mut found = relation.columns.iter();
        let column = found.find(|column| Some(&column.name) == columns.first())?;
        // diesel decides how it shows a domain.
        let is_plain = column.data_type.name.schema == "pg_catalog";
        let name = column.data_type.name.name.as_str();
        is_plain.then_some(match name {
            "varchar" | "bpchar" => "text",
            other => other,
        })
    };
    match (of(key.child, key.columns), of(key.parent, key.referenced)) {
        (Some(child), Some(parent)) => child == parent,
        _ => true,
    }
}

/// Returns the foreign keys of the tables.
fn foreign_keys<'a>(catalog: &'a Catalog, relations: &[&'a Relation]) -> Vec<ForeignKey<'a>> {
    let mut keys = Vec::new();
    for relation in relations {
        for constraint in &relation.constraints {
            let ConstraintKind::ForeignKey {
                columns,
                references,
                referenced_columns,
                ..
            } = &constraint.kind
            else {
                continue;
            };
            // diesel reads the foreign keys within one schema. A key that refers to a partitioned
            // table also exists for each partition.
            for parent in with_partitions(catalog, references) {
                if parent.schema == relation.name.schema {
                    keys.push(ForeignKey {
                        child: &relation.name,
                        parent,
                        columns,
                        referenced: referenced_columns,
                    });
                }
            }
        }
    }
    keys
}

/// Returns a table and all partitions below it.
fn with_partitions<'a>(catalog: &'a Catalog, name: &'a Name) -> Vec<&'a Name> {
    let mut found = vec![name];
    let mut index = 0;
    while let Some(parent) = found.get(index).copied() {
        let partitions = catalog.relations.values().filter(|relation| {
            relation.kind == RelationKind::Partition && relation.parents.contains(parent)
        });
        for partition in partitions {
            if !found.contains(&&partition.name) {
                found.push(&partition.name);
            }
        }
        index += 1;
    }
    found
}

/// Returns groups of tables that are connected by joins, in the order of their SQL names.
pub(super) fn groups(
    tables: &[SchemaTable],
    joinables: &[(Name, Name, Joinable)],
) -> Vec<Vec<String>> {
    let mut groups: Vec<BTreeSet<&Name>> = tables
        .iter()
        .map(|table| BTreeSet::from([&table.name]))
        .collect();
    for (child, parent, _) in joinables {
        let of = |groups: &[BTreeSet<&Name>], table: &Name| {
            groups.iter().position(|group| group.contains(table))
        };
        let (Some(a), Some(b)) = (of(&groups, child), of(&groups, parent)) else {
            continue;
        };
        if a != b {
            let merged = groups.remove(a.max(b));
            groups[a.min(b)].extend(merged);
        }
    }
    groups.sort();
    let rust_name = |name: &Name| {
        let table = tables.iter().find(|table| table.name == *name);
        table.map(|table| table.rust_name.clone())
    };
    groups
        .into_iter()
        .map(|group| group.into_iter().filter_map(rust_name).collect())
        .collect()
}
