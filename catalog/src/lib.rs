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
pub mod compare;
pub mod definition;
mod expression;
pub mod gap;
pub mod information_schema;
pub mod introspect;
pub mod json;
pub mod mend;
pub mod privilege;
pub mod replay;
pub mod routine;
#[cfg(test)]
mod testing;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

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

/// A name with its schema, as PostgreSQL stores both: unquoted, case as it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Name {
    /// The schema.
    pub schema: String,
    /// The name within the schema.
    pub name: String,
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

/// A column of a relation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// The name of the column.
    pub name: String,
    /// Its type.
    pub data_type: DataType,
    /// `NOT NULL`, of its own or by a primary key.
    pub not_null: bool,
    /// What an `INSERT` that leaves the column out puts there.
    pub fill: Fill,
    /// `COLLATE`, where it is not the type's own.
    pub collation: Option<String>,
    /// `COMMENT ON`.
    pub comment: Option<String>,
}

/// What PostgreSQL puts into a column that an `INSERT` leaves out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fill {
    /// NULL, or an error where the column is NOT NULL.
    Nothing,
    /// `DEFAULT`, the expression as written; a server writes it in its own way.
    Default(String),
    /// `nextval` of a sequence that the column owns, which is what `serial` makes; it may own others too.
    Serial {
        /// The sequence.
        sequence: Name,
    },
    /// `GENERATED { ALWAYS | BY DEFAULT } AS IDENTITY`.
    Identity {
        /// `ALWAYS`; otherwise `BY DEFAULT`.
        always: bool,
    },
    /// `GENERATED ALWAYS AS (..) { STORED | VIRTUAL }`: cannot be written.
    Generated {
        /// The expression, without its parentheses.
        expression: String,
        /// `STORED`; otherwise `VIRTUAL`.
        stored: bool,
    },
}

/// The type of a column, with what is written in parentheses and brackets after its name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DataType {
    /// As `pg_type.typname` has it (`int4`, `timestamptz`, `account_status`), never the array's `_int4`.
    pub name: Name,
    /// `varchar(30)` gives `[30]`, `numeric(10, 2)` gives `[10, 2]`.
    pub modifiers: Vec<i32>,
    /// How many `[]`; PostgreSQL keeps but does not enforce it, so 1 and 2 are one type.
    pub dimensions: u8,
}

/// A constraint of a table or a domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Constraint {
    /// The name of the constraint.
    pub name: String,
    /// What it demands.
    #[serde(flatten)]
    pub kind: ConstraintKind,
    /// `DEFERRABLE`.
    pub deferrable: bool,
    /// `INITIALLY DEFERRED`.
    pub initially_deferred: bool,
    /// False after `NOT VALID`, until `VALIDATE CONSTRAINT`.
    pub validated: bool,
    /// False with `NOT ENFORCED`, from PostgreSQL 18 on.
    pub enforced: bool,
    /// `WITHOUT OVERLAPS` of a key and `PERIOD` of a foreign key, of its last column: from PostgreSQL 18 on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub temporal: bool,
    /// `COMMENT ON`.
    pub comment: Option<String>,
}

/// What a constraint demands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ConstraintKind {
    /// `PRIMARY KEY`.
    PrimaryKey {
        /// The columns, in the order of the constraint.
        columns: Vec<String>,
    },
    /// `UNIQUE`.
    Unique {
        /// The columns, in the order of the constraint.
        columns: Vec<String>,
        /// `NULLS NOT DISTINCT`.
        nulls_not_distinct: bool,
    },
    /// The expression as written, without the outer parentheses, and the columns it names, sorted.
    Check {
        /// The expression, without its outer parentheses.
        expression: String,
        /// The columns, in the order of the constraint.
        columns: Vec<String>,
        /// `NO INHERIT`.
        no_inherit: bool,
    },
    /// `FOREIGN KEY`.
    ForeignKey {
        /// The columns, in the order of the constraint.
        columns: Vec<String>,
        /// The referenced table.
        references: Name,
        /// The referenced columns, in the order of `columns`.
        referenced_columns: Vec<String>,
        /// `ON DELETE`.
        on_delete: ReferentialAction,
        /// `ON UPDATE`.
        on_update: ReferentialAction,
        /// `MATCH FULL`.
        match_full: bool,
    },
    /// Its elements and method are those of the index of the same name.
    Exclude {
        /// `WITH` of each element.
        operators: Vec<String>,
    },
}

/// What happens to a row whose referenced row goes or changes its key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReferentialAction {
    /// `NO ACTION`: an error at the end of the statement, or of the transaction where it is deferred.
    #[default]
    NoAction,
    /// `RESTRICT`: an error at once.
    Restrict,
    /// `CASCADE`.
    Cascade,
    /// The columns, where only some are set.
    SetNull(Vec<String>),
    /// `SET DEFAULT`, with its columns like `SET NULL`.
    SetDefault(Vec<String>),
}

/// An index of a table or materialized view.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Index {
    /// The name of the index.
    pub name: String,
    /// `UNIQUE`.
    pub unique: bool,
    /// `NULLS NOT DISTINCT`.
    pub nulls_not_distinct: bool,
    /// `btree`, `gin`, ..
    pub method: String,
    /// The key, in order; columns of `INCLUDE` are not part of it.
    pub keys: Vec<IndexKey>,
    /// `INCLUDE`.
    pub included: Vec<String>,
    /// `WHERE` of a partial index, as written.
    pub predicate: Option<String>,
    /// Not all rows are in it, and no query uses it: `CREATE INDEX CONCURRENTLY` failed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub invalid: bool,
    /// `COMMENT ON`.
    pub comment: Option<String>,
}

/// One key of an index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IndexKey {
    /// A column.
    Column {
        /// The name of the column.
        name: String,
        /// How it is sorted and compared.
        order: KeyOrder,
    },
    /// An expression.
    Expression {
        /// The expression, as written.
        text: String,
        /// How its values are sorted and compared.
        order: KeyOrder,
    },
}

/// How an index sorts and compares one of its keys.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyOrder {
    /// `DESC`.
    pub descending: bool,
    /// As it is in effect: `DESC` alone puts NULLs first.
    pub nulls_first: bool,
    /// Where it is not the column's own.
    pub collation: Option<String>,
    /// Where it is not the default one of the type and method: `text_pattern_ops`.
    pub operator_class: Option<String>,
}

/// A sequence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sequence {
    /// The name of the sequence.
    pub name: Name,
    /// `int2`, `int4` or `int8`.
    pub data_type: String,
    /// `START WITH`.
    pub start: i64,
    /// `INCREMENT BY`.
    pub increment: i64,
    /// `MINVALUE`.
    pub min: i64,
    /// `MAXVALUE`.
    pub max: i64,
    /// `CACHE`.
    pub cache: i64,
    /// `CYCLE`.
    pub cycle: bool,
    /// `OWNED BY`, and the column of an identity: the table and its column.
    pub owner: Option<(Name, String)>,
    /// Whether it is the identity's own, which comes and goes with it.
    pub identity: bool,
    /// `COMMENT ON`.
    pub comment: Option<String>,
    /// Privileges on it, beside those of its owner.
    #[serde(default, skip_serializing_if = "privilege::Privileges::is_empty")]
    pub privileges: privilege::Privileges,
}

/// A type that a migration created.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Type {
    /// The name of the type.
    pub name: Name,
    /// What kind of type it is.
    #[serde(flatten)]
    pub kind: TypeKind,
    /// `COMMENT ON`.
    pub comment: Option<String>,
}

/// The kinds of types that a migration can create.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum TypeKind {
    /// Labels in sort order.
    Enum {
        /// The labels.
        labels: Vec<String>,
    },
    /// `CREATE DOMAIN`.
    Domain {
        /// The type beneath it.
        base: DataType,
        /// `NOT NULL`.
        not_null: bool,
        /// `DEFAULT`, as written.
        default: Option<String>,
        /// Its checks.
        checks: Vec<Constraint>,
        /// `COLLATE`, where it is not the base type's own.
        collation: Option<String>,
    },
    /// `CREATE TYPE .. AS (..)`.
    Composite {
        /// Names and types of its attributes, in their order.
        attributes: Vec<(String, DataType)>,
    },
    /// `CREATE TYPE .. AS RANGE`.
    Range {
        /// The type of its bounds.
        subtype: DataType,
        /// The name of the multirange that comes with it.
        multirange: String,
    },
    /// Of an extension, known by name alone.
    External,
}

impl Catalog {
    pub(crate) fn sort_routines(&mut self) {
        self.routines
            .sort_by_cached_key(|routine| (routine.name.clone(), routine.title()));
    }

    /// The gap where a relation of this name is.
    pub fn gap_at(&self, name: &Name) -> Option<&gap::Gap> {
        self.gaps.iter().find(|gap| gap.hides(name))
    }

    /// The sequence of a column's identity; the column may own others as well.
    pub fn identity_sequence(&self, table: &Name, column: &str) -> Option<&Sequence> {
        let mut sequences = self.sequences.values();
        sequences.find(|sequence| sequence.identity && sequence.is_owned_by(table, column))
    }
}

impl Index {
    /// Its columns, if it has no expressions.
    pub fn plain_columns(&self) -> Option<Vec<String>> {
        let names = self.keys.iter().map(|key| match key {
            IndexKey::Column { name, .. } => Some(name.clone()),
            IndexKey::Expression { .. } => None,
        });
        names.collect()
    }
}

impl Sequence {
    /// Returns true if this column owns the sequence.
    pub fn is_owned_by(&self, table: &Name, column: &str) -> bool {
        let owner = self.owner.as_ref();
        owner.is_some_and(|(owner, owned)| owner == table && owned == column)
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
