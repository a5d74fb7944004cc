//! Indexes.

use serde::{Deserialize, Serialize};

use crate::Name;

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
    pub collation: Option<Name>,
    /// Where it is not the default one of the type and method: `text_pattern_ops`.
    pub operator_class: Option<Name>,
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
