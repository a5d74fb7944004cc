//! Whether what the settings name is there.

use crate::project::Settings;
use crate::suggestion::nearest;
use bowline_catalog::{Catalog, Name, TypeKind};

use super::names::is_type_name;
use super::problem::{Problem, shown};
use super::table::TablePlan;

/// What `names`, `variants`, `keys`, `joinables` and `derives` say of things that are not there.
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
            problems.push(Problem::new(
                format!("Cargo.toml calls {key} {rust_name:?}, which is no name of a type in Rust"),
                in_setting("names"),
            ));
        }
    }
    for (key, variants) in &settings.variants {
        // Of two in different schemas the one of the usual schema is called by its name alone.
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
                problems.push(Problem::new(
                    format!(
                        "Cargo.toml names the label {label:?} of the enum {key}, which is not there"
                    ),
                    suggested("variants", label, labels.iter().map(String::as_str)),
                ));
            }
            if !is_type_name(variant) || variant == "ALL" {
                problems.push(Problem::new(
                    format!("Cargo.toml calls a label of {key} {variant:?}, which is no name of a variant in Rust"),
                    in_setting("variants"),
                ));
            }
        }
    }
    let keys = settings.keys.iter();
    let of_keys = keys.flat_map(|(table, columns)| {
        let columns = columns.iter();
        columns.map(move |column| ("keys", table.as_str(), column.as_str()))
    });
    let of_joinables = settings.joinables.iter().map(|name| {
        let (table, column) = name.rsplit_once('.').unwrap_or((name, ""));
        ("joinables", table, column)
    });
    for (setting, table, column) in of_keys.chain(of_joinables) {
        problems.extend(unknown_column(catalog, setting, table, column));
    }
    for output in &settings.outputs {
        let path = output.path.as_deref().unwrap_or_default();
        let Some(module) = path.strip_prefix("super::") else {
            continue;
        };
        let is_name = syn::parse_str::<syn::Ident>(module).is_ok();
        if !is_name || matches!(module, "mod" | "types") {
            problems.push(Problem::new(
                format!("{module}.rs is no file for a schema: Rust needs a name for its module, other than `types`"),
                "name another file in diesel.toml".to_owned(),
            ));
        }
    }
    for derive in &settings.extra_derives {
        if syn::parse_str::<syn::Path>(derive).is_err() {
            problems.push(Problem::new(
                format!("Cargo.toml names the derive {derive:?}, which is no path in Rust"),
                in_setting("derives"),
            ));
        }
    }
    problems
}

/// What `leave_out` says of functions that are not there.
pub(super) fn left_out(tables: &[TablePlan], settings: &Settings) -> Vec<Problem> {
    // A function of these names may be there or not, by what the table's columns are; leaving it out is no mistake.
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
            Problem::new(
                format!("Cargo.toml leaves out the function {name}, which is not there"),
                suggested("leave_out", name, all.iter().map(String::as_str)),
            )
        })
        .collect()
}

/// Whether a setting means this name.
fn is(name: &Name, key: &str) -> bool {
    name.name == key
        || key
            .split_once('.')
            .is_some_and(|(schema, own)| name.schema == schema && name.name == own)
}

fn unknown(setting: &str, kind: &str, key: &str, there: &[&Name]) -> Option<Problem> {
    if there.iter().any(|name| is(name, key)) {
        return None;
    }
    let names: Vec<String> = there.iter().map(|name| shown(name)).collect();
    Some(Problem::new(
        format!("Cargo.toml names the {kind} {key}, which is not there"),
        suggested(setting, key, names.iter().map(String::as_str)),
    ))
}

fn unknown_column(catalog: &Catalog, setting: &str, table: &str, columns: &str) -> Option<Problem> {
    let mut relations = catalog.relations.values();
    let Some(relation) = relations.find(|relation| is(&relation.name, table)) else {
        let tables: Vec<String> = catalog.relations.keys().map(shown).collect();
        return Some(Problem::new(
            format!("Cargo.toml names the column {table}.{columns}, but there is no table {table}"),
            suggested(setting, table, tables.iter().map(String::as_str)),
        ));
    };
    let has = |column: &str| relation.columns.iter().any(|found| found.name == column);
    if has(columns) {
        return None;
    }
    let column = columns
        .split(',')
        .map(str::trim)
        .find(|column| !has(column))?;
    Some(Problem::new(
        format!("Cargo.toml names the column {table}.{column}, which is not there"),
        suggested(
            setting,
            column,
            relation.columns.iter().map(|found| found.name.as_str()),
        ),
    ))
}

fn suggested<'a>(setting: &str, word: &str, there: impl Iterator<Item = &'a str>) -> String {
    match nearest(word, there) {
        Some(meant) => format!("did you mean {meant}? {}", in_setting(setting)),
        None => in_setting(setting),
    }
}

fn in_setting(setting: &str) -> String {
    format!("look at {setting} under [package.metadata.bowline]")
}
