//! The functions that list rows, in pages.

use bowline_catalog::definition::quoted;

use bowline_plan::plan::{KeyColumn, OrderColumn, OrderedList, TablePlan};

use super::super::super::layout::{chain, choice_of_page, doc, literal};
use super::super::sql::{self, Constant};
use super::super::template;
use super::{
    Emitted, bind, bind_columns, column_arguments, column_words, condition, head, key, key_columns,
    one_line, query, reading,
};

/// The rows that a list has.
#[derive(Clone, Copy)]
pub(super) enum Rows<'a> {
    /// Those that are not marked as deleted, or those of them that an index has.
    Kept(Option<Served<'a>>),
    /// Those that are marked as deleted.
    Deleted,
}

/// The index that serves a list.
#[derive(Clone, Copy)]
pub(super) struct Served<'a> {
    pub(super) index: &'a str,
    /// True if it does not have the order of the list.
    pub(super) is_sorted: bool,
    /// The predicate of a partial index.
    pub(super) predicate: Option<&'a str>,
}

pub(super) fn list<'a>(
    table: &'a TablePlan,
    name: &'a str,
    columns: &[KeyColumn],
    rows: Rows<'_>,
) -> Emitted<'a> {
    let mut arguments = column_arguments(columns);
    arguments.push(("page".to_owned(), format!("Page<{}>", key_type(table))));
    let of = match column_words(columns) {
        words if words.is_empty() => words,
        words => format!(" with this {words}"),
    };
    let index = match rows {
        Rows::Kept(index) => index,
        Rows::Deleted => None,
    };
    let predicate = index.and_then(|index| index.predicate);
    let which = predicate.map_or(String::new(), |it| format!(" where `{}`", one_line(it)));
    let served = index.map_or(
        String::new(),
        |Served {
             index, is_sorted, ..
         }| {
            let mut of: Vec<String> = Vec::new();
            for column in columns.iter().chain(&rest_of_key(table, columns)) {
                if !of.contains(&quoted(&column.sql_name)) {
                    of.push(quoted(&column.sql_name));
                }
            }
            let sorted = is_sorted.then(|| {
                format!(
                    " All such rows are read and sorted; an index on `({})` would spare that.",
                    of.join(", ")
                )
            });
            let sorted = sorted.unwrap_or_default();
            format!("\n\nServed by the index `{index}`.{sorted}")
        },
    );
    let words = format!(
        "Up to `page.limit` {}rows{of}{which}, by {}: the first, or those after or before a row.{served}",
        match rows {
            Rows::Kept(_) => "",
            Rows::Deleted => "deleted ",
        },
        column_words(&rest_of_key(table, columns))
    );
    let constant = |constant: &'static str, part: Part| Constant {
        name: constant,
        ..reading(table, name, page_sql(table, columns, part, rows))
    };
    let mut links = vec!["bowline::Query::new(sql)".to_owned()];
    links.extend(bind_columns(table, columns));
    let output = format!("bowline::Query<Vec<{}>>", table.listed_type());
    Emitted {
        doc: doc(4, &words),
        head: head(name, arguments, &output),
        constants: vec![
            constant("FIRST", Part::First),
            constant("AFTER", Part::After),
            constant("BEFORE", Part::Before),
        ],
        body: CHOICE.to_owned()
            + &chain(8, "let mut query = ", &links, ";")
            + &at_key(table, columns)
            + "        query.page(&page)\n",
    }
}

/// Returns the type of a key: `AccountId`, or `(AccountId, String)`.
pub(in super::super) fn key_type(table: &TablePlan) -> String {
    let key = key(table);
    let owned: Vec<&str> = key
        .iter()
        .map(|field| field.rust_type.owned.as_str())
        .collect();
    match owned.as_slice() {
        [only] => (*only).to_owned(),
        several => format!("({})", several.join(", ")),
    }
}

/// Returns the list of a relation without a key, which has no order.
pub(super) fn list_unordered(table: &TablePlan) -> Emitted<'_> {
    let arguments = vec![("limit".to_owned(), "u32".to_owned())];
    let output = format!("bowline::Query<Vec<{}>>", table.listed_type());
    let sql = format!("{} LIMIT $1", sql::select_listed(table));
    Emitted {
        doc: doc(4, "Up to `limit` rows, in no certain order."),
        head: head("list", arguments, &output),
        constants: vec![reading(table, "list", sql)],
        body: query(vec![".limit(i64::from(limit))".to_owned()]),
    }
}

/// The part of a list that a page has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    First,
    After,
    /// Read in the opposite order.
    Before,
}

/// The choice between the first page and the rows after a key or before it.
const CHOICE: &str = "        let sql = page.choose(&FIRST, &AFTER, &BEFORE);\n";

/// Returns the SQL of a page: the first one, or the rows after a given key, or those before it.
fn page_sql(table: &TablePlan, columns: &[KeyColumn], part: Part, rows: Rows<'_>) -> String {
    let key = rest_of_key(table, columns);
    // A cast column would be ordered by its text if it had only its name.
    let is_cast = key.iter().any(|field| field.via.is_some());
    let of_table = if is_cast {
        format!("{}.", sql::name(table))
    } else {
        String::new()
    };
    let names = |direction: &str| {
        template::list(
            key.iter()
                .map(|field| format!("{of_table}{}{direction}", quoted(&field.sql_name))),
        )
    };
    let (sign, direction) = match part {
        Part::First | Part::After => (">", ""),
        Part::Before => ("<", " DESC"),
    };
    let parameters = |first: usize| {
        let parameters = (first..).zip(&key);
        template::list(
            parameters.map(|(number, field)| sql::parameter(number, field.cast.as_ref())),
        )
    };
    let mut conditions = Vec::new();
    if !columns.is_empty() {
        conditions.push(sql::condition(columns));
    }
    let mut bound = columns.len();
    if part != Part::First {
        let at = parameters(bound + 1);
        conditions.push(match key.len() {
            1 => format!("{} {sign} {at}", names("")),
            // By this row comparison an index is read from the right place.
            _ => format!("({}) {sign} ({at})", names("")),
        });
        bound += key.len();
    }
    let is_kept = sql::is_kept(table);
    match rows {
        Rows::Kept(index) => {
            let predicate = index.and_then(|index| index.predicate).map(condition);
            conditions.extend(predicate.into_iter().chain(is_kept));
        }
        Rows::Deleted => conditions.extend(is_kept.map(|is_kept| format!("NOT {is_kept}"))),
    }
    let condition = if conditions.is_empty() {
        String::new()
    } else {
        format!(" WHERE {}", conditions.join(" AND "))
    };
    format!(
        "{}{condition} ORDER BY {} LIMIT ${}",
        sql::select_listed(table),
        names(direction),
        bound + 1
    )
}

/// Returns the columns of the key by which rows with values for these columns are ordered.
///
/// A column that is compared with one value does not change the order. With it in the comparison,
/// an index that has other columns behind it would be read from the first row.
fn rest_of_key(table: &TablePlan, columns: &[KeyColumn]) -> Vec<KeyColumn> {
    let is_equal = |name: &String| columns.iter().any(|column| column.sql_name == *name);
    let key = key_columns(table);
    let rest = key.iter().filter(|column| !is_equal(&column.sql_name));
    let rest: Vec<KeyColumn> = rest.cloned().collect();
    // There is at most one row.
    if rest.is_empty() { key } else { rest }
}

/// Returns the code that binds the key at which a page begins or ends.
fn at_key(table: &TablePlan, columns: &[KeyColumn]) -> String {
    let bound = rest_of_key(table, columns);
    let names = key_columns(table).into_iter().map(|column| {
        if bound.contains(&column) {
            column.argument_name
        } else {
            "_".to_owned()
        }
    });
    let names: Vec<String> = names.collect();
    let (pattern, values) = match names.as_slice() {
        [_] => ("key".to_owned(), vec!["key".to_owned()]),
        several => {
            let values = several.iter().filter(|name| *name != "_").cloned();
            (format!("({})", several.join(", ")), values.collect())
        }
    };
    let mut links = vec!["query".to_owned()];
    let values = bound.iter().zip(&values);
    links.extend(values.map(|(column, value)| bind(table, column, value)));
    format!("        if let Some({pattern}) = page.key() {{\n")
        + &chain(12, "query = ", &links, ";")
        + "        }\n"
}

/// Returns a list in the order of an index.
pub(super) fn ordered<'a>(table: &'a TablePlan, list: &'a OrderedList) -> Emitted<'a> {
    let nullable = list.order.iter().find(|column| column.nullable);
    let name_of: &'a str = &list.name;
    let backward = reversed(list);
    let constant = |name: &'static str, list: &OrderedList, is_null: Option<bool>| {
        let sql = ordered_sql(table, list, is_null);
        Constant {
            name,
            ..reading(table, name_of, sql)
        }
    };
    let mut constants = vec![
        constant("FIRST", list, None),
        constant("AFTER", list, Some(false)),
        constant("BEFORE", &backward, Some(false)),
    ];
    let mut choice = CHOICE.to_owned();
    if let Some(column) = nullable {
        constants.push(constant("AFTER_NULL", list, Some(true)));
        constants.push(constant("BEFORE_NULL", &backward, Some(true)));
        choice = choice_of_page(8, &column.column.field);
    }
    let mut arguments = column_arguments(&list.columns);
    arguments.push(("page".to_owned(), format!("Page<{}>", list.position)));
    let mut links = vec!["bowline::Query::new(sql)".to_owned()];
    links.extend(bind_columns(table, &list.columns));
    let mut of_page = vec!["query".to_owned()];
    of_page.extend(list.order.iter().map(|column| {
        let function = if column.nullable { "bind_some" } else { "bind" };
        format!(
            ".{function}::<{}::{}, _>(&at.{})",
            table.module, column.column.field, column.column.field
        )
    }));
    let output = format!("bowline::Query<Vec<{}>>", table.listed_type());
    Emitted {
        doc: doc(4, &words(list)),
        head: head(&list.name, arguments, &output),
        constants,
        body: choice
            + &chain(8, "let mut query = ", &links, ";")
            + "        if let Some(at) = page.key() {\n"
            + &chain(12, "query = ", &of_page, ";")
            + "        }\n        query.page(&page)\n",
    }
}

/// Returns the list in the opposite order, which the same index has.
fn reversed(list: &OrderedList) -> OrderedList {
    let mut list = list.clone();
    for column in &mut list.order {
        column.descending = !column.descending;
        column.nulls_first = !column.nulls_first;
    }
    list
}

/// Returns the documentation of a list in the order of an index.
fn words(list: &OrderedList) -> String {
    let of = match column_words(&list.columns) {
        words if words.is_empty() => words,
        words => format!(" with this {words}"),
    };
    let which = list.predicate.as_deref();
    let which = which.map_or(String::new(), |it| format!(" where `{}`", one_line(it)));
    let sorted = if list.is_sorted {
        let columns = list.columns.iter().map(|column| quoted(&column.sql_name));
        let order = list.order.iter().map(direction);
        format!(
            " Rows that are equal in it are sorted by the key; an index on `({})` would spare that.",
            columns.chain(order).collect::<Vec<_>>().join(", ")
        )
    } else {
        String::new()
    };
    let union = if is_comparable(list) {
        ""
    } else {
        "\n\nIt cannot lock its rows, since PostgreSQL locks none of a UNION."
    };
    format!(
        "Up to `page.limit` rows{of}{which}, by {}: the first, or those after or before a row.\n\nServed by the index `{}`.{sorted}{union}",
        order_by(list),
        list.index
    )
}

/// Returns `updated_at DESC`.
fn direction(column: &OrderColumn) -> String {
    let name = quoted(&column.column.sql_name);
    let direction = if column.descending { " DESC" } else { "" };
    let nulls = match (column.descending, column.nulls_first) {
        (true, false) => " NULLS LAST",
        (false, true) => " NULLS FIRST",
        _ => "",
    };
    format!("{name}{direction}{nulls}")
}

fn order_by(list: &OrderedList) -> String {
    template::list(list.order.iter().map(direction))
}

/// Returns true if one comparison of rows says which rows are after another: all columns have one
/// direction and no NULLs.
fn is_comparable(list: &OrderedList) -> bool {
    let first = list.order.first().map(|column| column.descending);
    let mut order = list.order.iter();
    order.all(|column| !column.nullable && Some(column.descending) == first)
}

/// Returns the SQL of a page: the first one, or the rows after a position, whose nullable column is
/// NULL or not.
fn ordered_sql(table: &TablePlan, list: &OrderedList, after: Option<bool>) -> String {
    let select = sql::select_listed(table);
    let mut fixed: Vec<String> = Vec::new();
    if !list.columns.is_empty() {
        fixed.push(sql::condition(&list.columns));
    }
    let predicate = list.predicate.as_deref().map(condition);
    let is_kept = sql::is_kept(table).filter(|is_kept| predicate.as_ref() != Some(is_kept));
    fixed.extend(predicate);
    fixed.extend(is_kept);
    let order = order_by(list);
    let Some(is_null) = after else {
        return page(&select, &fixed, &[], &order, list.columns.len() + 1);
    };
    // A NULL is not sent.
    let mut number = list.columns.len();
    let values: Vec<Option<String>> = list
        .order
        .iter()
        .map(|column| {
            if column.nullable && is_null {
                return None;
            }
            number += 1;
            Some(sql::parameter(number, column.column.cast.as_ref()))
        })
        .collect();
    let limit = number + 1;
    if is_comparable(list) {
        let names = list.order.iter().map(|it| quoted(&it.column.sql_name));
        let names: Vec<String> = names.collect();
        let values: Vec<String> = values.into_iter().flatten().collect();
        let is_descending = list.order.iter().any(|column| column.descending);
        let sign = if is_descending { "<" } else { ">" };
        let after = match (names.as_slice(), values.as_slice()) {
            ([name], [value]) => format!("{name} {sign} {value}"),
            _ => format!("({}) {sign} ({})", names.join(", "), values.join(", ")),
        };
        return page(&select, &fixed, &[after], &order, limit);
    }
    // Each part is a range of the index, which OR would not be.
    let mut parts = Vec::new();
    for last in (0..list.order.len()).rev() {
        let equal = list.order.iter().zip(&values).take(last);
        let equal: Vec<String> = equal
            .map(|(column, value)| is_equal(column, value))
            .collect();
        for behind in behind(&list.order[last], &values[last]) {
            let conditions: Vec<String> = equal.iter().cloned().chain([behind]).collect();
            parts.push(page(&select, &fixed, &conditions, &order, limit));
        }
    }
    if let [only] = parts.as_slice() {
        return only.clone();
    }
    let parts: Vec<String> = parts.iter().map(|part| format!("({part})")).collect();
    format!(
        "{} ORDER BY {order} LIMIT ${limit}",
        parts.join(" UNION ALL ")
    )
}

fn page(select: &str, fixed: &[String], after: &[String], order: &str, limit: usize) -> String {
    let conditions: Vec<&str> = fixed.iter().chain(after).map(String::as_str).collect();
    let condition = if conditions.is_empty() {
        String::new()
    } else {
        format!(" WHERE {}", conditions.join(" AND "))
    };
    format!("{select}{condition} ORDER BY {order} LIMIT ${limit}")
}

fn is_equal(column: &OrderColumn, value: &Option<String>) -> String {
    let name = quoted(&column.column.sql_name);
    match value {
        Some(value) => format!("{name} = {value}"),
        None => format!("{name} IS NULL"),
    }
}

/// Returns the conditions of which rows behind a value fulfil one.
fn behind(column: &OrderColumn, value: &Option<String>) -> Vec<String> {
    let name = quoted(&column.column.sql_name);
    let Some(value) = value else {
        let has_value = format!("{name} IS NOT NULL");
        return if column.nulls_first {
            vec![has_value]
        } else {
            Vec::new()
        };
    };
    let sign = if column.descending { "<" } else { ">" };
    let mut conditions = vec![format!("{name} {sign} {value}")];
    if column.nullable && !column.nulls_first {
        conditions.push(format!("{name} IS NULL"));
    }
    conditions
}

/// Returns the macros of the positions in the lists of a table.
pub(in super::super) fn positions(table: &TablePlan) -> String {
    let lists = table
        .functions
        .iter()
        .filter_map(|function| match function {
            bowline_plan::plan::Function::ListOrdered(list) => Some(list),
            _ => None,
        });
    let positions: Vec<String> = lists.map(|list| position(table, list)).collect();
    positions.join("\n")
}

fn position(table: &TablePlan, list: &OrderedList) -> String {
    // A position in the list of other rows is another one.
    let which = list.predicate.as_deref().map(condition);
    let which = which.map_or(String::new(), |which| format!(" WHERE {which}"));
    let fields = list.order.iter().enumerate().map(|(index, column)| {
        let owned = if column.nullable {
            format!("Option<{}>", column.owned)
        } else {
            column.owned.clone()
        };
        format!("        {index} {}: {owned},\n", column.column.field)
    });
    format!(
        "bowline::__generated::position! {{\n    /// A position in [`{row}::{name}`]: that of a row in it.\n    \
         pub struct {} of {} in {} {{\n{}    }}\n}}\n",
        list.position,
        table.listed_type(),
        literal(&format!(
            "{}: {}",
            table.full_row(),
            one_line(&format!("{}: {}{which}", list.name, order_by(list)))
        )),
        fields.collect::<String>(),
        row = table.row,
        name = list.name,
    )
}
