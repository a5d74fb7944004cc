//! Changes of NOT NULL and of its constraint.

use super::super::{Script, Step, lineage};
use crate::definition::quoted;
use crate::{Catalog, Column, Name, NotNull};

pub(in crate::mend) fn nullability(script: &mut Script, table: &Name, new: &Column) {
    let what = if new.not_null { "SET" } else { "DROP" };
    let (sql, name) = (table.sql(), quoted(&new.name));
    let alter = format!("ALTER TABLE {sql} ALTER COLUMN {name} {what} NOT NULL");
    script.push(Step::Columns, alter);
}

/// Restores the nullability of children that the change of their parent would alter.
pub(in crate::mend) fn restate_below(
    script: &mut Script,
    expected: &Catalog,
    actual: &Catalog,
    table: &Name,
    new: &Column,
) {
    for child in lineage::descendants(actual, table) {
        let own = expected.relations.get(&child);
        let own = own.and_then(|own| lineage::column(own, &new.name));
        if let Some(own) = own.filter(|own| own.not_null != new.not_null) {
            let before = script.depth;
            script.depth = lineage::depth(actual, &child).max(before + 1);
            nullability(script, &child, own);
            script.depth = before;
        }
    }
}

pub(in crate::mend) fn has_default_name(table: &Name, column: &Column, own: &NotNull) -> bool {
    own.name == format!("{}_{}_not_null", table.name, column.name)
        && !own.no_inherit
        && own.validated
}

/// Changes the NOT NULL constraint of a column that has one, on PostgreSQL 18 or later.
pub(in crate::mend) fn not_null_constraint(
    script: &mut Script,
    table: &Name,
    new: &Column,
    old: &Column,
) {
    let (Some(to_be), Some(there)) = (&new.not_null_constraint, &old.not_null_constraint) else {
        return;
    };
    let (sql, name) = (table.sql(), quoted(&to_be.name));
    if there.validated && !to_be.validated {
        let column = quoted(&new.name);
        let drop = format!("ALTER TABLE {sql} ALTER COLUMN {column} DROP NOT NULL");
        let definition = to_be
            .words()
            .replacen(" NOT NULL", &format!(" NOT NULL {column}"), 1);
        script.push(Step::DropConstraints, drop);
        script.push(Step::Columns, format!("ALTER TABLE {sql} ADD {definition}"));
        return;
    }
    if to_be.name != there.name {
        let from = quoted(&there.name);
        let rename = format!("ALTER TABLE {sql} RENAME CONSTRAINT {from} TO {name}");
        script.push(Step::Columns, rename);
    }
    if to_be.no_inherit != there.no_inherit {
        let no = if to_be.no_inherit { "NO " } else { "" };
        let alter = format!("ALTER TABLE {sql} ALTER CONSTRAINT {name} {no}INHERIT");
        script.push(Step::Columns, alter);
    }
    if to_be.validated && !there.validated {
        let validate = format!("ALTER TABLE {sql} VALIDATE CONSTRAINT {name}");
        script.push(Step::Columns, validate);
    }
}

/// Returns true if the server is PostgreSQL 18 or later, where NOT NULL constraints have names.
pub(in crate::mend) fn actual_names_not_null(actual: &Catalog) -> bool {
    let mut relations = actual.relations.values();
    relations.any(|relation| {
        let mut columns = relation.columns.iter();
        columns.any(|column| column.not_null_constraint.is_some())
    })
}
