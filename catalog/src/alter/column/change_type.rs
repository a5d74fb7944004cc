//! Changes of the type or collation of a column.

use std::collections::BTreeSet;

use super::super::order::Statement;
use super::super::recreated::is_view;
use super::super::{Script, Step, inheritance};
use super::generated_column_with;
use super::sequence::set_sequence_type;
use crate::definition::quoted;
use crate::{Catalog, Column, DataType, Fill, Name};

/// Changes the type or collation of a column.
pub(in crate::alter) fn change_type(
    script: &mut Script,
    (expected, actual): (&Catalog, &Catalog),
    table: &Name,
    (new, old): (&Column, &Column),
) {
    let (sql, name) = (table.sql(), quoted(&new.name));
    let mut related = inheritance::descendants(actual, table);
    related.insert(table.clone());
    let is_key = is_partition_key(actual, table, &new.name);
    if is_key {
        script.note(format!(
            "{sql}.{name} should have the type {}, but is part of a partition key, whose type PostgreSQL cannot change",
            new.data_type.sql()
        ));
        return;
    }
    if let Some(user) = generated_column_with(expected, actual, table, &new.name) {
        script.note(format!(
            "{sql}.{name} should have the type {}, but keeps its type, since the generated column {} uses it",
            new.data_type.sql(),
            quoted(&user)
        ));
        return;
    }
    if let Some(user) = table_with_rows_of(expected, actual, &related) {
        script.note(format!(
            "{sql}.{name} should have the type {}, but keeps its type, since a column of {} has rows of the table",
            new.data_type.sql(),
            user.sql()
        ));
        return;
    }
    // PostgreSQL may fail to cast a default, so it is dropped first and set again afterwards.
    for table in &related {
        let column = actual.relations.get(table);
        let column = column.and_then(|relation| inheritance::find_column(relation, &new.name));
        let expected_column = expected.relations.get(table);
        let expected_column =
            expected_column.and_then(|relation| inheritance::find_column(relation, &new.name));
        if let (Some(column), Some(expected_column)) = (column, expected_column)
            && matches!(column.fill, Fill::Default(_))
        {
            let alter = format!("ALTER TABLE ONLY {} ALTER COLUMN {name}", table.sql());
            script.push(Step::Sequences, format!("{alter} DROP DEFAULT"));
            if let Fill::Default(default) = &expected_column.fill {
                let before = script.depth;
                script.depth = inheritance::depth(actual, table).max(before);
                script.push(Step::Owners, format!("{alter} SET DEFAULT {default}"));
                script.depth = before;
            }
        }
    }
    let data_type = new.data_type.sql();
    let collation = new.collation.as_ref();
    let collation = collation.map_or(String::new(), |name| format!(" COLLATE {}", name.sql()));
    let using = if has_cast(&old.data_type, &new.data_type) {
        format!("{name}::{data_type}")
    } else {
        format!("{name}::text::{data_type}")
    };
    // PostgreSQL recomputes a generated column.
    let using = match (&new.fill, &old.fill) {
        (Fill::Generated { .. }, Fill::Generated { .. }) => String::new(),
        _ => format!(" USING {using}"),
    };
    let alter = format!("ALTER TABLE {sql} ALTER COLUMN {name} TYPE {data_type}{collation}{using}");
    // A column that the parent gets too must have its type before.
    let mut parents = inheritance::kept_parents(expected, actual, table).into_iter();
    let is_merged = parents.any(|(new_parent, old_parent)| {
        inheritance::find_column(new_parent, &new.name).is_some()
            && inheritance::find_column(old_parent, &new.name).is_none()
    });
    let step = if is_merged {
        Step::Sequences
    } else {
        Step::Columns
    };
    script.add(Statement::of_text(step, alter).making_column(table, &new.name));
    // The sequence of an identity gets the type of the column too.
    set_sequence_type(script, expected, table, new);
}

/// Returns a table with a column of rows of one of these tables, which is not dropped.
fn table_with_rows_of<'c>(
    expected: &Catalog,
    actual: &'c Catalog,
    tables: &BTreeSet<Name>,
) -> Option<&'c Name> {
    let kept = actual
        .relations
        .values()
        .filter(|relation| !is_view(relation) && expected.relations.contains_key(&relation.name));
    let mut users = kept.filter(|relation| {
        let mut columns = relation.columns.iter();
        columns.any(|column| tables.contains(&column.data_type.name))
    });
    users.next().map(|relation| &relation.name)
}

/// Returns true if a column is part of the partition key of its table, or of a partition below it.
pub(in crate::alter) fn is_partition_key(actual: &Catalog, table: &Name, column: &str) -> bool {
    let mut related = inheritance::descendants(actual, table);
    related.insert(table.clone());
    related.iter().any(|table| {
        let relation = actual.relations.get(table);
        let key = relation.and_then(|relation| relation.partition_by.as_deref());
        key.is_some_and(|key| bowline_sql::tokens(key).any(|token| token.is_name(column)))
    })
}

/// Returns true if PostgreSQL has an assignment cast from one type to the other.
pub(in crate::alter) fn has_assignment_cast(from: &DataType, to: &DataType) -> bool {
    let is_text = |data_type: &DataType| {
        data_type.dimensions == 0
            && matches!(data_type.name.name.as_str(), "text" | "varchar" | "bpchar")
    };
    from.name == to.name || is_text(to) || (!is_text(from) && has_cast(from, to))
}

/// Returns true if PostgreSQL has a cast from one type to the other. Text casts to and from all
/// types.
fn has_cast(from: &DataType, to: &DataType) -> bool {
    const FAMILIES: [&[&str]; 5] = [
        &["int2", "int4", "int8", "float4", "float8", "numeric"],
        &["text", "varchar", "bpchar", "name"],
        &["date", "timestamp", "timestamptz"],
        &["json", "jsonb"],
        &["bit", "varbit"],
    ];
    let is_in = |family: &&[&str], data_type: &DataType| {
        data_type.name.schema == "pg_catalog" && family.contains(&data_type.name.name.as_str())
    };
    let is_text =
        |data_type: &DataType| data_type.dimensions == 0 && is_in(&FAMILIES[1], data_type);
    let are_arrays = (from.dimensions > 0) == (to.dimensions > 0);
    let share = FAMILIES
        .iter()
        .any(|family| is_in(family, from) && is_in(family, to));
    is_text(from) || is_text(to) || (are_arrays && (from.name == to.name || share))
}
