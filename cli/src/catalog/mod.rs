//! FACTS: what a database holds, as plain data.
//!
//! A [`Catalog`] says what PostgreSQL's own catalog would say of tables, columns, keys and types, and
//! nothing of Rust. It is made by replaying migrations, and compared with what a server answers, so it
//! keeps PostgreSQL's words: names as stored, expressions as text, constraints and indexes apart.

pub(crate) mod replay;

use std::collections::BTreeMap;

/// What a database holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Catalog {
    /// Tables, views and materialized views.
    pub relations: BTreeMap<Name, Relation>,
    /// Types that a migration made: enums, domains, composites, ranges.
    pub types: BTreeMap<Name, Type>,
    /// Names of installed extensions.
    pub extensions: Vec<String>,
}

/// A name with its schema, as PostgreSQL stores both: unquoted, case as it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Name {
    pub schema: String,
    pub name: String,
}

/// Anything that has columns and can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Relation {
    pub name: Name,
    pub kind: RelationKind,
    /// In the order of `pg_attribute.attnum`.
    pub columns: Vec<Column>,
    /// In the order of their making.
    pub constraints: Vec<Constraint>,
    /// In the order of their making; the index of a key constraint is among them, under the constraint's name.
    pub indexes: Vec<Index>,
    pub comment: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RelationKind {
    Table,
    /// `PARTITION BY`: reads and writes like a table.
    PartitionedTable,
    /// `PARTITION OF`: left out of the generated code, as `diesel print-schema` shows it, so kept apart.
    Partition,
    View,
    MaterializedView,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Column {
    pub name: String,
    pub data_type: DataType,
    pub not_null: bool,
    pub fill: Fill,
    pub comment: Option<String>,
}

/// What PostgreSQL puts into a column that an `INSERT` leaves out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fill {
    /// NULL, or an error where the column is NOT NULL.
    Nothing,
    /// `DEFAULT`, the expression as written.
    Default(String),
    /// `serial`: a sequence of the column's own.
    Serial,
    /// `GENERATED { ALWAYS | BY DEFAULT } AS IDENTITY`.
    Identity { always: bool },
    /// `GENERATED ALWAYS AS (..) { STORED | VIRTUAL }`: cannot be written.
    Generated { expression: String, stored: bool },
}

/// The type of a column, with what is written in parentheses and brackets after its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DataType {
    /// As `pg_type.typname` has it (`int4`, `timestamptz`, `account_status`), never the array's `_int4`.
    pub name: Name,
    /// `varchar(30)` gives `[30]`, `numeric(10, 2)` gives `[10, 2]`.
    pub modifiers: Vec<i32>,
    /// How many `[]`; PostgreSQL keeps but does not enforce it, so 1 and 2 are one type.
    pub dimensions: u8,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Constraint {
    pub name: String,
    pub kind: ConstraintKind,
    pub deferrable: bool,
    pub initially_deferred: bool,
    pub comment: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ConstraintKind {
    PrimaryKey {
        columns: Vec<String>,
    },
    Unique {
        columns: Vec<String>,
        nulls_not_distinct: bool,
    },
    /// The expression as written, without the outer parentheses, and the columns it names.
    Check {
        expression: String,
        columns: Vec<String>,
    },
    ForeignKey {
        columns: Vec<String>,
        references: Name,
        referenced_columns: Vec<String>,
    },
    Exclude,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Index {
    pub name: String,
    pub unique: bool,
    pub nulls_not_distinct: bool,
    /// `btree`, `gin`, ..
    pub method: String,
    /// The key, in order; columns of `INCLUDE` are not part of it.
    pub keys: Vec<IndexKey>,
    /// `WHERE` of a partial index, as written.
    pub predicate: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum IndexKey {
    Column { name: String, descending: bool },
    Expression(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Type {
    pub name: Name,
    pub kind: TypeKind,
    pub comment: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
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
    },
    Composite {
        attributes: Vec<(String, DataType)>,
    },
    Range {
        subtype: DataType,
    },
    /// Of an extension, known by name alone.
    External,
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
