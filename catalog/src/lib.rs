//! What a PostgreSQL database holds, as plain data, and what can be known of it without a server.
//!
//! A [`Catalog`] says what PostgreSQL's own catalog would say of tables, columns, keys and types, and
//! nothing of Rust. It keeps PostgreSQL's words: names as stored, expressions as text, constraints and
//! indexes apart.
//!
//! - [`replay`] makes a catalog of SQL migrations. A statement that cannot be followed exactly is refused.
//! - [`introspect`] has the queries whose answers are a catalog. The caller runs them.
//! - [`compare`] lists the differences between two catalogs, as sentences.
//! - [`mend`] writes the SQL that turns one catalog into another.
//! - [`json`] writes a catalog as JSON, and reads it.
//!
//! The package exists so that the command `bowline` and procedural macros use one engine. A macro is
//! compiled before the crate that uses it, so the engine depends on no database client, no terminal and
//! no runtime: text goes in, data comes out.
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

pub mod attached;
#[cfg(test)]
mod canonical;
mod column;
pub mod compare;
mod constraint;
pub mod definition;
mod expression;
mod extension;
pub mod gap;
mod index;
pub mod information_schema;
pub mod introspect;
pub mod json;
pub mod mend;
mod name;
pub mod privilege;
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
pub use index::{Index, IndexKey, KeyOrder};
pub use name::Name;
pub use sequence::Sequence;
pub use types::{Attribute, Type, TypeKind};

/// The table in which diesel notes what has run; it is no part of a catalog.
pub const DIESEL_TABLE: &str = "__diesel_schema_migrations";

/// What a database holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Catalog {
    /// Schemas beside PostgreSQL's own and `public`, with their comments.
    pub schemas: BTreeMap<String, Option<String>>,
    /// Tables, views and materialized views.
    #[serde(with = "json::by_name")]
    pub relations: BTreeMap<Name, Relation>,
    /// Sequences, those of `serial` and identity columns among them.
    #[serde(with = "json::by_name")]
    pub sequences: BTreeMap<Name, Sequence>,
    /// Types that a migration made: enums, domains, composites, ranges.
    #[serde(with = "json::by_name")]
    pub types: BTreeMap<Name, Type>,
    /// Names of installed extensions; what they brought is not listed, but for types.
    pub extensions: BTreeSet<String>,
    /// Privileges on those schemas.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub schema_privileges: BTreeMap<String, privilege::Privileges>,
    /// Functions, procedures and aggregates, by schema, name and what they are given.
    #[serde(default)]
    pub routines: Vec<routine::Routine>,
    /// What is there and not known in full; only replay leaves any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<gap::Gap>,
}

/// Anything that has columns and can be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Relation {
    /// The name of the relation.
    pub name: Name,
    /// Whether it is a table, a view, ..
    pub kind: RelationKind,
    /// In the order of `pg_attribute.attnum`.
    pub columns: Vec<Column>,
    /// In the order of their making.
    pub constraints: Vec<Constraint>,
    /// In the order of their making; the index of a key constraint is among them, under the constraint's name.
    pub indexes: Vec<Index>,
    /// The tables of `INHERITS`, or the one of `PARTITION OF`, in their order.
    pub parents: Vec<Name>,
    /// The type of `CREATE TABLE .. OF`.
    pub of_type: Option<Name>,
    /// What stands behind `PARTITION BY`, as `pg_get_partkeydef` writes it or as written.
    pub partition_by: Option<String>,
    /// `FOR VALUES ..` or `DEFAULT` of a partition, as written.
    pub partition_bound: Option<String>,
    /// `COMMENT ON`.
    pub comment: Option<String>,
    /// Triggers, policies, rules, and the query of a view.
    #[serde(flatten)]
    pub attached: attached::Attached,
}

/// What a relation is, as `pg_class.relkind` says it; partitions apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RelationKind {
    /// A plain table.
    Table,
    /// `PARTITION BY`: reads and writes like a table.
    PartitionedTable,
    /// `PARTITION OF`, be it partitioned again: left out of the generated code, as `diesel print-schema` shows
    /// it, so kept apart.
    Partition,
    /// `CREATE VIEW`.
    View,
    /// `CREATE MATERIALIZED VIEW`.
    MaterializedView,
    /// `CREATE FOREIGN TABLE`.
    ForeignTable,
}

impl Catalog {
    pub(crate) fn sort_routines(&mut self) {
        self.routines
            .sort_by_cached_key(|routine| (routine.name.clone(), routine.title()));
    }

    /// The gap where a relation of this name is.
    pub(crate) fn gap_at(&self, name: &Name) -> Option<&gap::Gap> {
        self.gaps.iter().find(|gap| gap.hides(name))
    }

    /// The sequence of a column's identity; the column may own others as well.
    pub(crate) fn identity_sequence(&self, table: &Name, column: &str) -> Option<&Sequence> {
        let mut sequences = self.sequences.values();
        sequences.find(|sequence| sequence.identity && sequence.is_owned_by(table, column))
    }
}

impl Relation {
    /// The columns of the primary key, if there is one.
    pub fn primary_key(&self) -> Option<&[String]> {
        self.constraints
            .iter()
            .find_map(|constraint| match &constraint.kind {
                ConstraintKind::PrimaryKey { columns } => Some(columns.as_slice()),
                _ => None,
            })
    }
}
