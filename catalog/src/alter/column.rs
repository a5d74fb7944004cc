//! Changes of columns.

mod change_type;
mod not_null;
mod order;
mod sequence;

pub(super) use change_type::has_assignment_cast;
pub(super) use order::note_order;
pub(super) use sequence::{
    has_identity_of_parent, identity_sequences, owned_sequences, set_sequence_types,
};

use self::change_type::{change_type, is_partition_key};
use self::not_null::{
    alter_nullability, explicit_constraint, is_name_in, not_null_constraint,
    restore_in_descendants, set_nullability,
};
use self::sequence::{
    drop_defaults_of_others, identity_options, identity_sequence, nextval, set_sequence_type,
};
use super::order::{Dependencies, Statement};
use super::recreated::is_view;
use super::{Script, Step, inheritance};
use crate::compare::{Aspect, How, same_fill};
use crate::definition::quoted;
use crate::{Catalog, Column, Fill, Name, Relation, TypeKind};

/// Adds, drops or changes a column.
pub(super) fn change(
    script: &mut Script,
    expected: &Catalog,
    actual: &Catalog,
    (table, name): (&Name, &str),
    how: &How,
) {
    let find = |catalog: &Catalog| -> Option<Column> {
        let relation = catalog.relations.get(table)?;
        relation
            .columns
            .iter()
            .find(|column| column.name == name)
            .cloned()
    };
    let (sql, quoted_name) = (table.sql(), quoted(name));
    let parents = inheritance::kept_parents(expected, actual, table);
    let (new, old) = match (find(expected), find(actual)) {
        (Some(new), Some(old)) => (new, old),
        (Some(new), None) => {
            let comes_with_type = changes_with_composite_type(expected, actual, table, name);
            let added = parents.iter().find_map(|(new, old)| {
                let is_added = inheritance::find_column(old, name).is_none();
                inheritance::find_column(new, name).filter(|_| is_added)
            });
            if comes_with_type || inherits_from_typed_table(expected, actual, table, name) {
                let plain = Column {
                    fill: Fill::Nothing,
                    not_null: false,
                    ..new.clone()
                };
                set_fill_and_nullability(script, (expected, actual), table, &new, &plain);
            } else if let Some(added) = added {
                // The parent's new column is added to the child too, with the parent's definition.
                set_fill_and_nullability(script, (expected, actual), table, &new, added);
            } else {
                add(script, (expected, actual), table, &new);
            }
            if new.comment.is_some() {
                script.comment_on(&format!("COLUMN {sql}.{quoted_name}"), new.comment.as_ref());
            }
            return;
        }
        (None, _) => {
            if changes_with_composite_type(expected, actual, table, name) {
                return;
            }
            let is_inherited = parents.iter().any(|(new, old)| {
                inheritance::find_column(new, name).is_none()
                    && inheritance::find_column(old, name).is_some()
            });
            if let Some(user) = generated_column_with(expected, actual, table, name) {
                script.note(format!(
                    "{sql}.{quoted_name} is not dropped, since the generated column {} uses it",
                    quoted(&user)
                ));
                return;
            }
            if is_partition_key(actual, table, name) {
                script.note(format!(
                    "{sql}.{quoted_name} is not dropped, since it is part of a partition key"
                ));
                return;
            }
            // IF EXISTS: the column of a child may have been dropped with its parent's.
            let exists = if is_inherited { "IF EXISTS " } else { "" };
            let is_generated = |column: &Column| matches!(column.fill, Fill::Generated { .. });
            let step = match find(actual) {
                Some(old) if is_generated(&old) => Step::DropGenerated,
                _ => Step::Columns,
            };
            // A partition that keeps the column is detached before.
            let relation = actual.relations.get(table);
            let is_partitioned = relation.is_some_and(|relation| relation.partition_by.is_some());
            let mut children = inheritance::descendants(actual, table).into_iter();
            let is_kept = !is_partitioned
                && children.any(|child| {
                    let child = expected.relations.get(&child);
                    child.is_some_and(|child| inheritance::find_column(child, name).is_some())
                });
            // ONLY: a child keeps the column.
            let only = if is_kept { "ONLY " } else { "" };
            let drop = format!("ALTER TABLE {only}{sql} DROP COLUMN {exists}{quoted_name}");
            let sequences = owned_sequences(actual, table, Some(name));
            drop_defaults_of_others(script, (expected, actual), (table, name), &sequences);
            if let Some(constraint) = find(actual).and_then(|old| old.not_null_constraint)
                && is_name_in(expected, table, &constraint.name)
            {
                let alter = format!("ALTER TABLE {sql} ALTER COLUMN {quoted_name} DROP NOT NULL");
                script.push(Step::DropGenerated, alter);
            }
            script.add(Statement::of_text(step, drop).also_dropping(sequences));
            return;
        }
    };
    let Some(aspect) = how.aspect() else {
        return;
    };
    match aspect {
        Aspect::Type | Aspect::Collation => {
            let is_inherited = parents.iter().any(|(new, old)| {
                let pair =
                    inheritance::find_column(new, name).zip(inheritance::find_column(old, name));
                pair.is_some_and(|(new, old)| !inheritance::is_same_type(new, old))
            });
            if is_inherited || changes_with_composite_type(expected, actual, table, name) {
                return;
            }
            change_type(script, (expected, actual), table, (&new, &old));
        }
        Aspect::Nullability => {
            set_nullability(script, (expected, actual), table, &new);
            // The statement changes the children too, also those that are expected to keep theirs.
            restore_in_descendants(script, expected, actual, table, &new);
        }
        Aspect::NotNullConstraint => not_null_constraint(script, &parents, table, (&new, &old)),
        Aspect::Comment => {
            script.comment_on(&format!("COLUMN {sql}.{quoted_name}"), new.comment.as_ref());
        }
        _ => change_fill(script, (expected, actual), table, (&new, &old)),
    }
}

/// Adds a column. Its position orders the statements, so that columns are added in order.
fn add(script: &mut Script, (expected, actual): (&Catalog, &Catalog), table: &Name, new: &Column) {
    let relation = expected.relations.get(table);
    let mut columns = relation.into_iter().flat_map(|relation| &relation.columns);
    let index = columns.position(|column| column.name == new.name);
    script.column_position = index.map_or(0, |index| index + 1);
    // PostgreSQL does not add an identity column to a table with children.
    let is_added_later = is_identity(new)
        && relation.is_some_and(|relation| relation.partition_by.is_none())
        && !inheritance::descendants(actual, table).is_empty();
    if is_added_later {
        let plain = Column {
            fill: Fill::Nothing,
            ..new.clone()
        };
        add(script, (expected, actual), table, &plain);
        script.column_position = usize::MAX;
        change_fill(script, (expected, actual), table, (new, &plain));
        script.column_position = 0;
        return;
    }
    let definition = definition((expected, actual), table, new);
    let add = format!("ALTER TABLE {} ADD COLUMN {definition}", table.sql());
    let sequence = identity_sequence(expected, table, &new.name);
    let statement = Statement::of_text(Step::Columns, add).also_creating(sequence);
    script.add(statement.making_column(table, &new.name));
    script.column_position = 0;
    set_sequence_type(script, expected, table, new);
}

/// Returns the generated column that uses the given column and stays generated.
fn generated_column_with(
    expected: &Catalog,
    actual: &Catalog,
    table: &Name,
    column: &str,
) -> Option<String> {
    let new = expected.relations.get(table)?;
    let mut columns = actual.relations.get(table)?.columns.iter();
    let user = columns.find(|candidate| {
        let Fill::Generated { expression, .. } = &candidate.fill else {
            return false;
        };
        let uses = bowline_sql::tokens(expression).any(|token| token.is_name(column));
        let kept = inheritance::find_column(new, &candidate.name);
        uses && kept.is_some_and(|kept| matches!(kept.fill, Fill::Generated { .. }))
    });
    user.map(|user| user.name.clone())
}

/// Changes the fill of a column: its default, identity or generation expression.
fn change_fill(
    script: &mut Script,
    (expected, actual): (&Catalog, &Catalog),
    table: &Name,
    (new, old): (&Column, &Column),
) {
    let (sql, name) = (table.sql(), quoted(&new.name));
    // The identity comes from the parent, and a default would prevent that.
    if has_identity_of_parent(expected, table, new) {
        if matches!(old.fill, Fill::Default(_) | Fill::Serial { .. }) {
            let drop = format!("ALTER TABLE {sql} ALTER COLUMN {name} DROP DEFAULT");
            script.push(Step::Sequences, drop);
        }
        if matches!(old.fill, Fill::Generated { .. }) {
            let drop = format!("ALTER TABLE {sql} ALTER COLUMN {name} DROP EXPRESSION");
            script.push(Step::Sequences, drop);
        }
        return;
    }
    let relation = expected.relations.get(table);
    // ONLY: the default of a child does not change with that of its parent.
    let has_children = !inheritance::descendants(actual, table).is_empty();
    let only = match relation {
        Some(relation) if is_view(relation) => "",
        _ if has_children && !is_identity(new) && !is_identity(old) => "ONLY ",
        _ => "",
    };
    let alter = |what: String| format!("ALTER TABLE {only}{sql} ALTER COLUMN {name} {what}");
    alter_fill(script, table, &alter, (expected, actual), (new, old));
    if let (Fill::Identity { .. }, false) = (&new.fill, is_identity(old)) {
        let options = expected
            .identity_sequence(table, &new.name)
            .map(identity_options);
        let add = format!("ADD {} {}", new.fill.sql(), options.unwrap_or_default());
        let add = alter(add);
        let sequence = identity_sequence(expected, table, &new.name);
        script.add(Statement::of_text(Step::Columns, add).also_creating(sequence));
        set_sequence_type(script, expected, table, new);
    }
}

/// Returns true if a change of the table's composite type adds, drops or changes the column.
fn changes_with_composite_type(
    expected: &Catalog,
    actual: &Catalog,
    table: &Name,
    column: &str,
) -> bool {
    let of_type = |catalog: &Catalog| catalog.relations.get(table)?.of_type.clone();
    let (Some(new), Some(old)) = (of_type(expected), of_type(actual)) else {
        return false;
    };
    let attribute = |catalog: &Catalog| {
        let kind = catalog.types.get(&new).map(|found| &found.kind);
        let Some(TypeKind::Composite { attributes }) = kind else {
            return None;
        };
        attributes
            .iter()
            .find(|attribute| attribute.name == column)
            .cloned()
    };
    new == old && attribute(expected) != attribute(actual)
}

/// Returns true if a table inherits a new column from a typed table. The column then has no default
/// and no NOT NULL.
fn inherits_from_typed_table(
    expected: &Catalog,
    actual: &Catalog,
    table: &Name,
    column: &str,
) -> bool {
    let parents = inheritance::kept_parents(expected, actual, table);
    parents.iter().any(|(parent, _)| {
        changes_with_composite_type(expected, actual, &parent.name, column)
            || inherits_from_typed_table(expected, actual, &parent.name, column)
    })
}

/// Changes the fill and the nullability of a column that a parent or type adds as `old`.
fn set_fill_and_nullability(
    script: &mut Script,
    catalogs: (&Catalog, &Catalog),
    table: &Name,
    new: &Column,
    old: &Column,
) {
    // The sequence of a parent's column belongs to the parent. The child has a default only.
    let mut old = old.clone();
    if let Fill::Serial { sequence } = &old.fill {
        old.fill = Fill::Default(nextval(sequence));
    }
    if !same_fill(&new.fill, &old.fill) {
        change_fill(script, catalogs, table, (new, &old));
    }
    if new.not_null != old.not_null {
        alter_nullability(script, table, new);
    }
}

/// Sets the defaults, identities and NOT NULL of the columns of a new typed table.
pub(super) fn complete_typed_table(
    script: &mut Script,
    catalogs: (&Catalog, &Catalog),
    relation: &Relation,
) {
    for column in &relation.columns {
        if column.not_null {
            set_nullability(script, catalogs, &relation.name, column);
        }
        if column.fill != Fill::Nothing {
            let bare = Column {
                fill: Fill::Nothing,
                ..column.clone()
            };
            change_fill(script, catalogs, &relation.name, (column, &bare));
        }
    }
}

/// Drops the defaults that a new child inherits from a parent but should not have.
pub(super) fn drop_inherited_defaults(
    script: &mut Script,
    expected: &Catalog,
    relation: &Relation,
) {
    for column in relation
        .columns
        .iter()
        .filter(|column| column.fill == Fill::Nothing)
    {
        // A new parent loses its own inherited default only after its children are created.
        let ancestors = inheritance::ancestors(expected, &relation.name);
        let is_inherited = ancestors.iter().any(|ancestor| {
            let ancestor = expected.relations.get(ancestor);
            let inherited =
                ancestor.and_then(|ancestor| inheritance::find_column(ancestor, &column.name));
            inherited
                .is_some_and(|column| matches!(column.fill, Fill::Default(_) | Fill::Serial { .. }))
        });
        let generated = ancestors.iter().find(|ancestor| {
            let ancestor = expected.relations.get(ancestor);
            let inherited =
                ancestor.and_then(|ancestor| inheritance::find_column(ancestor, &column.name));
            inherited.is_some_and(|column| matches!(column.fill, Fill::Generated { .. }))
        });
        if let Some(parent) = generated {
            script.note(format!(
                "{}.{} should not be generated, but a new child inherits that from {}",
                relation.name.sql(),
                quoted(&column.name),
                parent.sql()
            ));
        }
        if is_inherited {
            let (sql, name) = (relation.name.sql(), quoted(&column.name));
            let alter = format!("ALTER TABLE ONLY {sql} ALTER COLUMN {name} DROP DEFAULT");
            script.push(Step::Columns, alter);
        }
    }
}

fn is_identity(column: &Column) -> bool {
    matches!(column.fill, Fill::Identity { .. })
}

/// Changes the fill of a column, but adds no identity. The old sequence is dropped first, since the
/// new one may have the same name.
fn alter_fill(
    script: &mut Script,
    table: &Name,
    alter: &dyn Fn(String) -> String,
    (expected, actual): (&Catalog, &Catalog),
    (new, old): (&Column, &Column),
) {
    let is_generated = |column: &Column| matches!(column.fill, Fill::Generated { .. });
    if is_generated(new) {
        script.unattachable.insert(table.clone());
        script
            .unchanged_columns
            .insert((table.clone(), new.name.clone()));
        script.note(format!(
            "{}.{} should be {}: drop the column and add it again",
            table.sql(),
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
        // A partition shares the identity of its parent, and loses it with the parent.
        Fill::Identity { .. } if has_identity_of_parent(actual, table, old) => {}
        Fill::Identity { .. } => {
            let sequences = owned_sequences(actual, table, Some(&old.name));
            let drop = alter("DROP IDENTITY".to_owned());
            script.add(Statement::of_text(Step::Sequences, drop).also_dropping(sequences));
        }
        // The expression is dropped in the children too, so the statement has no ONLY.
        Fill::Generated { .. } => {
            let drop = alter("DROP EXPRESSION".to_owned());
            script.push(Step::Sequences, drop.replacen("TABLE ONLY ", "TABLE ", 1));
        }
        Fill::Serial { sequence } => {
            script.push(Step::Sequences, alter("DROP DEFAULT".to_owned()));
            // The sequence of a new identity has this name. Otherwise the difference of the
            // sequence drops it, when no child uses it any more.
            let new_sequence = expected.sequences.get(sequence);
            if new_sequence.is_some_and(|new_sequence| new_sequence.identity) {
                let drop = format!("DROP SEQUENCE {}", sequence.sql());
                script.drop(Step::Sequences, drop, sequence, Dependencies::default());
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
            let old_sequence = actual.sequences.get(sequence);
            if old_sequence.is_none_or(|old_sequence| old_sequence.identity)
                && let Some(sequence) = expected.sequences.get(sequence)
            {
                super::sequence::create(script, sequence);
            }
            let default = nextval(sequence);
            script.push(Step::Columns, alter(format!("SET DEFAULT {default}")));
        }
        Fill::Identity { .. } if matches!(old.fill, Fill::Default(_)) => {
            script.push(Step::Sequences, alter("DROP DEFAULT".to_owned()));
        }
        _ => {}
    }
}

/// Returns the definition of a column for `CREATE TABLE` or `ADD COLUMN`, with its sequence by
/// name. An identity that comes from the parent is left out.
pub(super) fn definition(
    (catalog, actual): (&Catalog, &Catalog),
    table: &Name,
    column: &Column,
) -> String {
    let mut column = column.clone();
    if has_identity_of_parent(catalog, table, &column) {
        column.fill = Fill::Nothing;
    }
    let sql = definition_with_sequence(catalog, table, &column);
    match explicit_constraint((catalog, actual), table, &column) {
        Some(constraint) => {
            let sql = sql.strip_suffix(" NOT NULL").unwrap_or(&sql);
            format!("{sql} {}", constraint.sql())
        }
        None => sql,
    }
}

/// Returns the definition of a column with the name of its sequence.
fn definition_with_sequence(catalog: &Catalog, table: &Name, column: &Column) -> String {
    match &column.fill {
        Fill::Serial { sequence } => {
            let plain = Column {
                fill: Fill::Default(nextval(sequence)),
                ..column.clone()
            };
            plain.sql()
        }
        Fill::Identity { .. } => {
            let options = catalog.identity_sequence(table, &column.name);
            options.map_or_else(
                || column.sql(),
                |sequence| {
                    let options = format!(" AS IDENTITY {}", identity_options(sequence));
                    column.sql().replacen(" AS IDENTITY", &options, 1)
                },
            )
        }
        _ => column.sql(),
    }
}
