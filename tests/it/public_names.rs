//! The names at the root of the crate, which have to stay few.

/// Types, traits, functions and macros. A new one needs a reason not to be in a module.
const NAMES: &[&str] = &[
    "AsyncDatabase",
    "Config",
    "Database",
    "Error",
    "ErrorKind",
    "Executor",
    "Graph",
    "Migrations",
    "Outcome",
    "Page",
    "PooledSession",
    "Query",
    "Result",
    "Row",
    "Session",
    "SqlState",
    "Statement",
    "StatementDsl",
    "Transaction",
    "TransactionOptions",
    "UnitOfWork",
    "WriteQuery",
    "migrations",
    "query",
    "query_as",
    "sql_query",
    "test",
    "unit_of_work",
];

const MODULES: &[&str] = &[
    "asynchronous",
    "commit_keys",
    "copy",
    "error",
    "locks",
    "migrations",
    "notify",
    "pool",
    "reader",
    "retry",
    "session",
    "sqlstate",
    "statement",
    "testing",
    "transaction",
    "types",
];

#[test]
fn the_root_has_these_public_names() {
    let (mut names, mut modules) = (Vec::new(), Vec::new());
    for item in items(include_str!("../../src/lib.rs")) {
        if let Some(paths) = item.strip_prefix("pub use ") {
            names.extend(leaves(paths));
        } else if let Some(module) = item.strip_prefix("pub mod ") {
            modules.push(module.to_owned());
        }
    }
    names.sort();
    // `Row` is a trait and its derive macro.
    names.dedup();
    modules.sort();
    assert_eq!(names, NAMES);
    assert_eq!(modules, MODULES);
}

/// Returns the items of the file that are in its documentation, one line each, without attributes
/// and semicolons.
fn items(source: &str) -> Vec<String> {
    let code = source
        .lines()
        .map(str::trim)
        .filter(|line| !line.starts_with("//"));
    let code = code.collect::<Vec<_>>().join(" ");
    let items = code
        .split(';')
        .filter(|item| !item.contains("#[doc(hidden)]"));
    items
        .map(|item| {
            item.rsplit(']')
                .next()
                .unwrap_or_default()
                .trim()
                .to_owned()
        })
        .filter(|item| !item.is_empty())
        .collect()
}

/// Returns the last names of the paths of a `use`.
fn leaves(paths: &str) -> Vec<String> {
    let ends = paths.split(['{', '}', ',']).map(str::trim);
    ends.filter(|end| !end.is_empty() && !end.ends_with("::"))
        .filter_map(|end| end.rsplit("::").next())
        .filter_map(|end| end.rsplit(' ').next())
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_list_of_names_has_groups_and_skips_hidden_ones() {
    let source = "#[doc(hidden)]\npub use a::b;\n#[cfg(x)]\npub use c::{\n    D, e::F,\n};\npub use g::H as I;\nmod j;";
    let items = items(source);
    assert_eq!(
        items,
        ["pub use c::{ D, e::F, }", "pub use g::H as I", "mod j"]
    );
    assert_eq!(leaves("c::{ D, e::F, }"), ["D", "F"]);
    assert_eq!(leaves("g::H as I"), ["I"]);
}
