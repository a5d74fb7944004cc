//! The modifiers and the collation of a column or value.

use crate::Name;

/// The modifiers of a type, and the collation if it differs from that of the type.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Form {
    pub(super) modifiers: Vec<i32>,
    /// The fields of an interval, or the kind of a geometry.
    pub(super) fields: Option<String>,
    pub(super) collation: Option<Name>,
}

impl Form {
    pub(super) fn of_collation(collation: Option<Name>) -> Self {
        Self {
            collation,
            ..Self::default()
        }
    }

    /// Returns true if both have the same modifiers.
    pub(super) fn has_modifiers_of(&self, other: &Self) -> bool {
        self.modifiers == other.modifiers && self.fields == other.fields
    }
}
