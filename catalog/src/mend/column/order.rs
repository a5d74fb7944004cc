//! The order of the columns, which no statement changes.

use super::super::Script;
use super::super::remade::is_view;
use crate::definition::list;
use crate::{Catalog, Relation};

/// Adds a comment for each table whose columns will be in another order. PostgreSQL adds a new
/// column at the end.
pub(in crate::mend) fn order(script: &mut Script, expected: &Catalog, actual: &Catalog) {
    for (name, new) in &expected.relations {
        if is_view(new) || script.blocked.contains(name) {
            continue;
        }
        let ours = names(new);
        let theirs = result(expected, actual, new, 0);
        if theirs != ours {
            if new.of_type.is_some() {
                script.unfit.insert(name.clone());
            }
            script.say(format!(
                "{}: the order of its columns should be {} and will be another, since PostgreSQL adds columns at the end",
                name.sql(),
                list(&ours)
            ));
        }
    }
}

fn names(relation: &Relation) -> Vec<String> {
    let names = relation.columns.iter().map(|column| column.name.clone());
    names.collect()
}

/// Returns the columns in the order that the script produces.
fn result(expected: &Catalog, actual: &Catalog, new: &Relation, depth: usize) -> Vec<String> {
    /// The limit of the recursion through parents. PostgreSQL allows no cycles.
    const DEEPEST: usize = 100;
    let ours = names(new);
    let mut result = match actual.relations.get(&new.name) {
        Some(there) => names(there),
        None if new.partition_bound.is_some() || depth > DEEPEST => Vec::new(),
        None => {
            let parents = new.parents.iter();
            let parents = parents.filter_map(|parent| expected.relations.get(parent));
            parents
                .flat_map(|parent| self::result(expected, actual, parent, depth + 1))
                .collect()
        }
    };
    result.retain(|column| ours.contains(column));
    for column in ours {
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
