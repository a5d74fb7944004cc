//! CHOICES: which Rust is written for a catalog; pure.
//!
//! A [`Plan`] holds every name, type and function of the files to come, so that `emit` decides nothing.

mod function;
mod functions;
mod names;
mod needs;
mod origin;
mod patched;
mod rust_type;
mod schema;
mod table;

use std::collections::BTreeMap;

use crate::catalog::{Catalog, Name, RelationKind, Type, TypeKind};
use crate::project::Settings;

pub(crate) use function::{Function, KeyColumn};
pub(crate) use needs::{Need, needs};
pub(crate) use origin::{Origin, relative};
pub(crate) use patched::PatchedSchema;
pub(crate) use schema::{CustomType, SchemaColumn, SchemaPlan, SchemaTable};
pub(crate) use table::{Field, TablePlan};

/// What the generated files will hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    /// One `schema.rs` for each output that `diesel.toml` names.
    pub schemas: Vec<SchemaPlan>,
    /// The tables that get a file of their own.
    pub tables: Vec<TablePlan>,
    /// The enums, which share a file.
    pub enums: Vec<EnumPlan>,
    /// The path of the schema module, from a file of a table.
    pub schema_path: String,
    /// What a person should know: columns without a Rust type, tables without a key, ..
    pub notes: Vec<String>,
}

/// A Rust enum for one of PostgreSQL's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EnumPlan {
    /// The Rust name, which is the marker type's in `schema.rs` too.
    pub name: String,
    pub sql_name: String,
    /// Of `COMMENT ON TYPE`.
    pub comment: Option<String>,
    /// Variant and label, in PostgreSQL's order.
    pub variants: Vec<(String, String)>,
}

/// Plans each `schema.rs` that the settings ask for.
pub(crate) fn schemas(catalog: &Catalog, settings: &Settings) -> Vec<SchemaPlan> {
    let outputs = settings.outputs.iter();
    outputs
        .map(|output| schema::plan(catalog, output, settings))
        .collect()
}

/// A column that a setting names and that is not there: `logs.id`.
pub(crate) fn unknown_column(catalog: &Catalog, settings: &Settings) -> Option<String> {
    let has = |table: &str, column: &str| {
        let mut relations = catalog.relations.values();
        relations.any(|relation| {
            relation.name.name == table && relation.columns.iter().any(|has| has.name == column)
        })
    };
    let keys = settings.keys.iter();
    let of_keys =
        keys.flat_map(|(table, columns)| columns.iter().map(move |column| (table, column)));
    let of_keys = of_keys.map(|(table, column)| (table.as_str(), column.as_str()));
    let joinables = settings.joinables.iter();
    let of_joinables = joinables.map(|name| name.rsplit_once('.').unwrap_or((name, "")));
    let mut named = of_keys.chain(of_joinables);
    let unknown = named.find(|(table, column)| !has(table, column));
    unknown.map(|(table, column)| format!("{table}.{column}"))
}

/// Plans the models for a catalog, whose `schema.rs` are planned, and perhaps patched, already.
///
/// Fails where two things would get one Rust name.
pub(crate) fn plan(
    catalog: &Catalog,
    settings: &Settings,
    schemas: Vec<SchemaPlan>,
    patched: Option<&PatchedSchema>,
) -> Result<Plan, Collision> {
    let mut notes = Vec::new();
    let mut tables = Vec::new();
    for relation in catalog.relations.values() {
        let shown = schemas.iter().any(|schema| {
            schema
                .tables
                .iter()
                .any(|table| table.name == relation.name)
        });
        match relation.kind {
            RelationKind::View | RelationKind::MaterializedView => {
                notes.push(format!(
                    "{} is a view, for which no code is generated",
                    relation.name.name
                ));
            }
            RelationKind::Partition => {}
            // Those that a setting gives a key are in schema.rs only; the others are named with it.
            _ if relation.primary_key().is_none() => {}
            _ if shown && relation.name.schema == "public" => {
                let mut table = table::plan(catalog, relation, settings, patched, &mut notes);
                table.functions = functions::plan(relation, &table, settings);
                tables.push(table);
            }
            _ if shown => notes.push(format!(
                "{}.{} is in schema.rs only: models are generated for the schema public",
                relation.name.schema, relation.name.name
            )),
            _ => {}
        }
    }
    let enums = enums(catalog, &tables);
    check_collisions(&tables, &enums)?;
    Ok(Plan {
        schemas,
        tables,
        enums,
        schema_path: settings.schema_path.clone(),
        notes,
    })
}

/// Two things that would get one Rust name.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{first} and {second} would both be called {name} in Rust")]
pub(crate) struct Collision {
    name: String,
    first: String,
    second: String,
}

fn check_collisions(tables: &[TablePlan], enums: &[EnumPlan]) -> Result<(), Collision> {
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    let of_tables = tables.iter().flat_map(|table| {
        let whose = format!("table {}", table.sql_name);
        table
            .type_names()
            .into_iter()
            .map(move |name| (name, whose.clone()))
    });
    let of_enums = enums
        .iter()
        .map(|plan| (plan.name.clone(), format!("enum {}", plan.name)));
    for (name, second) in of_tables.chain(of_enums) {
        if let Some(first) = seen.insert(name.clone(), second.clone()) {
            return Err(Collision {
                name,
                first,
                second,
            });
        }
    }
    Ok(())
}

/// The enums that a planned table uses.
fn enums(catalog: &Catalog, tables: &[TablePlan]) -> Vec<EnumPlan> {
    let used = |name: &Name| {
        let of = |table: &TablePlan| {
            catalog
                .relations
                .get(&table.name)
                .map(|relation| &relation.columns)
        };
        tables
            .iter()
            .filter_map(of)
            .flatten()
            .any(|column| column.data_type.name == *name)
    };
    let found = catalog.types.values().filter(|found| used(&found.name));
    let mut enums: Vec<_> = found.filter_map(enum_plan).collect();
    enums.sort_by(|a, b| a.name.cmp(&b.name));
    enums
}

fn enum_plan(found: &Type) -> Option<EnumPlan> {
    let TypeKind::Enum { labels } = &found.kind else {
        return None;
    };
    let variants = names::distinct(labels.iter().map(|label| names::type_name(label)));
    Some(EnumPlan {
        name: names::type_name(&found.name.name),
        sql_name: found.name.name.clone(),
        comment: found.comment.clone(),
        variants: variants.into_iter().zip(labels.iter().cloned()).collect(),
    })
}
