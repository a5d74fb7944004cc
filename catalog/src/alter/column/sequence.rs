//! The sequences of columns.

use super::super::order::Dependencies;
use super::super::recreated::is_view;
use super::super::{Script, Step, inheritance};
use crate::compare::same_fill;
use crate::definition::{literal, quoted};
use crate::{Catalog, Column, Fill, Name, Relation, Sequence};

/// Returns the names of the sequences that are dropped with a table or one of its columns.
pub(in crate::alter) fn owned_sequences(
    actual: &Catalog,
    table: &Name,
    column: Option<&str>,
) -> Vec<Name> {
    let owned = actual.sequences.values().filter(|sequence| {
        sequence
            .owner
            .as_ref()
            .is_some_and(|(owner, of)| owner == table && column.is_none_or(|column| column == of))
    });
    owned.map(|sequence| sequence.name.clone()).collect()
}

/// Returns true if a partition shares the identity of its parent's column, as since PostgreSQL 17.
pub(in crate::alter) fn has_identity_of_parent(
    catalog: &Catalog,
    table: &Name,
    column: &Column,
) -> bool {
    let relation = catalog.relations.get(table);
    let relation = relation.filter(|relation| relation.partition_bound.is_some());
    let parent = relation.and_then(|relation| relation.parents.first());
    let parent = parent.and_then(|parent| catalog.relations.get(parent));
    let of_parent = parent.and_then(|parent| inheritance::find_column(parent, &column.name));
    let is_identity = |column: &Column| matches!(column.fill, Fill::Identity { .. });
    is_identity(column)
        && of_parent.is_some_and(is_identity)
        && catalog.identity_sequence(table, &column.name).is_none()
}

/// Returns the name of the sequence of an identity column.
pub(super) fn identity_sequence(catalog: &Catalog, table: &Name, column: &str) -> Option<Name> {
    let sequence = catalog.identity_sequence(table, column);
    sequence.map(|sequence| sequence.name.clone())
}

/// Returns the names of the sequences of a table's identity columns.
pub(in crate::alter) fn identity_sequences<'c>(
    catalog: &'c Catalog,
    relation: &'c Relation,
) -> impl Iterator<Item = Name> + 'c {
    let columns = relation.columns.iter();
    columns.filter_map(|column| identity_sequence(catalog, &relation.name, &column.name))
}

/// Sets the types of a table's identity sequences that differ from the types of their columns.
pub(in crate::alter) fn set_sequence_types(
    script: &mut Script,
    expected: &Catalog,
    relation: &Relation,
) {
    for column in &relation.columns {
        set_sequence_type(script, expected, &relation.name, column);
    }
}

/// Sets the type of an identity sequence, if it differs from the type of its column.
pub(super) fn set_sequence_type(
    script: &mut Script,
    expected: &Catalog,
    table: &Name,
    column: &Column,
) {
    if let Some(sequence) = expected.identity_sequence(table, &column.name)
        && sequence.data_type != column.data_type.name.name
    {
        let alter = format!("ALTER SEQUENCE {} {}", sequence.name.sql(), sequence.sql());
        script.push(Step::Owners, alter);
    }
}

/// Returns the call that is the default of a serial column.
pub(super) fn nextval(sequence: &Name) -> String {
    let name = format!("{}.{}", quoted(&sequence.schema), quoted(&sequence.name));
    format!("nextval({})", literal(&name))
}

/// Returns the sequence options of an identity column, in parentheses. The type is left out, since
/// it is that of the column.
pub(super) fn identity_options(sequence: &Sequence) -> String {
    let options = sequence.sql();
    let options = options
        .split_once(" INCREMENT")
        .map_or("", |(_, rest)| rest);
    format!("(SEQUENCE NAME {} INCREMENT{options})", sequence.name.sql())
}

/// Drops the defaults of other columns that take their values from sequences of a dropped column.
pub(super) fn drop_defaults_of_others(
    script: &mut Script,
    (expected, actual): (&Catalog, &Catalog),
    (table, dropped): (&Name, &str),
    sequences: &[Name],
) {
    for other in actual.relations.values().filter(|other| !is_view(other)) {
        let is_dropped = |column: &&Column| other.name == *table && column.name == dropped;
        for column in other.columns.iter().filter(|column| !is_dropped(column)) {
            let uses = match &column.fill {
                Fill::Default(text) => sequences
                    .iter()
                    .any(|sequence| Dependencies::of_text(text).may_have(sequence)),
                Fill::Serial { sequence } => sequences.contains(sequence),
                _ => false,
            };
            // The sequence gets another owner before the column is dropped.
            let new = expected.relations.get(&other.name);
            let new = new.and_then(|new| inheritance::find_column(new, &column.name));
            let is_kept = new.is_some_and(|new| same_fill(&new.fill, &column.fill));
            if uses && !is_kept {
                let (sql, name) = (other.name.sql(), quoted(&column.name));
                let alter = format!("ALTER TABLE ONLY {sql} ALTER COLUMN {name} DROP DEFAULT");
                script.push(Step::Sequences, alter);
            }
        }
    }
}
