//! Settings that name what the schema does not have.

use std::ffi::OsStr;
use std::path::Path;

use crate::paths::relative;
use crate::project::Settings;
use bowline_catalog::{Catalog, Name, TypeKind};

use super::names::is_type_name;
use super::problem::{Problem, shown};
use super::table::TablePlan;

/// Returns the problems with the files of the outputs, which are modules beside the models.
pub(crate) fn modules(settings: &Settings) -> Vec<Problem> {
    let files = settings
        .outputs
        .iter()
        .filter_map(|output| output.file.as_deref());
    let is_module = |file: &Path| {
        let is_rust = file.extension().is_some_and(|end| end == "rs");
        let stem = file.file_stem().and_then(OsStr::to_str);
        let stem = stem.filter(|stem| syn::parse_str::<syn::Ident>(stem).is_ok());
        let is_taken = file.parent() == Some(&settings.folder) && stem == Some("types");
        is_rust && stem.is_some() && !is_taken
    };
    files
        .filter(|file| !is_module(file))
        .map(|file| {
            let file = relative(file, &settings.root);
            let message = format!(
                "{file} cannot be the module of the schema: its name has to be one that Rust \
                 accepts, other than `types`, with the ending .rs"
            );
            Problem::new(
                message,
                "set another file in diesel.toml, or use --schema-only".to_owned(),
            )
        })
        .collect()
}

/// Returns the problems with `names`, `variants`, `keys`, `joinables` and `derives`.
pub(crate) fn settings(catalog: &Catalog, settings: &Settings) -> Vec<Problem> {
    let tables: Vec<&Name> = catalog.relations.keys().collect();
    let enums: Vec<&Name> = catalog
        .types
        .values()
        .filter(|found| matches!(found.kind, TypeKind::Enum { .. }))
        .map(|found| &found.name)
        .collect();
    let both: Vec<&Name> = tables.iter().chain(&enums).copied().collect();
    let mut problems = Vec::new();
    for (key, rust_name) in &settings.names {
        problems.extend(unknown("names", "table or enum", key, &both));
        if !is_type_name(rust_name) {
            problems.push(Problem::in_setting(
                &["names", key, rust_name],
                format!("{rust_name:?} is not a name for a type in Rust"),
            ));
        }
    }
    for (key, variants) in &settings.variants {
        // Of two enums in different schemas, the one in `public` may be named without it.
        let mut meant: Vec<&Name> = enums.iter().copied().filter(|name| is(name, key)).collect();
        meant.sort_by_key(|name| name.schema != "public");
        let Some(name) = meant.first() else {
            problems.extend(unknown("variants", "enum", key, &enums));
            continue;
        };
        let kind = catalog.types.get(*name).map(|found| &found.kind);
        let Some(TypeKind::Enum { labels }) = kind else {
            continue;
        };
        for (label, variant) in variants {
            if !labels.contains(label) {
                let problem = Problem::in_setting(
                    &["variants", key, label],
                    format!("the enum {key} has no label {label:?}"),
                );
                problems.push(problem.suggest(label, labels.iter().map(String::as_str)));
            }
            if !is_type_name(variant) || variant == "ALL" {
                problems.push(Problem::in_setting(
                    &["variants", key, label, variant],
                    format!("{variant:?} is not a name for a variant in Rust"),
                ));
            }
        }
    }
    let keys = settings.keys.iter();
    let of_keys = keys.flat_map(|(table, columns)| {
        let columns = columns.iter();
        columns.map(move |column| (vec!["keys", table, column], table.as_str(), column.as_str()))
    });
    let of_joinables = settings.joinables.iter().map(|name| {
        let (table, column) = name.rsplit_once('.').unwrap_or((name, ""));
        (vec!["joinables", name], table, column)
    });
    for (setting, table, column) in of_keys.chain(of_joinables) {
        problems.extend(unknown_column(catalog, &setting, table, column));
    }
    for derive in &settings.extra_derives {
        if syn::parse_str::<syn::Path>(derive).is_err() {
            problems.push(Problem::in_setting(
                &["derives", derive],
                format!("{derive:?} is not the path of a derive macro"),
            ));
        }
    }
    problems
}

/// Returns the problems with `leave_out`: functions that would not be generated anyway.
pub(super) fn left_out(tables: &[TablePlan], settings: &Settings) -> Vec<Problem> {
    // A table has each of these functions or not, depending on its columns. To leave out one that
    // it does not have is no mistake.
    const USUAL: [&str; 10] = [
        "count",
        "delete",
        "exists",
        "find",
        "get",
        "insert",
        "insert_many",
        "list",
        "update",
        "upsert",
    ];
    let wrong = settings.leave_out.iter().filter(|name| {
        let (row, function) = name.split_once("::").unwrap_or((name, ""));
        let table = tables.iter().find(|table| table.row == row);
        !table.is_some_and(|table| {
            USUAL.contains(&function)
                || table.functions.iter().any(|found| found.name() == function)
        })
    });
    wrong
        .map(|name| {
            let all: Vec<String> = tables
                .iter()
                .flat_map(|table| {
                    let functions = table.functions.iter();
                    functions.map(|function| format!("{}::{}", table.row, function.name()))
                })
                .collect();
            let problem = Problem::in_setting(
                &["leave_out", name],
                format!("no function {name} is generated"),
            );
            problem.suggest(name, all.iter().map(String::as_str))
        })
        .collect()
}

/// Returns true if a key of the settings means this name.
fn is(name: &Name, key: &str) -> bool {
    name.name == key
        || key
            .split_once('.')
            .is_some_and(|(schema, own)| name.schema == schema && name.name == own)
}

fn unknown(setting: &str, kind: &str, key: &str, known: &[&Name]) -> Option<Problem> {
    if known.iter().any(|name| is(name, key)) {
        return None;
    }
    let names: Vec<String> = known.iter().map(|name| shown(name)).collect();
    let problem = Problem::in_setting(&[setting, key], format!("there is no {kind} {key}"));
    Some(problem.suggest(key, names.iter().map(String::as_str)))
}

fn unknown_column(
    catalog: &Catalog,
    setting: &[&str],
    table: &str,
    columns: &str,
) -> Option<Problem> {
    let mut relations = catalog.relations.values();
    let Some(relation) = relations.find(|relation| is(&relation.name, table)) else {
        let tables: Vec<String> = catalog.relations.keys().map(shown).collect();
        let problem = Problem::in_setting(setting, format!("there is no table {table}"));
        return Some(problem.suggest(table, tables.iter().map(String::as_str)));
    };
    let has = |column: &str| relation.columns.iter().any(|found| found.name == column);
    if has(columns) {
        return None;
    }
    let column = columns
        .split(',')
        .map(str::trim)
        .find(|column| !has(column))?;
    let columns = relation.columns.iter().map(|found| found.name.as_str());
    let problem = Problem::in_setting(setting, format!("the table {table} has no column {column}"));
    Some(problem.suggest(column, columns))
}
