//! Sequences, including those of `serial` and identity columns.

use serde::Deserialize;

use super::name;
use crate::privilege::Privileges;
use crate::{Catalog, Sequence};

pub(super) const SEQUENCES: &str = r"
    SELECT n.nspname::text AS schema, c.relname::text AS name, t.typname::text AS data_type, s.seqstart AS start,
        s.seqincrement AS increment, s.seqmin AS min, s.seqmax AS max, s.seqcache AS cache, s.seqcycle AS cycle,
        rn.nspname::text AS owner_schema, r.relname::text AS owner_table, a.attname::text AS owner_column,
        coalesce(d.deptype = 'i', false) AS identity,
        obj_description(c.oid, 'pg_class') AS comment
    FROM pg_sequence s
    JOIN pg_class c ON c.oid = s.seqrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_type t ON t.oid = s.seqtypid
    LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid
        AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
    LEFT JOIN pg_class r ON r.oid = d.refobjid
    LEFT JOIN pg_namespace rn ON rn.oid = r.relnamespace
    LEFT JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
    WHERE n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'
        AND NOT EXISTS (SELECT FROM pg_depend e
            WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e')
    ORDER BY 1, 2";

#[derive(Deserialize)]
pub(super) struct SequenceRow {
    schema: String,
    name: String,
    data_type: String,
    start: i64,
    increment: i64,
    min: i64,
    max: i64,
    cache: i64,
    cycle: bool,
    owner_schema: Option<String>,
    owner_table: Option<String>,
    owner_column: Option<String>,
    identity: bool,
    comment: Option<String>,
}

/// Adds the sequences.
pub(super) fn add(catalog: &mut Catalog, rows: &[SequenceRow]) {
    for row in rows {
        let sequence_name = name(&row.schema, &row.name);
        let table = row.owner_schema.as_ref().zip(row.owner_table.as_ref());
        let table = table.map(|(schema, table)| name(schema, table));
        let sequence = Sequence {
            name: sequence_name.clone(),
            data_type: row.data_type.clone(),
            start: row.start,
            increment: row.increment,
            min: row.min,
            max: row.max,
            cache: row.cache,
            cycle: row.cycle,
            owner: table.zip(row.owner_column.clone()),
            identity: row.identity,
            comment: row.comment.clone(),
            privileges: Privileges::default(),
        };
        catalog.sequences.insert(sequence_name, sequence);
    }
}
