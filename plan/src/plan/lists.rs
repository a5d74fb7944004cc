//! The lists of a table that its indexes serve, and their names.
//!
//! A list is named by its columns and order. A partial index whose list would then have the name of
//! another one gives it the name of the index, so that neither hides the other.

use heck::ToUpperCamelCase as _;

use bowline_catalog::{ConstraintKind, Index, Relation};

use super::function::{Function, OrderedList};
use super::functions::key_columns;
use super::names::{rust_name, snake};
use super::ordered::{ordered_lists, trimmed};
use super::table::TablePlan;

/// Returns the lists of a table with a key, except that of all its rows. `others` are its other
/// functions that find rows.
pub(super) fn lists(relation: &Relation, table: &TablePlan, others: &[Function]) -> Vec<Function> {
    if table.is_view {
        return Vec::new();
    }
    let mut lists: Vec<Function> = of_foreign_keys(relation, table).collect();
    lists.extend(of_key(relation, table));
    lists.extend(ordered_lists(relation, table));
    name_apart(relation, table, others, &mut lists);
    // Columns whose names differ only in their signs would give one type.
    let mut positions: Vec<String> = Vec::new();
    lists.retain(|list| {
        let Function::ListOrdered(OrderedList { position, .. }) = list else {
            return true;
        };
        let is_new = !positions.contains(position);
        positions.push(position.clone());
        is_new
    });
    lists
}

fn of_foreign_keys<'a>(
    relation: &'a Relation,
    table: &'a TablePlan,
) -> impl Iterator<Item = Function> + 'a {
    relation.constraints.iter().filter_map(move |constraint| {
        let ConstraintKind::ForeignKey { columns, .. } = &constraint.kind else {
            return None;
        };
        // A row of another period has the same parent.
        if constraint.temporal {
            return None;
        }
        by_columns(relation, table, columns)
    })
}

/// Returns the lists of the rows with the first columns of a composite key: those of a tenant.
fn of_key<'a>(relation: &'a Relation, table: &'a TablePlan) -> impl Iterator<Item = Function> + 'a {
    let first = (1..table.key.len()).map(|count| &table.key[..count]);
    let lists = first.filter_map(|columns| by_columns(relation, table, columns));
    lists.filter(|list| {
        matches!(
            list,
            Function::ListBy {
                is_sorted: false,
                ..
            }
        )
    })
}

/// Returns the list of the rows with values for these columns, in the order of the key, if an index
/// begins with them.
fn by_columns(relation: &Relation, table: &TablePlan, columns: &[String]) -> Option<Function> {
    let begins_with = |index: &Index, columns: &[String]| {
        let keys = index.plain_columns();
        // Only the entries of a btree have an order.
        table.roles.predicate(index).is_none()
            && index.method == "btree"
            && !index.invalid
            && keys.is_some_and(|keys| keys.starts_with(columns))
    };
    let rest = table.key.iter().filter(|column| !columns.contains(column));
    let in_order: Vec<String> = columns.iter().chain(rest).cloned().collect();
    let mut indexes = relation.indexes.iter();
    let ordered = indexes.find(|index| begins_with(index, &in_order));
    let mut indexes = relation.indexes.iter();
    let index = ordered.or_else(|| indexes.find(|index| begins_with(index, columns)))?;
    let columns = key_columns(table, columns)?;
    let names: Vec<_> = columns
        .iter()
        .map(|column| trimmed(&column.field))
        .collect();
    Some(Function::ListBy {
        name: format!("list_by_{}", names.join("_and_")),
        columns,
        index: index.name.clone(),
        is_sorted: ordered.is_none(),
        predicate: None,
    })
}

/// Gives a list of a partial index the name of its index where another list has the same name. It
/// has other rows, so none of several such lists has the short name.
fn name_apart(relation: &Relation, table: &TablePlan, others: &[Function], lists: &mut [Function]) {
    let mut names: Vec<String> = lists.iter().map(|list| list.name().to_owned()).collect();
    // `count_by_..` would be about other rows than `exists_by_..`, which is that of `find_by_..`.
    let finds = others
        .iter()
        .filter_map(|it| it.name().strip_prefix("find_by_"));
    names.extend(finds.map(|by| format!("list_by_{by}")));
    // The list of all rows, and of those that are marked as deleted.
    names.extend(["list".to_owned(), "list_deleted".to_owned()]);
    for list in lists {
        let name = list.name().to_owned();
        let is_taken = names.iter().filter(|other| **other == name).count() > 1;
        let index = match &*list {
            Function::ListBy {
                index,
                predicate: Some(_),
                ..
            } => index.clone(),
            Function::ListOrdered(list) if list.predicate.is_some() => list.index.clone(),
            _ => continue,
        };
        if !is_taken {
            continue;
        }
        let short = of_index(short(&relation.name.name, &index));
        let new = if names.contains(&short) {
            of_index(&index)
        } else {
            short
        };
        names.push(new.clone());
        match list {
            Function::ListOrdered(list) => {
                list.position = format!("{}{}", table.row, new.to_upper_camel_case());
                list.name = new;
            }
            Function::ListBy { name, .. } => *name = new,
            _ => {}
        }
    }
}

/// Returns the name of a list for that of an index.
fn of_index(index: &str) -> String {
    let name = rust_name(&snake(&format!("list_{index}")), None);
    name.trim_end_matches('_').to_owned()
}

/// Returns the name of an index without its table and without the word for an index: `open` for
/// `issues_open_idx` and for `idx_issues_open`.
fn short<'a>(table: &str, index: &'a str) -> &'a str {
    let words = ["idx_", "ix_", "index_"];
    let without = words.iter().find_map(|word| index.strip_prefix(word));
    let name = without.unwrap_or(index);
    let of_table = name.strip_prefix(table).and_then(|it| it.strip_prefix('_'));
    let name = of_table.unwrap_or(name);
    let words = ["_idx", "_ix", "_index", "_key"];
    let without = words.iter().find_map(|word| name.strip_suffix(word));
    without.filter(|it| !it.is_empty()).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_an_index_gives_that_of_a_list() {
        let list = |index| of_index(short("issues", index));
        assert_eq!(list("issues_open_idx"), "list_open");
        assert_eq!(list("idx_issues_open"), "list_open");
        assert_eq!(list("open issues!"), "list_open_issues");
        assert_eq!(list("issues_type_key"), "list_type");
        assert_eq!(list("_idx"), "list__idx");
    }
}
