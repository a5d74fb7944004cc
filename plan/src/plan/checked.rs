//! Checks of the settings: they may name only objects that the schema has.

mod tables;
mod types;

use std::ffi::OsStr;
use std::path::Path;

use crate::paths::relative;
use crate::project::{Settings, is_named as is};
use bowline_catalog::{Catalog, ConstraintKind, Name, TypeKind};

use super::names::{is_needed, is_type_name};
use super::problem::{Problem, shown};
use super::table::TablePlan;
use super::uncovered::gets_code;
use super::views::is_view;

pub(super) use tables::planned;

/// Returns the problems with the files of the outputs, which are modules beside the models.
pub fn modules(settings: &Settings) -> Vec<Problem> {
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

/// Returns the problems with `names`, `variants`, `types`, `not_null_elements`, `not_null`, `keys`,
/// `joinables` and `derives`.
pub fn settings(catalog: &Catalog, settings: &Settings) -> Vec<Problem> {
    let enums: Vec<&Name> = catalog
        .types
        .values()
        .filter(|found| matches!(found.kind, TypeKind::Enum { .. }))
        .map(|found| &found.name)
        .collect();
    // Relations without code have no Rust names.
    let with_code = catalog.relations.values().filter(|found| gets_code(found));
    let with_code = with_code.map(|found| &found.name);
    let both: Vec<&Name> = with_code.chain(enums.iter().copied()).collect();
    let newtypes = catalog.types.values();
    let newtypes = newtypes.filter(|found| settings.has_newtype(&found.name));
    let both: Vec<&Name> = both
        .into_iter()
        .chain(newtypes.map(|found| &found.name))
        .collect();
    let mut problems = Vec::new();
    for (key, rust_name) in &settings.names {
        let of_table = settings.tables.get(key);
        let is_of_table = of_table.is_some_and(|table| table.row.as_ref() == Some(rust_name));
        let setting = if is_of_table {
            vec!["tables", key, "row", rust_name]
        } else {
            problems.extend(unknown("names", "table or enum", key, &both));
            vec!["names", key, rust_name]
        };
        let why = if !is_type_name(rust_name) {
            "is not a name for a type in Rust"
        } else if is_needed(rust_name) {
            "is a name that generated code or Rust's prelude uses otherwise"
        } else {
            continue;
        };
        problems.push(Problem::in_setting(
            &setting,
            format!("{rust_name:?} {why}"),
        ));
    }
    for (key, variants) in &settings.variants {
        let Some(name) = enums.iter().find(|name| is(name, key)) else {
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
    problems.extend(types::types(catalog, settings));
    problems.extend(tables::tables(catalog, settings));
    for (table, columns) in &settings.keys {
        problems.extend(unfit_key(catalog, settings, table, columns));
    }
    for name in &settings.joinables {
        problems.extend(unfit_joinable(catalog, name));
    }
    for name in &settings.not_null {
        problems.extend(unfit_not_null(catalog, name));
    }
    let keys = settings.keys.iter();
    let of_keys = keys.flat_map(|(table, columns)| {
        let columns = columns.iter();
        columns.map(move |column| {
            let mut setting = key_setting(settings, table);
            setting.push(column);
            (setting, table.as_str(), column.as_str())
        })
    });
    let of_joinables = settings.joinables.iter().map(|name| {
        let (table, column) = name.rsplit_once('.').unwrap_or((name, ""));
        (vec!["joinables", name], table, column)
    });
    let of_elements = settings.not_null_elements.iter().map(|name| {
        let (table, column) = name.rsplit_once('.').unwrap_or((name, ""));
        (vec!["not_null_elements", name], table, column)
    });
    let of_views = settings.not_null.iter().map(|name| {
        let (table, column) = name.rsplit_once('.').unwrap_or((name, ""));
        (vec!["not_null", name], table, column)
    });
    let all = of_keys.chain(of_joinables).chain(of_elements);
    for (setting, table, column) in all.chain(of_views) {
        problems.extend(unknown_column(catalog, &setting, table, column));
    }
    let lists = [
        ("derives", &settings.extra_derives),
        ("new_derives", &settings.derives.new),
        ("changes_derives", &settings.derives.changes),
        ("id_derives", &settings.derives.id),
        ("enum_derives", &settings.derives.enums),
    ];
    for (setting, derives) in lists {
        for derive in derives {
            if syn::parse_str::<syn::Path>(derive).is_err() {
                problems.push(Problem::in_setting(
                    &[setting, derive],
                    format!("{derive:?} is not the path of a derive macro"),
                ));
            }
        }
    }
    problems
}

/// A table has each of these functions or not, depending on its columns. To leave out one that
/// it does not have is not a mistake.
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

/// Returns the problems with `leave_out`: functions that would not be generated anyway.
pub(super) fn left_out(tables: &[TablePlan], settings: &Settings) -> Vec<Problem> {
    let wrong = settings.leave_out.iter().filter(|name| {
        let (row, function) = name.rsplit_once("::").unwrap_or((name, ""));
        let table = tables.iter().find(|table| table.full_row() == row);
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
                    functions.map(|function| format!("{}::{}", table.full_row(), function.name()))
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

/// Returns the problem with the setting for the key of a table.
///
/// The table must have no primary key. The key needs at least one column; each must be NOT NULL
/// and occur once.
fn unfit_key(
    catalog: &Catalog,
    settings: &Settings,
    table: &str,
    columns: &[String],
) -> Option<Problem> {
    let mut relations = catalog.relations.values();
    let relation = relations.find(|relation| is(&relation.name, table))?;
    let has = |column: &String| relation.columns.iter().any(|found| found.name == *column);
    if !columns.iter().all(has) {
        // Another problem names the column.
        return None;
    }
    let problem = |why: String| Some(Problem::in_setting(&key_setting(settings, table), why));
    if relation.primary_key().is_some() {
        return problem(format!(
            "the table {table} has a primary key, which is its key"
        ));
    }
    if columns.is_empty() {
        return problem(format!("the key of the table {table} has no columns"));
    }
    let mut seen = Vec::new();
    for column in columns {
        if seen.contains(&column) {
            return problem(format!(
                "the key of the table {table} has the column {column} twice"
            ));
        }
        seen.push(column);
    }
    None
}

/// Returns the problem with a column that the setting `not_null` names in a table: there the
/// migrations say so.
fn unfit_not_null(catalog: &Catalog, name: &str) -> Option<Problem> {
    let (table, _) = name.rsplit_once('.')?;
    let mut relations = catalog.relations.values();
    let relation = relations.find(|relation| is(&relation.name, table))?;
    (!is_view(relation)).then(|| {
        Problem::in_setting(
            &["not_null", name],
            format!(
                "{table} is no view: in a table, the migrations say which columns are NOT NULL"
            ),
        )
    })
}

/// Returns the path of the setting for the key of a table.
fn key_setting<'s>(settings: &'s Settings, table: &'s str) -> Vec<&'s str> {
    let of_table = settings.tables.get(table);
    if of_table.is_some_and(|of_table| of_table.key.is_some()) {
        vec!["tables", table, "key"]
    } else {
        vec!["keys", table]
    }
}

/// Returns the problem with a joinable whose columns exist but are not a foreign key.
fn unfit_joinable(catalog: &Catalog, name: &str) -> Option<Problem> {
    let (table, columns) = name.rsplit_once('.')?;
    let mut relations = catalog.relations.values();
    let relation = relations.find(|relation| is(&relation.name, table))?;
    let columns: Vec<&str> = columns.split(',').map(str::trim).collect();
    let exists = |column: &&str| relation.columns.iter().any(|found| found.name == **column);
    let mut constraints = relation.constraints.iter();
    let is_foreign_key = constraints.any(|constraint| match &constraint.kind {
        ConstraintKind::ForeignKey { columns: of, .. } => {
            of.iter().map(String::as_str).eq(columns.iter().copied())
        }
        _ => false,
    });
    if is_foreign_key || !columns.iter().all(exists) {
        return None;
    }
    Some(Problem::in_setting(
        &["joinables", name],
        format!("{name} is not a foreign key"),
    ))
}

fn unknown(setting: &str, kind: &str, key: &str, known: &[&Name]) -> Option<Problem> {
    if known.iter().any(|name| is(name, key)) {
        return None;
    }
    Some(missing(&[setting, key], kind, key, known))
}

/// Returns the problem with a setting that names nothing of this kind. A name without a schema is
/// one of `public`, so a table of another schema that has it is suggested.
fn missing(setting: &[&str], kind: &str, key: &str, known: &[&Name]) -> Problem {
    let elsewhere = known.iter().filter(|name| name.name == key);
    let elsewhere: Vec<String> = elsewhere.map(|name| format!("{:?}", shown(name))).collect();
    if !elsewhere.is_empty() {
        let message = format!("there is no {kind} {key} in the schema public");
        return Problem {
            hint: Some(format!("name its schema: {}", elsewhere.join(" or "))),
            ..Problem::in_setting(setting, message)
        };
    }
    let names: Vec<String> = known.iter().map(|name| shown(name)).collect();
    let problem = Problem::in_setting(setting, format!("there is no {kind} {key}"));
    problem.suggest(key, names.iter().map(String::as_str))
}

fn unknown_column(
    catalog: &Catalog,
    setting: &[&str],
    table: &str,
    columns: &str,
) -> Option<Problem> {
    let mut relations = catalog.relations.values();
    let Some(relation) = relations.find(|relation| is(&relation.name, table)) else {
        let tables: Vec<&Name> = catalog.relations.keys().collect();
        return Some(missing(setting, "table", table, &tables));
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
