//! Tables and views that differ.

use super::{Script, Step, attached, column, constraint};
use crate::compare::{How, Subject};
use crate::definition::quoted;
use crate::{Catalog, ConstraintKind, Name, Relation, RelationKind};

pub(super) fn mend(
    script: &mut Script,
    expected: &Catalog,
    actual: &Catalog,
    name: &Name,
    how: &How,
) {
    let word = |relation: &Relation| match relation.kind {
        RelationKind::View => "VIEW",
        RelationKind::MaterializedView => "MATERIALIZED VIEW",
        RelationKind::ForeignTable => "FOREIGN TABLE",
        _ => "TABLE",
    };
    let sql = name.sql();
    match (
        expected.relations.get(name),
        actual.relations.get(name),
        how,
    ) {
        (Some(relation), None, _) => create(script, expected, relation),
        (None, Some(relation), _) => {
            // A view is in the way of changes to what it reads.
            let step = match relation.kind {
                RelationKind::View | RelationKind::MaterializedView => Step::DropForeignKeys,
                _ => Step::DropTables,
            };
            for constraint in &relation.constraints {
                if let ConstraintKind::ForeignKey { .. } = constraint.kind {
                    let name = quoted(&constraint.name);
                    let drop = format!("ALTER TABLE {sql} DROP CONSTRAINT {name}");
                    script.push(Step::DropForeignKeys, drop);
                }
            }
            let word = word(relation);
            script.push(step, format!("DROP {word} {sql}"));
        }
        (Some(relation), Some(_), How::Differs { aspect, .. }) if *aspect == "its comment" => {
            script.comment(
                &format!("{} {sql}", word(relation)),
                relation.comment.as_ref(),
            );
        }
        (Some(relation), Some(_), How::Differs { aspect, .. })
            if aspect.starts_with("its row level security") =>
        {
            attached::row_security(script, relation);
        }
        (Some(relation), Some(_), How::Differs { aspect, .. })
            if matches!(*aspect, "its query" | "the list of its options")
                && attached::view(script, relation, true) =>
        {
            of_view_made_anew(script, expected, relation);
        }
        (
            Some(_),
            Some(_),
            How::Differs {
                aspect,
                left,
                right,
            },
        ) => script.beyond.push(format!(
            "{sql}: {aspect} should be {left} and is {right}, which no ALTER TABLE changes"
        )),
        _ => {}
    }
}

fn create(script: &mut Script, expected: &Catalog, relation: &Relation) {
    let sql = relation.name.sql();
    let of = match (
        relation.parents.as_slice(),
        &relation.partition_bound,
        &relation.of_type,
    ) {
        ([parent], Some(bound), _) => format!(" PARTITION OF {} {bound}", parent.sql()),
        (_, _, Some(of_type)) => format!(" OF {}", of_type.sql()),
        ([], ..) => String::new(),
        (parents, ..) => {
            let parents: Vec<String> = parents.iter().map(Name::sql).collect();
            format!(" INHERITS ({})", parents.join(", "))
        }
    };
    match relation.kind {
        RelationKind::View | RelationKind::MaterializedView
            if attached::view(script, relation, false) =>
        {
            of_view(script, expected, relation);
            return;
        }
        RelationKind::View | RelationKind::MaterializedView | RelationKind::ForeignTable => {
            script.beyond.push(format!(
                "{sql} is to be made: the catalog does not have its definition, a migration does"
            ));
            return;
        }
        _ => {}
    }
    let columns: Vec<String> = relation
        .columns
        .iter()
        .map(|column| column::definition(expected, &relation.name, column))
        .collect();
    let partition_by = relation.partition_by.as_ref();
    let partition_by = partition_by.map_or(String::new(), |by| format!(" PARTITION BY {by}"));
    let is_bare = of.starts_with(" PARTITION OF") || of.starts_with(" OF");
    let columns = if is_bare {
        String::new()
    } else {
        format!(" ({})", columns.join(", "))
    };
    let statement = if of.starts_with(" INHERITS") {
        format!("CREATE TABLE {sql}{columns}{of}{partition_by}")
    } else {
        format!("CREATE TABLE {sql}{of}{columns}{partition_by}")
    };
    script.push(Step::Tables, statement);
    comments(script, "TABLE", relation);
    guards(script, expected, relation);
    // A partition gets what its parent has.
    let parent = relation
        .partition_bound
        .as_ref()
        .and(relation.parents.first())
        .and_then(|parent| expected.relations.get(parent));
    for constraint in &relation.constraints {
        let is_given = parent.is_some_and(|parent| {
            let mut constraints = parent.constraints.iter();
            constraints.any(|of_parent| of_parent.kind == constraint.kind)
        });
        if !is_given {
            constraint::add_constraint(script, relation, constraint);
        }
    }
    for index in &relation.indexes {
        let is_given = parent.is_some_and(|parent| {
            let mut indexes = parent.indexes.iter();
            indexes.any(|of_parent| of_parent.keys == index.keys)
        });
        if !is_given {
            constraint::add_index(script, relation, index);
        }
    }
}

/// The comments of a new table or view and of its columns.
fn comments(script: &mut Script, word: &str, relation: &Relation) {
    let sql = relation.name.sql();
    if relation.comment.is_some() {
        script.comment(&format!("{word} {sql}"), relation.comment.as_ref());
    }
    for column in &relation.columns {
        if column.comment.is_some() {
            let on = format!("COLUMN {sql}.{}", quoted(&column.name));
            script.comment(&on, column.comment.as_ref());
        }
    }
}

/// What hangs on a view whose query was replaced: a materialized view is dropped for that, and all of it with it.
pub(super) fn of_view_made_anew(script: &mut Script, expected: &Catalog, relation: &Relation) {
    if relation.kind == RelationKind::MaterializedView {
        of_view(script, expected, relation);
    }
}

/// What hangs on a new view, its indexes among it.
pub(super) fn of_view(script: &mut Script, expected: &Catalog, relation: &Relation) {
    let word = match relation.kind {
        RelationKind::MaterializedView => "MATERIALIZED VIEW",
        _ => "VIEW",
    };
    comments(script, word, relation);
    guards(script, expected, relation);
    for index in &relation.indexes {
        constraint::add_index(script, relation, index);
    }
}

/// What hangs on a new table or view.
fn guards(script: &mut Script, expected: &Catalog, relation: &Relation) {
    let nothing = Catalog::default();
    let on = format!("TABLE {}", relation.name.sql());
    super::privilege::of_new(script, &on, &relation.attached.privileges);
    let (table, attached) = (&relation.name, &relation.attached);
    if attached.row_security || attached.force_row_security {
        attached::row_security(script, relation);
    }
    let triggers = attached.triggers.iter().map(|own| &own.name);
    let triggers = triggers.map(|name| Subject::Trigger(table.clone(), name.clone()));
    let policies = attached.policies.iter().map(|own| &own.name);
    let policies = policies.map(|name| Subject::Policy(table.clone(), name.clone()));
    let rules = attached.rules.iter().map(|own| &own.name);
    let rules = rules.map(|name| Subject::Rule(table.clone(), name.clone()));
    for subject in triggers.chain(policies).chain(rules) {
        attached::part(script, expected, &nothing, &subject, false);
    }
}
