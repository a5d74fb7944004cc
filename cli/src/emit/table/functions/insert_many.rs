//! The functions that insert many rows, and those that change or pass over rows that are there.

use bowline_catalog::definition::quoted;

use bowline_plan::plan::{KeyColumn, TablePlan};

use super::super::super::layout::doc;
use super::super::sql::{self, Constant};
use super::super::template::{Gap, Template, list};
use super::super::values;
use super::many::write_many;
use super::writes::{inserted_type, new_argument, set_by_change, taking_new, write_query, writing};
use super::{Emitted, condition, head, query};

pub(super) fn upsert_many<'a>(
    table: &'a TablePlan,
    name: &'a str,
    columns: &[KeyColumn],
    predicate: Option<&str>,
) -> Emitted<'a> {
    let once = given_once(table, columns, predicate);
    let by_columns = super::column_words(columns);
    let twice = if once.is_empty() {
        format!("PostgreSQL refuses two rows with the same {by_columns} in one command.")
    } else {
        format!(
            "If two rows of one call have the same {by_columns}, the error is `Query`, and nothing is sent."
        )
    };
    let words = format!(
        "Inserts many, and changes those that are there already, in one round trip, all or none; returns \
         them as stored, in their order.\n\nA row with the same {by_columns} gets the given values. \
         Columns that are not given keep theirs. {twice}"
    );
    let (gap, by) = rows_gap(table);
    let first = columns.first().map(|column| quoted(&column.sql_name));
    let first = first.unwrap_or_default();
    let begin = || {
        Template::from(format!("INSERT INTO {} ", sql::upserted(table)))
            .gap(gap)
            .fixed(format!(
                " ON CONFLICT {} DO UPDATE SET ",
                target(columns, predicate)
            ))
    };
    let changed = begin()
        .gap(Gap::Excluded)
        .fixed(set_by_change(table, &sql::alias(table)) + &sql::returning(table));
    // The update writes the value that the row already has: DO NOTHING would return no row.
    let kept = begin().fixed(format!(
        "{first} = excluded.{first}{}",
        sql::returning(table)
    ));
    let mut keys: Vec<&str> = columns.iter().map(|it| it.sql_name.as_str()).collect();
    keys.extend(table.key.iter().map(String::as_str));
    keys.extend(table.overridden.iter().map(String::as_str));
    keys.sort_unstable();
    keys.dedup();
    let arguments = vec![("new".to_owned(), format!("Vec<{}>", new_argument(table)))];
    let output = format!("bowline::statement::WriteMany<{}>", table.row);
    Emitted {
        doc: doc(4, &words),
        head: head(&taking_new(table, name), arguments, &output),
        constants: vec![Constant {
            unchanged: Some(kept),
            kept: keys.into_iter().map(str::to_owned).collect(),
            once,
            ..writing(table, name, changed, &[])
        }],
        body: write_many(by, &inserted_type(table), "new"),
    }
}

/// Returns the columns whose values two rows of one upsert cannot share. A predicate that a row may
/// not fulfil leaves that to PostgreSQL.
fn given_once(table: &TablePlan, columns: &[KeyColumn], predicate: Option<&str>) -> Vec<String> {
    let is_given = |name: &str| table.new_fields.iter().any(|it| it.sql_name == name);
    let mut words = predicate.into_iter().flat_map(bowline_sql::tokens);
    if words.any(|word| word.name().is_some_and(|name| is_given(&name))) {
        return Vec::new();
    }
    columns.iter().map(|it| it.sql_name.clone()).collect()
}

pub(super) fn insert_or_ignore<'a>(
    table: &'a TablePlan,
    name: &'a str,
    columns: &[KeyColumn],
    predicate: Option<&str>,
) -> Emitted<'a> {
    let words = format!(
        "Inserts the {} and returns it as stored, or `None` if one with this {} is there already.",
        table.noun,
        super::column_words(columns)
    );
    let sql = Template::from(format!("INSERT INTO {} ", sql::name(table)))
        .gap(Gap::New)
        .fixed(format!(
            " ON CONFLICT {} DO NOTHING{}",
            target(columns, predicate),
            sql::returning(table)
        ));
    let arguments = vec![("new".to_owned(), new_argument(table))];
    let output = write_query(&format!("Option<{}>", table.row));
    let facts: &[&str] = if table.inserts_one_row {
        &["writes_at_most_one_row"]
    } else {
        &[]
    };
    Emitted {
        doc: doc(4, &words),
        head: head(&taking_new(table, name), arguments, &output),
        constants: vec![writing(table, name, sql, facts)],
        body: query(vec![super::writes::bind_new(table)]),
    }
}

pub(super) fn insert_many_or_ignore<'a>(
    table: &'a TablePlan,
    name: &'a str,
    columns: &[KeyColumn],
    predicate: Option<&str>,
) -> Emitted<'a> {
    let words = format!(
        "Inserts many in one round trip, all or none, except those whose {0} is there already: of rows \
         of one call with the same {0}, one is inserted. Returns the inserted rows as stored.",
        super::column_words(columns)
    );
    let (gap, by) = rows_gap(table);
    let sql = Template::from(format!("INSERT INTO {} ", sql::name(table)))
        .gap(gap)
        .fixed(format!(
            " ON CONFLICT {} DO NOTHING{}",
            target(columns, predicate),
            sql::returning(table)
        ));
    let arguments = vec![("new".to_owned(), format!("Vec<{}>", new_argument(table)))];
    let output = format!("bowline::statement::WriteMany<{}>", table.row);
    Emitted {
        doc: doc(4, &words),
        head: head(&taking_new(table, name), arguments, &output),
        constants: vec![writing(table, name, sql, &[])],
        body: write_many(by, &inserted_type(table), "new"),
    }
}

pub(super) fn insert_many(table: &TablePlan) -> Emitted<'_> {
    let (gap, by) = rows_gap(table);
    let sql = Template::from(format!("INSERT INTO {} ", sql::name(table)))
        .gap(gap)
        .fixed(sql::returning(table));
    let arguments = vec![("new".to_owned(), format!("Vec<{}>", new_argument(table)))];
    let output = format!("bowline::statement::WriteMany<{}>", table.row);
    Emitted {
        doc: doc(
            4,
            "Inserts many in one round trip, all or none, and returns them as stored, in their order.",
        ),
        head: head(&taking_new(table, "insert_many"), arguments, &output),
        constants: vec![writing(table, "insert_many", sql, &[])],
        body: write_many(by, &inserted_type(table), "new"),
    }
}

/// Returns the gap for many new rows, and the function that fills it.
fn rows_gap(table: &TablePlan) -> (Gap, &'static str) {
    if values::has_new_arrays(table) {
        (Gap::New, "by_rows")
    } else {
        (Gap::Rows, "by_columns")
    }
}

/// Returns the index that decides about a conflict: `(email) WHERE status <> 'closed'`.
fn target(columns: &[KeyColumn], predicate: Option<&str>) -> String {
    let names = list(columns.iter().map(|column| quoted(&column.sql_name)));
    let which = predicate.map(|predicate| format!(" WHERE {}", condition(predicate)));
    format!("({names}){}", which.unwrap_or_default())
}
