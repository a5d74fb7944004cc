//! The catalog of a PostgreSQL database as plain data, and operations on it that need no server.
//!
//! A [`Catalog`] describes tables, columns, keys and types as PostgreSQL's own catalog does, and
//! contains nothing of Rust. Names are as stored, expressions are text, and constraints and indexes
//! are separate.
//!
//! - [`replay`] builds a catalog from SQL migrations. A statement that cannot be followed exactly
//!   is refused.
//! - [`introspect`] builds a catalog from the answers to its queries. The caller runs the queries.
//! - [`compare`] lists the differences between two catalogs, as sentences.
//! - [`alter`] writes the SQL that turns one catalog into another.
//! - [`json`] writes a catalog as JSON, and reads it.
//! - [`lint`] finds statements of migrations that are not safe for a database in use.
//!
//! The package exists so that the command `bowline` and procedural macros use one engine. A macro
//! is compiled before the crate that uses it, so the engine depends on no database client, no
//! terminal and no runtime. Its input is text, and its output is data.
//!
//! ```
//! use bowline_migrations::SqlFile;
//!
//! let up = SqlFile {
//!     path: "1_people/up.sql".into(),
//!     text: "CREATE TABLE people (id serial PRIMARY KEY, name text UNIQUE);".to_owned(),
//! };
//! let replayed = bowline_catalog::replay::replay([&up]);
//! assert!(replayed.refusals.is_empty());
//! let people = replayed.catalog.relations.values().next().expect("one table");
//! assert_eq!(people.indexes[1].name, "people_name_key");
//! ```

pub mod alter;
pub mod attached;
#[cfg(test)]
mod canonical;
mod column;
pub mod commute;
pub mod compare;
mod constraint;
pub mod definition;
mod distribution;
mod expression;
mod extension;
pub mod gap;
mod index;
pub mod information_schema;
pub mod introspect;
pub mod json;
pub mod lint;
mod name;
pub mod privilege;
pub mod query;
pub mod query_file;
pub mod replay;
pub mod routine;
mod sequence;
#[cfg(test)]
mod testing;
mod types;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

pub use column::{Column, DataType, Fill, NotNull};
pub use constraint::{Constraint, ConstraintKind, ReferentialAction};
pub use distribution::{Distribution, DistributionKind};
pub use index::{Index, IndexKey, KeyOrder};
pub use name::Name;
pub use sequence::Sequence;
pub use types::{Attribute, Type, TypeKind};

/// The table in which diesel records the applied migrations. It is not part of a catalog.
pub const DIESEL_TABLE: &str = "__diesel_schema_migrations";

/// The table in which sqlx records the applied migrations. It is not part of a catalog either.
pub const SQLX_TABLE: &str = "_sqlx_migrations";

/// The table in which Bowline records more about the applied migrations than diesel does. It is not
/// part of a catalog either.
pub const BOWLINE_TABLE: &str = "__bowline_migrations";

/// The tables in which migrations are recorded.
const RECORDS: [&str; 3] = [DIESEL_TABLE, SQLX_TABLE, BOWLINE_TABLE];

/// The objects of a database.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Catalog {
    /// Schemas except `public` and PostgreSQL's own, with their comments.
    pub schemas: BTreeMap<String, Option<String>>,
    /// Tables, views and materialized views.
    #[serde(with = "json::by_name")]
    pub relations: BTreeMap<Name, Relation>,
    /// Sequences, including those of `serial` and identity columns.
    #[serde(with = "json::by_name")]
    pub sequences: BTreeMap<Name, Sequence>,
    /// Types that a migration created: enums, domains, composite types, ranges.
    #[serde(with = "json::by_name")]
    pub types: BTreeMap<Name, Type>,
    /// Names of installed extensions. Their objects are not listed, except for types.
    pub extensions: BTreeSet<String>,
    /// Privileges on the schemas in `schemas`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub schema_privileges: BTreeMap<String, privilege::Privileges>,
    /// Functions, procedures and aggregates, by schema, name and argument types.
    #[serde(default)]
    pub routines: Vec<routine::Routine>,
    /// Objects that exist but are not fully known. Only replay leaves gaps.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<gap::Gap>,
}

/// A table, a view, or another relation with columns that can be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Relation {
    /// The name of the relation.
    pub name: Name,
    /// The kind of the relation: a table, a view, ..
    pub kind: RelationKind,
    /// The columns, in the order of `pg_attribute.attnum`.
    pub columns: Vec<Column>,
    /// The constraints, in the order of their creation.
    pub constraints: Vec<Constraint>,
    /// The indexes, in the order of their creation. They include that of a key constraint, under
    /// the constraint's name.
    pub indexes: Vec<Index>,
    /// The tables of `INHERITS`, or the one of `PARTITION OF`, in their order.
    pub parents: Vec<Name>,
    /// The type of `CREATE TABLE .. OF`.
    pub of_type: Option<Name>,
    /// The text after `PARTITION BY`, as `pg_get_partkeydef` or the author writes it.
    pub partition_by: Option<String>,
    /// `FOR VALUES ..` or `DEFAULT` of a partition, as written.
    pub partition_bound: Option<String>,
    /// How Citus distributes the table; `None` for a table of PostgreSQL alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distribution: Option<Distribution>,
    /// `COMMENT ON`.
    pub comment: Option<String>,
    /// Triggers, policies, rules, and the query of a view.
    #[serde(flatten)]
    pub attached: attached::Attached,
}

/// The kind of a relation, as in `pg_class.relkind`. Partitions are a separate kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RelationKind {
    /// A plain table.
    Table,
    /// `PARTITION BY`: is read and written like a table.
    PartitionedTable,
    /// `PARTITION OF`, even if it is partitioned itself. `schema.rs` has it, as with `diesel
    /// print-schema`, but no models are generated for it.
    Partition,
    /// `CREATE VIEW`.
    View,
    /// `CREATE MATERIALIZED VIEW`.
    MaterializedView,
    /// `CREATE FOREIGN TABLE`.
    ForeignTable,
}

impl Catalog {
    /// Returns the catalog of a dump without the tables in which migrations are recorded. They are
    /// not a part of the schema, and are not read from a server either.
    pub fn without_records(mut self) -> Self {
        self.relations
            .retain(|name, _| !RECORDS.contains(&name.name.as_str()));
        self
    }

    pub(crate) fn sort_routines(&mut self) {
        self.routines
            .sort_by_cached_key(|routine| (routine.name.clone(), routine.signature()));
    }

    /// Returns the gap that hides the relation of this name.
    pub(crate) fn gap_at(&self, name: &Name) -> Option<&gap::Gap> {
        self.gaps.iter().find(|gap| gap.hides(name))
    }

    /// Returns the sequence of an identity column. The column may own other sequences too.
    pub(crate) fn identity_sequence(&self, table: &Name, column: &str) -> Option<&Sequence> {
        let mut sequences = self.sequences.values();
        sequences.find(|sequence| sequence.identity && sequence.is_owned_by(table, column))
    }
}

impl Catalog {
    /// Returns the catalog as it is on a server without Citus, which knows no distribution.
    #[must_use]
    pub fn without_citus(mut self) -> Self {
        self.extensions.remove("citus");
        for relation in self.relations.values_mut() {
            relation.distribution = None;
        }
        self
    }

    /// Returns true if Citus distributes a table.
    pub fn is_distributed(&self) -> bool {
        let mut relations = self.relations.values();
        relations.any(|relation| relation.distribution.is_some())
    }

    /// Returns the names of the other tables of a table's co-location group, without partitions.
    /// Reference tables have no group.
    pub fn colocated_with(&self, relation: &Relation) -> Vec<&Name> {
        let group = |relation: &Relation| relation.distribution.as_ref()?.group;
        let Some(of_table) = group(relation) else {
            return Vec::new();
        };
        let others = self.relations.values().filter(|other| {
            group(other) == Some(of_table)
                && other.name != relation.name
                && other.partition_bound.is_none()
        });
        others.map(|other| &other.name).collect()
    }
}

impl Relation {
    /// Returns the columns of the primary key, if there is one.
    pub fn primary_key(&self) -> Option<&[String]> {
        self.constraints
            .iter()
            .find_map(|constraint| match &constraint.kind {
                ConstraintKind::PrimaryKey { columns } => Some(columns.as_slice()),
                _ => None,
            })
    }
}
