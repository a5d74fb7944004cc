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
        collation: Option<Name>,
    },
    /// `CREATE TYPE .. AS (..)`.
    Composite {
        /// Its attributes, in their order.
        attributes: Vec<Attribute>,
    },
    /// `CREATE TYPE .. AS RANGE`.
    Range {
        /// The type of its bounds.
        subtype: DataType,
        /// The name of the multirange that comes with it.
        multirange: String,
        /// `SUBTYPE_OPCLASS`, where it is not the default one of the subtype.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        operator_class: Option<Name>,
        /// `COLLATION`, where it is not the subtype's own.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        collation: Option<Name>,
        /// `CANONICAL`, a function.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        canonical: Option<Name>,
        /// `SUBTYPE_DIFF`, a function.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        subtype_diff: Option<Name>,
    },
    /// Of an extension, known by name alone.
    External,
}

/// An attribute of a composite type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attribute {
    /// The name of the attribute.
    pub name: String,
    /// Its type.
    pub data_type: DataType,
    /// `COLLATE`, where it is not the type's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collation: Option<Name>,
}

impl Attribute {
    /// Returns the type and the collation as SQL writes them.
    pub fn type_sql(&self) -> String {
        let collation = self.collation.as_ref();
        let collation = collation.map_or(String::new(), |name| format!(" COLLATE {}", name.sql()));
        format!("{}{collation}", self.data_type.sql())
    }
}

impl TypeKind {
    /// Returns the options of a range beside its subtype and its multirange: `COLLATION = "C"`.
    pub(crate) fn range_options(&self) -> Vec<String> {
        let Self::Range {
            operator_class,
            collation,
            canonical,
            subtype_diff,
            ..
        } = self
        else {
            return Vec::new();
        };
        let options = [
            ("SUBTYPE_OPCLASS", operator_class),
            ("COLLATION", collation),
            ("CANONICAL", canonical),
            ("SUBTYPE_DIFF", subtype_diff),
        ];
        let given = options
            .into_iter()
            .filter_map(|(word, name)| Some(format!("{word} = {}", name.as_ref()?.sql())));
        given.collect()
    }
}
