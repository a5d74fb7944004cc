//! The functions that read and write many rows at once.

use bowline_catalog::definition::quoted;

use bowline_plan::plan::{Field, KeyColumn, TablePlan};

use super::super::super::layout::{WIDTH, doc, literal};
use super::super::sql::{self, Constant};
use super::super::template::{Gap, Template, list};
use super::super::values;
use super::deletion::{deletion, soft_deletion};
use super::writes::{changes_argument, set_updated_at, version, write_query, writing};
use super::{Emitted, head, key, key_columns, query, reading};

/// The rows that a call gives, in the SQL.
const GIVEN: &str = "given";

/// Returns the type of a key: that of its column, or a tuple.
fn key_type(table: &TablePlan) -> String {
    let types: Vec<String> = key(table)
        .iter()
        .map(|field| field.rust_type.owned.clone())
        .collect();
    match types.as_slice() {
        [only] => only.clone(),
        several => format!("({})", several.join(", ")),
    }
}

/// Returns the name and the type of an argument with many keys.
fn keys_argument(table: &TablePlan) -> (String, String) {
    let name = if table.id.is_some() { "ids" } else { "keys" };
    (name.to_owned(), format!("&[{}]", key_type(table)))
}

/// Returns the call that binds many keys.
fn bind_keys(table: &TablePlan) -> String {
    format!(".keys::<{}>({})", table.row, keys_argument(table).0)
}

/// Adds the arrays of keys: `$1, $2`.
fn key_arrays(table: &TablePlan, mut sql: Template, columns: &[KeyColumn]) -> Template {
    for (number, column) in columns.iter().enumerate() {
        if number > 0 {
            sql = sql.fixed(", ");
        }
        let mut fields = table.fields.iter();
        let field = fields.find(|field| field.sql_name == column.sql_name);
        let sql_type = field.map(|field| field.base.sql()).unwrap_or_default();
        sql = sql.array(number + 1, column.cast.as_deref(), sql_type);
    }
    sql
}

/// Returns the names of keys in the SQL: `k1, k2`.
fn key_names(columns: &[KeyColumn]) -> String {
    list((1..=columns.len()).map(|number| format!("k{number}")))
}

/// Returns the condition that the rows of the table have the given keys.
fn has_given_key(table: &TablePlan, columns: &[KeyColumn]) -> String {
    let equal = (1..).zip(columns).map(|(number, column)| {
        let given = given_key(number, column);
        format!("{} = {given}", of_table(table, &column.sql_name))
    });
    equal.collect::<Vec<_>>().join(" AND ")
}

/// Returns a given key: `given.k1`, with the casts that its array does not have.
fn given_key(number: usize, column: &KeyColumn) -> String {
    let cast = column
        .cast
        .as_deref()
        .and_then(|cast| cast.split_once("::"));
    let cast = cast.map_or(String::new(), |(_, rest)| format!("::{rest}"));
    format!("{GIVEN}.k{number}{cast}")
}

fn of_table(table: &TablePlan, column: &str) -> String {
    format!("{}.{}", sql::name(table), quoted(column))
}

pub(super) fn find_many(table: &TablePlan) -> Emitted<'_> {
    let columns = key_columns(table);
    let words = format!(
        "The rows with these {}, in the order of the {}. One that is not there is left out.",
        keys_argument(table).0,
        keys_argument(table).0
    );
    let begin = format!(
        "SELECT {} FROM unnest(",
        sql::qualified_columns(table, &table.fields)
    );
    let on = sql::kept(table, &has_given_key(table, &columns));
    let sql = key_arrays(table, begin.into(), &columns).fixed(format!(
        ") WITH ORDINALITY AS {GIVEN} ({}, n) JOIN {} ON {on} ORDER BY {GIVEN}.n",
        key_names(&columns),
        sql::name(table)
    ));
    let output = format!("bowline::Query<Vec<{}>>", table.row);
    Emitted {
        doc: doc(4, &words),
        head: head("find_many", vec![keys_argument(table)], &output),
        constants: vec![Constant {
            sql,
            ..reading(table, "find_many", String::new())
        }],
        body: query(vec![bind_keys(table)]),
    }
}

pub(super) fn delete_many(table: &TablePlan) -> Emitted<'_> {
    let columns = key_columns(table);
    let names = keys_argument(table).0;
    let words = match &table.roles.deleted_at {
        None => format!("Deletes the rows with these {names}, and returns how many there were."),
        Some(deleted_at) => format!(
            "Marks the rows with these {names} as deleted, by their {deleted_at}, and returns how many there were."
        ),
    };
    let begin = match table.roles.deleted_at {
        None => deletion(table),
        Some(_) => soft_deletion(table),
    };
    let sql = match columns.as_slice() {
        [only] => Template::from(format!("{begin} WHERE {}", sql::kept(table, &is_any(only)))),
        _ => {
            let from = if table.roles.deleted_at.is_some() {
                "FROM"
            } else {
                "USING"
            };
            let begin = Template::from(format!("{begin} {from} unnest("));
            key_arrays(table, begin, &columns).fixed(format!(
                ") AS {GIVEN} ({}) WHERE {}",
                key_names(&columns),
                sql::kept(table, &has_given_key(table, &columns))
            ))
        }
    };
    let output = write_query("bowline::statement::RowsAffected");
    Emitted {
        doc: doc(4, &words),
        head: head("delete_many", vec![keys_argument(table)], &output),
        constants: vec![writing(table, "delete_many", sql, &[])],
        body: query(vec![bind_keys(table)]),
    }
}

/// Returns `id = ANY($1)`, with the casts of the parameter.
fn is_any(column: &KeyColumn) -> String {
    let casts = column.cast.iter().flat_map(|cast| cast.split("::"));
    let casts: String = casts.map(|cast| format!("::{cast}[]")).collect();
    format!("{} = ANY($1{casts})", quoted(&column.sql_name))
}

pub(super) fn update_many(table: &TablePlan) -> Emitted<'_> {
    let version = version(table);
    let changes = changes_argument(table);
    let otherwise = match &version {
        Some(version) => format!(
            "If one is not there, nothing is changed: the error is `NotFound`. If one has another \
             {} now, it is `VersionChanged`. If one is given twice, it is `Query`, and nothing is sent.",
            version.sql_name
        ),
        None => {
            "If one is not there, nothing is changed: the error is `NotFound`. If one is given \
                 twice, it is `Query`, and nothing is sent."
                .to_owned()
        }
    };
    let words = format!(
        "Changes many in one round trip, all or none, and returns them as stored, in their \
         order.\n\n{otherwise}"
    );
    let of_version = version.as_ref().map(|version| version.argument.clone());
    let parts: Vec<String> = [key_type(table)]
        .into_iter()
        .chain(of_version)
        .chain([changes.clone()])
        .collect();
    let arguments = vec![("changes".to_owned(), format!("Vec<({})>", parts.join(", ")))];
    if values::has_changes_arrays(table) {
        return update_one_by_one(table, &words, arguments, version.as_ref());
    }
    let output = format!("bowline::statement::WriteMany<{}>", table.row);
    let (constructor, types) = match &version {
        None => ("by_keys", changes),
        Some(version) => {
            let column = format!("{}::{}", table.module, version.field);
            ("by_versions", format!("{column}, {changes}, _"))
        }
    };
    Emitted {
        doc: doc(4, &words),
        head: head("update_many", arguments, &output),
        constants: vec![Constant {
            unchanged: Some(update_sql(table, version.as_ref(), false)),
            ..writing(
                table,
                "update_many",
                update_sql(table, version.as_ref(), true),
                &[],
            )
        }],
        body: write_many(constructor, &types, "changes"),
    }
}

/// Returns the update of a table with arrays, which cannot be elements of an array: a statement for
/// each row.
fn update_one_by_one<'a>(
    table: &'a TablePlan,
    words: &str,
    arguments: Vec<(String, String)>,
    version: Option<&KeyColumn>,
) -> Emitted<'a> {
    let key = key_columns(table);
    let names: Vec<&str> = key.iter().map(|it| it.argument_name.as_str()).collect();
    let pattern = match names.as_slice() {
        [only] => (*only).to_owned(),
        several => format!("({})", several.join(", ")),
    };
    let of_version = || version.map(|version| version.argument_name.clone());
    let given = key.iter().map(|column| {
        let reference = if column.argument.starts_with('&') {
            "&"
        } else {
            ""
        };
        format!("{reference}{}", column.argument_name)
    });
    let last = || "changes".to_owned();
    let pattern: Vec<String> = [pattern]
        .into_iter()
        .chain(of_version())
        .chain([last()])
        .collect();
    let given: Vec<String> = given.chain(of_version()).chain([last()]).collect();
    let constructor = match version {
        Some(_) => "versions_one_by_one",
        None => "one_by_one",
    };
    let function = literal(&format!("{}::update_many", table.full_row()));
    let begin =
        |of_row: &str| format!("        bowline::statement::WriteMany{of_row}::{constructor}(");
    let body = if pattern == given {
        call_of(
            &begin(""),
            &["changes".to_owned(), function, "Self::update".to_owned()],
        )
    } else {
        // The row says which type the key has: the closure alone takes it to be `str` or `[u8]`.
        let begin = begin(&format!("::<{}>", table.row));
        // Its last argument is on lines of its own, as rustfmt writes it.
        let closure = format!("|{}|", pattern.join(", "));
        let call = format!("Self::update({})", given.join(", "));
        let first = format!("{begin}changes, {function}, {closure} {{");
        if first.len() <= WIDTH {
            format!("{first}\n            {call}\n        }})\n")
        } else {
            call_of(
                &begin,
                &["changes".to_owned(), function, format!("{closure} {call}")],
            )
        }
    };
    Emitted {
        doc: doc(4, words),
        head: head(
            "update_many",
            arguments,
            &format!("bowline::statement::WriteMany<{}>", table.row),
        ),
        constants: Vec::new(),
        body,
    }
}

/// Returns the SQL of an update of many rows, or the one that only reads them.
fn update_sql(table: &TablePlan, version: Option<&KeyColumn>, writes: bool) -> Template {
    let key = key_columns(table);
    let bound: Vec<KeyColumn> = key.iter().chain(version).cloned().collect();
    let columns = sql::qualified_columns(table, &table.fields);
    let read = list((1..=table.fields.len()).map(|number| format!("v{number}")));
    let begin = Template::from(format!("WITH {GIVEN} AS (SELECT * FROM unnest("));
    let mut sql = key_arrays(table, begin, &bound)
        .gap(Gap::Arrays)
        .fixed(format!(
            ") WITH ORDINALITY AS {GIVEN} ({}",
            key_names(&bound)
        ))
        .gap(Gap::Names)
        .fixed(format!(", n)), found (n, {read}) AS ("));
    let has_key = has_given_key(table, &key);
    let failure = version.map(|version| {
        let column = of_table(table, &version.sql_name);
        let number = bound.len();
        (
            column.clone(),
            number,
            format!("('bowline: version ' || {column})"),
        )
    });
    let has_kept_key = sql::kept(table, &has_key);
    if writes {
        let set = match (&failure, version) {
            (Some((column, number, failure)), Some(version)) => format!(
                ", {} = CASE WHEN {column} = {GIVEN}.k{number} THEN {column} + 1 ELSE {failure}::{} END",
                quoted(&version.sql_name),
                super::writes::version_type(version)
            ),
            _ => String::new(),
        };
        sql = sql
            .fixed(format!("UPDATE {} SET ", sql::name(table)))
            .gap(Gap::Given)
            .fixed(format!(
                "{set}{} FROM {GIVEN} WHERE {has_kept_key} RETURNING {GIVEN}.n, {columns}",
                set_updated_at(table)
            ));
    } else {
        let is_unchanged = failure.map_or(String::new(), |(column, number, failure)| {
            format!(
                " AND CASE WHEN {has_key} AND {column} <> {GIVEN}.k{number} THEN {failure}::boolean ELSE true END"
            )
        });
        sql = sql.fixed(format!(
            "SELECT {GIVEN}.n, {columns} FROM {GIVEN} JOIN {} ON {has_kept_key}{is_unchanged}",
            sql::name(table)
        ));
    }
    // The aggregate is computed also if no row is found.
    sql.fixed(format!(
        ") SELECT {read} FROM (SELECT CASE WHEN count(*) = (SELECT count(*) FROM {GIVEN}) THEN 1 \
         ELSE ('bowline: expected ' || (SELECT count(*) FROM {GIVEN}) || ' rows, got ' || \
         count(*))::integer END AS ok FROM found) AS counted LEFT JOIN found ON counted.ok = 1 ORDER BY n"
    ))
}

/// Returns the call that makes a write of many rows.
pub(super) fn write_many(constructor: &str, types: &str, rows: &str) -> String {
    let call = format!("        bowline::statement::WriteMany::{constructor}::<{types}>(");
    call_of(&call, &[rows.to_owned(), "&SQL".to_owned()])
}

/// Returns a call, on several lines if it is long.
fn call_of(call: &str, arguments: &[String]) -> String {
    let single = format!("{call}{})\n", arguments.join(", "));
    if single.trim_end().len() <= WIDTH {
        return single;
    }
    let lines: String = arguments
        .iter()
        .map(|argument| format!("            {argument},\n"))
        .collect();
    format!("{call}\n{lines}        )\n")
}

/// Returns the macro that sends many keys as arrays.
pub(in super::super) fn row_key(table: &TablePlan) -> String {
    let field = |(number, field): (usize, &Field)| {
        let via = field.via.as_ref();
        let sql_type = via.map_or(String::new(), |via| {
            format!(" as {}", via.sql_type.in_table())
        });
        format!(
            "        {number} {}: {}{sql_type},\n",
            field.name, field.rust_type.owned
        )
    };
    let fields = key(table).into_iter().enumerate().map(field);
    format!(
        "bowline::__generated::row_key! {{\n    {}: {} {{\n{}    }}\n}}\n",
        table.row,
        table.module,
        fields.collect::<String>()
    )
}
