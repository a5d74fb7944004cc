//! Inheritance: passes columns from a table to its children, and attaches and detaches children.

use crate::replay::state::State;
use crate::{Fill, Name, Relation, RelationKind};

impl State {
    /// Adds a new column to the children of a table. A child that already has the column keeps it
    /// when the parent's column is dropped.
    pub(crate) fn inherit_column(&mut self, table: &Name, column: &str) {
        let children = self.descendants(table);
        if children.is_empty() {
            return;
        }
        let mut added = self.as_inherited(table).columns.into_iter();
        let Some(added) = added.find(|added| added.name == column) else {
            return;
        };
        for child in children {
            let columns = &mut self.table(&child).columns;
            if let Some(existing) = columns.iter_mut().find(|existing| existing.name == column) {
                existing.not_null |= added.not_null;
                self.keep_column(&child, column);
            } else {
                columns.push(added.clone());
            }
        }
    }

    /// Records that a child's column remains when the parent's column is dropped.
    pub(crate) fn keep_column(&mut self, child: &Name, column: &str) {
        self.local_columns.note(child, column, ());
    }

    /// Makes a table a partition of another, whose indexes and foreign keys it receives.
    pub(crate) fn attach(&mut self, partition: &Name, parent: &Name, bound: Option<String>) {
        self.note_parent(parent);
        let relation = self.table(partition);
        relation.kind = RelationKind::Partition;
        relation.parents = vec![parent.clone()];
        relation.partition_bound = bound;
        let columns: Vec<String> = relation.columns.iter().map(|c| c.name.clone()).collect();
        for column in columns {
            self.local_columns.forget(partition, &column);
            self.local_not_null.forget(partition, &column);
        }
        self.follow_partitioned_parent(partition);
        let parent_columns = &self.table(parent).columns;
        let identities = parent_columns
            .iter()
            .filter(|column| matches!(column.fill, Fill::Identity { .. }));
        let identities: Vec<String> = identities.map(|column| column.name.clone()).collect();
        for column in identities {
            self.share_identity(parent, &column);
        }
    }

    /// Makes a partition an independent table.
    pub(crate) fn detach(&mut self, partition: &Name) {
        let relation = self.table(partition);
        relation.kind = if relation.partition_by.is_some() {
            RelationKind::PartitionedTable
        } else {
            RelationKind::Table
        };
        relation.parents.clear();
        relation.partition_bound = None;
        let columns = relation.columns.iter();
        let names: Vec<String> = columns.map(|column| column.name.clone()).collect();
        for column in names {
            self.end_shared_identity(partition, &column);
        }
        self.keep_inherited(partition);
    }

    /// Makes a table the child of another. Its own columns and checks remain local, even if the
    /// parent has them. Those that it only inherits remain inherited.
    pub(crate) fn add_parent(&mut self, table: &Name, parent: &Name) {
        self.note_parent(parent);
        let constraints = self.table(table).constraints.iter();
        let mut checks: Vec<String> = constraints
            .map(|constraint| constraint.name.clone())
            .collect();
        checks.retain(|check| !self.is_inherited_check(table, check));
        for check in checks {
            self.local_checks.note(table, &check, ());
        }
        self.table(table).parents.push(parent.clone());
    }

    /// Records that the columns that a table has in common with a parent remain when the parent's
    /// are dropped, unless another parent has them too.
    pub(crate) fn keep_columns_of(&mut self, table: &Name, parent: &Relation) {
        let parents = self.table(table).parents.clone();
        let others: Vec<&Relation> = parents
            .iter()
            .filter(|other| **other != parent.name)
            .filter_map(|other| self.catalog.relations.get(other))
            .collect();
        let is_elsewhere = |name: &str| {
            let mut columns = others.iter().flat_map(|other| &other.columns);
            columns.any(|column| column.name == name)
        };
        let columns = parent.columns.iter().map(|column| &column.name);
        let kept: Vec<String> = columns
            .filter(|name| !is_elsewhere(name))
            .cloned()
            .collect();
        for column in kept {
            self.keep_column(table, &column);
        }
    }

    /// Removes a table from the children of another.
    pub(crate) fn remove_parent(&mut self, table: &Name, parent: &Name) {
        let parents = &mut self.table(table).parents;
        parents.retain(|other| other != parent);
        self.keep_inherited(table);
    }

    /// Returns a table in the form that its children inherit. The children do not own its
    /// sequences.
    pub(crate) fn as_inherited(&mut self, table: &Name) -> Relation {
        let mut parent = self.table(table).clone();
        for column in &mut parent.columns {
            let constraint = column.not_null_constraint.take();
            column.not_null &= !constraint.is_some_and(|constraint| constraint.no_inherit);
            if let Fill::Serial { sequence } = &column.fill {
                column.fill = Fill::from_sequence(sequence, false);
            }
        }
        parent
    }
}
