//! FACTS: what a database holds, as plain data.
//!
//! A [`Catalog`] says what PostgreSQL's own catalog would say of tables, columns, keys and types, and
//! nothing of Rust. It is made by replaying migrations, and compared with what a server answers, so it
//! keeps PostgreSQL's words: names as stored, expressions as text, constraints and indexes apart.

pub(crate) mod attached;
#[cfg(test)]
mod canonical;
pub(crate) mod compare;
pub(crate) mod definition;
pub(crate) mod expression;
pub(crate) mod gap;
pub(crate) mod information_schema;
pub(crate) mod introspect;
pub(crate) mod json;
pub(crate) mod mend;
pub(crate) mod privilege;
pub(crate) mod replay;
pub(crate) mod routine;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// The table in which diesel notes what has run; it is no part of a catalog.
pub(crate) const DIESEL_TABLE: &str = "__diesel_schema_migrations";

/// What a database holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Catalog {
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
pub(crate) struct Name {
    pub schema: String,
    pub name: String,
}

/// Anything that has columns and can be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Relation {
    pub name: Name,
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
    pub comment: Option<String>,
    /// Triggers, policies, rules, and the query of a view.
    #[serde(flatten)]
    pub attached: attached::Attached,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RelationKind {
    Table,
    /// `PARTITION BY`: reads and writes like a table.
    PartitionedTable,
    /// `PARTITION OF`, be it partitioned again: left out of the generated code, as `diesel print-schema` shows
    /// it, so kept apart.
    Partition,
    View,
    MaterializedView,
    ForeignTable,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Column {
    pub name: String,
    pub data_type: DataType,
    pub not_null: bool,
    pub fill: Fill,
    /// `COLLATE`, where it is not the type's own.
    pub collation: Option<String>,
    pub comment: Option<String>,
}

/// What PostgreSQL puts into a column that an `INSERT` leaves out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Fill {
    /// NULL, or an error where the column is NOT NULL.
    Nothing,
    /// `DEFAULT`, the expression as written; a server writes it in its own way.
    Default(String),
    /// `nextval` of a sequence that the column owns, which is what `serial` makes; it may own others too.
    Serial { sequence: Name },
    /// `GENERATED { ALWAYS | BY DEFAULT } AS IDENTITY`.
    Identity { always: bool },
    /// `GENERATED ALWAYS AS (..) { STORED | VIRTUAL }`: cannot be written.
    Generated { expression: String, stored: bool },
}

/// The type of a column, with what is written in parentheses and brackets after its name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct DataType {
    /// As `pg_type.typname` has it (`int4`, `timestamptz`, `account_status`), never the array's `_int4`.
    pub name: Name,
    /// `varchar(30)` gives `[30]`, `numeric(10, 2)` gives `[10, 2]`.
    pub modifiers: Vec<i32>,
    /// How many `[]`; PostgreSQL keeps but does not enforce it, so 1 and 2 are one type.
    pub dimensions: u8,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Constraint {
    pub name: String,
    #[serde(flatten)]
    pub kind: ConstraintKind,
    pub deferrable: bool,
    pub initially_deferred: bool,
    /// False after `NOT VALID`, until `VALIDATE CONSTRAINT`.
    pub validated: bool,
    /// False with `NOT ENFORCED`, from PostgreSQL 18 on.
    pub enforced: bool,
    /// `WITHOUT OVERLAPS` of a key and `PERIOD` of a foreign key, of its last column: from PostgreSQL 18 on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub temporal: bool,
    pub comment: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum ConstraintKind {
    PrimaryKey {
        columns: Vec<String>,
    },
    Unique {
        columns: Vec<String>,
        nulls_not_distinct: bool,
    },
    /// The expression as written, without the outer parentheses, and the columns it names, sorted.
    Check {
        expression: String,
        columns: Vec<String>,
        no_inherit: bool,
    },
    ForeignKey {
        columns: Vec<String>,
        references: Name,
        referenced_columns: Vec<String>,
        on_delete: ReferentialAction,
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
pub(crate) enum ReferentialAction {
    #[default]
    NoAction,
    Restrict,
    Cascade,
    /// The columns, where only some are set.
    SetNull(Vec<String>),
    SetDefault(Vec<String>),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Index {
    pub name: String,
    pub unique: bool,
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
    pub comment: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum IndexKey {
    Column { name: String, order: KeyOrder },
    Expression { text: String, order: KeyOrder },
}

/// How an index sorts and compares one of its keys.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeyOrder {
    pub descending: bool,
    /// As it is in effect: `DESC` alone puts NULLs first.
    pub nulls_first: bool,
    /// Where it is not the column's own.
    pub collation: Option<String>,
    /// Where it is not the default one of the type and method: `text_pattern_ops`.
    pub operator_class: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sequence {
    pub name: Name,
    /// `int2`, `int4` or `int8`.
    pub data_type: String,
    pub start: i64,
    pub increment: i64,
    pub min: i64,
    pub max: i64,
    pub cache: i64,
    pub cycle: bool,
    /// `OWNED BY`, and the column of an identity: the table and its column.
    pub owner: Option<(Name, String)>,
    /// Whether it is the identity's own, which comes and goes with it.
    pub identity: bool,
    pub comment: Option<String>,
    #[serde(default, skip_serializing_if = "privilege::Privileges::is_empty")]
    pub privileges: privilege::Privileges,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Type {
    pub name: Name,
    #[serde(flatten)]
    pub kind: TypeKind,
    pub comment: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum TypeKind {
    /// Labels in sort order.
    Enum {
        labels: Vec<String>,
    },
    Domain {
        base: DataType,
        not_null: bool,
        default: Option<String>,
        checks: Vec<Constraint>,
        /// `COLLATE`, where it is not the base type's own.
        collation: Option<String>,
    },
    Composite {
        attributes: Vec<(String, DataType)>,
    },
    Range {
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
    pub(crate) fn gap_at(&self, name: &Name) -> Option<&gap::Gap> {
        self.gaps.iter().find(|gap| gap.hides(name))
    }

    /// The sequence of a column's identity; the column may own others as well.
    pub(crate) fn identity_sequence(&self, table: &Name, column: &str) -> Option<&Sequence> {
        let mut sequences = self.sequences.values();
        sequences.find(|sequence| sequence.identity && sequence.is_owned_by(table, column))
    }
}

impl Index {
    /// Its columns, if it has no expressions.
    pub(crate) fn plain_columns(&self) -> Option<Vec<String>> {
        let names = self.keys.iter().map(|key| match key {
            IndexKey::Column { name, .. } => Some(name.clone()),
            IndexKey::Expression { .. } => None,
        });
        names.collect()
    }
}

impl Sequence {
    pub(crate) fn is_owned_by(&self, table: &Name, column: &str) -> bool {
        let owner = self.owner.as_ref();
        owner.is_some_and(|(owner, owned)| owner == table && owned == column)
    }
}

impl Relation {
    /// The columns of the primary key, if there is one.
    pub(crate) fn primary_key(&self) -> Option<&[String]> {
        self.constraints
            .iter()
            .find_map(|constraint| match &constraint.kind {
                ConstraintKind::PrimaryKey { columns } => Some(columns.as_slice()),
                _ => None,
            })
    }
}
