//! Names of objects.

use serde::{Deserialize, Serialize};

/// A schema-qualified name. Both parts are as in PostgreSQL's catalog: without quotes, in their
/// stored case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Name {
    /// The schema.
    pub schema: String,
    /// The name within the schema.
    pub name: String,
}

impl Name {
    /// Returns true for a type that its name alone does not mean, because `pg_catalog`, which comes
    /// first in every search path, has a type of the same name.
    pub fn is_hidden_type(&self) -> bool {
        self.schema != "pg_catalog"
            && (SYSTEM_TYPES.contains(&self.name.as_str())
                || PSEUDO_TYPES.contains(&self.name.as_str()))
    }
}

/// The types of `pg_catalog` that columns can have, by `pg_type.typname` (manual, table 8.1).
pub(crate) const SYSTEM_TYPES: [&str; 77] = [
    "char",
    "oidvector",
    "int2vector",
    "aclitem",
    "refcursor",
    "regcollation",
    "regconfig",
    "regdictionary",
    "regoper",
    "regoperator",
    "gtsvector",
    "pg_node_tree",
    "int2",
    "int4",
    "int8",
    "bool",
    "float4",
    "float8",
    "numeric",
    "varchar",
    "bpchar",
    "text",
    "bytea",
    "json",
    "jsonb",
    "uuid",
    "date",
    "time",
    "timetz",
    "timestamp",
    "timestamptz",
    "interval",
    "inet",
    "cidr",
    "macaddr",
    "macaddr8",
    "money",
    "oid",
    "name",
    "xml",
    "bit",
    "varbit",
    "tsvector",
    "tsquery",
    "point",
    "line",
    "lseg",
    "box",
    "path",
    "polygon",
    "circle",
    "pg_lsn",
    "txid_snapshot",
    "pg_snapshot",
    "xid",
    "xid8",
    "cid",
    "tid",
    "regclass",
    "regtype",
    "regproc",
    "regprocedure",
    "regrole",
    "regnamespace",
    "int4range",
    "int8range",
    "numrange",
    "tsrange",
    "tstzrange",
    "daterange",
    "int4multirange",
    "int8multirange",
    "nummultirange",
    "tsmultirange",
    "tstzmultirange",
    "datemultirange",
    "jsonpath",
];

/// The other types of `pg_catalog` whose names an own type may have (manual, table 8.27).
const PSEUDO_TYPES: [&str; 12] = [
    "any",
    "anyarray",
    "anyelement",
    "anyenum",
    "anyrange",
    "cstring",
    "event_trigger",
    "internal",
    "record",
    "trigger",
    "unknown",
    "void",
];
