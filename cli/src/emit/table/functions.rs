//! The functions of a table's row type.

use bowline_plan::plan::{self, Field, Function, KeyColumn, TablePlan, article};

mod by_columns;
mod deletion;
mod insert_many;
mod lists;
mod many;
mod writes;

use super::super::layout::{chain, doc, signature};
use super::sql::{self, Constant};
use by_columns::Which;
use lists::{Rows, Served};
pub(super) use lists::{key_type, positions};
pub(super) use many::row_key;

/// A function, in the parts of its text.
pub(super) struct Emitted<'a> {
    doc: String,
    head: String,
    pub(super) constants: Vec<Constant<'a>>,
    /// The code after the constants.
    body: String,
}

/// Returns the `impl` with the functions.
pub(super) fn functions(table: &TablePlan) -> String {
    let functions: Vec<_> = all(table).map(Emitted::text).collect();
    format!("impl {} {{\n{}}}\n", table.row, functions.join("\n"))
}

/// Returns the functions of a table.
pub(super) fn all(table: &TablePlan) -> impl Iterator<Item = Emitted<'_>> {
    table
        .functions
        .iter()
        .map(|function| self::function(table, function))
}

impl Emitted<'_> {
    fn text(self) -> String {
        let constants: String = self.constants.iter().map(Constant::declare).collect();
        format!("{}{}{constants}{}    }}\n", self.doc, self.head, self.body)
    }
}

fn function<'a>(table: &'a TablePlan, function: &'a Function) -> Emitted<'a> {
    match function {
        Function::Find => find(table),
        Function::Get => get(table),
        Function::FindBy {
            name,
            columns,
            index,
            predicate,
        } => find_by(table, name, columns, index, predicate.as_deref()),
        Function::List => lists::list(table, "list", &[], Rows::Kept(None)),
        Function::ListDeleted => lists::list(table, "list_deleted", &[], Rows::Deleted),
        Function::FindDeleted => find_deleted(table),
        Function::DeletePermanently => deletion::delete_permanently(table),
        Function::Restore => deletion::restore(table),
        Function::ListBy {
            name,
            columns,
            index,
            is_sorted,
            predicate,
        } => {
            let served = Served {
                index,
                is_sorted: *is_sorted,
                predicate: predicate.as_deref(),
            };
            lists::list(table, name, columns, Rows::Kept(Some(served)))
        }
        Function::ListUnordered => lists::list_unordered(table),
        Function::ListOrdered(list) => lists::ordered(table, list),
        Function::Refresh => writes::refresh(table, false),
        Function::RefreshConcurrently => writes::refresh(table, true),
        Function::Insert => writes::insert(table),
        Function::InsertDefault => writes::insert_default(table),
        Function::InsertMany => insert_many::insert_many(table),
        Function::FindMany => many::find_many(table),
        Function::DeleteMany => many::delete_many(table),
        Function::UpdateMany => many::update_many(table),
        Function::UpsertMany {
            name,
            columns,
            predicate,
        } => insert_many::upsert_many(table, name, columns, predicate.as_deref()),
        Function::InsertOrIgnore {
            name,
            columns,
            predicate,
        } => insert_many::insert_or_ignore(table, name, columns, predicate.as_deref()),
        Function::InsertManyOrIgnore {
            name,
            columns,
            predicate,
        } => insert_many::insert_many_or_ignore(table, name, columns, predicate.as_deref()),
        Function::CountBy {
            name,
            columns,
            index,
            predicate,
        } => by_columns::count_by(table, name, which(columns, index, predicate.as_deref())),
        Function::ExistsBy {
            name,
            columns,
            index,
            predicate,
        } => by_columns::exists_by(table, name, which(columns, index, predicate.as_deref())),
        Function::DeleteBy {
            name,
            columns,
            index,
            predicate,
            is_unique,
        } => {
            let which = which(columns, index, predicate.as_deref());
            by_columns::delete_by(table, name, which, *is_unique)
        }
        Function::Update => writes::update(table),
        Function::Upsert {
            name,
            columns,
            predicate,
        } => writes::upsert(table, name, columns, predicate.as_deref()),
        Function::Delete => deletion::delete(table),
        Function::Count => count(table),
        Function::Exists => exists(table),
    }
}

fn which<'a>(columns: &'a [KeyColumn], index: &'a str, predicate: Option<&'a str>) -> Which<'a> {
    Which {
        columns,
        index,
        predicate,
    }
}

/// Returns the first line of a function.
fn head(name: &str, arguments: Vec<(String, String)>, output: &str) -> String {
    let arguments: Vec<_> = arguments
        .into_iter()
        .map(|(name, rust_type)| format!("{name}: {rust_type}"))
        .collect();
    signature(4, name, &arguments, output)
}

fn key(table: &TablePlan) -> Vec<&Field> {
    table
        .key
        .iter()
        .filter_map(|column| table.fields.iter().find(|field| field.sql_name == *column))
        .collect()
}

/// Returns the columns of the key, as arguments.
fn key_columns(table: &TablePlan) -> Vec<KeyColumn> {
    plan::key_columns(table, &table.key).unwrap_or_default()
}

/// Returns `.bind::<accounts::id, _>(&id)`.
fn bind(table: &TablePlan, column: &KeyColumn, argument: &str) -> String {
    match &column.via {
        Some(via) => format!(".bind_as::<{}, _>({argument})", via.sql_type.in_table()),
        None => format!(".bind::<{}::{}, _>({argument})", table.module, column.field),
    }
}

fn bind_columns(table: &TablePlan, columns: &[KeyColumn]) -> Vec<String> {
    columns
        .iter()
        .map(|column| {
            let reference = if column.argument.starts_with('&') {
                ""
            } else {
                "&"
            };
            bind(
                table,
                column,
                &format!("{reference}{}", column.argument_name),
            )
        })
        .collect()
}

/// Returns the chain that creates a query of `SQL` and binds values.
fn query(links: Vec<String>) -> String {
    let mut all = vec!["bowline::Query::new(&SQL)".to_owned()];
    all.extend(links);
    chain(8, "", &all, "")
}

/// Returns the constant of a function that only reads.
fn reading<'a>(table: &'a TablePlan, function: &'a str, sql: String) -> Constant<'a> {
    Constant {
        name: "SQL",
        table,
        function,
        sql: sql.into(),
        unchanged: None,
        kept: Vec::new(),
        once: Vec::new(),
        // A query that only reads may be sent again when its answer is lost.
        facts: if table.only_reads {
            &["only_reads"]
        } else {
            &[]
        },
        calls: &table.calls,
    }
}

fn find(table: &TablePlan) -> Emitted<'_> {
    one(
        table,
        "find",
        &format!("Option<{}>", table.row),
        "or `None`",
    )
}

fn get(table: &TablePlan) -> Emitted<'_> {
    one(table, "get", &table.row, "or the error `NotFound`")
}

fn one<'a>(table: &'a TablePlan, name: &'a str, output: &str, otherwise: &str) -> Emitted<'a> {
    let key = key_columns(table);
    let words = format!(
        "The {} with this {}, {otherwise}.",
        table.noun,
        column_words(&key)
    );
    let condition = sql::kept(table, &sql::condition(&key));
    let sql = format!("{} WHERE {condition}", sql::select(table));
    let output = format!("bowline::Query<{output}>");
    Emitted {
        doc: doc(4, &words),
        head: head(name, column_arguments(&key), &output),
        constants: vec![reading(table, name, sql)],
        body: query(bind_columns(table, &key)),
    }
}

fn find_deleted(table: &TablePlan) -> Emitted<'_> {
    let key = key_columns(table);
    let words = format!(
        "The deleted {} with this {}, or `None`.",
        table.noun,
        column_words(&key)
    );
    let is_kept = sql::is_kept(table).unwrap_or_default();
    let sql = format!(
        "{} WHERE {} AND NOT {is_kept}",
        sql::select(table),
        sql::condition(&key)
    );
    let output = format!("bowline::Query<Option<{}>>", table.row);
    Emitted {
        doc: doc(4, &words),
        head: head("find_deleted", column_arguments(&key), &output),
        constants: vec![reading(table, "find_deleted", sql)],
        body: query(bind_columns(table, &key)),
    }
}

fn find_by<'a>(
    table: &'a TablePlan,
    name: &'a str,
    columns: &[KeyColumn],
    index: &str,
    predicate: Option<&str>,
) -> Emitted<'a> {
    let which = predicate
        .map(|predicate| format!(" where `{}`", one_line(predicate)))
        .unwrap_or_default();
    let words = format!(
        "The {} with this {}{which}, or `None`.\n\nServed by the unique index `{index}`.",
        table.noun,
        column_words(columns)
    );
    let of_columns = sql::condition(columns);
    let mut sql = format!("{} WHERE {of_columns}", sql::select(table));
    let predicate = predicate.map(condition);
    let is_kept = sql::is_kept(table).filter(|is_kept| predicate.as_ref() != Some(is_kept));
    for condition in predicate.into_iter().chain(is_kept) {
        sql.push_str(" AND ");
        sql.push_str(&condition);
    }
    let output = format!("bowline::Query<Option<{}>>", table.row);
    Emitted {
        doc: doc(4, &words),
        head: head(name, column_arguments(columns), &output),
        constants: vec![reading(table, name, sql)],
        body: query(bind_columns(table, columns)),
    }
}

/// Returns the columns for a sentence: `id`, or `account_id and label`.
fn column_words(columns: &[KeyColumn]) -> String {
    let names: Vec<_> = columns
        .iter()
        .map(|column| column.sql_name.as_str())
        .collect();
    names.join(" and ")
}

fn column_arguments(columns: &[KeyColumn]) -> Vec<(String, String)> {
    columns
        .iter()
        .map(|column| (column.argument_name.clone(), column.argument.clone()))
        .collect()
}

fn count(table: &TablePlan) -> Emitted<'_> {
    let of_kept = sql::is_kept(table).map(|is_kept| format!(" WHERE {is_kept}"));
    let sql = format!(
        "SELECT count(*) FROM {}{}",
        sql::name(table),
        of_kept.unwrap_or_default()
    );
    Emitted {
        doc: doc(4, "How many rows there are; reads the whole table."),
        head: head("count", Vec::new(), "bowline::Query<i64>"),
        constants: vec![reading(table, "count", sql)],
        body: query(Vec::new()),
    }
}

fn exists(table: &TablePlan) -> Emitted<'_> {
    let key = key_columns(table);
    let words = format!(
        "Whether there is {} {} with this {}.",
        article(&table.noun),
        table.noun,
        column_words(&key)
    );
    let sql = format!(
        "SELECT EXISTS (SELECT FROM {} WHERE {})",
        sql::name(table),
        sql::kept(table, &sql::condition(&key))
    );
    Emitted {
        doc: doc(4, &words),
        head: head("exists", column_arguments(&key), "bowline::Query<bool>"),
        constants: vec![reading(table, "exists", sql)],
        body: query(bind_columns(table, &key)),
    }
}

/// Returns the predicate of a partial index, in parentheses if it contains OR.
fn condition(predicate: &str) -> String {
    let text = bowline_sql::one_line(predicate);
    let mut depth = 0_usize;
    let is_or = bowline_sql::tokens(&text).any(|token| {
        if token.is("(") {
            depth += 1;
        } else if token.is(")") {
            depth = depth.saturating_sub(1);
        }
        depth == 0 && token.is_word("or")
    });
    // AND is written before the predicate, and AND binds more strongly than OR.
    if is_or { format!("({text})") } else { text }
}

/// Returns a text without line breaks, for a comment of one line.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
