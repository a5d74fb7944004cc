//! Columns, and the types of their values.

use serde::{Deserialize, Serialize};

use crate::Name;

/// A column of a relation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// The name of the column.
    pub name: String,
    /// The type of the column.
    pub data_type: DataType,
    /// `NOT NULL`, as declared or because of a primary key.
    pub not_null: bool,
    /// The source of the value if an `INSERT` leaves the column out.
    pub fill: Fill,
    /// `COLLATE`, if it differs from the collation of the type.
    pub collation: Option<Name>,
    /// `COMMENT ON`.
    pub comment: Option<String>,
    /// The NOT NULL constraint. The catalog of a server with PostgreSQL 18 or later has it. That of
    /// migrations has it only if it is `NOT VALID` or `NO INHERIT`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_null_constraint: Option<NotNull>,
}

/// A NOT NULL constraint, which has a name from PostgreSQL 18 on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotNull {
    /// The name of the constraint.
    pub name: String,
    /// `NO INHERIT`.
    pub no_inherit: bool,
    /// False after `NOT VALID`, until `VALIDATE CONSTRAINT`.
    pub validated: bool,
}

/// The source of the value of a column that an `INSERT` leaves out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fill {
    /// No default: the value is NULL, which is an error if the column is NOT NULL.
    Nothing,
    /// `DEFAULT`: the expression as its author or the server wrote it.
    Default(String),
    /// `nextval` of a sequence that the column owns, as for `serial`. The column may own other
    /// sequences too.
    Serial {
        /// The sequence.
        sequence: Name,
    },
    /// `GENERATED { ALWAYS | BY DEFAULT } AS IDENTITY`.
    Identity {
        /// `ALWAYS`; otherwise `BY DEFAULT`.
        always: bool,
    },
    /// `GENERATED ALWAYS AS (..) { STORED | VIRTUAL }`: the column cannot be written.
    Generated {
        /// The expression, without its parentheses.
        expression: String,
        /// `STORED`; otherwise `VIRTUAL`.
        stored: bool,
    },
}

/// The type of a column, with its modifiers and array dimensions.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DataType {
    /// The name as in `pg_type.typname`: `int4`, `timestamptz`, `account_status`. For an array, the
    /// name is that of the element type, never `_int4`.
    pub name: Name,
    /// The type modifiers: `[30]` for `varchar(30)`, `[10, 2]` for `numeric(10, 2)`.
    pub modifiers: Vec<i32>,
    /// The fields of an interval: `day to second` for `interval day to second`. The kind of a
    /// geometry of PostGIS: `PointZ` for `geometry(PointZ, 4326)`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fields: Option<String>,
    /// The number of array dimensions. PostgreSQL does not enforce it, so 1 and 2 are the same
    /// type.
    pub dimensions: u8,
}
