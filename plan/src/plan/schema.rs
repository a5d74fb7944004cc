//! The content of `schema.rs`, by exactly the rules of diesel's own `print-schema`.

mod joins;
mod sql_type;

use std::collections::BTreeMap;

use crate::project::{AllowTables, ColumnSorting, Output, Settings, WithDocs};
use bowline_catalog::{Catalog, Column, Fill, Name, Relation, RelationKind};

use super::names::{column_names, distinct, rust_name};
use super::problem::{Problem, shown};
pub use sql_type::ShownType;

/// One `schema.rs`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaPlan {
    /// The path by which a table's file names the module of the tables; `None` if the schema is
    /// only printed.
    pub path: Option<String>,
    /// The file; `None` if the schema is only printed.
    pub file: Option<std::path::PathBuf>,
    /// A patch that is applied to the file, as in diesel.toml.
    pub patch_file: Option<std::path::PathBuf>,
    /// The module around the tables, if the output is for a named schema.
    pub module: Option<String>,
    /// The indentation of the code that rustfmt formats: everything but the bodies of `table!`.
    pub tab_spaces: usize,
    /// Which comments become documentation.
    pub with_docs: WithDocs,
    /// Paths that each module imports.
    pub import_types: Vec<String>,
    /// Derives of the marker types.
    pub derives: Vec<String>,
    /// The marker types.
    pub custom_types: Vec<CustomType>,
    /// The tables.
    pub tables: Vec<SchemaTable>,
    /// The foreign keys that diesel can join by.
    pub joinables: Vec<Joinable>,
    /// The tables of each `allow_tables_to_appear_in_same_query!`.
    pub groups: Vec<Vec<String>>,
    /// Tables that are left out because they have no primary key.
    pub without_key: Vec<Name>,
    /// False for the relations that `diesel print-schema` leaves out.
    pub is_of_diesel: bool,
}

/// A marker type for a SQL type that diesel does not have.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CustomType {
    /// The name in Rust.
    pub rust_name: String,
    /// The name in PostgreSQL.
    pub sql_name: String,
    /// The schema of the type, unless it is in `pg_catalog` or `public`.
    pub schema: Option<String>,
}

impl CustomType {
    /// Returns true if this is the marker of the SQL type.
    pub(super) fn marks(&self, name: &Name) -> bool {
        self.sql_name == name.name
            && self.schema.as_deref().unwrap_or(DEFAULT_SCHEMA) == name.schema
    }
}

/// A `table!`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaTable {
    /// The name of the table with its schema.
    pub name: Name,
    /// The name in Rust.
    pub rust_name: String,
    /// The module of its schema, unless that is the default one.
    pub rust_schema: Option<String>,
    /// The name as diesel writes it: with the schema, unless that is the default one.
    pub full_sql_name: String,
    /// The comment in the database.
    pub comment: Option<String>,
    /// The columns of the primary key.
    pub primary_key: Vec<String>,
    /// The marker types.
    pub custom_types: Vec<String>,
    /// The columns, in the order of the settings.
    pub columns: Vec<SchemaColumn>,
}

/// A column of a `table!`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaColumn {
    /// The name in Rust.
    pub rust_name: String,
    /// The name in PostgreSQL.
    pub sql_name: String,
    /// The type as diesel names it.
    pub sql_type: String,
    /// The type as the documentation shows it.
    pub shown: ShownType,
    /// The length of `varchar(n)` and `char(n)`.
    pub max_length: Option<i32>,
    /// The comment in the database.
    pub comment: Option<String>,
}

/// A `joinable!`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Joinable {
    pub child: String,
    pub parent: String,
    pub column: String,
}

const DEFAULT_SCHEMA: &str = "public";

/// Returns the names of the modules.
///
/// diesel would give the same name to tables whose names differ only in special characters. Each of
/// these gets a suffix with the codes of these characters, so that a new table does not rename
/// another. A table whose name is already valid in Rust keeps it.
fn module_names(relations: &[&Relation], names: impl Iterator<Item = String>) -> Vec<String> {
    let names: Vec<String> = names.collect();
    let coded = relations.iter().zip(&names).map(|(relation, name)| {
        let is_alone = names.iter().filter(|other| *other == name).count() == 1;
        let table = &relation.name.name;
        if is_alone || table == name {
            return name.clone();
        }
        let codes = table
            .chars()
            .filter(|c| !c.is_ascii_alphanumeric() && *c != '_')
            .map(|c| format!("_u{:x}", u32::from(c)));
        format!("{name}{}", codes.collect::<String>())
    });
    distinct(coded)
}

/// Returns the plan of one `schema.rs`.
pub(super) fn plan(catalog: &Catalog, output: &Output, settings: &Settings) -> SchemaPlan {
    let (relations, without_key): (Vec<&Relation>, Vec<&Relation>) = catalog
        .relations
        .values()
        .filter(|relation| is_base_table(relation) && shows(output, relation))
        .partition(|relation| settings.primary_key(relation).is_some());
    let mut plan = of_relations(catalog, output, settings, &relations);
    let without_key = without_key.into_iter();
    plan.without_key = without_key.map(|found| found.name.clone()).collect();
    plan
}

/// Returns the plan of the file with the relations of one schema that `diesel print-schema` leaves
/// out: views, foreign tables, and tables without a primary key. `None` if there are none.
///
/// `outputs` are the outputs of that schema. The settings of the first apply.
pub(super) fn others(
    catalog: &Catalog,
    outputs: &[&Output],
    settings: &Settings,
) -> Option<SchemaPlan> {
    let first = outputs.first()?;
    let is_other = |relation: &&Relation| {
        let has_code = match relation.kind {
            RelationKind::View | RelationKind::MaterializedView | RelationKind::ForeignTable => {
                true
            }
            RelationKind::Table | RelationKind::PartitionedTable => {
                settings.primary_key(relation).is_none()
            }
            RelationKind::Partition => false,
        };
        has_code
            && !relation.columns.is_empty()
            && relation.columns.len() <= MOST_COLUMNS
            && outputs.iter().any(|output| shows(output, relation))
    };
    let relations: Vec<&Relation> = catalog.relations.values().filter(is_other).collect();
    if relations.is_empty() {
        return None;
    }
    let schema = first.schema.as_deref().unwrap_or(DEFAULT_SCHEMA);
    let stem = match schema {
        DEFAULT_SCHEMA => RELATIONS.to_owned(),
        other => format!("{}_{RELATIONS}", rust_name(other, None)),
    };
    let mut plan = of_relations(catalog, first, settings, &relations);
    plan.path = Some(format!("super::{stem}"));
    plan.file = Some(settings.folder.join(format!("{stem}.rs")));
    plan.patch_file = None;
    plan.module = None;
    plan.joinables = Vec::new();
    plan.groups = Vec::new();
    plan.is_of_diesel = false;
    Some(plan)
}

/// The number of columns that diesel supports.
pub(super) const MOST_COLUMNS: usize = 128;

/// The name of the file with what `diesel print-schema` leaves out.
const RELATIONS: &str = "relations";

/// Returns true if an output has the relations of this schema and name.
fn shows(output: &Output, relation: &Relation) -> bool {
    relation.name.schema == output.schema.as_deref().unwrap_or(DEFAULT_SCHEMA)
        && !relation.name.name.starts_with("__")
        && output.filter.shows(&relation.name.name)
}

fn of_relations(
    catalog: &Catalog,
    output: &Output,
    settings: &Settings,
    relations: &[&Relation],
) -> SchemaPlan {
    let custom_types = sql_type::custom_types(catalog, relations, output);
    let rust_names = relations.iter().map(|relation| {
        let name = rust_name(&relation.name.name, None);
        // This is also the name of the module of the marker types.
        if name == "sql_types" && !custom_types.is_empty() {
            format!("{name}_")
        } else {
            name
        }
    });
    let rust_names: BTreeMap<Name, String> = relations
        .iter()
        .map(|relation| relation.name.clone())
        .zip(module_names(relations, rust_names))
        .collect();
    let tables: Vec<_> = relations
        .iter()
        .map(|relation| {
            let rust_name = rust_names.get(&relation.name).cloned();
            let rust_name = rust_name.unwrap_or_default();
            let shown = Shown {
                catalog,
                output,
                custom_types: &custom_types,
            };
            shown.table(relation, rust_name, settings)
        })
        .collect();
    let joinables = joins::joinables(catalog, relations, &rust_names, settings);
    let groups = match output.allow_tables {
        AllowTables::All => vec![tables.iter().map(|table| table.rust_name.clone()).collect()],
        AllowTables::ForeignKeys => joins::groups(&tables, &joinables),
        AllowTables::None => Vec::new(),
    };
    let mut custom_types: Vec<_> = custom_types.into_values().collect();
    custom_types.sort();
    let module = output.schema.as_deref();
    let module = module.map(|schema| rust_name(schema, None));
    let path = output.path.as_ref().map(|path| match &module {
        Some(module) => format!("{path}::{module}"),
        None => path.clone(),
    });
    SchemaPlan {
        path,
        file: output.file.clone(),
        patch_file: output.patch_file.clone(),
        module,
        tab_spaces: settings.tab_spaces.unwrap_or(4),
        with_docs: output.with_docs,
        import_types: output.import_types.clone(),
        derives: output.derives(),
        custom_types,
        tables,
        joinables: joinables
            .into_iter()
            .map(|(_, _, joinable)| joinable)
            .collect(),
        groups: groups
            .into_iter()
            .filter(|group: &Vec<String>| group.len() >= 2)
            .collect(),
        without_key: Vec::new(),
        is_of_diesel: true,
    }
}

impl SchemaPlan {
    /// Returns a problem for each table with more columns than diesel supports.
    pub fn too_wide(&self) -> Vec<Problem> {
        const MAX: usize = MOST_COLUMNS;
        let wide = self.tables.iter().filter(|table| table.columns.len() > MAX);
        wide.map(|table| {
            Problem::new(
                format!(
                    "{} has {} columns, and diesel supports at most {MAX}",
                    shown(&table.name),
                    table.columns.len()
                ),
                format!(
                    "leave it out in diesel.toml: [print_schema] filter = {{ except_tables = [\"^{}$\"] }}, \
                     or split it in two",
                    regex::escape(&table.name.name).replace('\\', "\\\\")
                ),
            )
        })
        .collect()
    }
}

/// Returns true for a `BASE TABLE` of the information schema. Partitions are base tables too.
fn is_base_table(relation: &Relation) -> bool {
    matches!(
        relation.kind,
        RelationKind::Table | RelationKind::PartitionedTable | RelationKind::Partition
    )
}

/// The context in which the tables of one output are shown.
struct Shown<'a> {
    catalog: &'a Catalog,
    output: &'a Output,
    custom_types: &'a BTreeMap<Name, CustomType>,
}

impl Shown<'_> {
    fn table(&self, relation: &Relation, rust_name: String, settings: &Settings) -> SchemaTable {
        let in_schema = self.output.schema.as_deref();
        let in_schema = in_schema.filter(|schema| *schema != DEFAULT_SCHEMA);
        let mut columns: Vec<_> = relation
            .columns
            .iter()
            .zip(column_names(relation))
            .collect();
        // Without a key, diesel takes all columns together for one.
        let all = || relation.columns.iter().map(|column| column.name.clone());
        let key = settings.primary_key(relation);
        let key = key.unwrap_or_else(|| all().collect());
        let primary_key = key
            .iter()
            .filter_map(|key| columns.iter().find(|(column, _)| column.name == *key))
            .map(|(_, rust_name)| rust_name.clone())
            .collect();
        if self.output.column_sorting == ColumnSorting::Name {
            columns.sort_by(|(a, _), (b, _)| a.name.cmp(&b.name));
        }
        let mut custom_types: Vec<String> = Vec::new();
        let columns = columns
            .into_iter()
            .map(|(column, rust_name)| self.column(relation, column, rust_name, &mut custom_types))
            .collect();
        SchemaTable {
            name: relation.name.clone(),
            full_sql_name: in_schema.map_or_else(
                || relation.name.name.clone(),
                |schema| format!("{schema}.{}", relation.name.name),
            ),
            rust_schema: in_schema.map(|schema| super::names::rust_name(schema, None)),
            comment: relation.comment.clone(),
            primary_key,
            custom_types,
            columns,
            rust_name,
        }
    }

    /// Plans a column, and adds the marker type that it needs to those of the table.
    fn column(
        &self,
        relation: &Relation,
        column: &Column,
        rust_name: String,
        custom_types: &mut Vec<String>,
    ) -> SchemaColumn {
        let shown = ShownType::of(self.catalog, relation, column, self.output);
        let type_name = match self.custom_types.get(&shown.name) {
            Some(custom) => {
                if !custom_types.contains(&custom.rust_name) {
                    custom_types.push(custom.rust_name.clone());
                }
                custom.rust_name.clone()
            }
            None => super::names::type_name(&shown.name.name),
        };
        SchemaColumn {
            rust_name,
            sql_name: column.name.clone(),
            sql_type: shown.text(&type_name),
            max_length: shown.max_length,
            shown,
            comment: column.comment.clone(),
        }
    }
}

/// Returns true if PostgreSQL computes the column, so that no value can be inserted.
pub(super) fn is_generated(fill: &Fill) -> bool {
    matches!(fill, Fill::Generated { .. })
}
