//! Changes of constraints and indexes.

use super::order::Statement;
use super::{Script, Step, inheritance};
use crate::definition::quoted;
use crate::routine::{Routine, Volatility};
use crate::{Catalog, Constraint, ConstraintKind, Index, IndexKey, Name, Relation, RelationKind};

/// Drops, creates or replaces a constraint, or changes its comment.
pub(super) fn change(
    script: &mut Script,
    expected: &Catalog,
    actual: &Catalog,
    (table, name): (&Name, &str),
    only_comment: bool,
) {
    let find = |catalog: &Catalog| -> Option<Constraint> {
        let relation = catalog.relations.get(table)?;
        relation
            .constraints
            .iter()
            .find(|found| found.name == name)
            .cloned()
    };
    let (sql, quoted_name) = (table.sql(), quoted(name));
    let (new, old) = (find(expected), find(actual));
    if only_comment {
        let comment = new.and_then(|new| new.comment);
        script.comment_on(
            &format!("CONSTRAINT {quoted_name} ON {sql}"),
            comment.as_ref(),
        );
        return;
    }
    if let Some(old) = old {
        drop_constraint(script, table, &old, has_parents(actual, table));
        if let ConstraintKind::PrimaryKey { columns } | ConstraintKind::Unique { columns, .. } =
            &old.kind
        {
            recreate_foreign_keys_to(script, expected, actual, table, columns);
        }
        recreate_in_descendants(script, expected, actual, table, &old);
        // The index is dropped with the constraint, but may be expected without it.
        if let Some(relation) = expected.relations.get(table)
            && old.kind.has_index()
            && let Some(index) = find_index(relation, name)
        {
            add_index(script, expected, relation, index);
        }
    }
    if let (Some(new), Some(relation)) = (new, expected.relations.get(table)) {
        // The new constraint needs the name of an index that is not its own.
        if let Some(relation) = actual.relations.get(table)
            && new.kind.has_index()
            && let Some(old) = find_index(relation, name)
            && !is_constraint_index(relation, name)
        {
            drop_index(script, expected, actual, table, old);
        }
        add_constraint(script, expected, relation, &new);
    }
}

fn find_index<'r>(relation: &'r Relation, name: &str) -> Option<&'r Index> {
    relation.indexes.iter().find(|index| index.name == name)
}

fn has_parents(catalog: &Catalog, table: &Name) -> bool {
    let relation = catalog.relations.get(table);
    relation.is_some_and(|relation| !relation.parents.is_empty())
}

/// Drops a constraint, unless the script already does.
pub(super) fn drop_constraint(
    script: &mut Script,
    table: &Name,
    old: &Constraint,
    may_be_dropped: bool,
) {
    let step = match old.kind {
        ConstraintKind::ForeignKey { .. } => Step::DropForeignKeys,
        _ => Step::DropConstraints,
    };
    // IF EXISTS: the constraint of a child or partition may be dropped with that of its parent.
    let exists = if may_be_dropped { "IF EXISTS " } else { "" };
    let (sql, name) = (table.sql(), quoted(&old.name));
    let drop = |exists: &str| format!("ALTER TABLE {sql} DROP CONSTRAINT {exists}{name}");
    if !script.has(step, &drop("")) && !script.has(step, &drop("IF EXISTS ")) {
        script.push(step, drop(exists));
    }
}

/// Drops and recreates the foreign keys that reference a key.
fn recreate_foreign_keys_to(
    script: &mut Script,
    expected: &Catalog,
    actual: &Catalog,
    table: &Name,
    key: &[String],
) {
    for relation in actual.relations.values() {
        for foreign_key in &relation.constraints {
            let ConstraintKind::ForeignKey {
                references,
                referenced_columns,
                ..
            } = &foreign_key.kind
            else {
                continue;
            };
            let mut columns = referenced_columns.clone();
            let mut key = key.to_vec();
            columns.sort();
            key.sort();
            if references != table || columns != key {
                continue;
            }
            let may_be_dropped = has_parents(actual, &relation.name);
            drop_constraint(script, &relation.name, foreign_key, may_be_dropped);
            let new = expected.relations.get(&relation.name);
            if let Some(new) = new
                && let Some(foreign_key) = inheritance::find_constraint(new, &foreign_key.name)
            {
                add_constraint(script, expected, new, foreign_key);
            }
        }
    }
}

/// Recreates the constraints of children and partitions that are dropped with one of the parent.
fn recreate_in_descendants(
    script: &mut Script,
    expected: &Catalog,
    actual: &Catalog,
    table: &Name,
    old: &Constraint,
) {
    for child in inheritance::descendants(actual, table) {
        let (Some(new), Some(old_child)) =
            (expected.relations.get(&child), actual.relations.get(&child))
        else {
            continue;
        };
        if inheritance::kept_parents(expected, actual, &child).is_empty() {
            continue;
        }
        let is_check = matches!(old.kind, ConstraintKind::Check { .. });
        let kept: Vec<&Constraint> = old_child
            .constraints
            .iter()
            .filter(|constraint| {
                constraint.name == old.name
                    || (old_child.partition_bound.is_some()
                        && !is_check
                        && constraint.kind == old.kind)
            })
            .filter_map(|old| inheritance::find_constraint(new, &old.name))
            .collect();
        let depth = script.depth;
        script.depth = inheritance::depth(actual, &child).max(depth + 1);
        for constraint in kept {
            drop_constraint(script, &child, constraint, true);
            add_constraint(script, expected, new, constraint);
        }
        script.depth = depth;
    }
}

/// Returns true for the exclusion constraint of a partition whose parent has the same one. It is
/// created with that of the parent, or when the partition is attached: an existing one is not used.
fn is_created_with_parent(
    expected: &Catalog,
    relation: &Relation,
    constraint: &Constraint,
) -> bool {
    let is_exclusion = matches!(constraint.kind, ConstraintKind::Exclude { .. });
    let definition = constraint.sql(&relation.indexes);
    let mut parents = relation.parents.iter();
    is_exclusion
        && relation.partition_bound.is_some()
        && parents.any(|parent| {
            let parent = expected.relations.get(parent);
            parent.is_some_and(|parent| {
                let mut constraints = parent.constraints.iter();
                constraints.any(|other| other.sql(&parent.indexes) == definition)
            })
        })
}

/// Creates a constraint.
pub(super) fn add_constraint(
    script: &mut Script,
    expected: &Catalog,
    relation: &Relation,
    constraint: &Constraint,
) {
    if is_created_with_parent(expected, relation, constraint) {
        return;
    }
    let (sql, name) = (relation.name.sql(), quoted(&constraint.name));
    let step = match constraint.kind {
        ConstraintKind::ForeignKey { .. } => Step::ForeignKeys,
        // A new primary key adopts the unique constraint of a partition that is attached before. If
        // the partition were attached afterwards, PostgreSQL would create a second constraint on
        // it.
        ConstraintKind::PrimaryKey { .. } if has_partition_without_key(expected, relation) => {
            Step::Attached
        }
        _ => Step::Constraints,
    };
    let mut definition = constraint.sql(&relation.indexes);
    // Only an index that existed before gives a primary key NULLS NOT DISTINCT.
    if let (ConstraintKind::PrimaryKey { .. }, Some(index)) =
        (&constraint.kind, find_index(relation, &constraint.name))
        && index.nulls_not_distinct
    {
        script.push(step, index.sql(&relation.name));
        definition = format!("PRIMARY KEY USING INDEX {name}");
    }
    let add = format!("ALTER TABLE {sql} ADD CONSTRAINT {name} {definition}");
    let mut statement = Statement::of_text(step, add).making_part(&relation.name, &constraint.name);
    if is_constraint_index(relation, &constraint.name) {
        let index = index_name(&relation.name, &constraint.name);
        statement = statement.also_creating([index]);
    }
    script.add(statement);
    if constraint.comment.is_some() {
        script.comment_on(
            &format!("CONSTRAINT {name} ON {sql}"),
            constraint.comment.as_ref(),
        );
    }
}

/// Drops, creates or replaces an index, or changes its comment.
pub(super) fn change_index(
    script: &mut Script,
    expected: &Catalog,
    actual: &Catalog,
    (table, name): (&Name, &str),
    only_comment: bool,
) {
    let sql = index_name(table, name).sql();
    let has_constraint = |catalog: &Catalog| {
        let relation = catalog.relations.get(table);
        relation.is_some_and(|relation| is_constraint_index(relation, name))
    };
    let new = expected.relations.get(table);
    let index = new.and_then(|relation| find_index(relation, name));
    if only_comment {
        script.comment_on(
            &format!("INDEX {sql}"),
            index.and_then(|index| index.comment.as_ref()),
        );
        return;
    }
    let old_relation = actual.relations.get(table);
    let exists = old_relation
        .is_some_and(|relation| relation.indexes.iter().any(|index| index.name == name));
    match (has_constraint(expected), has_constraint(actual)) {
        // The index of a constraint is created and dropped with the constraint.
        (true, true) => return change(script, expected, actual, (table, name), false),
        (_, false) if exists => {
            let old = old_relation
                .and_then(|relation| relation.indexes.iter().find(|index| index.name == name));
            if let Some(old) = old {
                drop_index(script, expected, actual, table, old);
            }
        }
        _ => {}
    }
    if let (Some(relation), Some(index)) = (new, index) {
        add_index(script, expected, relation, index);
    }
}

/// Returns true if a partition of the table has no primary key.
fn has_partition_without_key(catalog: &Catalog, relation: &Relation) -> bool {
    let is_key =
        |constraint: &Constraint| matches!(constraint.kind, ConstraintKind::PrimaryKey { .. });
    let mut others = catalog.relations.values();
    others.any(|other| {
        other.partition_bound.is_some()
            && other.parents.contains(&relation.name)
            && !other.constraints.iter().any(is_key)
    })
}

/// Returns the full name of an index. It is in the schema of its table.
fn index_name(table: &Name, name: &str) -> Name {
    Name {
        schema: table.schema.clone(),
        name: name.to_owned(),
    }
}

/// Returns true if the index of this name belongs to a primary key, a unique constraint or an
/// exclusion constraint.
fn is_constraint_index(relation: &Relation, name: &str) -> bool {
    let mut constraints = relation.constraints.iter();
    constraints.any(|constraint| {
        constraint.name == name
            && matches!(
                constraint.kind,
                ConstraintKind::PrimaryKey { .. }
                    | ConstraintKind::Unique { .. }
                    | ConstraintKind::Exclude { .. }
            )
    })
}

/// Drops an index, or the constraint to which it belongs.
pub(super) fn drop_index(
    script: &mut Script,
    expected: &Catalog,
    actual: &Catalog,
    table: &Name,
    old: &Index,
) {
    let Some(old_relation) = actual.relations.get(table) else {
        return;
    };
    let may_be_dropped = has_parents(actual, table);
    if is_constraint_index(old_relation, &old.name) {
        if let Some(constraint) = inheritance::find_constraint(old_relation, &old.name) {
            drop_constraint(script, table, constraint, may_be_dropped);
        }
    } else {
        let name = index_name(table, &old.name);
        let exists = if may_be_dropped { "IF EXISTS " } else { "" };
        let drop = format!("DROP INDEX {exists}{}", name.sql());
        script.push(Step::DropConstraints, drop);
    }
    let columns = old.plain_columns().unwrap_or_default();
    recreate_foreign_keys_to(script, expected, actual, table, &columns);
    recreate_indexes_in_descendants(script, expected, actual, table, old);
}

/// Recreates the indexes of partitions that are dropped with one of the parent.
fn recreate_indexes_in_descendants(
    script: &mut Script,
    expected: &Catalog,
    actual: &Catalog,
    table: &Name,
    old: &Index,
) {
    for child in inheritance::descendants(actual, table) {
        let (Some(new), Some(old_child)) =
            (expected.relations.get(&child), actual.relations.get(&child))
        else {
            continue;
        };
        if inheritance::kept_parents(expected, actual, &child).is_empty() {
            continue;
        }
        let equal_indexes = old_child.indexes.iter().filter(|index| {
            index.keys == old.keys
                && index.unique == old.unique
                && inheritance::find_constraint(old_child, &index.name).is_none()
        });
        let depth = script.depth;
        script.depth = inheritance::depth(actual, &child).max(depth + 1);
        for dropped in equal_indexes {
            let kept = new.indexes.iter().find(|index| index.name == dropped.name);
            if let Some(kept) =
                kept.filter(|kept| inheritance::find_constraint(new, &kept.name).is_none())
            {
                let qualified = index_name(&child, &dropped.name);
                let drop = format!("DROP INDEX IF EXISTS {}", qualified.sql());
                script.push(Step::DropConstraints, drop);
                add_index(script, expected, new, kept);
            }
        }
        script.depth = depth;
    }
}

/// Creates an index, unless a constraint creates it.
pub(super) fn add_index(
    script: &mut Script,
    expected: &Catalog,
    relation: &Relation,
    index: &Index,
) {
    if let Some(routine) = mutable_function(expected, index) {
        script.note(format!(
            "the index {} of {} is not created, since its function {} is no longer IMMUTABLE",
            quoted(&index.name),
            relation.name.sql(),
            routine.sql()
        ));
        return;
    }
    if !is_constraint_index(relation, &index.name) {
        // The index of a materialized view is created after the view.
        let step = match relation.kind {
            RelationKind::MaterializedView => Step::Attached,
            _ => Step::Constraints,
        };
        let create = index.sql(&relation.name);
        let name = index_name(&relation.name, &index.name);
        let (step, create) = if all_partitions_have(expected, relation, index) {
            (step, create)
        } else {
            // Partitions without the index are attached first: attaching would create it on them.
            (Step::Attached, create.replacen(" ON ", " ON ONLY ", 1))
        };
        script.add(Statement::of_text(step, create).also_creating([name]));
    }
    if index.comment.is_some() {
        let name = index_name(&relation.name, &index.name);
        script.comment_on(&format!("INDEX {}", name.sql()), index.comment.as_ref());
    }
}

/// Returns a function that the index calls and that is not immutable. PostgreSQL creates no such
/// index, but an existing index stays when its function stops being immutable.
fn mutable_function<'c>(catalog: &'c Catalog, index: &Index) -> Option<&'c Name> {
    let keys = index.keys.iter().filter_map(|key| match key {
        IndexKey::Expression { text, .. } => Some(text),
        IndexKey::Column { .. } => None,
    });
    let texts: Vec<&String> = keys.chain(&index.predicate).collect();
    let is_called = |name: &str| {
        let mut texts = texts.iter();
        texts.any(|text| bowline_sql::tokens(text).any(|token| token.is_name(name)))
    };
    let is_immutable = |routine: &Routine| routine.volatility == Volatility::Immutable;
    let found = catalog.routines.iter().find(|routine| {
        let mut overloads = catalog.routines.iter();
        is_called(&routine.name.name)
            && overloads.all(|other| other.name != routine.name || !is_immutable(other))
    });
    found.map(|routine| &routine.name)
}

/// Returns true if all partitions of a table have the index.
fn all_partitions_have(catalog: &Catalog, relation: &Relation, index: &Index) -> bool {
    let mut others = catalog.relations.values();
    relation.partition_by.is_none()
        || others.all(|other| {
            let is_partition =
                other.partition_bound.is_some() && other.parents.contains(&relation.name);
            !is_partition
                || other.indexes.iter().any(|candidate| {
                    let renamed = Index {
                        name: index.name.clone(),
                        comment: index.comment.clone(),
                        ..candidate.clone()
                    };
                    renamed == *index
                })
        })
}
