//! Indexes, including those of key constraints.

use serde::Deserialize;

use super::constraint::without_parentheses;
use super::{name, optional_name};
use crate::{Catalog, Index, IndexKey, KeyOrder};

/// Indexes. Key columns are returned by name, expressions as text, and a default collation or
/// operator class as NULL.
pub(super) const INDEXES: &str = r"
    SELECT n.nspname::text AS schema, c.relname::text AS relation, i.relname::text AS name, x.indisunique AS is_unique,
        x.indnullsnotdistinct AS nulls_not_distinct, m.amname::text AS method,
        -- An index of a partitioned table is invalid until every partition has a matching index, so it
        -- does not count.
        NOT x.indisvalid AND i.relkind = 'i' AS invalid,
        CASE WHEN x.indpred IS NOT NULL THEN pg_get_expr(x.indpred, x.indrelid) END AS predicate,
        obj_description(i.oid, 'pg_class') AS comment, k.columns, k.expressions, k.options,
        k.collation_schemas, k.collations, k.opclass_schemas, k.opclasses,
        ARRAY(SELECT a.attname::text FROM generate_series(x.indnkeyatts, x.indnatts - 1) position
            JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = x.indkey[position] ORDER BY position) AS included
    FROM pg_index x
    JOIN pg_class i ON i.oid = x.indexrelid
    JOIN pg_class c ON c.oid = x.indrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_am m ON m.oid = i.relam
    CROSS JOIN LATERAL (
        SELECT array_agg(a.attname::text ORDER BY position) AS columns,
            array_agg(CASE WHEN a.attnum IS NULL THEN pg_get_indexdef(i.oid, position + 1, false) END ORDER BY position) AS expressions,
            array_agg(x.indoption[position] ORDER BY position) AS options,
            -- 100 is the default collation.
            array_agg(CASE WHEN x.indcollation[position] <> coalesce(a.attcollation, 100) THEN o.collname::text END ORDER BY position)
                AS collations,
            array_agg(collation_schema.nspname::text ORDER BY position) AS collation_schemas,
            array_agg(opclass_schema.nspname::text ORDER BY position) AS opclass_schemas,
            array_agg(CASE WHEN NOT p.opcdefault THEN p.opcname::text END ORDER BY position) AS opclasses
        FROM generate_series(0, x.indnkeyatts - 1) position
        LEFT JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = x.indkey[position] AND x.indkey[position] <> 0
        LEFT JOIN pg_collation o ON o.oid = x.indcollation[position]
        LEFT JOIN pg_namespace collation_schema ON collation_schema.oid = o.collnamespace
        JOIN pg_opclass p ON p.oid = x.indclass[position]
        JOIN pg_namespace opclass_schema ON opclass_schema.oid = p.opcnamespace
    ) k
    WHERE n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'
    ORDER BY 1, 2, x.indexrelid";

#[derive(Deserialize)]
pub(super) struct IndexRow {
    schema: String,
    relation: String,
    name: String,
    is_unique: bool,
    nulls_not_distinct: bool,
    method: String,
    invalid: bool,
    predicate: Option<String>,
    comment: Option<String>,
    columns: Vec<Option<String>>,
    expressions: Vec<Option<String>>,
    options: Vec<i16>,
    collation_schemas: Vec<Option<String>>,
    collations: Vec<Option<String>>,
    opclass_schemas: Vec<Option<String>>,
    opclasses: Vec<Option<String>>,
    included: Vec<String>,
}

/// Adds the indexes to the relations, which are already in the catalog.
pub(super) fn add(catalog: &mut Catalog, rows: &[IndexRow]) {
    for row in rows {
        if let Some(relation) = catalog.relations.get_mut(&name(&row.schema, &row.relation)) {
            relation.indexes.push(row.index());
        }
    }
}

impl IndexRow {
    fn index(&self) -> Index {
        let keys = (0..self.columns.len()).map(|position| self.key(position));
        Index {
            name: self.name.clone(),
            unique: self.is_unique,
            nulls_not_distinct: self.nulls_not_distinct,
            method: self.method.clone(),
            keys: keys.collect(),
            included: self.included.clone(),
            predicate: self
                .predicate
                .as_deref()
                .map(|predicate| without_parentheses(predicate).to_owned()),
            invalid: self.invalid,
            comment: self.comment.clone(),
        }
    }

    fn key(&self, position: usize) -> IndexKey {
        // Bits of `pg_index.indoption`.
        const DESCENDING: i16 = 1;
        const NULLS_FIRST: i16 = 2;
        let text_at = |list: &[Option<String>]| list.get(position).cloned().flatten();
        let option = self.options.get(position).copied().unwrap_or_default();
        let order = KeyOrder {
            descending: option & DESCENDING != 0,
            nulls_first: option & NULLS_FIRST != 0,
            collation: optional_name(
                &text_at(&self.collation_schemas),
                &text_at(&self.collations),
            ),
            operator_class: optional_name(
                &text_at(&self.opclass_schemas),
                &text_at(&self.opclasses),
            ),
        };
        match text_at(&self.columns) {
            Some(name) => IndexKey::Column { name, order },
            None => IndexKey::Expression {
                text: without_parentheses(&text_at(&self.expressions).unwrap_or_default())
                    .to_owned(),
                order,
            },
        }
    }
}
