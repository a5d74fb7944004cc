//! Types that a migration created.

use serde::{Deserialize, Serialize};

use crate::{Constraint, DataType, Name};

/// A type that a migration created.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Type {
    /// The name of the type.
    pub name: Name,
    /// The kind of the type, with its definition.
    #[serde(flatten)]
    pub kind: TypeKind,
    /// `COMMENT ON`.
    pub comment: Option<String>,
}

/// The kinds of types that a migration can create.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum TypeKind {
    /// `CREATE TYPE .. AS ENUM`.
    Enum {
        /// The labels, in sort order.
        labels: Vec<String>,
    },
    /// `CREATE DOMAIN`.
    Domain {
        /// The base type.
        base: DataType,
        /// `NOT NULL`.
        not_null: bool,
        /// `DEFAULT`, as written.
        default: Option<String>,
        /// The checks of the domain.
        checks: Vec<Constraint>,
        /// `COLLATE`, if it differs from the collation of the base type.
        collation: Option<Name>,
    },
    /// `CREATE TYPE .. AS (..)`.
    Composite {
        /// The attributes, in the order of the type.
        attributes: Vec<Attribute>,
    },
    /// `CREATE TYPE .. AS RANGE`.
    Range {
        /// The type of its bounds.
        subtype: DataType,
        /// The name of the multirange type that is created with the range type.
        multirange: String,
        /// `SUBTYPE_OPCLASS`, if it is not the default of the subtype.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        operator_class: Option<Name>,
        /// `COLLATION`, if it differs from the collation of the subtype.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        collation: Option<Name>,
        /// `CANONICAL`, a function.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        canonical: Option<Name>,
        /// `SUBTYPE_DIFF`, a function.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        subtype_diff: Option<Name>,
    },
    /// A type of an extension, known by name only.
    External,
}

/// An attribute of a composite type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attribute {
    /// The name of the attribute.
    pub name: String,
    /// The type of the attribute.
    pub data_type: DataType,
    /// `COLLATE`, if it differs from the collation of the type.
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
    /// Returns the options of a range type, such as `COLLATION = "C"`, except its subtype and its
    /// multirange.
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
