//! Changes of NOT NULL and of its constraint.

use super::super::{Script, Step, lineage};
use crate::definition::quoted;
use crate::{Catalog, Column, Name, NotNull};

pub(in crate::alter) fn nullability(script: &mut Script, table: &Name, new: &Column) {
    let what = if new.not_null { "SET" } else { "DROP" };
    let (sql, name) = (table.sql(), quoted(&new.name));
    let alter = format!("ALTER TABLE {sql} ALTER COLUMN {name} {what} NOT NULL");
    script.push(Step::Columns, alter);
}

/// Restores the nullability of children that the change of their parent would alter.
pub(in crate::alter) fn restate_below(
    script: &mut Script,
    expected: &Catalog,
    actual: &Catalog,
    table: &Name,
    new: &Column,
) {
    for child in lineage::descendants(actual, table) {
        let restated = expected.relations.get(&child);
        let restated = restated.and_then(|relation| lineage::column(relation, &new.name));
        if let Some(restated) = restated.filter(|column| column.not_null != new.not_null) {
            let before = script.depth;
            script.depth = lineage::depth(actual, &child).max(before + 1);
            nullability(script, &child, restated);
            script.depth = before;
        }
    }
}

pub(in crate::alter) fn has_default_name(
    table: &Name,
    column: &Column,
    constraint: &NotNull,
) -> bool {
    constraint.name == format!("{}_{}_not_null", table.name, column.name)
        && !constraint.no_inherit
        && constraint.validated
}

/// Changes the NOT NULL constraint of a column that has one, on PostgreSQL 18 or later.
pub(in crate::alter) fn not_null_constraint(
    script: &mut Script,
    table: &Name,
    new: &Column,
    old: &Column,
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
    if expected.name != actual.name {
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
pub(in crate::alter) fn actual_names_not_null(actual: &Catalog) -> bool {
    let mut relations = actual.relations.values();
    relations.any(|relation| {
        let mut columns = relation.columns.iter();
        columns.any(|column| column.not_null_constraint.is_some())
    })
}
