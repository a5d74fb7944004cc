//! Enums, domains, composites and ranges, and the types of extensions by name.

use serde::Deserialize;

use super::data_type::data_type;
use super::{name, optional_name};
use crate::{Catalog, DataType, Type, TypeKind};

/// Types. Row types of tables, arrays and multiranges are left out, since PostgreSQL creates them
/// with the objects to which they belong.
pub(super) const TYPES: &str = r"
    SELECT n.nspname::text AS schema, t.typname::text AS name,
        CASE WHEN x.objid IS NOT NULL OR t.typtype = 'b' THEN 'x' ELSE t.typtype::text END AS kind,
        ARRAY(SELECT l.enumlabel::text FROM pg_enum l WHERE l.enumtypid = t.oid ORDER BY l.enumsortorder) AS labels,
        bn.nspname::text AS base_schema, b.typname::text AS base_name,
        CASE WHEN e.oid IS NULL THEN 0 ELSE greatest(t.typndims, 1) END::int4 AS dimensions,
        CASE WHEN t.typtypmod >= 0 THEN format_type(t.typbasetype, t.typtypmod) END AS formatted,
        t.typnotnull AS not_null, pg_get_expr(t.typdefaultbin, 0) AS default_expression, cn.nspname::text AS collation_schema, co.collname::text AS collation,
        CASE WHEN NOT oc.opcdefault THEN os.nspname::text END AS class_schema, oc.opcname::text AS class,
        fn.nspname::text AS canonical_schema, f.proname::text AS canonical,
        dn.nspname::text AS diff_schema, d.proname::text AS diff,
        mr.typname::text AS multirange, obj_description(t.oid, 'pg_type') AS comment
    FROM pg_type t
    JOIN pg_namespace n ON n.oid = t.typnamespace
    LEFT JOIN pg_class c ON c.oid = t.typrelid
    LEFT JOIN pg_range r ON r.rngtypid = t.oid
    LEFT JOIN pg_type mr ON mr.oid = r.rngmultitypid
    LEFT JOIN pg_type base ON base.oid = coalesce(r.rngsubtype, nullif(t.typbasetype, 0))
    LEFT JOIN pg_type e ON e.typarray = base.oid
    LEFT JOIN pg_type b ON b.oid = coalesce(e.oid, base.oid)
    LEFT JOIN pg_namespace bn ON bn.oid = b.typnamespace
    LEFT JOIN pg_collation co ON co.oid <> base.typcollation
        AND co.oid = CASE t.typtype WHEN 'd' THEN t.typcollation WHEN 'r' THEN r.rngcollation END
    LEFT JOIN pg_namespace cn ON cn.oid = co.collnamespace
    LEFT JOIN pg_opclass oc ON oc.oid = r.rngsubopc
    LEFT JOIN pg_namespace os ON os.oid = oc.opcnamespace
    LEFT JOIN pg_proc f ON f.oid = r.rngcanonical
    LEFT JOIN pg_namespace fn ON fn.oid = f.pronamespace
    LEFT JOIN pg_proc d ON d.oid = r.rngsubdiff
    LEFT JOIN pg_namespace dn ON dn.oid = d.pronamespace
    LEFT JOIN pg_depend x ON x.classid = 'pg_type'::regclass AND x.objid = t.oid AND x.deptype = 'e'
    WHERE n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema' AND t.typisdefined
        AND (t.typtype IN ('e', 'd', 'r') OR (t.typtype = 'c' AND c.relkind = 'c')
            OR (t.typtype = 'b' AND NOT EXISTS (SELECT FROM pg_type element WHERE element.typarray = t.oid)))
    ORDER BY 1, 2";

#[derive(Deserialize)]
pub(super) struct TypeRow {
    schema: String,
    name: String,
    kind: String,
    labels: Vec<String>,
    base_schema: Option<String>,
    base_name: Option<String>,
    dimensions: i32,
    formatted: Option<String>,
    not_null: bool,
    default_expression: Option<String>,
    collation_schema: Option<String>,
    collation: Option<String>,
    class_schema: Option<String>,
    class: Option<String>,
    canonical_schema: Option<String>,
    canonical: Option<String>,
    diff_schema: Option<String>,
    diff: Option<String>,
    multirange: Option<String>,
    comment: Option<String>,
}

/// Adds the types. The attributes of composite types and the checks of domains are added later.
pub(super) fn add(catalog: &mut Catalog, rows: &[TypeRow]) {
    for row in rows {
        let type_name = name(&row.schema, &row.name);
        let found = Type {
            name: type_name.clone(),
            kind: row.type_kind(),
            comment: row.comment.clone(),
        };
        catalog.types.insert(type_name, found);
    }
}

impl TypeRow {
    fn type_kind(&self) -> TypeKind {
        match self.kind.as_str() {
            "e" => TypeKind::Enum {
                labels: self.labels.clone(),
            },
            "d" => TypeKind::Domain {
                base: self.base(),
                not_null: self.not_null,
                default: self.default_expression.clone(),
                checks: Vec::new(),
                collation: optional_name(&self.collation_schema, &self.collation),
            },
            "c" => TypeKind::Composite {
                attributes: Vec::new(),
            },
            "r" => TypeKind::Range {
                subtype: self.base(),
                multirange: self.multirange.clone().unwrap_or_default(),
                operator_class: optional_name(&self.class_schema, &self.class),
                collation: optional_name(&self.collation_schema, &self.collation),
                canonical: optional_name(&self.canonical_schema, &self.canonical),
                subtype_diff: optional_name(&self.diff_schema, &self.diff),
            },
            _ => TypeKind::External,
        }
    }

    fn base(&self) -> DataType {
        data_type(
            self.base_schema.as_deref().unwrap_or_default(),
            self.base_name.as_deref().unwrap_or_default(),
            self.dimensions,
            self.formatted.as_deref(),
        )
    }
}
