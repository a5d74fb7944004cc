//! What `schema.rs` says: the choices of diesel's own `print-schema`, followed to the letter.

use crate::catalog::{
    Catalog, Column, ConstraintKind, Fill, Name, Relation, RelationKind, TypeKind,
};
use crate::project::{AllowTables, ColumnSorting, Output, WithDocs};

use super::names::rust_name;

/// One `schema.rs`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SchemaPlan {
    pub file: std::path::PathBuf,
    pub patch_file: Option<std::path::PathBuf>,
    /// The module around all, if a schema is named.
    pub module: Option<String>,
    pub with_docs: WithDocs,
    pub import_types: Vec<String>,
    pub derives: Vec<String>,
    pub custom_types: Vec<CustomType>,
    pub tables: Vec<SchemaTable>,
    pub joinables: Vec<Joinable>,
    pub groups: Vec<Vec<String>>,
}

/// A marker type for a SQL type that diesel does not have.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct CustomType {
    pub rust_name: String,
    pub sql_name: String,
    pub schema: Option<String>,
}

/// A `table!`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SchemaTable {
    pub name: Name,
    pub rust_name: String,
    /// The module of the schema it is in, if that is not the default one.
    pub rust_schema: Option<String>,
    pub full_sql_name: String,
    pub comment: Option<String>,
    pub primary_key: Vec<String>,
    pub custom_types: Vec<String>,
    pub columns: Vec<SchemaColumn>,
}

/// A column of a `table!`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SchemaColumn {
    pub rust_name: String,
    pub sql_name: String,
    pub sql_type: String,
    pub max_length: Option<i32>,
    pub comment: Option<String>,
}

/// A `joinable!`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Joinable {
    pub child: String,
    pub parent: String,
    pub column: String,
}

const DEFAULT_SCHEMA: &str = "public";

pub(super) fn plan(catalog: &Catalog, output: &Output) -> SchemaPlan {
    let schema = output.schema.as_deref().unwrap_or(DEFAULT_SCHEMA);
    let relations: Vec<&Relation> = catalog
        .relations
        .values()
        .filter(|relation| {
            relation.name.schema == schema
                && is_base_table(relation)
                && !relation.name.name.starts_with("__")
        })
        .filter(|relation| {
            relation.primary_key().is_some() && output.filter.shows(&relation.name.name)
        })
        .collect();
    let tables: Vec<_> = relations
        .iter()
        .map(|relation| table(catalog, relation, output))
        .collect();
    let mut custom_types: Vec<_> = relations
        .iter()
        .flat_map(|relation| {
            relation
                .columns
                .iter()
                .filter_map(|column| custom_type(catalog, column, output))
        })
        .collect();
    custom_types.sort_by(|a, b| a.rust_name.cmp(&b.rust_name));
    custom_types.dedup_by(|a, b| a.rust_name == b.rust_name);
    let joinables = joinables(catalog, &relations);
    let groups = match output.allow_tables {
        AllowTables::All => vec![tables.iter().map(|table| table.rust_name.clone()).collect()],
        AllowTables::ForeignKeys => groups(&tables, &joinables),
        AllowTables::None => Vec::new(),
    };
    SchemaPlan {
        file: output.file.clone(),
        patch_file: output.patch_file.clone(),
        module: output
            .schema
            .as_deref()
            .map(|schema| rust_name(schema, None)),
        with_docs: output.with_docs,
        import_types: output.import_types.clone(),
        derives: output.derives(),
        custom_types,
        tables,
        joinables,
        groups: groups
            .into_iter()
            .filter(|group: &Vec<String>| group.len() >= 2)
            .collect(),
    }
}

fn is_base_table(relation: &Relation) -> bool {
    matches!(
        relation.kind,
        RelationKind::Table | RelationKind::PartitionedTable | RelationKind::Partition
    )
}

fn table(catalog: &Catalog, relation: &Relation, output: &Output) -> SchemaTable {
    let rust_table = rust_name(&relation.name.name, None);
    let in_schema = output.schema.as_deref();
    let mut columns: Vec<_> = relation.columns.iter().collect();
    if output.column_sorting == ColumnSorting::Name {
        columns.sort_by(|a, b| a.name.cmp(&b.name));
    }
    let mut custom_types: Vec<String> = Vec::new();
    for custom in columns
        .iter()
        .filter_map(|column| custom_type(catalog, column, output))
    {
        if !custom_types.contains(&custom.rust_name) {
            custom_types.push(custom.rust_name);
        }
    }
    let key = relation.primary_key().unwrap_or_default();
    SchemaTable {
        name: relation.name.clone(),
        full_sql_name: in_schema.map_or_else(
            || relation.name.name.clone(),
            |schema| format!("{schema}.{}", relation.name.name),
        ),
        rust_schema: in_schema.map(|schema| rust_name(schema, None)),
        comment: relation.comment.clone(),
        primary_key: key
            .iter()
            .map(|column| rust_name(column, Some(&rust_table)))
            .collect(),
        custom_types,
        columns: columns
            .into_iter()
            .map(|column| self::column(catalog, column, &rust_table, output))
            .collect(),
        rust_name: rust_table,
    }
}

fn column(catalog: &Catalog, column: &Column, table: &str, output: &Output) -> SchemaColumn {
    let (name, not_null) = stored_type(catalog, column, output);
    let mut sql_type = super::names::type_name_of_sql(&name.name);
    if column.data_type.dimensions > 0 {
        sql_type = format!("Array<Nullable<{sql_type}>>");
    }
    if !not_null {
        sql_type = format!("Nullable<{sql_type}>");
    }
    let has_length = matches!(
        column.data_type.name.name.as_str(),
        "varchar" | "bpchar" | "bit" | "varbit"
    ) && column.data_type.dimensions == 0;
    SchemaColumn {
        rust_name: rust_name(&column.name, Some(table)),
        sql_name: column.name.clone(),
        sql_type,
        max_length: column
            .data_type
            .modifiers
            .first()
            .copied()
            .filter(|_| has_length),
        comment: column.comment.clone(),
    }
}

/// The type as `information_schema.columns.udt_name` has it, where a domain is its base type unless asked for,
/// and whether the column or its domain is NOT NULL.
pub(super) fn stored_type(catalog: &Catalog, column: &Column, output: &Output) -> (Name, bool) {
    let mut name = column.data_type.name.clone();
    let mut not_null = column.not_null;
    if output
        .domains_as_custom_types
        .iter()
        .any(|pattern| pattern.is_match(&name.name))
    {
        return (name, not_null);
    }
    // A domain over a domain over .. ends; the bound is for catalogs that no server would make.
    for _ in 0..32 {
        match catalog.types.get(&name).map(|found| &found.kind) {
            Some(TypeKind::Domain {
                base,
                not_null: strict,
                ..
            }) => {
                not_null |= strict;
                name = base.name.clone();
            }
            _ => break,
        }
    }
    (name, not_null)
}

fn custom_type(catalog: &Catalog, column: &Column, output: &Output) -> Option<CustomType> {
    let (name, _) = stored_type(catalog, column, output);
    let rust_name = super::names::type_name_of_sql(&name.name);
    let excepted = output
        .except_custom_type_definitions
        .iter()
        .any(|pattern| pattern.is_match(&rust_name));
    if !output.generate_missing_sql_type_definitions
        || excepted
        || DIESEL_TYPES.contains(&rust_name.as_str())
    {
        return None;
    }
    let schema = Some(name.schema).filter(|schema| schema != DEFAULT_SCHEMA);
    Some(CustomType {
        rust_name,
        sql_name: name.name,
        schema,
    })
}

/// Pairs of tables with one foreign key between them, of one column, to a primary key of one column.
fn joinables(catalog: &Catalog, relations: &[&Relation]) -> Vec<Joinable> {
    let mut found: Vec<(&Name, &Name, Vec<&String>, Vec<&String>)> = Vec::new();
    for relation in relations {
        for constraint in &relation.constraints {
            let ConstraintKind::ForeignKey {
                columns,
                references,
                referenced_columns,
                ..
            } = &constraint.kind
            else {
                continue;
            };
            found.push((
                &relation.name,
                references,
                columns.iter().collect(),
                referenced_columns.iter().collect(),
            ));
        }
    }
    let between = |a: &Name, b: &Name| {
        found
            .iter()
            .filter(|(child, parent, ..)| {
                (*child == a && *parent == b) || (*child == b && *parent == a)
            })
            .count()
    };
    let mut joinables: Vec<_> = found
        .iter()
        .filter(|(child, parent, columns, referenced)| {
            let key = catalog
                .relations
                .get(*parent)
                .and_then(Relation::primary_key)
                .unwrap_or_default();
            child != parent
                && relations.iter().any(|relation| relation.name == **parent)
                && columns.len() == 1
                && key.len() == 1
                && Some(&key[0]) == referenced.first().copied()
                && between(child, parent) == 1
        })
        .map(|(child, parent, columns, _)| {
            let child_name = rust_name(&child.name, None);
            let column = rust_name(columns[0], Some(&child_name));
            Joinable {
                child: child_name,
                parent: rust_name(&parent.name, None),
                column,
            }
        })
        .collect();
    joinables.sort();
    joinables
}

/// Tables that joins lead to from one another.
fn groups(tables: &[SchemaTable], joinables: &[Joinable]) -> Vec<Vec<String>> {
    let mut groups: Vec<Vec<String>> = tables
        .iter()
        .map(|table| vec![table.rust_name.clone()])
        .collect();
    for Joinable { child, parent, .. } in joinables {
        let of = |groups: &[Vec<String>], table: &String| {
            groups.iter().position(|group| group.contains(table))
        };
        let (Some(a), Some(b)) = (of(&groups, child), of(&groups, parent)) else {
            continue;
        };
        if a != b {
            let merged = groups.remove(a.max(b));
            groups[a.min(b)].extend(merged);
        }
    }
    groups.iter_mut().for_each(|group| group.sort());
    groups.sort();
    groups
}

/// Whether PostgreSQL fills the column whatever is inserted.
pub(super) fn is_generated(fill: &Fill) -> bool {
    matches!(fill, Fill::Generated { .. })
}

/// The types that diesel 2.3 has for PostgreSQL, and so needs no marker for.
const DIESEL_TYPES: [&str; 66] = [
    "Bool",
    "Integer",
    "SmallInt",
    "BigInt",
    "Binary",
    "Text",
    "Double",
    "Float",
    "Numeric",
    "Timestamp",
    "Date",
    "Time",
    "Float4",
    "Smallint",
    "Int2",
    "Int4",
    "Int8",
    "Bigint",
    "Float8",
    "Decimal",
    "VarChar",
    "Varchar",
    "Char",
    "Tinytext",
    "Mediumtext",
    "Longtext",
    "Tinyblob",
    "Blob",
    "Mediumblob",
    "Longblob",
    "Varbinary",
    "Bit",
    "Cidr",
    "Citext",
    "Inet",
    "Jsonb",
    "MacAddr",
    "MacAddr8",
    "Money",
    "Oid",
    "Range",
    "Timestamptz",
    "Uuid",
    "Json",
    "PgLsn",
    "Record",
    "Interval",
    "Int4range",
    "Int8range",
    "Daterange",
    "Numrange",
    "Tsrange",
    "Tstzrange",
    "Int4multirange",
    "Int8multirange",
    "Datemultirange",
    "Nummultirange",
    "Tsmultirange",
    "Tstzmultirange",
    "SmallSerial",
    "BigSerial",
    "Serial",
    "Bytea",
    "Bpchar",
    "Macaddr",
    "Macaddr8",
];
