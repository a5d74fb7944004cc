//! The lists that an index serves in its own order.
//!
//! The leading columns of an index are compared with values, and its last columns give the order:
//! the last column, unless its values are not ordered by nature (a foreign key, an enum, a boolean,
//! a UUID), and columns before it that are DESC or have NULLs in another place than by default.
//! Only btree indexes have an order.

use heck::ToUpperCamelCase as _;

use bowline_catalog::{Index, IndexKey, KeyOrder, Relation};

use super::function::{Function, OrderColumn, OrderedList};
use super::functions::{key_column, key_columns};
use super::table::{Field, TablePlan};

/// The largest number of columns of an order, which are a position in the list.
const MOST_COLUMNS: usize = 8;

/// A column of an index, with its field and its order.
type Key<'a> = (&'a Field, &'a KeyOrder);

/// Returns the lists of a table with a key.
pub(super) fn ordered_lists(relation: &Relation, table: &TablePlan) -> Vec<Function> {
    if key_columns(table, &table.key).is_none() {
        return Vec::new();
    }
    // A partial index serves fewer rows, so its list comes last.
    let mut indexes: Vec<&Index> = relation.indexes.iter().collect();
    indexes.sort_by_key(|index| table.roles.predicate(index).is_some());
    let lists = indexes.into_iter();
    lists.filter_map(|index| list(table, index).ok()).collect()
}

/// Returns the indexes that serve no list, each with the reason, except those that serve another
/// function of the table.
pub(super) fn without_list(relation: &Relation, table: &TablePlan) -> Vec<(String, String)> {
    if table.is_view || key_columns(table, &table.key).is_none() {
        return Vec::new();
    }
    let serves = |index: &Index| {
        let mut functions = table.functions.iter();
        functions.any(|function| match function {
            Function::FindBy { index: by, .. } | Function::ListBy { index: by, .. } => {
                *by == index.name
            }
            _ => false,
        })
    };
    let indexes = relation.indexes.iter().filter(|index| !serves(index));
    let reasons = indexes.filter_map(|index| match list(table, index) {
        Err(NoList::Because(reason)) => Some((index.name.clone(), reason)),
        Ok(_) | Err(NoList::Found) => None,
    });
    reasons.collect()
}

/// Why an index serves no list of its own.
enum NoList {
    /// `list`, `find` or `find_by_..` has its rows.
    Found,
    Because(String),
}

fn list(table: &TablePlan, index: &Index) -> Result<Function, NoList> {
    let because = |reason: &str| NoList::Because(reason.to_owned());
    if index.method != "btree" {
        return Err(NoList::Because(format!("{} has no order", index.method)));
    }
    if index.invalid {
        return Err(because("is not valid"));
    }
    let keys = index.keys.iter().map(|key| plain_key(table, key));
    let keys: Vec<Key<'_>> = keys.collect::<Result<_, _>>()?;
    let is_of_key = |(field, _): &Key<'_>| table.key.contains(&field.sql_name);
    let of_key = keys.iter().rev().take_while(|key| is_of_key(key)).count();
    let predicate = table.roles.predicate(index).map(str::to_owned);
    let (start, end) = match keys.len() - of_key {
        // An index on the key of a table of tenants, with fewer rows or another direction.
        0 if is_of_tenant(table, &keys) && (predicate.is_some() || has_explicit(&keys)) => (1, 1),
        end => (start_of_order(&keys[..end]), end),
    };
    let (equal, order) = keys.split_at(start);
    let rest = rest_of_key(table, equal).ok_or(NoList::Found)?;
    let equal_columns = equal.iter().map(|(field, _)| key_column(field)).collect();
    if start == end && !has_explicit(order) {
        // The order is that of the primary key, as in the list of a foreign key. `find_by_..` and
        // `list` have the same rows in these cases.
        let is_found = index.unique && predicate.is_some() && order.is_empty();
        let is_whole = equal.is_empty() && predicate.is_none();
        let of_key = order.iter().map(|(field, _)| &field.sql_name);
        if is_found || is_whole {
            return Err(NoList::Found);
        }
        return Ok(Function::ListBy {
            name: format!("list{}", by(equal)),
            columns: equal_columns,
            index: index.name.clone(),
            is_sorted: of_key.ne(rest),
            predicate,
        });
    }
    let has_null = keys.iter().any(|(field, _)| field.options > 0);
    let mut columns: Vec<OrderColumn> = order
        .iter()
        .map(|(field, order)| column(field, order))
        .collect();
    let listed = columns.len();
    if !index.unique || has_null {
        let last = columns.last().ok_or(NoList::Found)?.descending;
        let like_last = KeyOrder {
            descending: last,
            nulls_first: last,
            ..KeyOrder::default()
        };
        let of_key = rest.iter().filter_map(|name| {
            let mut fields = table.fields.iter();
            fields.find(|field| field.sql_name == *name)
        });
        for field in of_key {
            if !columns
                .iter()
                .any(|it| it.column.sql_name == field.sql_name)
            {
                columns.push(column(field, &like_last));
            }
        }
    }
    let nullable = columns.iter().filter(|column| column.nullable).count();
    if nullable > 1 {
        return Err(because("more than one column of the order can be NULL"));
    }
    if columns.len() > MOST_COLUMNS {
        return Err(because("the order has too many columns"));
    }
    if let Some(column) = columns.iter().find(|column| !is_fit(table, column)) {
        let name = &column.column.sql_name;
        return Err(NoList::Because(format!("no position can have {name}")));
    }
    let named = match &order[..end - start] {
        [] => order,
        named => named,
    };
    let named = named.iter().map(|(field, _)| trimmed(&field.name));
    let order = named.collect::<Vec<_>>().join("_and_");
    let name = format!("list{}_order_by_{order}", by(equal));
    let of_list = name.trim_start_matches("list_").to_upper_camel_case();
    Ok(Function::ListOrdered(OrderedList {
        position: format!("{}{of_list}", table.row),
        name,
        columns: equal_columns,
        is_sorted: columns.len() > listed,
        order: columns,
        index: index.name.clone(),
        predicate,
    }))
}

/// Returns the columns of the key by which rows with these values are ordered: those behind the
/// first ones, if such as a tenant are compared. `None` if other columns of the key are compared,
/// or all.
fn rest_of_key<'a>(table: &'a TablePlan, equal: &[Key<'_>]) -> Option<&'a [String]> {
    let is_equal = |name: &String| equal.iter().any(|(field, _)| field.sql_name == *name);
    let first = table.key.iter().take_while(|name| is_equal(name)).count();
    let rest = &table.key[first..];
    (!rest.is_empty() && !rest.iter().any(is_equal)).then_some(rest)
}

/// Returns true for an index that begins with the first column of a composite key.
fn is_of_tenant(table: &TablePlan, keys: &[Key<'_>]) -> bool {
    matches!((keys, table.key.as_slice()), ([(field, order), _, ..], [first, _, ..])
        if field.sql_name == *first && !is_explicit(order))
}

/// Returns the column of an index, with its field. Fails for an expression, and for an order that
/// `ORDER BY` with the name alone does not have.
fn plain_key<'a>(table: &'a TablePlan, key: &'a IndexKey) -> Result<Key<'a>, NoList> {
    let IndexKey::Column { name, order } = key else {
        return Err(NoList::Because("has an expression".to_owned()));
    };
    let mut fields = table.fields.iter();
    let field = fields.find(|field| field.sql_name == *name);
    let field = field.ok_or_else(|| NoList::Because(format!("no row has {name}")))?;
    let other = match order {
        KeyOrder {
            collation: Some(_), ..
        } => "collation",
        KeyOrder {
            operator_class: Some(_),
            ..
        } => "operator class",
        _ => return Ok((field, order)),
    };
    Err(NoList::Because(format!(
        "another {other} than that of {name}"
    )))
}

/// Returns the number of the first column that gives the order.
fn start_of_order(keys: &[Key<'_>]) -> usize {
    let Some((last, order)) = keys.last() else {
        return 0;
    };
    if is_unordered(last) && !is_explicit(order) {
        return keys.len();
    }
    let before = keys[..keys.len() - 1].iter().rev();
    let explicit = before.take_while(|(_, order)| is_explicit(order));
    keys.len() - 1 - explicit.count()
}

/// Returns true if the index states an order that is not the default: DESC or NULLS FIRST.
fn is_explicit(order: &KeyOrder) -> bool {
    order.descending || order.nulls_first
}

fn has_explicit(keys: &[Key<'_>]) -> bool {
    keys.iter().any(|(_, order)| is_explicit(order))
}

/// Returns true for a column whose order has no use: an id, an enum, a boolean or a UUID.
fn is_unordered(field: &Field) -> bool {
    let rust_type = &field.rust_type;
    rust_type.id_of.is_some()
        || !rust_type.of_types.is_empty()
        || rust_type.owned == "bool"
        || rust_type.owned.ends_with("Uuid")
}

/// Returns true if a position can have this column: a row of the list has it, and it is sent and
/// written to JSON as it is.
fn is_fit(table: &TablePlan, column: &OrderColumn) -> bool {
    let name = &column.column.sql_name;
    let mut listed = table.list_fields.iter();
    let is_listed = table.list_fields.is_empty() || listed.any(|field| field.sql_name == *name);
    let mut fields = table.fields.iter();
    let field = fields.find(|field| field.sql_name == *name);
    is_listed
        && field.is_some_and(|field| {
            let rust_type = &field.rust_type;
            field.via.is_none()
                && field.bare.is_none()
                && !field.is_composite
                && (!field.is_given || !rust_type.of_types.is_empty())
                && !rust_type.is_array()
                && !rust_type.by_json
                && rust_type.owned != "Value"
        })
}

fn column(field: &Field, order: &KeyOrder) -> OrderColumn {
    OrderColumn {
        column: key_column(field),
        owned: field.rust_type.owned.clone(),
        descending: order.descending,
        nulls_first: order.nulls_first,
        nullable: field.options > 0,
    }
}

/// Returns `_by_project_and_status`; nothing without columns.
fn by(columns: &[Key<'_>]) -> String {
    let names = columns.iter().map(|(field, _)| trimmed(&field.name));
    let names = names.collect::<Vec<_>>().join("_and_");
    if names.is_empty() {
        names
    } else {
        format!("_by_{names}")
    }
}

/// Returns the name of a column for that of a function: `project` for `project_id`.
pub(super) fn trimmed(name: &str) -> &str {
    let name = name.trim_end_matches('_');
    match name.strip_suffix("_id") {
        Some(short) if !short.is_empty() => short,
        _ => name,
    }
}
