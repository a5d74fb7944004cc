//! Checks of the settings of single tables and columns.

use bowline_catalog::query::Checker;
use bowline_catalog::{Catalog, Column, Fill, Name, Relation, RelationKind};

use super::super::mapping::base;
use super::super::names::column_names;
use super::super::problem::{Problem, shown};
use super::super::roles::{Role, Roles, in_comment};
use super::super::table::TablePlan;
use super::super::uncovered::gets_code;
use super::super::views::{is_view, writable};
use super::{is, unknown, unknown_column};
use crate::project::{ColumnSettings, Settings, TableSettings, of_name};
use crate::suggestion::nearest;

/// Returns the problems with `tables`, and with the roles that comments give to columns.
pub(super) fn tables(catalog: &Catalog, settings: &Settings) -> Vec<Problem> {
    let with_code = catalog.relations.values().filter(|found| gets_code(found));
    let with_code: Vec<&Name> = with_code.map(|found| &found.name).collect();
    let mut problems = Vec::new();
    for (key, table) in &settings.tables {
        if let Some(problem) = unknown("tables", "table or view", key, &with_code) {
            problems.push(problem);
            continue;
        }
        let mut relations = catalog.relations.values();
        let Some(relation) = relations.find(|relation| is(&relation.name, key)) else {
            continue;
        };
        for role in Role::ALL {
            if let Some(column) = role.in_settings(table) {
                let setting = ["tables", key, role.name(), column];
                problems.extend(unknown_column(catalog, &setting, key, column));
            }
        }
        for (name, body) in bodies(table) {
            for column in body {
                let setting = ["tables", key, name, column];
                problems.extend(unknown_column(catalog, &setting, key, column));
            }
        }
        problems.extend(columns(catalog, relation, key, table));
        problems.extend(renamed(relation, key, table, settings));
        problems.extend(not_writable(catalog, relation, key, settings));
        problems.extend(derives(key, table));
    }
    for relation in catalog.relations.values() {
        problems.extend(roles(catalog, relation, settings));
    }
    problems
}

/// Returns the settings that name the columns of requests.
fn bodies(table: &TableSettings) -> [(&'static str, &Vec<String>); 2] {
    [
        ("new_body", &table.new_body),
        ("changes_body", &table.changes_body),
    ]
}

/// Returns the problems with the columns of requests: each is sent once, and the function to which
/// it is given takes it.
fn planned_bodies(table: &TablePlan, key: &str, of_table: &TableSettings) -> Vec<Problem> {
    let has = |fields: &[super::super::Field], column: &String| {
        fields.iter().any(|field| field.sql_name == *column)
    };
    let mut problems = Vec::new();
    for (name, body) in bodies(of_table) {
        for (at, column) in body.iter().enumerate() {
            let is_version = table.roles.version.as_ref() == Some(column);
            let is_skipped = |field: &&super::super::Field| {
                field.sql_name == *column && field.skip_deserializing
            };
            let why = if body[..at].contains(column) {
                "is named twice"
            } else if !has(&table.fields, column) {
                // Another problem names a column that does not exist.
                continue;
            } else if name == "new_body" && !has(&table.new_fields, column) {
                "is not given by an insert"
            } else if name == "changes_body" && !has(&table.changes_fields, column) && !is_version {
                "is not given by an update"
            } else if table.fields.iter().any(|field| is_skipped(&field)) {
                "is not read from JSON: it has skip_deserializing"
            } else {
                continue;
            };
            let setting = ["tables", key, name, column];
            problems.push(Problem::in_setting(
                &setting,
                format!("{key}.{column} {why}"),
            ));
        }
    }
    problems
}

/// Returns the problem with a view that is to be written, if PostgreSQL does not write through it.
fn not_writable(
    catalog: &Catalog,
    relation: &Relation,
    key: &str,
    settings: &Settings,
) -> Option<Problem> {
    if !writable::is_asked(settings, &relation.name) {
        return None;
    }
    let setting = ["tables", key, "writable"];
    if !is_view(relation) {
        let message = format!("{key} is no view: the code of a table writes anyway");
        return Some(Problem::in_setting(&setting, message));
    }
    let checker = Checker::new(catalog).for_version(settings.postgres);
    let reason = writable::allowed(&checker, catalog, relation).err()?;
    Some(Problem::in_setting(&setting, reason))
}

/// The column is `GENERATED ALWAYS AS IDENTITY`.
const ALWAYS: Fill = Fill::Identity { always: true };

/// Returns the problems with the settings of a table's columns.
fn columns(
    catalog: &Catalog,
    relation: &Relation,
    key: &str,
    table: &TableSettings,
) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (name, column) in &table.columns {
        let setting = ["tables", key, "columns", name];
        if let Some(problem) = unknown_column(catalog, &setting, key, name) {
            problems.push(problem);
            continue;
        }
        if let Some(rust_type) = &column.rust_type
            && syn::parse_str::<syn::Type>(rust_type).is_err()
        {
            let setting = [&setting[..], &["type", rust_type]].concat();
            problems.push(Problem::in_setting(
                &setting,
                format!("{rust_type:?} is not a type in Rust"),
            ));
        }
        problems.extend(attributes(&setting, column));
        let mut columns = relation.columns.iter();
        let is_always = columns.any(|it| it.name == *name && it.fill == ALWAYS);
        if column.overriding_system_value && !is_always {
            let setting = [&setting[..], &["overriding_system_value"]].concat();
            problems.push(Problem::in_setting(
                &setting,
                format!("{key}.{name} is not GENERATED ALWAYS AS IDENTITY"),
            ));
        }
        if column.not_null && !is_view(relation) {
            let setting = [&setting[..], &["not_null"]].concat();
            problems.push(Problem::in_setting(
                &setting,
                format!(
                    "{key} is no view: in a table, the migrations say which columns are NOT NULL"
                ),
            ));
        }
    }
    problems
}

/// Returns the problems with names in JSON: one that is empty, or that two columns have.
fn renamed(
    relation: &Relation,
    key: &str,
    table: &TableSettings,
    settings: &Settings,
) -> Vec<Problem> {
    // A rule for all names changes those that no setting gives.
    let is_ruled = table.rename_all.or(settings.rename_all).is_some();
    let given = |column: &str| {
        table
            .columns
            .get(column)
            .and_then(|it| it.rename.as_deref())
    };
    let fields = relation.columns.iter().zip(column_names(relation));
    let fields: Vec<(&str, Option<String>)> = fields
        .map(|(column, field)| {
            let usual = (!is_ruled).then_some(field);
            let name = given(&column.name).map(str::to_owned).or(usual);
            (column.name.as_str(), name)
        })
        .collect();
    let mut problems = Vec::new();
    for (column, name) in &fields {
        let Some(rename) = given(column) else {
            continue;
        };
        let mut others = fields.iter().filter(|(other, _)| other != column);
        let message = if rename.is_empty() {
            format!("{key}.{column} has no name in JSON")
        } else if let Some((other, _)) = others.find(|(_, other)| other == name) {
            format!("{key}.{column} and {key}.{other} have one name in JSON")
        } else {
            continue;
        };
        let setting = ["tables", key, "columns", column, "rename", rename];
        problems.push(Problem::in_setting(&setting, message));
    }
    problems
}

/// Returns the problems with the attributes of a column's fields.
fn attributes(setting: &[&str], column: &ColumnSettings) -> Vec<Problem> {
    let lists = [
        ("attributes", &column.attributes),
        ("new_attributes", &column.new_attributes),
        ("changes_attributes", &column.changes_attributes),
    ];
    let all = lists
        .into_iter()
        .flat_map(|(name, list)| list.iter().map(move |attribute| (name, attribute)));
    // A doc comment, or a second attribute, would be read too.
    let wrong = all.filter(|(_, attribute)| syn::parse_str::<syn::Meta>(attribute).is_err());
    wrong
        .map(|(name, attribute)| {
            Problem::in_setting(
                &[setting, &[name, attribute]].concat(),
                format!("{attribute:?} is not an attribute, which is written without `#[` and `]`"),
            )
        })
        .collect()
}

/// Returns the problems with the derives of a table.
fn derives(key: &str, table: &TableSettings) -> Vec<Problem> {
    let lists = [
        ("derives", &table.derives),
        ("new_derives", &table.new_derives),
        ("changes_derives", &table.changes_derives),
        ("id_derives", &table.id_derives),
    ];
    let all = lists
        .into_iter()
        .flat_map(|(name, list)| list.iter().map(move |derive| (name, derive)));
    let wrong = all.filter(|(_, derive)| syn::parse_str::<syn::Path>(derive).is_err());
    wrong
        .map(|(name, derive)| {
            Problem::in_setting(
                &["tables", key, name, derive],
                format!("{derive:?} is not the path of a derive macro"),
            )
        })
        .collect()
}

/// Returns the problems with the columns that have a role.
fn roles(catalog: &Catalog, relation: &Relation, settings: &Settings) -> Vec<Problem> {
    let mut problems = Vec::new();
    for column in &relation.columns {
        if let Some(written) = column.comment.as_deref().and_then(in_comment)
            && !Role::ALL.iter().any(|role| role.name() == written)
        {
            let names = Role::ALL.map(Role::name);
            let hint = match nearest(written, names) {
                Some(meant) => format!("did you mean {meant}?"),
                None => format!("the roles are {}", names.join(", ")),
            };
            let message = format!(
                "the comment of {}.{} gives it the unknown role {written:?}",
                shown(&relation.name),
                column.name
            );
            problems.push(Problem::new(message, hint));
        }
    }
    let roles = Roles::of(relation, settings);
    let named = [
        (Role::Version, &roles.version),
        (Role::DeletedAt, &roles.deleted_at),
        (Role::UpdatedAt, &roles.updated_at),
    ];
    for (role, name) in named {
        let Some(name) = name else { continue };
        let mut columns = relation.columns.iter();
        // Another problem names a column that does not exist.
        let Some(column) = columns.find(|column| column.name == *name) else {
            continue;
        };
        if let Some(why) = unfit(catalog, relation, column, role, settings) {
            problems.push(of_role(relation, column, role, settings, &why));
        }
    }
    problems
}

/// Returns the problem with a role, at the setting that gives it.
fn of_role(
    relation: &Relation,
    column: &Column,
    role: Role,
    settings: &Settings,
    why: &str,
) -> Problem {
    let message = format!(
        "{}.{} cannot be the column `{}`: {why}",
        shown(&relation.name),
        column.name,
        role.name()
    );
    let mut tables = settings.tables.iter();
    let set = tables.find(|(key, table)| {
        is(&relation.name, key) && role.in_settings(table) == Some(&column.name)
    });
    match set {
        Some((key, _)) => Problem::in_setting(&["tables", key, role.name(), &column.name], message),
        None => Problem::new(
            message,
            "change the comment of the column, or the column".to_owned(),
        ),
    }
}

/// Returns why a column cannot have a role.
fn unfit(
    catalog: &Catalog,
    relation: &Relation,
    column: &Column,
    role: Role,
    settings: &Settings,
) -> Option<String> {
    const NUMBERS: [&str; 3] = ["int2", "int4", "int8"];
    const TIMES: [&str; 2] = ["timestamp", "timestamptz"];
    let is_table = matches!(
        relation.kind,
        RelationKind::Table | RelationKind::PartitionedTable
    );
    let of_type = base(catalog, &column.data_type);
    let is_of = |names: &[&str]| {
        of_type.dimensions == 0
            && of_type.name.schema == "pg_catalog"
            && names.contains(&of_type.name.name.as_str())
    };
    let has_default = matches!(column.fill, Fill::Default(_));
    let why = match role {
        _ if !is_table => "only a table has one",
        _ if settings.row_key(relation).is_none() => "the table has no key",
        _ if settings
            .row_key(relation)
            .is_some_and(|key| key.contains(&column.name)) =>
        {
            "it is a part of the key"
        }
        Role::Version if !is_of(&NUMBERS) => "it is no integer",
        Role::Version if !column.not_null => "it can be NULL",
        Role::Version if !has_default => "an INSERT needs a default for it",
        Role::DeletedAt | Role::UpdatedAt if !is_of(&TIMES) => "it is no timestamp",
        Role::DeletedAt if column.not_null => "it is NOT NULL, and NULL is for rows that exist",
        Role::DeletedAt if has_default => "by its default, new rows would be deleted",
        Role::UpdatedAt if !has_default => "an INSERT needs a default for it: now()",
        _ => return None,
    };
    Some(why.to_owned())
}

/// Returns the problems with what settings say of a table that is planned.
pub(in super::super) fn planned(tables: &[TablePlan], settings: &Settings) -> Vec<Problem> {
    let mut problems = Vec::new();
    for table in tables {
        let Some(of_table) = of_name(&settings.tables, &table.name) else {
            continue;
        };
        let mut keys = settings.tables.keys();
        let Some(key) = keys.find(|key| is(&table.name, key)) else {
            continue;
        };
        problems.extend(planned_bodies(table, key, of_table));
        for function in &of_table.leave_out {
            let names = table.functions.iter().map(|function| function.name());
            let names: Vec<&str> = names.collect();
            if !super::USUAL.contains(&function.as_str()) && !names.contains(&function.as_str()) {
                let problem = Problem::in_setting(
                    &["tables", key, "leave_out", function],
                    format!("no function {}::{function} is generated", table.full_row()),
                );
                problems.push(problem.suggest(function, names.into_iter()));
            }
        }
        for (name, column) in &of_table.columns {
            let problem = |setting: &str, why: &str| {
                Problem::in_setting(
                    &["tables", key, "columns", name, setting],
                    format!("{key}.{name} {why}"),
                )
            };
            if column.leave_out_of_lists && table.key.contains(name) {
                problems.push(problem(
                    "leave_out_of_lists",
                    "is a part of the key, by which lists are ordered",
                ));
            }
            let mut new = table.new_fields.iter();
            let is_required =
                |field: &super::super::Field| field.sql_name == *name && field.options == 0;
            if column.skip_deserializing && new.any(is_required) {
                problems.push(problem(
                    "skip_deserializing",
                    "needs a value in each new row, since it is NOT NULL and has no default",
                ));
            }
        }
    }
    problems
}
