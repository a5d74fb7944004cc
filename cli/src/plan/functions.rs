//! Which functions a table gets: a finder exists only where an index serves it.

use crate::catalog::{ConstraintKind, Index, IndexKey, Relation};
use crate::project::Settings;

use super::function::{Function, KeyColumn};
use super::table::{Field, TablePlan};

/// The functions of a table, but those that the settings leave out.
pub(super) fn plan(relation: &Relation, table: &TablePlan, settings: &Settings) -> Vec<Function> {
    let key = relation.primary_key().unwrap_or_default();
    // Without the whole key in the row, nothing can be found by it.
    let has_key = key_columns(table, key).is_some();
    let can_insert = !table.new_fields.is_empty();
    let has_changes = !table.changes_fields.is_empty();
    let mut functions = Vec::new();
    if has_key {
        functions.extend([Function::Find, Function::Get]);
    }
    functions.extend(find_by(relation, table));
    if has_key {
        functions.push(Function::List);
        functions.extend(list_by(relation, table));
    }
    if can_insert {
        functions.extend([Function::Insert, Function::InsertMany]);
    }
    if has_key && has_changes {
        functions.push(Function::Update);
    }
    if can_insert {
        functions.extend(upserts(relation, table));
    }
    if has_key {
        functions.push(Function::Delete);
    }
    functions.push(Function::Count);
    if has_key {
        functions.push(Function::Exists);
    }
    let mut seen: Vec<String> = Vec::new();
    functions.retain(|function| {
        let is_new = !seen.iter().any(|name| name == function.name());
        seen.push(function.name().to_owned());
        let full_name = format!("{}::{}", table.row, function.name());
        is_new && !settings.leave_out.contains(&full_name)
    });
    functions
}

/// The columns as arguments; `None` if one of them has no Rust type.
pub(super) fn key_columns(table: &TablePlan, columns: &[String]) -> Option<Vec<KeyColumn>> {
    let field = |column: &String| table.fields.iter().find(|field| field.sql_name == *column);
    let columns: Option<Vec<KeyColumn>> = columns
        .iter()
        .map(|column| field(column).map(key_column))
        .collect();
    columns.filter(|columns| !columns.is_empty())
}

fn key_column(field: &Field) -> KeyColumn {
    KeyColumn {
        field: field.name.clone(),
        sql_name: field.sql_name.clone(),
        argument: field.rust_type.argument.clone(),
    }
}

/// The columns of an index that has no expressions.
fn plain_columns(index: &Index) -> Option<Vec<String>> {
    index
        .keys
        .iter()
        .map(|key| match key {
            IndexKey::Column { name, .. } => Some(name.clone()),
            IndexKey::Expression { .. } => None,
        })
        .collect()
}

/// The unique indexes other than the primary key's, those without a predicate first.
fn unique_indexes(relation: &Relation) -> Vec<(&Index, Vec<String>)> {
    let key = relation.primary_key().unwrap_or_default();
    let mut found: Vec<_> = relation
        .indexes
        .iter()
        .filter(|index| index.unique)
        .filter_map(|index| plain_columns(index).map(|columns| (index, columns)))
        .filter(|(index, columns)| columns != key || index.predicate.is_some())
        .collect();
    found.sort_by_key(|(index, _)| index.predicate.is_some());
    found
}

fn find_by<'a>(
    relation: &'a Relation,
    table: &'a TablePlan,
) -> impl Iterator<Item = Function> + 'a {
    unique_indexes(relation)
        .into_iter()
        .filter_map(|(index, columns)| {
            Some(Function::FindBy {
                name: format!("find_by_{}", joined(&key_columns(table, &columns)?)),
                columns: key_columns(table, &columns)?,
                index: index.name.clone(),
                predicate: index.predicate.clone(),
            })
        })
}

fn list_by<'a>(
    relation: &'a Relation,
    table: &'a TablePlan,
) -> impl Iterator<Item = Function> + 'a {
    relation.constraints.iter().filter_map(move |constraint| {
        let ConstraintKind::ForeignKey { columns, .. } = &constraint.kind else {
            return None;
        };
        let serves = |index: &&Index| {
            index.predicate.is_none()
                && plain_columns(index).is_some_and(|keys| keys.starts_with(columns))
        };
        let index = relation.indexes.iter().find(serves)?;
        let columns = key_columns(table, columns)?;
        let name = format!("list_by_{}", joined(&columns).trim_end_matches("_id"));
        Some(Function::ListBy {
            name,
            columns,
            index: index.name.clone(),
        })
    })
}

fn upserts<'a>(
    relation: &'a Relation,
    table: &'a TablePlan,
) -> impl Iterator<Item = Function> + 'a {
    let inserted = |columns: &[String]| {
        columns.iter().all(|column| {
            table
                .new_fields
                .iter()
                .any(|field| field.sql_name == *column)
        })
    };
    let key = relation.primary_key().unwrap_or_default().to_vec();
    let by_key = inserted(&key).then(|| key_columns(table, &key)).flatten();
    let by_key = by_key.map(|columns| Function::Upsert {
        name: "upsert".to_owned(),
        columns,
        predicate: None,
    });
    let by_unique = unique_indexes(relation)
        .into_iter()
        .filter(move |(_, columns)| inserted(columns))
        .filter_map(|(index, columns)| {
            let columns = key_columns(table, &columns)?;
            Some(Function::Upsert {
                name: format!("upsert_by_{}", joined(&columns)),
                columns,
                predicate: index.predicate.clone(),
            })
        });
    by_key.into_iter().chain(by_unique)
}

fn joined(columns: &[KeyColumn]) -> String {
    columns
        .iter()
        .map(|column| column.field.trim_end_matches('_'))
        .collect::<Vec<_>>()
        .join("_and_")
}
