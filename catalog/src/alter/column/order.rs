//! The order of the columns, which no statement changes.

use super::super::recreated::is_view;
use super::super::{Script, inheritance};
use crate::definition::list;
use crate::{Catalog, Relation};

/// Adds a comment for each table whose columns will be in another order. PostgreSQL adds a new
/// column at the end.
pub(in crate::alter) fn note_order(script: &mut Script, expected: &Catalog, actual: &Catalog) {
    for (name, new) in &expected.relations {
        if is_view(new) || script.blocked.contains(name) {
            continue;
        }
        let expected_names = names(new);
        let result = resulting_order(expected, actual, new, 0);
        if result != expected_names {
            if new.of_type.is_some() {
                script.unattachable.insert(name.clone());
            }
            script.note(format!(
                "{}: its column order should be {}, but PostgreSQL adds columns at the end",
                name.sql(),
                list(&expected_names)
            ));
        }
    }
}

fn names(relation: &Relation) -> Vec<String> {
    let names = relation.columns.iter().map(|column| column.name.clone());
    names.collect()
}

/// Returns the columns in the order that the script produces.
fn resulting_order(
    expected: &Catalog,
    actual: &Catalog,
    new: &Relation,
    depth: usize,
) -> Vec<String> {
    /// The limit of the recursion through parents. PostgreSQL allows no cycles.
    const MAX_DEPTH: usize = 100;
    let expected_names = names(new);
    let mut result = match actual.relations.get(&new.name) {
        // The new columns of a parent are added before those of the table.
        Some(old) => {
            let parents = inheritance::kept_parents(expected, actual, &new.name);
            let parents = parents.iter().filter(|_| depth <= MAX_DEPTH);
            let added = parents
                .flat_map(|(parent, _)| resulting_order(expected, actual, parent, depth + 1));
            names(old).into_iter().chain(added).collect()
        }
        None if new.partition_bound.is_some() || depth > MAX_DEPTH => Vec::new(),
        None => {
            let parents = new.parents.iter();
            let parents = parents.filter_map(|parent| expected.relations.get(parent));
            parents
                .flat_map(|parent| resulting_order(expected, actual, parent, depth + 1))
                .collect()
        }
    };
    result.retain(|column| expected_names.contains(column));
    for column in expected_names {
        if !result.contains(&column) {
            result.push(column);
        }
    }
    let mut seen = Vec::new();
    result.retain(|column| {
        let is_first = !seen.contains(column);
        seen.push(column.clone());
        is_first
    });
    result
}
