//! Constraints of tables and domains.

use serde::{Deserialize, Serialize};

use crate::Name;

/// A constraint of a table or a domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Constraint {
    /// The name of the constraint.
    pub name: String,
    /// The kind of the constraint, with its definition.
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
    /// `WITHOUT OVERLAPS` of a key or `PERIOD` of a foreign key, on its last column; from
    /// PostgreSQL 18 on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub temporal: bool,
    /// `COMMENT ON`.
    pub comment: Option<String>,
}

/// The kind of a constraint, with its definition.
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
    /// `CHECK`.
    Check {
        /// The expression as written, without its outer parentheses.
        expression: String,
        /// The columns that the expression names, sorted.
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
    /// `EXCLUDE`. The elements and the method are in the index of the same name.
    Exclude {
        /// The operator of each element, from `WITH`.
        operators: Vec<String>,
    },
}

/// The action on a row whose referenced row is deleted or changes its key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReferentialAction {
    /// `NO ACTION`: an error at the end of the statement, or of the transaction if deferred.
    #[default]
    NoAction,
    /// `RESTRICT`: an error at once.
    Restrict,
    /// `CASCADE`.
    Cascade,
    /// `SET NULL`, with its columns if only some are set.
    SetNull(Vec<String>),
    /// `SET DEFAULT`, with its columns like `SET NULL`.
    SetDefault(Vec<String>),
}
