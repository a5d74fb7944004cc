//! Columns, and the types of their values.

use serde::{Deserialize, Serialize};

use crate::Name;

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
    pub collation: Option<Name>,
    /// `COMMENT ON`.
    pub comment: Option<String>,
    /// The constraint that makes the column NOT NULL; only a server of PostgreSQL 18 or later says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_null_constraint: Option<NotNull>,
}

/// A NOT NULL constraint, which has a name of its own from PostgreSQL 18 on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotNull {
    /// The name of the constraint.
    pub name: String,
    /// `NO INHERIT`.
    pub no_inherit: bool,
    /// False after `NOT VALID`, until `VALIDATE CONSTRAINT`.
    pub validated: bool,
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
    /// The fields of an interval: `interval day to second` gives `day to second`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fields: Option<String>,
    /// How many `[]`; PostgreSQL keeps but does not enforce it, so 1 and 2 are one type.
    pub dimensions: u8,
}
