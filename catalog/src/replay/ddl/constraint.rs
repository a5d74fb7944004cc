//! Constraints of tables and columns, with the indexes of keys.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::replay::ddl::{foreign_key, index, partition, precondition, repeated};
use crate::replay::refusal::{Refused, Result, has_already};
use crate::replay::state::State;
use crate::replay::state::expressions::Columns;
use crate::replay::syntax::clause::recurses;
use crate::replay::syntax::clause::{
    child_include, column_list, constraint, deferral, given_name, is_temporal, named_column,
    nulls_not_distinct,
};
use crate::replay::syntax::expression::{columns_in, expression};
use crate::replay::syntax::index::predicate;
use crate::replay::syntax::tree::{child, child_name, children, has, has_below, text};
use crate::{ConstraintKind, Index, IndexKey, KeyOrder, Name};

/// Adds a constraint of the table. Skips other nodes, and clauses that only a column can have.
pub(crate) fn add_constraint(
    state: &mut State,
    node: &SyntaxNode,
    table: &Name,
    column: Option<&str>,
) -> Result<()> {
    add_named_constraint(state, node, table, column, given_name(node))
}

pub(crate) fn add_named_constraint(
    state: &mut State,
    node: &SyntaxNode,
    table: &Name,
    column: Option<&str>,
    given: Option<String>,
) -> Result<()> {
    use SyntaxKind as K;
    repeated::may_be_not_valid(node, column.is_some())?;
    match node.kind() {
        K::PRIMARY_KEY_CONSTRAINT | K::UNIQUE_CONSTRAINT => {
            add_key(state, node, table, column, given)
        }
        K::CHECK_CONSTRAINT => add_check(state, node, table, given),
        K::REFERENCES_CONSTRAINT | K::FOREIGN_KEY_CONSTRAINT => {
            foreign_key::add_foreign_key(state, node, table, column, given)
        }
        K::EXCLUDE_CONSTRAINT => add_exclusion(state, node, table, given),
        K::NOT_NULL_CONSTRAINT => {
            let named = column.map_or_else(|| named_column(node), str::to_owned);
            state.column_mut(node, table, &named)?;
            let limits = (has(node, K::NO_INHERIT), !has_below(node, K::NOT_VALID));
            state.add_not_null(table, &named, given, limits);
            Ok(())
        }
        _ => Ok(()),
    }
}

fn add_check(
    state: &mut State,
    node: &SyntaxNode,
    table: &Name,
    given: Option<String>,
) -> Result<()> {
    let condition =
        expression(node).ok_or_else(|| Refused::new(node, "the condition is not given"))?;
    precondition::names_columns(state, &condition, table)?;
    precondition::is_condition(state, &condition, table)?;
    let known = &state.table(table).columns;
    let mut columns = columns_in(&condition);
    columns.retain(|column| known.iter().any(|known| known.name == *column));
    let name = match given {
        Some(name) => name,
        // A check that uses exactly one column is named after that column.
        None => {
            let part = match columns.as_slice() {
                [only] => only,
                _ => "",
            };
            state.free_constraint_name(table, part, "check")
        }
    };
    columns.sort();
    let no_inherit = has(node, SyntaxKind::NO_INHERIT);
    let kind = ConstraintKind::Check {
        expression: state.as_stored(text(&condition), Columns::Table(table)),
        columns,
        no_inherit,
    };
    let new = constraint(node, name, kind);
    if state.merges_check(table, &new) {
        return Ok(());
    }
    state.push_constraint(node, table, new.clone())?;
    if !no_inherit {
        state.inherit_check(table, &new);
    }
    Ok(())
}

fn add_key(
    state: &mut State,
    node: &SyntaxNode,
    table: &Name,
    column: Option<&str>,
    given: Option<String>,
) -> Result<()> {
    use SyntaxKind as K;
    let is_primary = node.kind() == K::PRIMARY_KEY_CONSTRAINT;
    if let Some(using) = child(node, K::USING_INDEX_NAME) {
        return key_from_index(state, node, &using, table, given, is_primary);
    }
    let columns = match column {
        Some(column) => vec![column.to_owned()],
        None => column_list(node, K::CONSTRAINT_COLUMN_REF_LIST),
    };
    if is_primary && state.table(table).primary_key().is_some() {
        return Err(Refused::error(
            node,
            format!("{} has a primary key already", table.name),
        ));
    }
    let temporal = is_temporal(node);
    if temporal && columns.len() < 2 {
        return Err(
            Refused::error(node, "a key WITHOUT OVERLAPS has no other column")
                .hint("name a column before the period: periods of equal values must not overlap"),
        );
    }
    for (at, column) in columns.iter().enumerate() {
        repeated::is_first(node, &columns[..at], column)?;
        state.column_mut(node, table, column)?;
        if is_primary {
            state.set_not_null(table, column, None);
            state.inherit_not_null(table, column);
        }
    }
    precondition::includes_partition_key(state, node, table, &columns)?;
    let keys: Vec<_> = columns
        .iter()
        .map(|name| IndexKey::Column {
            name: name.clone(),
            order: KeyOrder::default(),
        })
        .collect();
    let included = child_include(node);
    let name = given.unwrap_or_else(|| {
        if is_primary {
            state.free_relation_name(table, "", "pkey")
        } else {
            state.index_name(table, &keys, &included, "key")
        }
    });
    let nulls_not_distinct = nulls_not_distinct(node);
    let kind = if is_primary {
        ConstraintKind::PrimaryKey { columns }
    } else {
        ConstraintKind::Unique {
            columns,
            nulls_not_distinct,
        }
    };
    let index = Index {
        name: name.clone(),
        unique: true,
        nulls_not_distinct,
        method: if temporal { "gist" } else { "btree" }.to_owned(),
        keys,
        included,
        predicate: None,
        invalid: false,
        comment: None,
    };
    let new = constraint(node, name, kind);
    must_be_free(state, node, table, &new.name)?;
    let recurse = recurses(node);
    if recurse && temporal {
        partitions_must_have_none_like(state, node, table, &index)?;
    }
    state.push_index(table, index, Some(new), recurse);
    Ok(())
}

/// Adds a key by `ADD .. USING INDEX`. The index takes the constraint's name, if one is given.
fn key_from_index(
    state: &mut State,
    node: &SyntaxNode,
    using: &SyntaxNode,
    table: &Name,
    given: Option<String>,
    is_primary: bool,
) -> Result<()> {
    let index_name = child_name(using, SyntaxKind::INDEX_REF).unwrap_or_default();
    if let Some(name) = &given {
        state.note_index(name);
    }
    let indexes = &mut state.table(table).indexes;
    let index = indexes.iter_mut().find(|index| index.name == index_name);
    let index =
        index.ok_or_else(|| Refused::new(node, format!("there is no index {index_name}")))?;
    let name = given.unwrap_or(index_name);
    let old = std::mem::replace(&mut index.name, name.clone());
    let nulls_not_distinct = index.nulls_not_distinct;
    let columns: Vec<String> = index.columns().map(str::to_owned).collect();
    state.move_column_names(table, &old, &name);
    for column in columns.iter().filter(|_| is_primary) {
        state.column_mut(node, table, column)?;
        state.set_not_null(table, column, None);
        state.inherit_not_null(table, column);
    }
    let kind = if is_primary {
        ConstraintKind::PrimaryKey { columns }
    } else {
        ConstraintKind::Unique {
            columns,
            nulls_not_distinct,
        }
    };
    state.push_constraint(node, table, constraint(node, name, kind))
}

fn add_exclusion(
    state: &mut State,
    node: &SyntaxNode,
    table: &Name,
    given: Option<String>,
) -> Result<()> {
    use SyntaxKind as K;
    let list = child(node, K::CONSTRAINT_EXCLUSION_LIST)
        .ok_or_else(|| Refused::new(node, "the elements are not given"))?;
    let method = child(node, K::CONSTRAINT_INDEX_METHOD)
        .and_then(|method| child_name(&method, K::ACCESS_METHOD_REF))
        .unwrap_or_else(|| "btree".to_owned());
    let mut keys = Vec::new();
    let mut operators = Vec::new();
    for element in children(&list, K::CONSTRAINT_EXCLUSION) {
        let operator = child(&element, K::OP)
            .ok_or_else(|| Refused::new(&element, "the operator is not given"))?;
        operators.push(text(&operator).split_whitespace().collect::<String>());
        let order = index::order(state, &element, table, &method);
        keys.extend(index::key(state, &element, table, order));
    }
    let predicate = child(node, K::WHERE_CONDITION_CLAUSE)
        .and_then(|clause| predicate(&clause))
        .map(|text| state.as_stored(text, Columns::Table(table)));
    let included = child_include(node);
    let name = given.unwrap_or_else(|| state.index_name(table, &keys, &included, "excl"));
    must_be_free(state, node, table, &name)?;
    let index = Index {
        name: name.clone(),
        unique: false,
        nulls_not_distinct: false,
        method,
        keys,
        included,
        predicate,
        invalid: false,
        comment: None,
    };
    let new = constraint(node, name, ConstraintKind::Exclude { operators });
    partitions_must_have_none_like(state, node, table, &index)?;
    state.push_index(table, index, Some(new), true);
    Ok(())
}

fn partitions_must_have_none_like(
    state: &State,
    node: &SyntaxNode,
    table: &Name,
    index: &Index,
) -> Result<()> {
    let mut partitions = state.partitions(table).into_iter();
    partitions
        .try_for_each(|partition| partition::must_have_none_like(state, node, &partition, index))
}

/// Checks that a key's name is free among the table's constraints and the schema's relations.
fn must_be_free(state: &mut State, node: &SyntaxNode, table: &Name, name: &str) -> Result<()> {
    let constraints = &state.table(table).constraints;
    if constraints.iter().any(|other| other.name == name) || state.has_relation(&table.schema, name)
    {
        return Err(has_already(node, table, name));
    }
    Ok(())
}

/// Applies `ALTER CONSTRAINT` or `VALIDATE CONSTRAINT`.
pub(crate) fn alter_constraint(state: &mut State, action: &SyntaxNode, table: &Name) -> Result<()> {
    use SyntaxKind as K;
    let name = child_name(action, K::CONSTRAINT_NAME_REF).unwrap_or_default();
    let has_below = |kind| has_below(action, kind);
    // Foreign keys of partitions may have other names. Checks of children have the same name.
    let mut affected = vec![(table.clone(), name.clone())];
    affected.extend(state.partition_references(table, &name));
    for child in state.descendants(table) {
        if !affected.iter().any(|(table, _)| *table == child) {
            affected.push((child, name.clone()));
        }
    }
    let not_null = state.not_null_column(table, &name);
    let mut found = not_null.is_some();
    if let Some(column) = not_null.filter(|_| action.kind() == K::VALIDATE_CONSTRAINT) {
        state.validate_not_null(table, &column);
    }
    for (table, name) in affected {
        let relation = state.table(&table);
        let constraints = relation.constraints.iter_mut();
        for constraint in constraints.filter(|constraint| constraint.name == name) {
            found = true;
            if action.kind() == K::VALIDATE_CONSTRAINT {
                constraint.validated = constraint.enforced;
                continue;
            }
            let (deferrable, deferred) = deferral(action);
            if has_below(K::NOT_ENFORCED) {
                constraint.enforced = false;
                constraint.validated = false;
            } else if has_below(K::ENFORCED) {
                constraint.enforced = true;
                constraint.validated = true;
            } else {
                constraint.deferrable = deferrable;
                constraint.initially_deferred = deferred;
            }
        }
    }
    if found {
        Ok(())
    } else {
        let why = format!("{} has no constraint {name}", table.name);
        Err(Refused::new(action, why))
    }
}
