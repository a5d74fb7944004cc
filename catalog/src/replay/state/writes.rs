//! The tables that may have rows.
//!
//! Replay assumes a database that is empty at first. A table that no statement can have written to
//! is certainly empty, so a loop over it has no iterations.

use std::collections::BTreeSet;

use crate::replay::state::State;
use crate::{Name, RelationKind};

/// The tables that may have been written to, by bare names.
#[derive(Debug, Default, Clone)]
pub(crate) struct Writes {
    tables: BTreeSet<String>,
    /// Whether a statement ran whose targets are not known.
    anywhere: bool,
    /// Functions whose writes have been recorded.
    functions: BTreeSet<String>,
}

impl Writes {
    pub(crate) fn add(&mut self, table: &str) {
        self.tables.insert(table.to_owned());
    }

    /// Follows the rename of a table.
    pub(crate) fn rename(&mut self, from: &str, to: &str) {
        if self.tables.contains(from) {
            self.add(to);
        }
    }

    /// Forgets a function that was recreated.
    pub(crate) fn forget_function(&mut self, function: &str) {
        self.functions.remove(function);
    }
}

impl State {
    /// Records that a statement may write to this table.
    pub(crate) fn note_write(&mut self, table: &str) {
        self.writes.add(table);
    }

    /// Records that a statement may write to any table.
    pub(crate) fn note_write_anywhere(&mut self) {
        self.writes.anywhere = true;
    }

    /// Records that the writes of a function are being collected.
    pub(crate) fn note_examined(&mut self, function: String) {
        self.writes.functions.insert(function);
    }

    /// Returns true if the writes of a function have been collected.
    pub(crate) fn is_examined(&self, function: &str) -> bool {
        self.writes.functions.contains(function)
    }

    /// Returns true if no migration can have inserted a row into this table.
    pub(crate) fn is_certainly_empty(&self, table: &Name) -> bool {
        if self.writes.anywhere {
            return false;
        }
        let mut family = vec![table.clone()];
        let mut position = 0;
        while let Some(member) = family.get(position).cloned() {
            position += 1;
            let Some(relation) = self.catalog.relations.get(&member) else {
                return false;
            };
            let is_own = matches!(
                relation.kind,
                RelationKind::Table | RelationKind::PartitionedTable | RelationKind::Partition
            );
            if !is_own || self.writes.tables.contains(&member.name) {
                return false;
            }
            let children = self.catalog.relations.values();
            let children = children.filter(|child| child.parents.contains(&member));
            for other in children.map(|child| &child.name).chain(&relation.parents) {
                if !family.contains(other) {
                    family.push(other.clone());
                }
            }
        }
        true
    }
}
