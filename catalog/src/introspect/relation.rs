//! Tables, views and their columns.

use serde::Deserialize;

use super::data_type::data_type;
use super::{name, optional_name};
use crate::RECORDS;
use crate::attached::{Attached, Code};
use crate::{Attribute, Catalog, Column, Fill, NotNull, Relation, RelationKind, TypeKind};

pub(super) const RELATIONS: &str = r"
    SELECT n.nspname::text AS schema, c.relname::text AS name, c.relkind::text AS kind, c.relispartition AS is_partition,
        p.schemas AS parent_schemas, p.names AS parent_names, tn.nspname::text AS type_schema, t.typname::text AS type_name,
        CASE WHEN c.relkind = 'p' THEN pg_get_partkeydef(c.oid) END AS partition_by,
        pg_get_expr(c.relpartbound, c.oid) AS partition_bound, obj_description(c.oid, 'pg_class') AS comment,
        c.relrowsecurity AS row_security, c.relforcerowsecurity AS force_row_security,
        CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END AS query,
        CASE WHEN c.relkind = 'v' THEN ARRAY(SELECT o FROM unnest(c.reloptions) o ORDER BY o) ELSE '{}' END AS options
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_type t ON t.oid = c.reloftype
    LEFT JOIN pg_namespace tn ON tn.oid = t.typnamespace
    CROSS JOIN LATERAL (
        SELECT coalesce(array_agg(pn.nspname::text ORDER BY i.inhseqno), '{}') AS schemas,
            coalesce(array_agg(pc.relname::text ORDER BY i.inhseqno), '{}') AS names
        FROM pg_inherits i
        JOIN pg_class pc ON pc.oid = i.inhparent
        JOIN pg_namespace pn ON pn.oid = pc.relnamespace
        WHERE i.inhrelid = c.oid
    ) p
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'
        AND NOT EXISTS (SELECT FROM pg_depend d
            WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
    ORDER BY 1, 2";

/// Columns, and the attributes of composite types.
pub(super) const COLUMNS: &str = r"
    SELECT n.nspname::text AS schema, c.relname::text AS relation, a.attname::text AS name,
        tn.nspname::text AS type_schema, tt.typname::text AS type_name,
        CASE WHEN e.oid IS NULL THEN 0 ELSE greatest(a.attndims, 1) END::int4 AS dimensions,
        CASE WHEN a.atttypmod >= 0 THEN format_type(a.atttypid, a.atttypmod) END AS formatted,
        a.attnotnull AS not_null, a.attidentity::text AS identity, a.attgenerated::text AS generated,
        pg_get_expr(d.adbin, d.adrelid) AS expression,
        con.nspname::text AS collation_schema, co.collname::text AS collation,
        col_description(c.oid, a.attnum) AS comment,
        nn.conname::text AS not_null_name, nn.connoinherit AS not_null_no_inherit, nn.convalidated AS not_null_validated,
        serial.schema AS serial_schema, serial.name AS serial_name
    FROM pg_attribute a
    JOIN pg_class c ON c.oid = a.attrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_type e ON e.typarray = t.oid
    JOIN pg_type tt ON tt.oid = coalesce(e.oid, t.oid)
    JOIN pg_namespace tn ON tn.oid = tt.typnamespace
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    LEFT JOIN LATERAL (
        SELECT sn.nspname::text AS schema, s.relname::text AS name
        FROM pg_depend own
        JOIN pg_class s ON s.oid = own.objid AND s.relkind = 'S'
        JOIN pg_namespace sn ON sn.oid = s.relnamespace
        JOIN pg_depend uses ON uses.refclassid = 'pg_class'::regclass AND uses.refobjid = s.oid
            AND uses.classid = 'pg_attrdef'::regclass AND uses.objid = d.oid
        WHERE own.classid = 'pg_class'::regclass AND own.refclassid = 'pg_class'::regclass
            AND own.refobjid = a.attrelid AND own.refobjsubid = a.attnum AND own.deptype = 'a'
            AND pg_get_expr(d.adbin, d.adrelid) ~ '^nextval\(''([^'']|'''')*''::regclass\)$'
    ) serial ON true
    LEFT JOIN pg_collation co ON co.oid = a.attcollation AND a.attcollation <> t.typcollation
    LEFT JOIN pg_namespace con ON con.oid = co.collnamespace
    LEFT JOIN pg_constraint nn ON nn.conrelid = a.attrelid AND nn.contype = 'n' AND nn.conkey = ARRAY[a.attnum]
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c') AND a.attnum > 0 AND NOT a.attisdropped
        AND n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'
    ORDER BY 1, 2, a.attnum";

#[derive(Deserialize)]
pub(super) struct RelationRow {
    schema: String,
    name: String,
    kind: String,
    is_partition: bool,
    parent_schemas: Vec<String>,
    parent_names: Vec<String>,
    type_schema: Option<String>,
    type_name: Option<String>,
    partition_by: Option<String>,
    partition_bound: Option<String>,
    comment: Option<String>,
    row_security: bool,
    force_row_security: bool,
    query: Option<String>,
    options: Vec<String>,
}

#[derive(Deserialize)]
pub(super) struct ColumnRow {
    schema: String,
    relation: String,
    name: String,
    type_schema: String,
    type_name: String,
    dimensions: i32,
    formatted: Option<String>,
    not_null: bool,
    identity: String,
    generated: String,
    expression: Option<String>,
    collation_schema: Option<String>,
    collation: Option<String>,
    comment: Option<String>,
    not_null_name: Option<String>,
    not_null_no_inherit: Option<bool>,
    not_null_validated: Option<bool>,
    serial_schema: Option<String>,
    serial_name: Option<String>,
}

/// Adds the relations with their columns. Adds the attributes to composite types, which are already
/// in the catalog.
pub(super) fn add(catalog: &mut Catalog, relations: &[RelationRow], columns: &[ColumnRow]) {
    let is_shown = |row: &&RelationRow| !RECORDS.contains(&row.name.as_str());
    for row in relations.iter().filter(is_shown) {
        let kind = match (row.kind.as_str(), row.is_partition) {
            (_, true) => RelationKind::Partition,
            ("p", _) => RelationKind::PartitionedTable,
            ("v", _) => RelationKind::View,
            ("m", _) => RelationKind::MaterializedView,
            ("f", _) => RelationKind::ForeignTable,
            _ => RelationKind::Table,
        };
        let of_type = row.type_schema.as_ref().zip(row.type_name.as_ref());
        let parents = row.parent_schemas.iter().zip(&row.parent_names);
        let relation_name = name(&row.schema, &row.name);
        let relation = Relation {
            name: relation_name.clone(),
            kind,
            columns: Vec::new(),
            constraints: Vec::new(),
            indexes: Vec::new(),
            parents: parents
                .map(|(schema, parent)| name(schema, parent))
                .collect(),
            of_type: of_type.map(|(schema, of_type)| name(schema, of_type)),
            partition_by: row.partition_by.clone(),
            partition_bound: row.partition_bound.clone(),
            distribution: None,
            comment: row.comment.clone(),
            attached: Attached {
                row_security: row.row_security,
                force_row_security: row.force_row_security,
                query: row.query.clone().map(Code::stored),
                options: row.options.clone(),
                ..Attached::default()
            },
        };
        catalog.relations.insert(relation_name, relation);
    }
    for row in columns {
        let owner = name(&row.schema, &row.relation);
        if let Some(relation) = catalog.relations.get_mut(&owner) {
            relation.columns.push(row.column());
        } else if let Some(found) = catalog.types.get_mut(&owner)
            && let TypeKind::Composite { attributes } = &mut found.kind
        {
            let column = row.column();
            attributes.push(Attribute {
                name: column.name,
                data_type: column.data_type,
                collation: column.collation,
            });
        }
    }
}

impl ColumnRow {
    fn column(&self) -> Column {
        Column {
            name: self.name.clone(),
            data_type: data_type(
                &self.type_schema,
                &self.type_name,
                self.dimensions,
                self.formatted.as_deref(),
            ),
            not_null: self.not_null,
            fill: self.fill(),
            collation: optional_name(&self.collation_schema, &self.collation),
            comment: self.comment.clone(),
            not_null_constraint: self.not_null_name.as_ref().map(|name| NotNull {
                name: name.clone(),
                no_inherit: self.not_null_no_inherit.unwrap_or_default(),
                validated: self.not_null_validated.unwrap_or(true),
            }),
        }
    }

    fn fill(&self) -> Fill {
        if let (Some(schema), Some(sequence)) = (&self.serial_schema, &self.serial_name) {
            return Fill::Serial {
                sequence: name(schema, sequence),
            };
        }
        let expression = self.expression.clone();
        match (self.identity.as_str(), self.generated.as_str(), expression) {
            ("a", ..) => Fill::Identity { always: true },
            ("d", ..) => Fill::Identity { always: false },
            (_, "s", Some(expression)) => Fill::Generated {
                expression,
                stored: true,
            },
            (_, "v", Some(expression)) => Fill::Generated {
                expression,
                stored: false,
            },
            (_, _, Some(expression)) => Fill::Default(expression),
            (_, _, None) => Fill::Nothing,
        }
    }
}
