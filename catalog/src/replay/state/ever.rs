//! Names that an object has or had, so that most searches for an object by its name end at once.

use std::collections::HashSet;

use crate::Name;
use crate::replay::state::State;

/// The names that objects have or had, and perhaps more. A dropped object's name stays.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ever {
    indexes: HashSet<String>,
    constraints: HashSet<String>,
    /// The tables with children.
    parents: HashSet<Name>,
}

impl State {
    /// Records the name of a new index, in any schema.
    pub(crate) fn note_index(&mut self, name: &str) {
        if !self.ever.indexes.contains(name) {
            self.ever.indexes.insert(name.to_owned());
        }
    }

    /// Records the name of a new constraint, in any schema.
    pub(crate) fn note_constraint(&mut self, name: &str) {
        if !self.ever.constraints.contains(name) {
            self.ever.constraints.insert(name.to_owned());
        }
    }

    /// Records that a table has children.
    pub(crate) fn note_parent(&mut self, table: &Name) {
        if !self.ever.parents.contains(table) {
            self.ever.parents.insert(table.clone());
        }
    }

    /// Follows the rename of a table.
    pub(crate) fn parent_moves(&mut self, from: &Name, to: &Name) {
        if self.ever.parents.contains(from) {
            self.note_parent(to);
        }
    }

    /// Returns true if an index may have this name.
    pub(crate) fn may_be_index(&self, name: &str) -> bool {
        self.ever.indexes.contains(name)
    }

    /// Returns true if a constraint may have this name.
    pub(crate) fn may_be_constraint(&self, name: &str) -> bool {
        self.ever.constraints.contains(name)
    }

    /// Returns true if a table may have children.
    pub(crate) fn may_be_parent(&self, table: &Name) -> bool {
        self.ever.parents.contains(table)
    }
}
