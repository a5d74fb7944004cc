//! The sequences of identity columns. From PostgreSQL 17 on, partitions share them with their
//! parent.

use crate::replay::state::State;
use crate::{Fill, Name, RelationKind, Sequence};

impl State {
    /// Copies the parent's identity, or its absence, to the partitions.
    pub(crate) fn share_identity(&mut self, table: &Name, column: &str) {
        let columns = &self.table(table).columns;
        let found = columns.iter().find(|other| other.name == column);
        let fill = found.map_or(Fill::Nothing, |found| found.fill.clone());
        for partition in self.partitions(table) {
            let columns = &mut self.table(&partition).columns;
            if let Some(found) = columns.iter_mut().find(|found| found.name == column)
                && (found.fill == Fill::Nothing || matches!(found.fill, Fill::Identity { .. }))
            {
                found.fill = fill.clone();
            }
            self.share_identity(&partition, column);
        }
    }

    /// Removes the parent's identity from a table that is not a partition any more.
    pub(crate) fn end_shared_identity(&mut self, table: &Name, column: &str) {
        let is_own = self.catalog.identity_sequence(table, column).is_some();
        let columns = &mut self.table(table).columns;
        if let Some(found) = columns.iter_mut().find(|other| other.name == column)
            && matches!(found.fill, Fill::Identity { .. })
            && !is_own
        {
            found.fill = Fill::Nothing;
            self.share_identity(table, column);
        }
    }

    /// Returns the sequence of an identity column. A partition uses that of its parent.
    pub(crate) fn shared_identity_sequence(&self, table: &Name, column: &str) -> Option<&Sequence> {
        let direct = self.catalog.identity_sequence(table, column);
        direct.or_else(|| {
            let relation = self.catalog.relations.get(table)?;
            let is_partition = relation.kind == RelationKind::Partition;
            let parent = relation.parents.first().filter(|_| is_partition)?;
            self.shared_identity_sequence(parent, column)
        })
    }

    /// Changes the type of an identity's sequence with that of its column. A `serial` column's
    /// sequence keeps its type.
    pub(crate) fn identity_changes_type(&mut self, table: &Name, column: &str, data_type: &str) {
        let sequence = self.catalog.identity_sequence(table, column);
        let sequence = sequence.map(|sequence| sequence.name.clone());
        if let Some(sequence) = sequence.and_then(|name| self.catalog.sequences.get_mut(&name)) {
            sequence.change_type(data_type);
        }
    }
}
