//! The plan of the Rust code that is generated for a catalog. Nothing here reads or writes files.
//!
//! A [`Plan`] contains every name, type and function of the generated files, so that `emit` only
//! writes text.

mod built_in;
mod calls;
pub mod checked;
mod collisions;
mod elements;
mod english;
mod enums;
mod file_name;
mod function;
mod functions;
mod geometry;
mod lists;
mod mapping;
mod module_name;
mod modules;
mod names;
mod needs;
mod newtypes;
mod ordered;
mod own_types;
mod patched;
mod problem;
mod queries;
mod relations;
mod roles;
mod rust_type;
mod schema;
mod table;
mod text_columns;
mod uncovered;
mod views;
mod written;

use std::collections::BTreeMap;

use crate::project::{Output, Settings, of_name};
use bowline_catalog::{Catalog, Relation};
use modules::Modules;

pub use english::article;
pub use enums::EnumPlan;
pub use problem::{Problem, key, shown};

pub use function::{Function, KeyColumn, OrderColumn, OrderedList};
pub use functions::key_columns;
pub use mapping::Mapping;
pub use module_name::module_name;
pub use needs::{Need, needs};
pub use newtypes::NewtypePlan;
pub use own_types::{AttributePlan, CompositePlan, Declared, MarkerPlan, RangePlan};
pub use patched::PatchedSchema;
pub use queries::{
    ArgumentPlan, CheckedFile, InlineArgument, InlineColumn, InlineQuery, NestedRow, NoCode,
    OrderPlan, OrdersPlan, PagedList, PagesPlan, PositionField, QueryFilePlan, QueryFunction,
    RowPlan, ValuePlan, inline, module as query_module, query_file,
};
pub use relations::{RelationPlan, RelationTo};
pub use roles::Roles;
pub use rust_type::{RustType, SqlType, Wire};
pub use schema::{CustomType, SchemaColumn, SchemaPlan, SchemaTable};
pub use table::{Field, TablePlan};

/// The content of the generated files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// One `schema.rs` for each output that `diesel.toml` names.
    pub schemas: Vec<SchemaPlan>,
    /// The tables for which a file is generated.
    pub tables: Vec<TablePlan>,
    /// The enums. They share a file with composite types, ranges and marker types.
    pub enums: Vec<EnumPlan>,
    /// The structs of domains that have a type of their own.
    pub newtypes: Vec<NewtypePlan>,
    /// The structs of composite types.
    pub composites: Vec<CompositePlan>,
    /// The range types of the schema, and their multiranges.
    pub ranges: Vec<RangePlan>,
    /// The marker types that no `schema.rs` has.
    pub markers: Vec<MarkerPlan>,
    /// The decisions on types, which query files and `query!` share.
    pub mapping: Mapping,
    /// The modules of `schema.rs` that are in the folder of the tables' files.
    pub schema_files: Vec<String>,
    /// The query files. They are planned after the tables, whose types they use.
    pub queries: Vec<QueryFilePlan>,
    /// The name of the database, for a program that opens several.
    pub database: Option<String>,
    /// Notes for the user, such as columns without a Rust type and tables without a key.
    pub notes: Vec<String>,
}

/// Plans each `schema.rs` that the settings define, and the files with the relations that
/// `diesel print-schema` leaves out.
pub fn schemas(catalog: &Catalog, settings: &Settings) -> Vec<SchemaPlan> {
    let catalog = &*views::completed(catalog, settings);
    let outputs = settings.outputs.iter();
    let mut planned: Vec<SchemaPlan> = outputs
        .map(|output| schema::plan(catalog, output, settings))
        .collect();
    let mut by_schema: BTreeMap<&str, Vec<&Output>> = BTreeMap::new();
    for output in settings.outputs.iter().filter(|it| it.path.is_some()) {
        let schema = output.schema.as_deref().unwrap_or("public");
        by_schema.entry(schema).or_default().push(output);
    }
    let outputs = by_schema.values();
    planned.extend(outputs.filter_map(|of_one| schema::others(catalog, of_one, settings)));
    planned
}

/// Plans the models for a catalog. Its schemas are planned before, and patched if they have patch
/// files.
///
/// Fails if two types would get the same Rust name, or if a setting names an object that does not
/// exist.
pub fn plan(
    catalog: &Catalog,
    settings: &Settings,
    schemas: Vec<SchemaPlan>,
    patched: &[Option<PatchedSchema>],
) -> Result<Plan, Vec<Problem>> {
    let catalog = &*views::completed(catalog, settings);
    let mut notes = uncovered::notes(catalog, settings, &schemas);
    let mut tables = Vec::new();
    let mut text_columns = text_columns::TextColumns::default();
    let mut mapping = Mapping::new(catalog, &schemas, settings);
    let schema_files = schema_files(&schemas);
    let mut taken_files = schema_files.clone();
    taken_files.extend(["types", "queries"].map(str::to_owned));
    let modules = Modules::new(&schemas, &taken_files);
    taken_files.extend(modules.names().cloned());
    // A view gets another name if a table has that of its row.
    let mut relations: Vec<&Relation> = catalog.relations.values().collect();
    relations.sort_by_key(|relation| views::is_view(relation));
    for relation in relations {
        if !uncovered::gets_code(relation) {
            continue;
        }
        let source = table::Source {
            catalog,
            settings,
            mapping: &mapping,
            schemas: &schemas,
            patched,
            taken_files: &taken_files,
            modules: &modules,
        };
        if let Some(mut table) = table::plan(&source, relation, &mut text_columns, &mut notes) {
            if table.fields.is_empty() {
                notes.push(format!(
                    "{} gets no code: no column has a Rust type",
                    relation.name.name
                ));
                continue;
            }
            table.functions = functions::plan(relation, &table, &mut notes);
            table.without_list = ordered::without_list(relation, &table);
            table.leave_out_unused();
            taken_files.push(table.file.clone());
            tables.push(table);
        }
    }
    relations::add(catalog, &mut tables, &mut notes);
    notes.extend(text_columns.notes());
    let fields = tables.iter().flat_map(|table| &table.fields);
    let used = fields.flat_map(|field| field.rust_type.of_sql.clone());
    let used = own_types::reachable(catalog, &mapping, used);
    mapping.set_generated(used.clone());
    let mut problems = checked::left_out(&tables, settings);
    problems.extend(checked::planned(&tables, settings));
    let enums = enums::enums(catalog, &used, &mapping, settings, &mut problems);
    let newtypes = newtypes::newtypes(catalog, &mapping, &used);
    let composites = own_types::composites(catalog, &mapping, &used);
    let ranges = own_types::ranges(catalog, &mapping, &used);
    let mut marked = used;
    marked.extend(ranges.iter().map(|range| range.sql_name.clone()));
    marked.extend(mapping.given().cloned());
    let markers = own_types::markers(&mapping, &marked);
    problems.extend(collisions::collisions(
        &tables,
        &enums,
        &newtypes,
        &composites,
    ));
    if !problems.is_empty() {
        return Err(problems);
    }
    for table in &mut tables {
        let row = table.full_row();
        let of_table = of_name(&settings.tables, &table.name);
        table.functions.retain(|function| {
            let is_left_out = of_table.is_some_and(|of_table| {
                let mut names = of_table.leave_out.iter();
                names.any(|name| name == function.name())
            });
            let full_name = format!("{row}::{}", function.name());
            !is_left_out && !settings.leave_out.contains(&full_name)
        });
    }
    Ok(Plan {
        schemas,
        schema_files,
        tables,
        enums,
        newtypes,
        composites,
        ranges,
        markers,
        mapping,
        queries: Vec::new(),
        database: settings.database.clone(),
        notes,
    })
}

/// Returns the modules of `schema.rs` that are in the folder of the tables' files.
fn schema_files(schemas: &[SchemaPlan]) -> Vec<String> {
    let paths = schemas.iter().filter_map(|schema| schema.path.as_deref());
    let beside = paths.filter_map(|path| path.strip_prefix("super::"));
    // The module of a named schema is within that of the file.
    let files = beside.filter_map(|path| path.split("::").next());
    let mut names: Vec<String> = files.map(str::to_owned).collect();
    names.dedup();
    names
}
