//! Tables, columns, constraints and indexes that are to become others.

use super::attached;
use super::{Script, Step, create_sequence};
use crate::compare::{How, Subject};
use crate::definition::{literal, quoted};
use crate::{
    Catalog, Column, Constraint, ConstraintKind, Fill, Index, Name, Relation, RelationKind,
    Sequence,
};

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
        .map(|column| definition(expected, &relation.name, column))
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
            add_constraint(script, relation, constraint);
        }
    }
    for index in &relation.indexes {
        let is_given = parent.is_some_and(|parent| {
            let mut indexes = parent.indexes.iter();
            indexes.any(|of_parent| of_parent.keys == index.keys)
        });
        if !is_given {
            add_index(script, relation, index);
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
fn of_view_made_anew(script: &mut Script, expected: &Catalog, relation: &Relation) {
    if relation.kind == RelationKind::MaterializedView {
        of_view(script, expected, relation);
    }
}

/// What hangs on a new view, its indexes among it.
fn of_view(script: &mut Script, expected: &Catalog, relation: &Relation) {
    let word = match relation.kind {
        RelationKind::MaterializedView => "MATERIALIZED VIEW",
        _ => "VIEW",
    };
    comments(script, word, relation);
    guards(script, expected, relation);
    for index in &relation.indexes {
        add_index(script, relation, index);
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

/// A column as `CREATE TABLE` has it, with its sequence by name.
fn definition(catalog: &Catalog, table: &Name, column: &Column) -> String {
    match &column.fill {
        Fill::Serial { sequence } => {
            let plain = Column {
                fill: Fill::Default(next_value(sequence)),
                ..column.clone()
            };
            plain.sql()
        }
        Fill::Identity { .. } => {
            let options = catalog.identity_sequence(table, &column.name);
            options.map_or_else(
                || column.sql(),
                |sequence| {
                    let options = format!(" AS IDENTITY {}", identity(sequence));
                    column.sql().replacen(" AS IDENTITY", &options, 1)
                },
            )
        }
        _ => column.sql(),
    }
}

fn next_value(sequence: &Name) -> String {
    let name = format!("{}.{}", quoted(&sequence.schema), quoted(&sequence.name));
    format!("nextval({})", literal(&name))
}

/// The sequence of an identity column, in parentheses; its type is the column's.
fn identity(sequence: &Sequence) -> String {
    let options = sequence.sql();
    let options = options
        .split_once(" INCREMENT")
        .map_or("", |(_, rest)| rest);
    format!("(SEQUENCE NAME {} INCREMENT{options})", sequence.name.sql())
}

pub(super) fn column(
    script: &mut Script,
    expected: &Catalog,
    actual: &Catalog,
    (table, name): (&Name, &str),
    how: &How,
) {
    let of = |catalog: &Catalog| -> Option<Column> {
        let relation = catalog.relations.get(table)?;
        relation
            .columns
            .iter()
            .find(|column| column.name == name)
            .cloned()
    };
    let (sql, quoted_name) = (table.sql(), quoted(name));
    let alter = |what: String| format!("ALTER TABLE {sql} ALTER COLUMN {quoted_name} {what}");
    // No ALTER VIEW takes a column away or gives it a type: the view is made anew.
    let views = (expected.relations.get(table), actual.relations.get(table));
    if let (Some(relation), Some(old)) = views
        && matches!(
            old.kind,
            RelationKind::View | RelationKind::MaterializedView
        )
        && old.kind == relation.kind
        && !matches!(how, How::Differs { aspect, .. } if *aspect == "its comment")
    {
        if attached::view(script, relation, true) {
            if relation.kind == RelationKind::View {
                script.push(Step::DropViews, format!("DROP VIEW {sql}"));
            }
            of_view(script, expected, relation);
        } else {
            script.beyond.push(format!(
                "{sql} is to be made anew: the catalog does not have its definition, a migration does"
            ));
        }
        return;
    }
    let (new, old) = match (of(expected), of(actual)) {
        (Some(new), Some(old)) => (new, old),
        (Some(new), None) => {
            let definition = definition(expected, table, &new);
            script.push(
                Step::Columns,
                format!("ALTER TABLE {sql} ADD COLUMN {definition}"),
            );
            if new.comment.is_some() {
                script.comment(&format!("COLUMN {sql}.{quoted_name}"), new.comment.as_ref());
            }
            return;
        }
        (None, _) => {
            script.push(
                Step::Columns,
                format!("ALTER TABLE {sql} DROP COLUMN {quoted_name}"),
            );
            return;
        }
    };
    let How::Differs { aspect, .. } = how else {
        return;
    };
    match *aspect {
        "its type" | "its collation" => {
            let data_type = new.data_type.sql();
            let collation = new.collation.as_deref();
            let collation =
                collation.map_or(String::new(), |name| format!(" COLLATE {}", quoted(name)));
            script.push(
                Step::Columns,
                alter(format!(
                    "TYPE {data_type}{collation} USING {quoted_name}::{data_type}"
                )),
            );
        }
        "its nullability" => {
            let what = if new.not_null {
                "SET NOT NULL"
            } else {
                "DROP NOT NULL"
            };
            script.push(Step::Columns, alter(what.to_owned()));
        }
        "its comment" => {
            script.comment(&format!("COLUMN {sql}.{quoted_name}"), new.comment.as_ref());
        }
        _ => {
            fill(script, &alter, (expected, actual), (&new, &old));
            if let (Fill::Identity { .. }, false) = (&new.fill, is_identity(&old)) {
                let options = expected.identity_sequence(table, name).map(identity);
                let add = format!("ADD {} {}", new.fill.sql(), options.unwrap_or_default());
                script.push(Step::Columns, alter(add));
            }
        }
    }
}

fn is_identity(column: &Column) -> bool {
    matches!(column.fill, Fill::Identity { .. })
}

/// What fills a column, but for a new identity: the old goes before the new comes, since both may have a sequence of
/// one name.
fn fill(
    script: &mut Script,
    alter: &dyn Fn(String) -> String,
    (expected, actual): (&Catalog, &Catalog),
    (new, old): (&Column, &Column),
) {
    let is_generated = |column: &Column| matches!(column.fill, Fill::Generated { .. });
    if is_generated(new) {
        script.beyond.push(format!(
            "{} should be {}: drop the column and add it anew",
            quoted(&new.name),
            new.fill.sql()
        ));
        return;
    }
    match &old.fill {
        Fill::Identity { .. } if is_identity(new) => {
            let always = new.fill == Fill::Identity { always: true };
            let what = if always { "ALWAYS" } else { "BY DEFAULT" };
            script.push(Step::Columns, alter(format!("SET GENERATED {what}")));
            return;
        }
        Fill::Identity { .. } => script.push(Step::Sequences, alter("DROP IDENTITY".to_owned())),
        Fill::Generated { .. } => script.push(Step::Sequences, alter("DROP EXPRESSION".to_owned())),
        Fill::Serial { sequence } => {
            script.push(Step::Sequences, alter("DROP DEFAULT".to_owned()));
            let stays = expected.sequences.get(sequence);
            if stays.is_none_or(|stays| stays.identity) {
                let drop = format!("DROP SEQUENCE {}", sequence.sql());
                script.push(Step::Sequences, drop);
            }
        }
        Fill::Default(_) | Fill::Nothing => {}
    }
    match &new.fill {
        Fill::Default(default) => {
            script.push(Step::Columns, alter(format!("SET DEFAULT {default}")));
        }
        Fill::Nothing if matches!(old.fill, Fill::Default(_)) => {
            script.push(Step::Columns, alter("DROP DEFAULT".to_owned()));
        }
        Fill::Serial { sequence } => {
            let is_there = actual.sequences.get(sequence);
            if is_there.is_none_or(|is_there| is_there.identity)
                && let Some(sequence) = expected.sequences.get(sequence)
            {
                create_sequence(script, sequence);
            }
            let default = next_value(sequence);
            script.push(Step::Columns, alter(format!("SET DEFAULT {default}")));
        }
        Fill::Identity { .. } if matches!(old.fill, Fill::Default(_)) => {
            script.push(Step::Sequences, alter("DROP DEFAULT".to_owned()));
        }
        _ => {}
    }
}

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

fn add_constraint(script: &mut Script, relation: &Relation, constraint: &Constraint) {
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
fn add_index(script: &mut Script, relation: &Relation, index: &Index) {
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
