//! Parents, children and partitions of tables. PostgreSQL applies a change of a parent to all below
//! it.

use std::collections::BTreeSet;

use crate::{Catalog, Column, Constraint, Name, Relation};

/// Returns the number of ancestors of a table, on the longest path.
pub(super) fn depth(catalog: &Catalog, table: &Name) -> usize {
    fn longest(catalog: &Catalog, table: &Name, seen: &mut Vec<Name>) -> usize {
        let Some(relation) = catalog.relations.get(table) else {
            return 0;
        };
        if seen.contains(table) {
            return 0;
        }
        seen.push(table.clone());
        let parents = relation.parents.iter();
        let depths = parents
            .map(|parent| longest(catalog, parent, seen) + 1)
            .max();
        seen.pop();
        depths.unwrap_or(0)
    }
    longest(catalog, table, &mut Vec::new())
}

/// Returns the statement that removes a table from a parent.
pub(super) fn detach(table: &Relation, parent: &Name) -> String {
    let (parent, table_name) = (parent.sql(), table.name.sql());
    match &table.partition_bound {
        Some(_) => format!("ALTER TABLE {parent} DETACH PARTITION {table_name}"),
        None => format!("ALTER TABLE {table_name} NO INHERIT {parent}"),
    }
}

/// Returns the children of a table, and their descendants.
pub(super) fn descendants(catalog: &Catalog, table: &Name) -> BTreeSet<Name> {
    let mut found = BTreeSet::new();
    let mut to_visit = vec![table.clone()];
    while let Some(parent) = to_visit.pop() {
        for relation in catalog.relations.values() {
            if relation.parents.contains(&parent) && found.insert(relation.name.clone()) {
                to_visit.push(relation.name.clone());
            }
        }
    }
    found
}

/// Returns the parents of a table, and their ancestors.
pub(super) fn ancestors(catalog: &Catalog, table: &Name) -> BTreeSet<Name> {
    let mut found = BTreeSet::new();
    let mut to_visit = vec![table.clone()];
    while let Some(child) = to_visit.pop() {
        let relation = catalog.relations.get(&child);
        for parent in relation.into_iter().flat_map(|found| &found.parents) {
            if found.insert(parent.clone()) {
                to_visit.push(parent.clone());
            }
        }
    }
    found
}

/// Returns the parents that a table keeps, each as a pair of the expected and the actual relation.
pub(super) fn kept_parents<'c>(
    expected: &'c Catalog,
    actual: &'c Catalog,
    table: &Name,
) -> Vec<(&'c Relation, &'c Relation)> {
    let find = |catalog: &'c Catalog| catalog.relations.get(table);
    let (Some(new), Some(old)) = (find(expected), find(actual)) else {
        return Vec::new();
    };
    let kept = new
        .parents
        .iter()
        .filter(|parent| keeps_parent(new, old, parent));
    kept.filter_map(|parent| {
        let new = expected.relations.get(parent)?;
        Some((new, actual.relations.get(parent)?))
    })
    .collect()
}

/// Returns true if a table has this parent before and after, and in between. A partition whose
/// bound changes is detached and attached again.
pub(super) fn keeps_parent(new: &Relation, old: &Relation, parent: &Name) -> bool {
    let is_same_bound = match (&new.partition_bound, &old.partition_bound) {
        (Some(new), Some(old)) => crate::expression::is_same(new, old),
        (new, old) => new.is_none() && old.is_none(),
    };
    is_same_bound && new.parents.contains(parent) && old.parents.contains(parent)
}

/// Returns the column of this name.
pub(super) fn find_column<'r>(relation: &'r Relation, name: &str) -> Option<&'r Column> {
    relation.columns.iter().find(|column| column.name == name)
}

/// Returns the constraint of this name.
pub(super) fn find_constraint<'r>(relation: &'r Relation, name: &str) -> Option<&'r Constraint> {
    let mut constraints = relation.constraints.iter();
    constraints.find(|constraint| constraint.name == name)
}

/// Returns true if two columns have the same type and collation.
pub(super) fn is_same_type(one: &Column, other: &Column) -> bool {
    let collation = |column: &Column| column.collation.as_ref().map(Name::sql);
    one.data_type.is_same(&other.data_type) && collation(one) == collation(other)
}
