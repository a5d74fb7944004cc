//! Types that a migration made.

use serde::{Deserialize, Serialize};

use crate::{Constraint, DataType, Name};

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
