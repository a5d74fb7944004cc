//! Changes of NOT NULL and of its constraint.

use super::super::{Script, Step, inheritance};
use crate::definition::quoted;
use crate::{Catalog, Column, Constraint, Name, NotNull, Relation, TypeKind};

/// Sets or drops NOT NULL.
pub(in crate::alter) fn alter_nullability(script: &mut Script, table: &Name, new: &Column) {
    let what = if new.not_null { "SET" } else { "DROP" };
    let (sql, name) = (table.sql(), quoted(&new.name));
    let alter = format!("ALTER TABLE {sql} ALTER COLUMN {name} {what} NOT NULL");
    script.push(Step::Columns, alter);
}

/// Sets or drops NOT NULL, with the name of the constraint where PostgreSQL would choose another.
pub(in crate::alter) fn set_nullability(
    script: &mut Script,
    catalogs: (&Catalog, &Catalog),
    table: &Name,
    new: &Column,
) {
    match explicit_constraint(catalogs, table, new) {
        // PostgreSQL 18 has this statement, since its NOT NULL constraints have names.
        Some(constraint) if new.not_null => {
            let column = format!(" NOT NULL {}", quoted(&new.name));
            let constraint = constraint.sql().replacen(" NOT NULL", &column, 1);
            let add = format!("ALTER TABLE {} ADD {constraint}", table.sql());
            script.push(Step::Columns, add);
        }
        _ if !new.not_null && frees_name(catalogs, table, new) => {
            let (sql, name) = (table.sql(), quoted(&new.name));
            let drop = format!("ALTER TABLE {sql} ALTER COLUMN {name} DROP NOT NULL");
            script.push(Step::DropGenerated, drop);
        }
        _ => alter_nullability(script, table, new),
    }
}

/// Returns true if another constraint of the table gets the name of the column's NOT NULL
/// constraint, which is dropped.
fn frees_name((expected, actual): (&Catalog, &Catalog), table: &Name, column: &Column) -> bool {
    let old = actual.relations.get(table);
    let old = old.and_then(|relation| inheritance::find_column(relation, &column.name));
    let constraint = old.and_then(|old| old.not_null_constraint.as_ref());
    constraint.is_some_and(|constraint| is_name_in(expected, table, &constraint.name))
}

/// Returns the NOT NULL constraint of a column if a statement has to spell it out. PostgreSQL adds
/// a number to a default name that another constraint of the schema has.
pub(in crate::alter) fn explicit_constraint<'c>(
    (expected, actual): (&Catalog, &Catalog),
    table: &Name,
    column: &'c Column,
) -> Option<&'c NotNull> {
    let constraint = column.not_null_constraint.as_ref()?;
    let has_default_name = constraint.name == format!("{}_{}_not_null", table.name, column.name)
        && !constraint.no_inherit
        && constraint.validated;
    let is_named = !has_default_name
        || has_named_not_null(actual)
        || another_constraint_has(expected, actual, table, &constraint.name);
    is_named.then_some(constraint)
}

/// Returns true if a constraint of another table or of a domain in the schema has this name.
/// New children and partitions of a new table have the names of its constraints, and are created
/// later.
fn another_constraint_has(catalog: &Catalog, actual: &Catalog, table: &Name, name: &str) -> bool {
    let is_new = |table: &Name| !actual.relations.contains_key(table);
    let below = inheritance::descendants(catalog, table);
    let has = |constraints: &[Constraint]| constraints.iter().any(|found| found.name == name);
    let mut relations = catalog.relations.values();
    let mut types = catalog.types.values();
    relations.any(|relation| {
        let mut not_null = relation.columns.iter();
        relation.name.schema == table.schema
            && relation.name != *table
            && !(is_new(table) && is_new(&relation.name) && below.contains(&relation.name))
            && (has(&relation.constraints)
                || not_null.any(|column| {
                    let constraint = column.not_null_constraint.as_ref();
                    constraint.is_some_and(|constraint| constraint.name == name)
                }))
    }) || types.any(|found| {
        found.name.schema == table.schema
            && matches!(&found.kind, TypeKind::Domain { checks, .. } if has(checks))
    })
}

/// Restores the nullability of children, which the statement for their parent changes.
pub(in crate::alter) fn restore_in_descendants(
    script: &mut Script,
    expected: &Catalog,
    actual: &Catalog,
    table: &Name,
    new: &Column,
) {
    for child in inheritance::descendants(actual, table) {
        let child_column = expected.relations.get(&child);
        let child_column =
            child_column.and_then(|relation| inheritance::find_column(relation, &new.name));
        if let Some(child_column) = child_column.filter(|column| column.not_null != new.not_null) {
            let before = script.depth;
            script.depth = inheritance::depth(actual, &child).max(before + 1);
            alter_nullability(script, &child, child_column);
            script.depth = before;
        }
    }
}

/// Changes the NOT NULL constraint of a column that has one, on PostgreSQL 18 or later.
pub(in crate::alter) fn not_null_constraint(
    script: &mut Script,
    parents: &[(&Relation, &Relation)],
    table: &Name,
    (new, old): (&Column, &Column),
) {
    let (Some(expected), Some(actual)) = (&new.not_null_constraint, &old.not_null_constraint)
    else {
        return;
    };
    let (sql, name) = (table.sql(), quoted(&expected.name));
    if actual.validated && !expected.validated {
        let column = quoted(&new.name);
        let drop = format!("ALTER TABLE {sql} ALTER COLUMN {column} DROP NOT NULL");
        let definition = expected
            .sql()
            .replacen(" NOT NULL", &format!(" NOT NULL {column}"), 1);
        script.push(Step::DropConstraints, drop);
        script.push(Step::Columns, format!("ALTER TABLE {sql} ADD {definition}"));
        return;
    }
    let has = |relation: &Relation, constraint: &NotNull| {
        let column = inheritance::find_column(relation, &new.name);
        let found = column.and_then(|column| column.not_null_constraint.as_ref());
        found.is_some_and(|found| found.name == constraint.name)
    };
    // The statement for a parent renames the constraints of its children too.
    let mut parents = parents.iter();
    let is_renamed_with_parent = parents
        .any(|(new_parent, old_parent)| has(new_parent, expected) && has(old_parent, actual));
    if expected.name != actual.name && !is_renamed_with_parent {
        let from = quoted(&actual.name);
        let rename = format!("ALTER TABLE {sql} RENAME CONSTRAINT {from} TO {name}");
        script.push(Step::Columns, rename);
    }
    if expected.no_inherit != actual.no_inherit {
        let no = if expected.no_inherit { "NO " } else { "" };
        let alter = format!("ALTER TABLE {sql} ALTER CONSTRAINT {name} {no}INHERIT");
        script.push(Step::Columns, alter);
    }
    if expected.validated && !actual.validated {
        let validate = format!("ALTER TABLE {sql} VALIDATE CONSTRAINT {name}");
        script.push(Step::Columns, validate);
    }
}

/// Returns true if the server is PostgreSQL 18 or later, where NOT NULL constraints have names.
fn has_named_not_null(actual: &Catalog) -> bool {
    let mut relations = actual.relations.values();
    relations.any(|relation| {
        let mut columns = relation.columns.iter();
        columns.any(|column| column.not_null_constraint.is_some())
    })
}

/// Returns true if a constraint of the table has this name.
pub(in crate::alter) fn is_name_in(catalog: &Catalog, table: &Name, name: &str) -> bool {
    let Some(relation) = catalog.relations.get(table) else {
        return false;
    };
    let mut not_null = relation.columns.iter();
    inheritance::find_constraint(relation, name).is_some()
        || not_null.any(|column| {
            let constraint = column.not_null_constraint.as_ref();
            constraint.is_some_and(|constraint| constraint.name == name)
        })
}
