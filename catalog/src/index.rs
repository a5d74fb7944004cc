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
    /// The index method: `btree`, `gin`, ..
    pub method: String,
    /// The key columns and expressions, in order. The columns of `INCLUDE` are not part of the key.
    pub keys: Vec<IndexKey>,
    /// `INCLUDE`.
    pub included: Vec<String>,
    /// `WHERE` of a partial index, as written.
    pub predicate: Option<String>,
    /// True after a failed `CREATE INDEX CONCURRENTLY`: rows are missing, and no query uses the
    /// index.
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
        /// The sort order, collation and operator class of the column.
        order: KeyOrder,
    },
    /// An expression.
    Expression {
        /// The expression, as written.
        text: String,
        /// The sort order, collation and operator class of the values.
        order: KeyOrder,
    },
}

/// The sort order, collation and operator class of an index key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyOrder {
    /// `DESC`.
    pub descending: bool,
    /// True if NULLs come first, as `DESC` alone implies.
    pub nulls_first: bool,
    /// `COLLATE`, if it differs from the collation of the column.
    pub collation: Option<Name>,
    /// The operator class, if it is not the default of the type and method: `text_pattern_ops`.
    pub operator_class: Option<Name>,
}

impl Index {
    /// Returns the key columns; `None` if the key has an expression.
    pub fn plain_columns(&self) -> Option<Vec<String>> {
        let names = self.keys.iter().map(|key| match key {
            IndexKey::Column { name, .. } => Some(name.clone()),
            IndexKey::Expression { .. } => None,
        });
        names.collect()
    }
}
