//! The rows of system tables such as `pg_class` or `information_schema.columns`, for the objects
//! that migrations created. A column that is not modelled is an unknown value. Its row is never
//! left out.

use crate::replay::builtin;
use crate::replay::program::Program;
use crate::replay::program::evaluate::rows::Output;
use crate::replay::program::evaluate::{Datum, namespace};
use crate::{Constraint, ConstraintKind, Name, Relation, RelationKind, TypeKind};

pub(crate) type Facts = Vec<(&'static str, Datum)>;

pub(crate) fn text(value: &str) -> Datum {
    Datum::Text(value.to_owned())
}

pub(crate) fn object(name: &Name) -> Datum {
    Datum::Object {
        name: name.clone(),
        is_named: false,
    }
}

/// Returns the current database, whose name is not known.
pub(crate) fn current_database() -> Datum {
    object(&Name {
        schema: "pg_database".to_owned(),
        name: String::new(),
    })
}

impl Program {
    /// Returns the rows of a system table. `None` means that it is not a system table, `Some(None)`
    /// that its rows are not known.
    pub(crate) fn system_rows(&self, parts: &[String]) -> Option<Option<Vec<Output>>> {
        let (table, schema) = parts.split_last()?;
        let schema = schema.last().map_or("pg_catalog", String::as_str);
        let found = builtin::relations(table).find(|found| found.schema == schema)?;
        Some(self.facts(table).map(|rows| {
            let rows = rows.into_iter().map(|facts| {
                let columns = found.columns().map(|column| {
                    let fact = facts.iter().find(|(name, _)| *name == column.name);
                    (column.name.to_owned(), fact.map(|(_, value)| value.clone()))
                });
                columns.collect()
            });
            rows.collect()
        }))
    }

    fn facts(&self, table: &str) -> Option<Vec<Facts>> {
        let relations = || self.state.catalog().relations.values();
        let of_kinds = |kinds: &'static [RelationKind]| {
            relations().filter(|relation| kinds.contains(&relation.kind))
        };
        let database = current_database;
        Some(match table {
            "pg_namespace" => {
                let schemas = self.state.schemas().iter().map(String::as_str);
                let schemas = schemas.chain(["pg_catalog", "information_schema"]);
                schemas
                    .map(|schema| vec![("oid", namespace(schema)), ("nspname", text(schema))])
                    .collect()
            }
            "schemata" => {
                let schemas = self.state.schemas().iter().map(String::as_str);
                let schemas = schemas.chain(["pg_catalog", "information_schema", "pg_toast"]);
                schemas
                    .map(|schema| vec![("catalog_name", database()), ("schema_name", text(schema))])
                    .collect()
            }
            "pg_class" => self.classes(),
            "pg_tables" => of_kinds(TABLES)
                .map(|relation| {
                    vec![
                        ("schemaname", text(&relation.name.schema)),
                        ("tablename", text(&relation.name.name)),
                        ("hasindexes", Datum::Bool(!relation.indexes.is_empty())),
                    ]
                })
                .chain(system_relations("schemaname", "tablename"))
                .collect(),
            "pg_views" => of_kinds(&[RelationKind::View])
                .map(|relation| {
                    vec![
                        ("schemaname", text(&relation.name.schema)),
                        ("viewname", text(&relation.name.name)),
                    ]
                })
                .chain(system_relations("schemaname", "viewname"))
                .collect(),
            "pg_matviews" => of_kinds(&[RelationKind::MaterializedView])
                .map(|relation| {
                    vec![
                        ("schemaname", text(&relation.name.schema)),
                        ("matviewname", text(&relation.name.name)),
                    ]
                })
                .collect(),
            "pg_indexes" => relations()
                .flat_map(|relation| relation.indexes.iter().map(move |index| (relation, index)))
                .map(|(relation, index)| {
                    vec![
                        ("schemaname", text(&relation.name.schema)),
                        ("tablename", text(&relation.name.name)),
                        ("indexname", text(&index.name)),
                    ]
                })
                .collect(),
            "pg_index" => relations()
                .flat_map(|relation| relation.indexes.iter().map(move |index| (relation, index)))
                .map(|(relation, index)| {
                    let is_primary = relation.constraints.iter().any(|constraint| {
                        constraint.name == index.name
                            && matches!(constraint.kind, ConstraintKind::PrimaryKey { .. })
                    });
                    vec![
                        (
                            "indexrelid",
                            object(&index_name(&relation.name, &index.name)),
                        ),
                        ("indrelid", object(&relation.name)),
                        ("indisunique", Datum::Bool(index.unique)),
                        ("indisprimary", Datum::Bool(is_primary)),
                        // These migrations cannot have produced an index whose build failed.
                        ("indisvalid", Datum::Bool(true)),
                        ("indisready", Datum::Bool(true)),
                    ]
                })
                .collect(),
            "pg_attribute" => relations()
                .flat_map(|relation| {
                    relation
                        .columns
                        .iter()
                        .enumerate()
                        .map(move |at| (relation, at))
                })
                .map(|(relation, (position, column))| {
                    vec![
                        ("attrelid", object(&relation.name)),
                        ("attname", text(&column.name)),
                        ("attnum", position_of(position)),
                        ("attisdropped", Datum::Bool(false)),
                        ("attnotnull", Datum::Bool(column.not_null)),
                        ("atttypid", object(&column.data_type.name)),
                    ]
                })
                .collect(),
            "columns" => relations()
                .flat_map(|relation| {
                    relation
                        .columns
                        .iter()
                        .map(move |column| (relation, column))
                })
                .map(|(relation, column)| {
                    let nullable = if column.not_null { "NO" } else { "YES" };
                    let mut facts = vec![
                        ("table_catalog", database()),
                        ("table_schema", text(&relation.name.schema)),
                        ("table_name", text(&relation.name.name)),
                        ("column_name", text(&column.name)),
                        ("is_nullable", text(nullable)),
                    ];
                    facts.extend(self.data_type(&column.data_type));
                    facts
                })
                .collect(),
            "tables" => relations()
                .filter(|relation| relation.kind != RelationKind::MaterializedView)
                .map(|relation| {
                    let kind = match relation.kind {
                        RelationKind::View => "VIEW",
                        RelationKind::ForeignTable => "FOREIGN",
                        _ => "BASE TABLE",
                    };
                    vec![
                        ("table_catalog", database()),
                        ("table_schema", text(&relation.name.schema)),
                        ("table_name", text(&relation.name.name)),
                        ("table_type", text(kind)),
                    ]
                })
                .chain(system_relations("table_schema", "table_name"))
                .collect(),
            "views" => of_kinds(&[RelationKind::View])
                .map(|relation| {
                    vec![
                        ("table_catalog", database()),
                        ("table_schema", text(&relation.name.schema)),
                        ("table_name", text(&relation.name.name)),
                    ]
                })
                .chain(system_relations("table_schema", "table_name"))
                .collect(),
            "foreign_tables" => of_kinds(&[RelationKind::ForeignTable])
                .map(|relation| {
                    vec![
                        ("foreign_table_schema", text(&relation.name.schema)),
                        ("foreign_table_name", text(&relation.name.name)),
                    ]
                })
                .collect(),
            "sequences" => {
                let sequences = self.state.catalog().sequences.values();
                // The sequences of identities are not listed in this table.
                sequences
                    .filter(|sequence| !sequence.identity)
                    .map(|sequence| {
                        vec![
                            ("sequence_schema", text(&sequence.name.schema)),
                            ("sequence_name", text(&sequence.name.name)),
                        ]
                    })
                    .collect()
            }
            "pg_sequences" => {
                let sequences = self.state.catalog().sequences.values();
                sequences
                    .map(|sequence| {
                        vec![
                            ("schemaname", text(&sequence.name.schema)),
                            ("sequencename", text(&sequence.name.name)),
                        ]
                    })
                    .collect()
            }
            "pg_type" => self.types(),
            "pg_enum" => {
                let types = self.state.catalog().types.values();
                let labels = types.flat_map(|found| match &found.kind {
                    TypeKind::Enum { labels } => {
                        labels.iter().map(|label| (found, label)).collect()
                    }
                    _ => Vec::new(),
                });
                labels
                    .map(|(found, label)| {
                        vec![
                            ("enumtypid", object(&found.name)),
                            ("enumlabel", text(label)),
                        ]
                    })
                    .collect()
            }
            "pg_extension" => {
                let names = self.state.catalog().extensions.iter().map(String::as_str);
                names
                    .chain(["plpgsql"])
                    .map(|name| vec![("extname", text(name))])
                    .collect()
            }
            "pg_inherits" => relations()
                .flat_map(|relation| {
                    relation
                        .parents
                        .iter()
                        .map(move |parent| (relation, parent))
                })
                .map(|(relation, parent)| {
                    vec![
                        ("inhrelid", object(&relation.name)),
                        ("inhparent", object(parent)),
                    ]
                })
                .collect(),
            "pg_constraint" => relations()
                .flat_map(|relation| {
                    relation
                        .constraints
                        .iter()
                        .map(move |constraint| (relation, constraint))
                })
                .map(|(relation, constraint)| constraint_facts(relation, constraint))
                .collect(),
            "table_constraints" => relations()
                .flat_map(|relation| {
                    relation
                        .constraints
                        .iter()
                        .map(move |constraint| (relation, constraint))
                })
                .filter_map(|(relation, constraint)| {
                    let kind = match constraint.kind {
                        ConstraintKind::PrimaryKey { .. } => "PRIMARY KEY",
                        ConstraintKind::Unique { .. } => "UNIQUE",
                        ConstraintKind::Check { .. } => "CHECK",
                        ConstraintKind::ForeignKey { .. } => "FOREIGN KEY",
                        ConstraintKind::Exclude { .. } => return None,
                    };
                    Some(vec![
                        ("constraint_catalog", database()),
                        ("constraint_schema", text(&relation.name.schema)),
                        ("constraint_name", text(&constraint.name)),
                        ("table_catalog", database()),
                        ("table_schema", text(&relation.name.schema)),
                        ("table_name", text(&relation.name.name)),
                        ("constraint_type", text(kind)),
                    ])
                })
                .collect(),
            "key_column_usage" => relations()
                .flat_map(|relation| {
                    relation
                        .constraints
                        .iter()
                        .map(move |constraint| (relation, constraint))
                })
                .flat_map(|(relation, constraint)| {
                    let columns = match &constraint.kind {
                        ConstraintKind::PrimaryKey { columns }
                        | ConstraintKind::Unique { columns, .. }
                        | ConstraintKind::ForeignKey { columns, .. } => columns.as_slice(),
                        _ => &[],
                    };
                    let rows = columns.iter().enumerate();
                    rows.map(move |(position, column)| {
                        let mut facts = usage(relation, constraint, &relation.name, column);
                        facts.push(("ordinal_position", position_of(position)));
                        facts
                    })
                })
                .collect(),
            "constraint_column_usage" => relations()
                .flat_map(|relation| {
                    relation
                        .constraints
                        .iter()
                        .map(move |constraint| (relation, constraint))
                })
                .flat_map(|(relation, constraint)| {
                    let (table, columns) = match &constraint.kind {
                        ConstraintKind::ForeignKey {
                            references,
                            referenced_columns,
                            ..
                        } => (references, referenced_columns.as_slice()),
                        ConstraintKind::PrimaryKey { columns }
                        | ConstraintKind::Unique { columns, .. }
                        | ConstraintKind::Check { columns, .. } => {
                            (&relation.name, columns.as_slice())
                        }
                        ConstraintKind::Exclude { .. } => (&relation.name, &[][..]),
                    };
                    let rows = columns.iter();
                    rows.map(move |column| usage(relation, constraint, table, column))
                })
                .collect(),
            _ => return None,
        })
    }
}

const TABLES: &[RelationKind] = &[
    RelationKind::Table,
    RelationKind::PartitionedTable,
    RelationKind::Partition,
];

/// Returns the system tables and views. Which of them are views is not known here.
fn system_relations(
    schema_column: &'static str,
    name_column: &'static str,
) -> impl Iterator<Item = Facts> {
    builtin::core_relations()
        .map(move |(schema, name)| vec![(schema_column, text(schema)), (name_column, text(name))])
}

pub(crate) fn system_name(schema: &str, name: &str) -> Name {
    Name {
        schema: schema.to_owned(),
        name: name.to_owned(),
    }
}

/// Returns the name of an index, which is in the schema of its table.
pub(crate) fn index_name(table: &Name, name: &str) -> Name {
    system_name(&table.schema, name)
}

fn position_of(position: usize) -> Datum {
    i64::try_from(position + 1).map_or(Datum::Null, Datum::Int)
}

fn usage(relation: &Relation, constraint: &Constraint, table: &Name, column: &str) -> Facts {
    vec![
        ("constraint_catalog", current_database()),
        ("constraint_schema", text(&relation.name.schema)),
        ("constraint_name", text(&constraint.name)),
        ("table_catalog", current_database()),
        ("table_schema", text(&table.schema)),
        ("table_name", text(&table.name)),
        ("column_name", text(column)),
    ]
}

fn constraint_facts(relation: &Relation, constraint: &Constraint) -> Facts {
    let (kind, columns) = match &constraint.kind {
        ConstraintKind::PrimaryKey { columns } => ("p", columns.as_slice()),
        ConstraintKind::Unique { columns, .. } => ("u", columns.as_slice()),
        ConstraintKind::Check { columns, .. } => ("c", columns.as_slice()),
        ConstraintKind::ForeignKey { columns, .. } => ("f", columns.as_slice()),
        ConstraintKind::Exclude { .. } => ("x", &[][..]),
    };
    let mut facts = vec![
        ("conname", text(&constraint.name)),
        ("connamespace", namespace(&relation.name.schema)),
        ("contype", text(kind)),
        ("conrelid", object(&relation.name)),
        ("convalidated", Datum::Bool(constraint.validated)),
        ("condeferrable", Datum::Bool(constraint.deferrable)),
        ("condeferred", Datum::Bool(constraint.initially_deferred)),
    ];
    if kind != "x" {
        let positions = columns.iter().filter_map(|column| {
            let position = relation
                .columns
                .iter()
                .position(|found| found.name == *column)?;
            Some(position_of(position))
        });
        facts.push(("conkey", Datum::List(positions.collect())));
    }
    if let ConstraintKind::ForeignKey { references, .. } = &constraint.kind {
        facts.push(("confrelid", object(references)));
    }
    facts
}
