//! What a parent does to its children: partitions get its indexes and references, all children its columns.

use std::collections::BTreeSet;

use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::Replay;
use super::refusal::{Refused, Result};
use super::table::bound;
use super::tree::{child, path};
use crate::catalog::{Constraint, ConstraintKind, Index, Name, RelationKind};

impl Replay {
    /// Children of a table, and theirs.
    pub(super) fn descendants(&self, table: &Name) -> Vec<Name> {
        let mut found: Vec<Name> = Vec::new();
        let mut seen = BTreeSet::from([table.clone()]);
        let mut open = vec![table.clone()];
        while let Some(parent) = open.pop() {
            for relation in self.catalog.relations.values() {
                if relation.parents.contains(&parent) && seen.insert(relation.name.clone()) {
                    found.push(relation.name.clone());
                    open.push(relation.name.clone());
                }
            }
        }
        found
    }

    pub(super) fn partitions(&self, table: &Name) -> Vec<Name> {
        let relations = self.catalog.relations.values();
        relations
            .filter(|relation| {
                relation.kind == RelationKind::Partition && relation.parents.contains(table)
            })
            .map(|relation| relation.name.clone())
            .collect()
    }

    /// Adds an index, with its constraint if it has one, to a table and to its partitions.
    pub(super) fn push_index(
        &mut self,
        table: &Name,
        index: Index,
        constraint: Option<Constraint>,
        recurse: bool,
    ) {
        let relation = self.table(table);
        relation.indexes.push(index.clone());
        relation.constraints.extend(constraint.clone());
        if recurse {
            for partition in self.partitions(table) {
                self.cover(&partition, &index, constraint.as_ref());
            }
        }
    }

    /// A partition gets an index of its parent, unless it has one like it.
    fn cover(&mut self, partition: &Name, index: &Index, constraint: Option<&Constraint>) {
        if self.alike(partition, index, constraint.is_some()).is_none() {
            let mut index = index.clone();
            index.comment = None;
            let constraint = constraint.cloned().map(|mut constraint| {
                constraint.comment = None;
                constraint
            });
            self.clone_index(partition, index, constraint);
        } else {
            for below in self.partitions(partition) {
                self.cover(&below, index, constraint);
            }
        }
    }

    /// The index of this table that is like another's.
    fn alike(&self, table: &Name, index: &Index, is_key: bool) -> Option<String> {
        let relation = self.catalog.relations.get(table)?;
        let found = relation.indexes.iter().find(|other| {
            let is_constraint = relation
                .constraints
                .iter()
                .any(|constraint| constraint.name == other.name && constraint.kind.has_index());
            other.unique == index.unique
                && other.nulls_not_distinct == index.nulls_not_distinct
                && other.method == index.method
                && other.keys == index.keys
                && other.included == index.included
                && other.predicate == index.predicate
                && is_constraint == is_key
        });
        found.map(|index| index.name.clone())
    }

    /// Adds an index like another, under a name that PostgreSQL chooses.
    pub(super) fn clone_index(
        &mut self,
        table: &Name,
        mut index: Index,
        constraint: Option<Constraint>,
    ) {
        let label = match constraint.as_ref().map(|constraint| &constraint.kind) {
            None => "idx",
            Some(ConstraintKind::PrimaryKey { .. }) => "pkey",
            Some(ConstraintKind::Exclude { .. }) => "excl",
            Some(_) => "key",
        };
        index.name = if label == "pkey" {
            self.free_relation_name(table, "", label)
        } else {
            self.index_name(table, &index.keys, &index.included, label)
        };
        if label == "pkey" {
            let columns: Vec<String> = index.columns().map(str::to_owned).collect();
            for column in columns {
                self.set_not_null(table, &column, None);
            }
        }
        let constraint = constraint.map(|mut constraint| {
            constraint.name.clone_from(&index.name);
            constraint
        });
        self.push_index(table, index, constraint, true);
    }

    /// The indexes of partitions that belong to one of the parent's.
    pub(super) fn partition_indexes(&self, table: &Name, index: &str) -> Vec<(Name, String)> {
        let Some(relation) = self.catalog.relations.get(table) else {
            return Vec::new();
        };
        let Some(found) = relation.indexes.iter().find(|other| other.name == index) else {
            return Vec::new();
        };
        let is_key = relation
            .constraints
            .iter()
            .any(|constraint| constraint.name == index && constraint.kind.has_index());
        let mut all = Vec::new();
        for partition in self.partitions(table) {
            if let Some(name) = self.alike(&partition, found, is_key) {
                all.extend(self.partition_indexes(&partition, &name));
                all.push((partition, name));
            }
        }
        all
    }

    /// A new partition gets the indexes and references of its parent.
    pub(super) fn follow_partitioned_parent(&mut self, partition: &Name) {
        let parents = self.table(partition).parents.clone();
        for parent in parents {
            let Some(parent) = self.catalog.relations.get(&parent).cloned() else {
                continue;
            };
            for index in &parent.indexes {
                let constraint = parent
                    .constraints
                    .iter()
                    .find(|other| other.name == index.name && other.kind.has_index());
                self.cover(partition, index, constraint);
            }
            for constraint in &parent.constraints {
                if matches!(constraint.kind, ConstraintKind::ForeignKey { .. }) {
                    self.clone_reference(partition, constraint);
                }
            }
        }
    }

    /// A partition gets a reference of its parent, under the same name if that is free.
    pub(super) fn clone_reference(&mut self, partition: &Name, constraint: &Constraint) {
        let relation = self.table(partition);
        let has_it = relation
            .constraints
            .iter()
            .any(|own| own.kind == constraint.kind && own.deferrable == constraint.deferrable);
        if !has_it {
            let is_taken = relation
                .constraints
                .iter()
                .any(|own| own.name == constraint.name);
            let mut own = constraint.clone();
            own.comment = None;
            if is_taken && let ConstraintKind::ForeignKey { columns, .. } = &own.kind {
                let part = columns.join("_");
                own.name = self.free_constraint_name(partition, &part, "fkey");
            }
            self.table(partition).constraints.push(own);
        }
        for below in self.partitions(partition) {
            self.clone_reference(&below, constraint);
        }
    }

    pub(super) fn attach_partition(&mut self, action: &SyntaxNode, table: &Name) -> Result<()> {
        let partition = self.named_partition(action)?;
        let relation = self.table(&partition);
        relation.kind = RelationKind::Partition;
        relation.parents = vec![table.clone()];
        relation.partition_bound = action.children().find_map(|child| bound(&child));
        let columns: Vec<String> = relation.columns.iter().map(|c| c.name.clone()).collect();
        for column in columns {
            self.local_columns.remove(&(partition.clone(), column));
        }
        self.follow_partitioned_parent(&partition);
        Ok(())
    }

    pub(super) fn detach_partition(&mut self, action: &SyntaxNode) -> Result<()> {
        let partition = self.named_partition(action)?;
        let relation = self.table(&partition);
        relation.kind = if relation.partition_by.is_some() {
            RelationKind::PartitionedTable
        } else {
            RelationKind::Table
        };
        relation.parents.clear();
        relation.partition_bound = None;
        for column in &mut relation.columns {
            if matches!(column.fill, crate::catalog::Fill::Identity { .. }) {
                column.fill = crate::catalog::Fill::Nothing;
            }
        }
        Ok(())
    }

    fn named_partition(&mut self, action: &SyntaxNode) -> Result<Name> {
        let reference = child(action, SyntaxKind::TABLE_NAME_REF)
            .ok_or_else(|| Refused::new(action, "no partition is named"))?;
        Ok(self.relation_mut(&reference)?.name.clone())
    }

    /// `INHERIT` and `NO INHERIT`.
    pub(super) fn change_parent(&mut self, action: &SyntaxNode, table: &Name) -> Result<()> {
        let reference = child(action, SyntaxKind::TABLE_NAME_REF)
            .ok_or_else(|| Refused::new(action, "no table is named"))?;
        let parent = self.relation_mut(&reference)?.clone();
        let inherits = action.kind() == SyntaxKind::INHERIT_TABLE;
        for column in &parent.columns {
            self.local_columns
                .insert((table.clone(), column.name.clone()));
        }
        let relation = self.table(table);
        if !inherits {
            relation.parents.retain(|other| *other != parent.name);
            return Ok(());
        }
        if relation.parents.contains(&parent.name) {
            return Err(Refused::new(
                action,
                format!("it inherits {} already", path(&reference).join(".")),
            ));
        }
        relation.parents.push(parent.name);
        // The checks that it has already are its own, also where the parent has them too.
        let own: Vec<_> = relation
            .constraints
            .iter()
            .map(|constraint| (table.clone(), constraint.name.clone()))
            .collect();
        self.local_checks.extend(own);
        Ok(())
    }
}
