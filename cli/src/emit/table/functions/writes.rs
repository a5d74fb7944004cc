//! The functions that write.

use bowline_catalog::definition::quoted;

use bowline_plan::plan::{self, KeyColumn, TablePlan, article};

use super::super::super::layout::doc;
use super::super::lifetime;
use super::super::sql::{self, Constant};
use super::super::template::{Gap, Template, list};
use super::{
    Emitted, bind_columns, column_arguments, column_words, condition, head, key_columns, query,
};

/// Returns the type of the argument for a new row.
pub(super) fn new_argument(table: &TablePlan) -> String {
    if table.has_values_type() {
        let lifetime = lifetime(&table.new_fields);
        format!("impl Into<{}{lifetime}>", table.values_type())
    } else {
        inserted_type(table)
    }
}

/// Returns the name of a function that takes new rows, with the lifetime of their values.
pub(super) fn taking_new(table: &TablePlan, name: &str) -> String {
    let is_generic = table.has_values_type();
    let lifetime = is_generic.then(|| lifetime(&table.new_fields));
    format!("{name}{}", lifetime.unwrap_or_default())
}

/// Returns the type that an INSERT sends.
pub(super) fn inserted_type(table: &TablePlan) -> String {
    let lifetime = lifetime(&table.new_fields).replace("'a", "'_");
    format!("{}{lifetime}", table.inserted_type())
}

/// Returns the call that binds a new row.
pub(super) fn bind_new(table: &TablePlan) -> String {
    if table.has_values_type() {
        ".new_row(&new.into())".to_owned()
    } else {
        ".new_row(&new)".to_owned()
    }
}

pub(super) fn changes_argument(table: &TablePlan) -> String {
    let lifetime = lifetime(&table.changes_fields).replace("'a", "'_");
    format!("{}{lifetime}", table.changes_type())
}

/// Returns the type of a query that writes.
pub(super) fn write_query(output: &str) -> String {
    format!("bowline::WriteQuery<{output}>")
}

/// Returns the constant of a function that writes, with the facts that are known about it.
pub(super) fn writing<'a>(
    table: &'a TablePlan,
    function: &'a str,
    sql: impl Into<Template>,
    facts: &'a [&'a str],
) -> Constant<'a> {
    Constant {
        name: "SQL",
        table,
        function,
        sql: sql.into(),
        unchanged: None,
        kept: Vec::new(),
        once: Vec::new(),
        facts,
        calls: "",
    }
}

/// Returns the known facts about an INSERT of one row.
fn one_row(table: &TablePlan) -> &'static [&'static str] {
    if table.inserts_one_row {
        &["writes_one_row"]
    } else {
        &[]
    }
}

const AT_MOST_ONE_ROW: &[&str] = &["writes_at_most_one_row"];

pub(super) fn insert(table: &TablePlan) -> Emitted<'_> {
    let words = format!(
        "Inserts {} {} and returns it as stored.",
        article(&table.noun),
        table.noun
    );
    let arguments = vec![("new".to_owned(), new_argument(table))];
    let sql = Template::from(format!("INSERT INTO {} ", sql::name(table)))
        .gap(Gap::New)
        .fixed(sql::returning(table));
    Emitted {
        doc: doc(4, &words),
        head: head(
            &taking_new(table, "insert"),
            arguments,
            &write_query(&table.row),
        ),
        constants: vec![writing(table, "insert", sql, one_row(table))],
        body: query(vec![bind_new(table)]),
    }
}

/// Returns the insert for a table in which PostgreSQL fills every column.
pub(super) fn insert_default(table: &TablePlan) -> Emitted<'_> {
    let words = format!(
        "Inserts {} {} of what PostgreSQL fills in, and returns it as stored.",
        article(&table.noun),
        table.noun
    );
    let sql = format!(
        "INSERT INTO {} DEFAULT VALUES{}",
        sql::name(table),
        sql::returning(table)
    );
    Emitted {
        doc: doc(4, &words),
        head: head("insert", Vec::new(), &write_query(&table.row)),
        constants: vec![writing(table, "insert", sql, one_row(table))],
        body: query(Vec::new()),
    }
}

pub(super) fn update(table: &TablePlan) -> Emitted<'_> {
    let version = version(table);
    let otherwise = match &version {
        Some(version) => format!(
            "or the error `NotFound`.\n\nIf the row has another {} now, the error is `VersionChanged`.",
            version.sql_name
        ),
        None => "or the error `NotFound`.".to_owned(),
    };
    let words = format!(
        "Makes the changes and returns the {} as stored, {otherwise}\n\nNo changes just read it.",
        table.noun
    );
    let key = key_columns(table);
    let of_key = sql::condition(&key);
    let bound: Vec<KeyColumn> = key.into_iter().chain(version.clone()).collect();
    let mut arguments = column_arguments(&bound);
    arguments.push(("changes".to_owned(), changes_argument(table)));
    let mut links = bind_columns(table, &bound);
    links.push(".changes(&changes)".to_owned());
    let (set, is_unchanged) = match &version {
        Some(version) => {
            let column = quoted(&version.sql_name);
            let number = bound.len();
            let failure = format!("('bowline: version ' || {column})");
            let cast = version_type(version);
            (
                format!(
                    ", {column} = CASE WHEN {column} = ${number} THEN {column} + 1 \
                     ELSE {failure}::{cast} END"
                ),
                // PostgreSQL may evaluate the conditions in any order.
                format!(
                    " AND CASE WHEN {of_key} AND {column} <> ${number} \
                     THEN {failure}::boolean ELSE true END"
                ),
            )
        }
        None => (String::new(), String::new()),
    };
    let of_key = format!(" WHERE {}", sql::kept(table, &of_key));
    let sql = Template::from(format!("UPDATE {} SET ", sql::name(table)))
        .gap(Gap::Changes)
        .fixed(format!(
            "{set}{}{of_key}{}",
            set_updated_at(table),
            sql::returning(table)
        ));
    let facts = if table.updates_at_most_one_row {
        AT_MOST_ONE_ROW
    } else {
        &[]
    };
    let unchanged = sql::select(table) + &of_key + &is_unchanged;
    Emitted {
        doc: doc(4, &words),
        head: head("update", arguments, &write_query(&table.row)),
        constants: vec![Constant {
            unchanged: Some(unchanged.into()),
            ..writing(table, "update", sql, facts)
        }],
        body: query(links),
    }
}

/// Returns the column that counts the changes of a row.
pub(super) fn version(table: &TablePlan) -> Option<KeyColumn> {
    let version = table.roles.version.clone()?;
    plan::key_columns(table, &[version])?.into_iter().next()
}

/// Returns the SQL type of the column that counts the changes.
pub(super) fn version_type(version: &KeyColumn) -> &'static str {
    match version.argument.as_str() {
        "i16" => "smallint",
        "i32" => "integer",
        _ => "bigint",
    }
}

/// Returns the assignment of the time of the last change, after others.
pub(super) fn set_updated_at(table: &TablePlan) -> String {
    let updated_at = table.roles.updated_at.iter();
    updated_at
        .map(|column| format!(", {} = now()", quoted(column)))
        .collect()
}

/// Returns what each change of a row assigns, after other columns. `name` is that of the table in
/// the statement.
pub(super) fn set_by_change(table: &TablePlan, name: &str) -> String {
    let version = table.roles.version.iter().map(|column| {
        // In an upsert, the column of the other row has the same name.
        let column = quoted(column);
        format!(", {column} = {name}.{column} + 1")
    });
    version.chain([set_updated_at(table)]).collect()
}

pub(super) fn upsert<'a>(
    table: &'a TablePlan,
    name: &'a str,
    columns: &[KeyColumn],
    predicate: Option<&str>,
) -> Emitted<'a> {
    let has_changes = !table.changes_fields.is_empty();
    let names = || columns.iter().map(|column| quoted(&column.sql_name));
    let which = predicate
        .map(|predicate| format!(" WHERE {}", condition(predicate)))
        .unwrap_or_default();
    let first = names().next().unwrap_or_default();
    // The update writes the value that the row already has: DO NOTHING would return no row.
    let keep = format!("{first} = excluded.{first}");
    let begin = || {
        Template::from(format!("INSERT INTO {} ", sql::upserted(table)))
            .gap(Gap::New)
            .fixed(format!(
                " ON CONFLICT ({}){which} DO UPDATE SET ",
                list(names())
            ))
    };
    let kept = || begin().fixed(keep.clone()).fixed(sql::returning(table));
    let changed = || {
        begin()
            .gap(Gap::Changes)
            .fixed(set_by_change(table, &sql::alias(table)) + &sql::returning(table))
    };
    let mut arguments = vec![("new".to_owned(), new_argument(table))];
    let mut links = vec![bind_new(table)];
    let what = if has_changes {
        arguments.push(("changes".to_owned(), changes_argument(table)));
        links.push(".changes(&changes)".to_owned());
        "makes the changes to it instead"
    } else {
        "leaves it as it is"
    };
    let sql = if has_changes { changed() } else { kept() };
    let words = format!(
        "Inserts the {}; where one with this {} is there already, {what}.",
        table.noun,
        column_words(columns)
    );
    Emitted {
        doc: doc(4, &words),
        head: head(
            &taking_new(table, name),
            arguments,
            &write_query(&table.row),
        ),
        constants: vec![Constant {
            unchanged: has_changes.then(kept),
            ..writing(table, name, sql, one_row(table))
        }],
        body: query(links),
    }
}

/// Returns the function that runs the query of a materialized view again.
pub(super) fn refresh(table: &TablePlan, is_concurrent: bool) -> Emitted<'_> {
    let (name, words, concurrently) = if is_concurrent {
        (
            "refresh_concurrently",
            "Runs the query of the view again and makes the changes to its rows, while others read \
             them.\n\nSlower than `refresh` if most rows change. The view must have been filled before.",
            "CONCURRENTLY ",
        )
    } else {
        (
            "refresh",
            "Runs the query of the view again and replaces its rows. Others who read the view wait \
             until the transaction ends.",
            "",
        )
    };
    let sql = format!(
        "REFRESH MATERIALIZED VIEW {concurrently}{}",
        sql::name(table)
    );
    Emitted {
        doc: doc(4, words),
        head: head(name, Vec::new(), &write_query("()")),
        constants: vec![writing(table, name, sql, &[])],
        body: query(Vec::new()),
    }
}
