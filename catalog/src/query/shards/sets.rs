//! Sets of tables that belong together.

use std::collections::BTreeSet;

use crate::query::expr::TableId;

/// Sets of tables.
#[derive(Default)]
pub(super) struct Sets(Vec<BTreeSet<TableId>>);

impl Sets {
    /// Puts two tables, and those that are together with them, into one set.
    pub(super) fn join(&mut self, one: TableId, other: TableId) {
        let holds = |set: &BTreeSet<TableId>| set.contains(&one) || set.contains(&other);
        let (together, apart): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.0).into_iter().partition(holds);
        let mut merged: BTreeSet<TableId> = together.into_iter().flatten().collect();
        merged.extend([one, other]);
        self.0 = apart;
        self.0.push(merged);
    }

    pub(super) fn are_together(&self, one: TableId, other: TableId) -> bool {
        let mut sets = self.0.iter();
        sets.any(|set| set.contains(&one) && set.contains(&other))
    }
}
