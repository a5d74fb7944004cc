//! `pg_class` and `pg_type`, which list objects of all kinds, and the type columns of
//! `information_schema`.

use crate::replay::builtin;
use crate::replay::program::Program;
use crate::replay::program::evaluate::system_tables::{
    Facts, index_name, object, system_name, text,
};
use crate::replay::program::evaluate::{Datum, namespace};
use crate::{Name, RelationKind, TypeKind};

impl Program {
    pub(crate) fn classes(&self) -> Vec<Facts> {
        let class = |name: &Name, kind: &str, is_partition: bool| {
            vec![
                ("oid", object(name)),
                ("relname", text(&name.name)),
                ("relnamespace", namespace(&name.schema)),
                ("relkind", text(kind)),
                ("relispartition", Datum::Bool(is_partition)),
            ]
        };
        let mut rows = Vec::new();
        for relation in self.state.catalog().relations.values() {
            let is_partitioned = relation.partition_by.is_some();
            let kind = match relation.kind {
                RelationKind::View => "v",
                RelationKind::MaterializedView => "m",
                RelationKind::ForeignTable => "f",
                _ if is_partitioned => "p",
                _ => "r",
            };
            let is_partition = relation.kind == RelationKind::Partition;
            rows.push(class(&relation.name, kind, is_partition));
            let kind = if is_partitioned { "I" } else { "i" };
            for index in &relation.indexes {
                rows.push(class(
                    &index_name(&relation.name, &index.name),
                    kind,
                    is_partition,
                ));
            }
        }
        let sequences = self.state.catalog().sequences.values();
        rows.extend(sequences.map(|sequence| class(&sequence.name, "S", false)));
        let types = self.state.catalog().types.values();
        let composites = types.filter(|defined| matches!(defined.kind, TypeKind::Composite { .. }));
        rows.extend(composites.map(|composite| class(&composite.name, "c", false)));
        rows.extend(builtin::core_relations().map(|(schema, name)| {
            vec![
                ("oid", object(&system_name(schema, name))),
                ("relname", text(name)),
                ("relnamespace", namespace(schema)),
            ]
        }));
        rows
    }

    pub(crate) fn types(&self) -> Vec<Facts> {
        let row = |name: &Name, kind: &str| {
            vec![
                ("oid", object(name)),
                ("typname", text(&name.name)),
                ("typnamespace", namespace(&name.schema)),
                ("typtype", text(kind)),
            ]
        };
        let created = self.state.catalog().types.values().map(|found| {
            let kind = match found.kind {
                TypeKind::Enum { .. } => "e",
                TypeKind::Domain { .. } => "d",
                TypeKind::Composite { .. } => "c",
                TypeKind::Range { .. } => "r",
                TypeKind::External => "b",
            };
            row(&found.name, kind)
        });
        let of_rows = self
            .state
            .catalog()
            .relations
            .keys()
            .map(|name| row(name, "c"));
        let system = builtin::type_names().map(|name| {
            vec![
                ("oid", object(&system_name("pg_catalog", name))),
                ("typname", text(name)),
                ("typnamespace", namespace("pg_catalog")),
            ]
        });
        created.chain(of_rows).chain(system).collect()
    }

    /// Returns `data_type`, `udt_name` and the length of a column, if they are simple.
    pub(crate) fn data_type(&self, data_type: &crate::DataType) -> Facts {
        let base = self.state.base_type(data_type);
        if base.dimensions > 0 {
            let element = format!("_{}", base.name.name);
            return vec![("data_type", text("ARRAY")), ("udt_name", text(&element))];
        }
        let mut facts = vec![("udt_name", text(&base.name.name))];
        let words = match base.name.name.as_str() {
            _ if base.name.schema != "pg_catalog" => Some("USER-DEFINED"),
            "int2" => Some("smallint"),
            "int4" => Some("integer"),
            "int8" => Some("bigint"),
            "float4" => Some("real"),
            "float8" => Some("double precision"),
            "bool" => Some("boolean"),
            "varchar" => Some("character varying"),
            "bpchar" => Some("character"),
            "timestamptz" => Some("timestamp with time zone"),
            "timestamp" => Some("timestamp without time zone"),
            same @ ("text" | "uuid" | "json" | "jsonb" | "date" | "numeric" | "bytea"
            | "interval" | "inet" | "xml") => Some(same),
            _ => None,
        };
        facts.extend(words.map(|words| ("data_type", text(words))));
        if matches!(base.name.name.as_str(), "varchar" | "bpchar") {
            let length = base.modifiers.first();
            let length = length.map_or(Datum::Null, |length| Datum::Int(i64::from(*length)));
            facts.push(("character_maximum_length", length));
        }
        facts
    }
}
