//! Constraints and indexes that differ.

use super::{Script, Step};
use crate::definition::quoted;
use crate::{Catalog, Constraint, ConstraintKind, Index, Name, Relation, RelationKind};

pub(super) fn constraint(
    script: &mut Script,
    expected: &Catalog,
    actual: &Catalog,
    (table, name): (&Name, &str),
    is_comment: bool,
) {
    let of = |catalog: &Catalog| -> Option<Constraint> {
        let relation = catalog.relations.get(table)?;
        relation
            .constraints
            .iter()
            .find(|found| found.name == name)
            .cloned()
    };
    let (sql, quoted_name) = (table.sql(), quoted(name));
    let (new, old) = (of(expected), of(actual));
    if is_comment {
        let comment = new.and_then(|new| new.comment);
        script.comment(
            &format!("CONSTRAINT {quoted_name} ON {sql}"),
            comment.as_ref(),
        );
        return;
    }
    if let Some(old) = old {
        let step = match old.kind {
            ConstraintKind::ForeignKey { .. } => Step::DropForeignKeys,
            _ => Step::DropConstraints,
        };
        script.push(
            step,
            format!("ALTER TABLE {sql} DROP CONSTRAINT {quoted_name}"),
        );
    }
    if let (Some(new), Some(relation)) = (new, expected.relations.get(table)) {
        add_constraint(script, relation, &new);
    }
}

pub(super) fn add_constraint(script: &mut Script, relation: &Relation, constraint: &Constraint) {
    let (sql, name) = (relation.name.sql(), quoted(&constraint.name));
    let step = match constraint.kind {
        ConstraintKind::ForeignKey { .. } => Step::ForeignKeys,
        _ => Step::Constraints,
    };
    let definition = constraint.sql(&relation.indexes);
    script.push(
        step,
        format!("ALTER TABLE {sql} ADD CONSTRAINT {name} {definition}"),
    );
    if constraint.comment.is_some() {
        script.comment(
            &format!("CONSTRAINT {name} ON {sql}"),
            constraint.comment.as_ref(),
        );
    }
}

pub(super) fn index(
    script: &mut Script,
    expected: &Catalog,
    actual: &Catalog,
    (table, name): (&Name, &str),
    is_comment: bool,
) {
    let sql = Name {
        schema: table.schema.clone(),
        name: name.to_owned(),
    }
    .sql();
    let has_constraint = |catalog: &Catalog| {
        let relation = catalog.relations.get(table);
        relation.is_some_and(|relation| relation.constraints.iter().any(|found| found.name == name))
    };
    let new = expected.relations.get(table);
    let index = new.and_then(|relation| relation.indexes.iter().find(|index| index.name == name));
    if is_comment {
        script.comment(
            &format!("INDEX {sql}"),
            index.and_then(|index| index.comment.as_ref()),
        );
        return;
    }
    let there = actual.relations.get(table);
    let is_there =
        there.is_some_and(|relation| relation.indexes.iter().any(|index| index.name == name));
    match (has_constraint(expected), has_constraint(actual)) {
        // The index of a constraint comes and goes with it.
        (true, true) => return constraint(script, expected, actual, (table, name), false),
        (false, false) if is_there => {
            script.push(Step::DropConstraints, format!("DROP INDEX {sql}"));
        }
        _ => {}
    }
    if let (Some(relation), Some(index)) = (new, index) {
        add_index(script, relation, index);
    }
}

/// Makes an index, unless a constraint does.
pub(super) fn add_index(script: &mut Script, relation: &Relation, index: &Index) {
    let mut constraints = relation.constraints.iter();
    if !constraints.any(|constraint| constraint.name == index.name) {
        // That of a materialized view comes after it.
        let step = match relation.kind {
            RelationKind::MaterializedView => Step::Guards,
            _ => Step::Constraints,
        };
        script.push(step, index.sql(&relation.name));
    }
    if index.comment.is_some() {
        let name = Name {
            schema: relation.name.schema.clone(),
            name: index.name.clone(),
        };
        script.comment(&format!("INDEX {}", name.sql()), index.comment.as_ref());
    }
}
