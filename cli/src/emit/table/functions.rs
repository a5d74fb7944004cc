//! The functions of a table's row type.

use crate::plan::{Field, Function, KeyColumn, TablePlan, article};

mod writes;

use super::super::layout::{chain, doc, literal, signature, tuple_call};

pub(super) fn functions(table: &TablePlan) -> String {
    let functions: Vec<_> = table
        .functions
        .iter()
        .map(|function| self::function(table, function))
        .collect();
    format!("impl {} {{\n{}}}\n", table.row, functions.join("\n"))
}

fn function(table: &TablePlan, function: &Function) -> String {
    match function {
        Function::Find => find(table),
        Function::Get => get(table),
        Function::FindBy {
            name,
            columns,
            index,
            predicate,
        } => find_by(table, name, columns, index, predicate.as_deref()),
        Function::List => list(table, "list", &[], None),
        Function::ListBy {
            name,
            columns,
            index,
        } => list(table, name, columns, Some(index)),
        Function::Insert => writes::insert(table),
        Function::InsertDefault => writes::insert_default(table),
        Function::InsertMany => writes::insert_many(table),
        Function::Update => writes::update(table),
        Function::Upsert {
            name,
            columns,
            predicate,
        } => writes::upsert(table, name, columns, predicate.as_deref()),
        Function::Delete => writes::delete(table),
        Function::Count => count(table),
        Function::Exists => exists(table),
    }
}

/// The arguments of a function, with the lifetimes that the returned statement captures.
struct Arguments {
    list: Vec<String>,
    generics: &'static str,
    captures: &'static str,
}

impl Arguments {
    fn new(arguments: impl IntoIterator<Item = (String, String)>) -> Self {
        let arguments: Vec<_> = arguments.into_iter().collect();
        let borrowed = arguments
            .iter()
            .filter(|(_, rust_type)| rust_type.contains('&') || rust_type.contains("'_"))
            .count();
        let (generics, captures) = match borrowed {
            0 => ("", ""),
            1 => ("", " + use<'_>"),
            _ => ("<'a>", " + use<'a>"),
        };
        let named = |rust_type: String| {
            if borrowed > 1 {
                rust_type.replace('&', "&'a ").replace("'_", "'a")
            } else {
                rust_type
            }
        };
        let list = arguments
            .into_iter()
            .map(|(name, rust_type)| format!("{name}: {}", named(rust_type)))
            .collect();
        Self {
            list,
            generics,
            captures,
        }
    }

    fn head(&self, name: &str, output: &str) -> String {
        signature(
            &format!("{name}{}", self.generics),
            &self.list,
            &format!("impl Statement<Output = {output}>{}", self.captures),
        )
    }
}

fn key(table: &TablePlan) -> Vec<&Field> {
    table
        .key
        .iter()
        .filter_map(|column| table.fields.iter().find(|field| field.sql_name == *column))
        .collect()
}

fn key_arguments(table: &TablePlan) -> Vec<(String, String)> {
    key(table)
        .iter()
        .map(|field| {
            (
                field.argument_name.clone(),
                field.rust_type.argument.clone(),
            )
        })
        .collect()
}

/// Returns `.find(id)`, or `.find((a, b))` for a key of several columns.
fn find_link(table: &TablePlan) -> String {
    let names: Vec<_> = key(table)
        .iter()
        .map(|field| field.argument_name.clone())
        .collect();
    match names.as_slice() {
        [only] => format!(".find({only})"),
        several => format!(".find(({}))", several.join(", ")),
    }
}

/// Returns the columns of the key for a sentence: `id`, or `account_id and label`.
fn key_words(table: &TablePlan) -> String {
    key(table)
        .iter()
        .map(|field| field.sql_name.clone())
        .collect::<Vec<_>>()
        .join(" and ")
}

fn source(table: &TablePlan) -> String {
    format!("{}::table", table.module)
}

fn select(table: &TablePlan) -> String {
    format!(".select({}::as_select())", table.row)
}

fn returning(table: &TablePlan) -> String {
    format!(".returning({}::as_returning())", table.row)
}

fn end(table: &TablePlan, combinator: &str) -> String {
    format!(".{combinator}::<{}>()", table.row)
}

/// Returns the call that names a statement in logs and metrics after its function.
fn named(table: &TablePlan, function: &str) -> String {
    name_call("named", table, function)
}

/// Returns the call that names a query. A query that only reads may be retried when its answer is
/// lost.
fn named_read(table: &TablePlan, function: &str) -> String {
    let method = if table.only_reads {
        "named_read"
    } else {
        "named"
    };
    name_call(method, table, function)
}

fn name_call(method: &str, table: &TablePlan, function: &str) -> String {
    format!(
        ".{method}({})",
        literal(&format!("{}::{function}", table.row))
    )
}

fn find(table: &TablePlan) -> String {
    let arguments = Arguments::new(key_arguments(table));
    doc(
        4,
        &format!(
            "The {} with this {}, or `None`.",
            table.noun,
            key_words(table)
        ),
    ) + &arguments.head("find", &format!("Option<{}>", table.row))
        + &chain(
            8,
            "",
            &[
                source(table),
                find_link(table),
                select(table),
                end(table, "optional"),
                named_read(table, "find"),
            ],
            "",
        )
        + "    }\n"
}

fn get(table: &TablePlan) -> String {
    let arguments = Arguments::new(key_arguments(table));
    doc(
        4,
        &format!(
            "The {} with this {}, or the error `NotFound`.",
            table.noun,
            key_words(table)
        ),
    ) + &arguments.head("get", &table.row)
        + &chain(
            8,
            "",
            &[
                source(table),
                find_link(table),
                select(table),
                end(table, "one"),
                named_read(table, "get"),
            ],
            "",
        )
        + "    }\n"
}

fn filters(table: &TablePlan, columns: &[KeyColumn], predicate: Option<&str>) -> Vec<String> {
    let equal = columns.iter().map(|column| {
        format!(
            ".filter({}::{}.eq({}))",
            table.module, column.field, column.argument_name
        )
    });
    let predicate = predicate
        .map(|predicate| format!(".filter(sql::<Bool>({}))", literal(&condition(predicate))));
    equal.chain(predicate).collect()
}

fn find_by(
    table: &TablePlan,
    name: &str,
    columns: &[KeyColumn],
    index: &str,
    predicate: Option<&str>,
) -> String {
    let arguments = Arguments::new(
        columns
            .iter()
            .map(|column| (column.argument_name.clone(), column.argument.clone())),
    );
    let words: Vec<_> = columns
        .iter()
        .map(|column| column.sql_name.clone())
        .collect();
    let which = predicate
        .map(|predicate| format!(" where `{}`", one_line(predicate)))
        .unwrap_or_default();
    let mut links = vec![source(table)];
    links.extend(filters(table, columns, predicate));
    links.extend([
        select(table),
        end(table, "optional"),
        named_read(table, name),
    ]);
    doc(
        4,
        &format!(
            "The {} with this {}{which}, or `None`.\n\nServed by the unique index `{index}`.",
            table.noun,
            words.join(" and ")
        ),
    ) + &arguments.head(name, &format!("Option<{}>", table.row))
        + &chain(8, "", &links, "")
        + "    }\n"
}

fn list(table: &TablePlan, name: &str, columns: &[KeyColumn], index: Option<&str>) -> String {
    let key = key(table);
    let owned: Vec<_> = key
        .iter()
        .map(|field| field.rust_type.owned.clone())
        .collect();
    let page = match owned.as_slice() {
        [only] => format!("Page<{only}>"),
        several => format!("Page<({})>", several.join(", ")),
    };
    let by = columns
        .iter()
        .map(|column| (column.argument_name.clone(), column.argument.clone()));
    let arguments = Arguments::new(by.chain([("page".to_owned(), page)]));
    let ordered: Vec<_> = key
        .iter()
        .map(|field| format!("{}::{}", table.module, field.name))
        .collect();
    let order = tuple_call(12, ".order", &ordered);
    let mut links = vec![source(table)];
    links.extend(filters(table, columns, None));
    links.extend([
        select(table),
        order,
        ".limit(page.limit)".to_owned(),
        ".into_boxed()".to_owned(),
    ]);
    let of = columns
        .iter()
        .map(|column| column.sql_name.clone())
        .collect::<Vec<_>>()
        .join(" and ");
    let of = if of.is_empty() {
        String::new()
    } else {
        format!(" with this {of}")
    };
    let served = index
        .map(|index| format!("\n\nServed by the index `{index}`."))
        .unwrap_or_default();
    doc(
        4,
        &format!(
            "Up to `page.limit` rows{of}, by {}, those after `page.after`.{served}",
            key_words(table)
        ),
    ) + &arguments.head(name, &format!("Vec<{}>", table.row))
        + &chain(8, "let mut query = ", &links, ";")
        + &after(table, &key)
        + &chain(
            8,
            "",
            &[
                "query".to_owned(),
                end(table, "all"),
                named_read(table, name),
            ],
            "",
        )
        + "    }\n"
}

/// Returns the condition for the rows after a given one: `(a, b) > (x, y)`. diesel cannot compare
/// tuples, so the condition compares column by column.
fn after(table: &TablePlan, key: &[&Field]) -> String {
    let column = |field: &Field| format!("{}::{}", table.module, field.name);
    if let [only] = key {
        return format!(
            "        if let Some(after) = page.after {{\n            query = query.filter({}.gt(after));\n        }}\n",
            column(only)
        );
    }
    let arguments: Vec<_> = key
        .iter()
        .map(|field| field.argument_name.clone())
        .collect();
    let mut out = format!(
        "        if let Some(({})) = page.after {{\n",
        arguments.join(", ")
    );
    for (place, field) in key.iter().enumerate().rev() {
        let argument = &field.argument_name;
        if place + 1 == key.len() {
            out.push_str(&format!(
                "            let after = {}.gt({argument});\n",
                column(field)
            ));
            continue;
        }
        let again = if field.rust_type.argument.starts_with('&') {
            format!("{argument}.clone()")
        } else {
            argument.clone()
        };
        out.push_str(&chain(
            12,
            "let after = ",
            &[
                column(field),
                format!(".eq({again})"),
                ".and(after)".to_owned(),
            ],
            ";",
        ));
        out.push_str(&chain(
            12,
            "let after = ",
            &[
                column(field),
                format!(".gt({argument})"),
                ".or(after)".to_owned(),
            ],
            ";",
        ));
    }
    out + "            query = query.filter(after);\n        }\n"
}

fn count(table: &TablePlan) -> String {
    doc(4, "How many rows there are; reads the whole table.")
        + &Arguments::new([]).head("count", "i64")
        + &chain(
            8,
            "",
            &[
                source(table),
                ".count()".to_owned(),
                ".one::<i64>()".to_owned(),
                named_read(table, "count"),
            ],
            "",
        )
        + "    }\n"
}

fn exists(table: &TablePlan) -> String {
    let arguments = Arguments::new(key_arguments(table));
    doc(
        4,
        &format!(
            "Whether there is {} {} with this {}.",
            article(&table.noun),
            table.noun,
            key_words(table)
        ),
    ) + &arguments.head("exists", "bool")
        + &chain(8, "let row = ", &[source(table), find_link(table)], ";")
        + &chain(
            8,
            "",
            &[
                "diesel::select(diesel::dsl::exists(row))".to_owned(),
                ".one::<bool>()".to_owned(),
                named_read(table, "exists"),
            ],
            "",
        )
        + "    }\n"
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
    // diesel writes AND before the predicate, and AND binds more strongly than OR.
    if is_or { format!("({text})") } else { text }
}

/// Returns a text without line breaks, for a comment of one line.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
