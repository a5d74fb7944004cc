//! Constraints of tables and domains.

use serde::{Deserialize, Serialize};

use crate::Name;

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
