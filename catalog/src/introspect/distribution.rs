//! The tables that Citus distributes.

use serde::Deserialize;

use super::name;
use crate::{Catalog, Distribution, DistributionKind};

/// `pg_dist_partition` exists only where Citus is installed, and PostgreSQL parses the names of a
/// whole query before it runs a part. So the query on it is a text that runs only there.
/// `query_to_xml` is the function of PostgreSQL that runs a text. Its rows come back as one JSON
/// text in hexadecimal digits, which need no escapes in XML.
///
/// Citus adds a local table to its metadata without being asked when a foreign key connects it
/// with a reference table. These are left out.
pub(super) const DISTRIBUTIONS: &str = r"
    SELECT d.*
    FROM (
        SELECT CASE WHEN to_regclass('pg_catalog.pg_dist_partition') IS NOT NULL THEN query_to_xml($dist$
            SELECT encode(convert_to(coalesce(json_agg(json_build_object(
                'schema', n.nspname, 'name', c.relname, 'method', p.partmethod, 'model', p.repmodel,
                'column_name', pg_catalog.column_to_column_name(p.logicalrelid, p.partkey),
                'colocation', p.colocationid, 'shards', g.shardcount)), '[]')::text, 'UTF8'), 'hex') AS rows
            FROM pg_catalog.pg_dist_partition p
            JOIN pg_class c ON c.oid = p.logicalrelid
            JOIN pg_namespace n ON n.oid = c.relnamespace
            LEFT JOIN pg_catalog.pg_dist_colocation g ON g.colocationid = p.colocationid
            WHERE NOT coalesce((to_jsonb(p)->>'autoconverted')::boolean, false)
        $dist$, false, false, '')::text END AS text
    ) answer
    CROSS JOIN LATERAL json_to_recordset(
        convert_from(decode(substring(answer.text FROM '<rows>([0-9a-f]*)</rows>'), 'hex'), 'UTF8')::json
    ) AS d(schema text, name text, method text, model text, column_name text, colocation int8, shards int8)
    ORDER BY 1, 2";

#[derive(Deserialize)]
pub(super) struct DistributionRow {
    schema: String,
    name: String,
    method: String,
    model: String,
    column_name: Option<String>,
    colocation: u32,
    shards: Option<u32>,
}

/// Records how the tables are distributed.
pub(super) fn add(catalog: &mut Catalog, rows: &[DistributionRow]) {
    for row in rows {
        if let Some(relation) = catalog.relations.get_mut(&name(&row.schema, &row.name)) {
            relation.distribution = Some(row.distribution());
        }
    }
}

impl DistributionRow {
    fn distribution(&self) -> Distribution {
        let kind = match (self.method.as_str(), self.model.as_str()) {
            ("r", _) => DistributionKind::Range,
            ("a", _) => DistributionKind::Append,
            // Citus has no method of its own for these. It tells them apart by the replication
            // model and the co-location group.
            ("n", "t") => DistributionKind::Reference,
            ("n", _) if self.colocation == 0 => DistributionKind::Local,
            ("n", _) => DistributionKind::SingleShard,
            _ => DistributionKind::Hash,
        };
        let has_group = kind.is_sharded() && self.colocation != 0;
        Distribution {
            kind,
            column: self.column_name.clone().filter(|_| kind.has_column()),
            group: has_group.then_some(self.colocation),
            shards: self.shards.filter(|_| kind == DistributionKind::Hash),
        }
    }
}
