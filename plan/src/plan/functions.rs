//! The functions of a table. A function that finds rows is generated only if an index supports it.

use bowline_catalog::{Fill, Index, Relation, RelationKind};

use super::function::{Function, KeyColumn};
use super::lists::lists;
use super::table::{Field, TablePlan};

/// Returns the functions of a table. Of two functions with the same name only the first is kept,
/// with a note.
pub(super) fn plan(
    relation: &Relation,
    table: &TablePlan,
    notes: &mut Vec<String>,
) -> Vec<Function> {
    // If a column of the key has no field in the row, no function can search by the key.
    let has_key = key_columns(table, &table.key).is_some();
    let replaced = |event: &str| rules(relation, event).any(|is_instead| is_instead);
    // A statement that must return one row is sent in a WITH clause. PostgreSQL refuses such a
    // statement if a rule adds another statement to it.
    let is_ruled = |event: &str| rules(relation, event).next().is_some();
    let ruled = ["INSERT", "UPDATE", "DELETE"]
        .into_iter()
        .filter(|event| replaced(event) || (*event != "DELETE" && is_ruled(event)));
    for event in ruled.filter(|_| table.writes.any()) {
        notes.push(format!(
            "{} has a rule for {event}, so {} has no function for that",
            relation.name.name, table.row
        ));
    }
    let is_rewritten = is_ruled("INSERT") || is_ruled("UPDATE");
    let is_whole = table.missing.is_empty() && !replaced("INSERT") && table.writes.insert;
    let can_insert = !table.new_fields.is_empty() && is_whole;
    let has_changes = !table.changes_fields.is_empty() && table.writes.update;
    let sends_keys = has_key && sends_many(table);
    let mut functions = Vec::new();
    if has_key {
        functions.extend([Function::Find, Function::Get]);
    }
    if sends_keys {
        functions.push(Function::FindMany);
    }
    functions.extend(find_by(relation, table));
    if has_key {
        functions.push(Function::List);
        let lists = lists(relation, table, &functions);
        functions.extend(lists);
    } else {
        functions.push(Function::ListUnordered);
    }
    if relation.kind == RelationKind::MaterializedView {
        functions.push(Function::Refresh);
        let serves = |index: &Index| {
            index.unique && index.predicate.is_none() && index.plain_columns().is_some()
        };
        if relation.indexes.iter().any(serves) {
            functions.push(Function::RefreshConcurrently);
        }
    }
    if can_insert && !is_ruled("INSERT") {
        functions.push(Function::Insert);
    }
    if can_insert {
        functions.push(Function::InsertMany);
    } else if is_whole && !is_ruled("INSERT") && !table.is_view {
        functions.push(Function::InsertDefault);
    }
    if has_key && has_changes && !is_ruled("UPDATE") {
        functions.push(Function::Update);
        if sends_keys {
            functions.push(Function::UpdateMany);
        }
    }
    // PostgreSQL refuses ON CONFLICT for a statement that a rule rewrites.
    if can_insert && !is_rewritten {
        functions.extend(with_conflicts(upserts_of_rows_that_exist(
            relation, table, notes,
        )));
    }
    let deletes = if table.roles.deleted_at.is_some() {
        !is_ruled("UPDATE")
    } else {
        !replaced("DELETE")
    };
    if has_key && !replaced("DELETE") && table.writes.delete {
        functions.push(Function::Delete);
        if sends_keys && deletes {
            functions.push(Function::DeleteMany);
        }
        if table.roles.deleted_at.is_some() {
            functions.extend([
                Function::DeletePermanently,
                Function::Restore,
                Function::FindDeleted,
                Function::ListDeleted,
            ]);
        }
    }
    functions.push(Function::Count);
    if has_key {
        functions.push(Function::Exists);
    }
    if !table.is_view {
        let by_index = by_index(&functions, deletes);
        functions.extend(by_index);
    }
    // Several indexes on the same columns need no note.
    let mut keys: Vec<(String, Vec<KeyColumn>)> = Vec::new();
    for function in &functions {
        if let Some(columns) = function.columns() {
            keys.push((function.name().to_owned(), columns.to_vec()));
        }
    }
    let is_same_key = |function: &Function| {
        let first = keys.iter().find(|(name, _)| name == function.name());
        first.is_some_and(|(_, columns)| function.columns() == Some(columns))
    };
    let mut seen: Vec<String> = Vec::new();
    functions.retain(|function| {
        let is_new = !seen.iter().any(|name| name == function.name());
        if !is_new && !is_same_key(function) {
            notes.push(format!(
                "{}::{} is generated for the first of several indexes that would give it",
                table.row,
                function.name()
            ));
        }
        seen.push(function.name().to_owned());
        is_new
    });
    functions
}

/// Returns true if many keys can be sent as arrays: an array cannot be an element of one, and the
/// SQL calls the keys `given`.
fn sends_many(table: &TablePlan) -> bool {
    let of_key = |field: &&Field| table.key.contains(&field.sql_name);
    let mut key = table.fields.iter().filter(of_key);
    let is_fit = |field: &Field| !field.rust_type.is_array() && !field.is_composite;
    !table.is_view && table.name.name != "given" && key.all(is_fit)
}

/// Returns the functions with an `ON CONFLICT`, for the same indexes as the upserts.
fn with_conflicts(upserts: Vec<Function>) -> Vec<Function> {
    let mut all = Vec::new();
    for upsert in upserts {
        if let Function::Upsert {
            name,
            columns,
            predicate,
        } = upsert.clone()
        {
            let by = name.strip_prefix("upsert").unwrap_or_default();
            let named = |begin: &str| format!("{begin}{by}");
            all.extend([
                upsert,
                Function::UpsertMany {
                    name: named("upsert_many"),
                    columns: columns.clone(),
                    predicate: predicate.clone(),
                },
                Function::InsertOrIgnore {
                    name: named("insert_or_ignore"),
                    columns: columns.clone(),
                    predicate: predicate.clone(),
                },
                Function::InsertManyOrIgnore {
                    name: named("insert_many_or_ignore"),
                    columns,
                    predicate,
                },
            ]);
        }
    }
    all
}

/// Returns the functions about the rows that `find_by_..` and `list_by_..` return.
fn by_index(functions: &[Function], deletes: bool) -> Vec<Function> {
    let mut all = Vec::new();
    for function in functions {
        let (name, columns, index, predicate) = match function {
            Function::FindBy {
                name,
                columns,
                index,
                predicate,
            } => (name.strip_prefix("find"), columns, index, predicate.clone()),
            Function::ListBy {
                name,
                columns,
                index,
                predicate,
                ..
            } if !columns.is_empty() => {
                (name.strip_prefix("list"), columns, index, predicate.clone())
            }
            _ => continue,
        };
        let by = name.unwrap_or_default();
        let (columns, index) = (columns.clone(), index.clone());
        let is_unique = matches!(function, Function::FindBy { .. });
        if !is_unique {
            all.push(Function::CountBy {
                name: format!("count{by}"),
                columns: columns.clone(),
                index: index.clone(),
                predicate: predicate.clone(),
            });
        }
        all.push(Function::ExistsBy {
            name: format!("exists{by}"),
            columns: columns.clone(),
            index: index.clone(),
            predicate: predicate.clone(),
        });
        // The name of a list does not say which of the rows a partial index has.
        if deletes && (is_unique || predicate.is_none()) {
            all.push(Function::DeleteBy {
                name: format!("delete{by}"),
                columns,
                index,
                predicate,
                is_unique,
            });
        }
    }
    all
}

/// Returns, for each rule of a table for an event, true if it is an INSTEAD rule.
fn rules(relation: &Relation, event: &str) -> impl Iterator<Item = bool> {
    relation.attached.rules.iter().filter_map(move |rule| {
        let Some(text) = &rule.definition.text else {
            return Some(true);
        };
        let text = text.to_uppercase();
        let words: Vec<&str> = text.split_whitespace().collect();
        let is_of = words.windows(2).any(|pair| pair == ["ON", event]);
        is_of.then(|| words.windows(2).any(|pair| pair == ["DO", "INSTEAD"]))
    })
}

/// Returns the columns as arguments; `None` if one of them has no Rust type.
pub fn key_columns(table: &TablePlan, columns: &[String]) -> Option<Vec<KeyColumn>> {
    let field = |column: &String| table.fields.iter().find(|field| field.sql_name == *column);
    let columns: Option<Vec<KeyColumn>> = columns
        .iter()
        .map(|column| field(column).map(key_column))
        .collect();
    columns.filter(|columns| !columns.is_empty())
}

pub(super) fn key_column(field: &Field) -> KeyColumn {
    KeyColumn {
        field: field.name.clone(),
        argument_name: field.argument_name.clone(),
        sql_name: field.sql_name.clone(),
        argument: field.rust_type.argument.clone(),
        via: field.via.clone(),
        cast: field.cast.clone(),
    }
}

/// Returns the unique indexes except that of the primary key. Indexes without a predicate come
/// first.
fn unique_indexes<'a>(relation: &'a Relation, table: &TablePlan) -> Vec<(&'a Index, Vec<String>)> {
    let mut found: Vec<_> = relation
        .indexes
        .iter()
        .filter(|index| index.unique && !is_temporal(relation, index))
        .filter_map(|index| index.plain_columns().map(|columns| (index, columns)))
        .filter(|(index, columns)| *columns != table.key || index.predicate.is_some())
        .collect();
    found.sort_by_key(|(index, _)| index.predicate.is_some());
    found
}

fn find_by<'a>(
    relation: &'a Relation,
    table: &'a TablePlan,
) -> impl Iterator<Item = Function> + 'a {
    unique_indexes(relation, table)
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

/// Returns the upserts. In a table whose rows can be marked as deleted, one by an index that has
/// deleted rows too would change a deleted row.
fn upserts_of_rows_that_exist(
    relation: &Relation,
    table: &TablePlan,
    notes: &mut Vec<String>,
) -> Vec<Function> {
    let mut all: Vec<Function> = upserts(relation, table).collect();
    let Some(deleted_at) = &table.roles.deleted_at else {
        return all;
    };
    let passes_over = |function: &Function| {
        matches!(function, Function::Upsert { predicate: Some(predicate), .. }
            if table.roles.is_kept(predicate))
    };
    let without = all.iter().filter(|function| !passes_over(function));
    let names: Vec<String> = without
        .map(|function| format!("{}::{}", table.full_row(), function.name()))
        .collect();
    if !names.is_empty() {
        notes.push(format!(
            "{} would change deleted rows, so it is not generated; a unique index WHERE {deleted_at} IS NULL has an upsert",
            names.join(", ")
        ));
    }
    all.retain(passes_over);
    all
}

fn upserts<'a>(
    relation: &'a Relation,
    table: &'a TablePlan,
) -> impl Iterator<Item = Function> + 'a {
    let inserted = |columns: &[String]| {
        columns.iter().all(|column| {
            let mut fields = table.new_fields.iter();
            fields.any(|field| field.sql_name == *column) && !is_counted(relation, column)
        })
    };
    let key = table.key.clone();
    let serves_key = |index: &&Index| {
        index.unique
            && index.predicate.is_none()
            && index.plain_columns().as_ref() == Some(&table.key)
            && decides_conflicts(relation, index)
    };
    let by_key = (inserted(&key) && relation.indexes.iter().any(|index| serves_key(&index)))
        .then(|| key_columns(table, &key))
        .flatten();
    let by_key = by_key.map(|columns| Function::Upsert {
        name: "upsert".to_owned(),
        columns,
        predicate: None,
    });
    let by_unique = unique_indexes(relation, table)
        .into_iter()
        .filter(move |(index, columns)| inserted(columns) && decides_conflicts(relation, index))
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

/// Returns true for a column that a sequence fills. A row to insert has no value to conflict there.
fn is_counted(relation: &Relation, column: &str) -> bool {
    let mut columns = relation.columns.iter();
    columns.any(|found| {
        found.name == column && matches!(found.fill, Fill::Serial { .. } | Fill::Identity { .. })
    })
}

/// Returns true for the index of a constraint that is `WITHOUT OVERLAPS`.
fn is_temporal(relation: &Relation, index: &Index) -> bool {
    let mut constraints = relation.constraints.iter();
    constraints.any(|constraint| constraint.name == index.name && constraint.temporal)
}

/// Returns true if `ON CONFLICT` can use the index. It cannot use the index of a constraint that is
/// deferrable or `WITHOUT OVERLAPS`.
fn decides_conflicts(relation: &Relation, index: &Index) -> bool {
    let mut constraints = relation.constraints.iter();
    !constraints.any(|constraint| {
        constraint.name == index.name && (constraint.deferrable || constraint.temporal)
    })
}

fn joined(columns: &[KeyColumn]) -> String {
    columns
        .iter()
        .map(|column| column.field.trim_end_matches('_'))
        .collect::<Vec<_>>()
        .join("_and_")
}
