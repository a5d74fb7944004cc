//! Columns that differ.

use super::{Script, Step, attached, create_sequence, relation};
use crate::compare::How;
use crate::definition::{literal, quoted};
use crate::{Catalog, Column, Fill, Name, RelationKind, Sequence};

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
            relation::of_view(script, expected, relation);
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

/// A column as `CREATE TABLE` has it, with its sequence by name.
pub(super) fn definition(catalog: &Catalog, table: &Name, column: &Column) -> String {
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
