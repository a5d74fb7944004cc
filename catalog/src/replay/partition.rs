//! What a parent does to its children: partitions get its indexes and references, all children its columns.

use std::collections::BTreeSet;

use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::Replay;
use super::refusal::{Refused, Result};
use super::table::bound;
use super::tree::{child, path};
use crate::{Constraint, ConstraintKind, Index, Name, Relation, RelationKind};

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
                self.cover(table, &partition, &index, constraint.as_ref());
            }
        }
    }

    /// A partition gets an index of its parent, unless it has one like it.
    fn cover(
        &mut self,
        parent: &Name,
        partition: &Name,
        index: &Index,
        constraint: Option<&Constraint>,
    ) {
        let Some(own) = self.attached(parent, partition, &index.name) else {
            let mut index = index.clone();
            index.comment = None;
            let constraint = constraint.cloned().map(|mut constraint| {
                constraint.comment = None;
                constraint
            });
            self.clone_index(parent, partition, index, constraint);
            return;
        };
        let relation = self.table(partition);
        let index = relation.indexes.iter().find(|index| index.name == own);
        let Some(index) = index.cloned() else {
            return;
        };
        let constraint = relation.constraint_of(&own).cloned();
        for below in self.partitions(partition) {
            self.cover(partition, &below, &index, constraint.as_ref());
        }
    }

    /// The index of a partition that belongs to this one of its parent's: each takes the first like it that is left.
    fn attached(&self, parent: &Name, partition: &Name, index: &str) -> Option<String> {
        let parent = self.catalog.relations.get(parent)?;
        let partition = self.catalog.relations.get(partition)?;
        let mut taken: Vec<&str> = Vec::new();
        for of_parent in &parent.indexes {
            let constraint = parent.constraint_of(&of_parent.name);
            let found = partition.indexes.iter().find(|own| {
                // Of a primary key and a unique one PostgreSQL takes each for the other.
                let fits = constraint.is_none_or(|constraint| {
                    let own = partition.constraint_of(&own.name);
                    let excludes =
                        |one: &Constraint| matches!(one.kind, ConstraintKind::Exclude { .. });
                    own.is_some_and(|own| excludes(own) == excludes(constraint))
                });
                fits && !taken.contains(&own.name.as_str())
                    && own.unique == of_parent.unique
                    && own.nulls_not_distinct == of_parent.nulls_not_distinct
                    && own.method == of_parent.method
                    && own.keys == of_parent.keys
                    && own.included == of_parent.included
                    && own.predicate == of_parent.predicate
            });
            let found = found.map(|own| own.name.as_str());
            if of_parent.name == index {
                return found.map(str::to_owned);
            }
            taken.extend(found);
        }
        None
    }

    /// Adds an index like one of another table's, under a name that PostgreSQL chooses.
    pub(super) fn clone_index(
        &mut self,
        model: &Name,
        table: &Name,
        mut index: Index,
        constraint: Option<Constraint>,
    ) {
        let label = match constraint.as_ref().map(|constraint| &constraint.kind) {
            None => "idx",
            Some(ConstraintKind::PrimaryKey { .. }) => "pkey",
            Some(ConstraintKind::Exclude { .. }) => "excl",
            // PostgreSQL copies a key WITHOUT OVERLAPS with its operators, and takes those for an exclusion's.
            Some(_) if constraint.as_ref().is_some_and(|one| one.temporal) => "excl",
            Some(_) => "key",
        };
        let titles = self.index_titles.get(model, &index.name).cloned();
        index.name = if label == "pkey" {
            self.free_relation_name(table, "", label)
        } else {
            let now = || super::names::titles(&index.keys, &index.included);
            self.index_name_of(table, titles.clone().unwrap_or_else(now), label)
        };
        if let Some(titles) = titles {
            self.index_titles.note(table, &index.name, titles);
        }
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
        let mut all = Vec::new();
        for partition in self.partitions(table) {
            if let Some(name) = self.attached(table, &partition, index) {
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
                let constraint = parent.constraint_of(&index.name);
                self.cover(&parent.name, partition, index, constraint);
            }
            for constraint in &parent.constraints {
                if matches!(constraint.kind, ConstraintKind::ForeignKey { .. }) {
                    self.clone_reference(&parent.name, partition, constraint);
                }
            }
        }
    }

    /// A partition gets a reference of its parent, under the same name if that is free.
    pub(super) fn clone_reference(
        &mut self,
        parent: &Name,
        partition: &Name,
        constraint: &Constraint,
    ) {
        let attached = self.attached_reference(parent, partition, &constraint.name);
        let relation = self.table(partition);
        let own = match attached {
            Some(name) => relation
                .constraints
                .iter()
                .find(|own| own.name == name)
                .cloned(),
            None => {
                let mut constraints = relation.constraints.iter();
                let is_taken = constraints.any(|own| own.name == constraint.name);
                let mut own = constraint.clone();
                own.comment = None;
                if is_taken && let ConstraintKind::ForeignKey { columns, .. } = &own.kind {
                    let part = columns.join("_");
                    own.name = self.free_constraint_name(partition, &part, "fkey");
                }
                self.table(partition).constraints.push(own.clone());
                Some(own)
            }
        };
        if let Some(own) = own {
            for below in self.partitions(partition) {
                self.clone_reference(partition, &below, &own);
            }
        }
    }

    /// The reference of a partition that belongs to this one of its parent's: each takes the first like it.
    fn attached_reference(&self, parent: &Name, partition: &Name, name: &str) -> Option<String> {
        let parent = self.catalog.relations.get(parent)?;
        let partition = self.catalog.relations.get(partition)?;
        let is_reference =
            |kind: &ConstraintKind| matches!(kind, ConstraintKind::ForeignKey { .. });
        let mut taken: Vec<&str> = Vec::new();
        for of_parent in parent
            .constraints
            .iter()
            .filter(|one| is_reference(&one.kind))
        {
            let found = partition.constraints.iter().find(|own| {
                !taken.contains(&own.name.as_str())
                    && own.kind == of_parent.kind
                    && own.temporal == of_parent.temporal
                    && own.deferrable == of_parent.deferrable
                    && own.initially_deferred == of_parent.initially_deferred
            });
            let found = found.map(|own| own.name.as_str());
            if of_parent.name == name {
                return found.map(str::to_owned);
            }
            taken.extend(found);
        }
        None
    }

    /// The references of partitions that belong to one of the parent's.
    pub(super) fn partition_references(&self, table: &Name, name: &str) -> Vec<(Name, String)> {
        let mut all = Vec::new();
        for partition in self.partitions(table) {
            if let Some(own) = self.attached_reference(table, &partition, name) {
                all.extend(self.partition_references(&partition, &own));
                all.push((partition, own));
            }
        }
        all
    }

    /// What a partitioned table does when its index is made anew: the partitions get one too.
    pub(super) fn cover_partitions(&mut self, table: &Name, column: &str) {
        let relation = self.table(table).clone();
        for index in relation.indexes.iter().filter(|index| index.names(column)) {
            for partition in self.partitions(table) {
                let constraint = relation.constraint_of(&index.name);
                self.cover(table, &partition, index, constraint);
            }
        }
    }

    pub(super) fn attach_partition(&mut self, action: &SyntaxNode, table: &Name) -> Result<()> {
        let partition = self.named_partition(action)?;
        self.must_not_descend(action, table, &partition)?;
        let parent = self.table(table).clone();
        for index in &parent.indexes {
            if parent.excludes(index) {
                self.must_have_none_like(action, &partition, index)?;
            }
        }
        let relation = self.table(&partition);
        relation.kind = RelationKind::Partition;
        relation.parents = vec![table.clone()];
        relation.partition_bound = action.children().find_map(|child| bound(&child));
        let columns: Vec<String> = relation.columns.iter().map(|c| c.name.clone()).collect();
        for column in columns {
            self.local_columns.forget(&partition, &column);
            self.local_not_null.forget(&partition, &column);
        }
        self.follow_partitioned_parent(&partition);
        Ok(())
    }

    /// PostgreSQL never takes what a partition excludes for what its parent does, and makes another of it, or refuses
    /// a second primary key; which of two alike is the parent's is not kept here.
    pub(super) fn must_have_none_like(
        &self,
        node: &SyntaxNode,
        partition: &Name,
        index: &Index,
    ) -> Result<()> {
        let mut all = self.descendants(partition);
        all.push(partition.clone());
        for name in all {
            let relation = self.catalog.relations.get(&name);
            let is_like = |own: &&Index| own.method == index.method && own.keys == index.keys;
            let own = relation.and_then(|relation| {
                let mut like = relation.indexes.iter().filter(is_like);
                like.find(|own| relation.excludes(own))
            });
            if let Some(own) = own {
                let why = format!(
                    "{} has {} already, and replay does not follow a second one like it that comes from its parent",
                    name.name, own.name
                );
                return Err(Refused::new(node, why).do_this("drop the partition's own one first"));
            }
        }
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
        let columns = relation.columns.iter();
        let names: Vec<String> = columns.map(|column| column.name.clone()).collect();
        for column in names {
            self.end_shared_identity(&partition, &column);
        }
        self.stand_alone(&partition);
        Ok(())
    }

    /// Whether a table can be the parent of another: not of one from which it descends.
    fn must_not_descend(&self, node: &SyntaxNode, parent: &Name, child: &Name) -> Result<()> {
        if parent == child || self.descendants(child).contains(parent) {
            let why = format!(
                "{} would inherit from itself, so PostgreSQL refuses this",
                child.name
            );
            return Err(Refused::new(node, why));
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
            self.local_columns.note(table, &column.name, ());
        }
        let relation = self.table(table);
        if !inherits {
            relation.parents.retain(|other| *other != parent.name);
            self.stand_alone(table);
            return Ok(());
        }
        if relation.parents.contains(&parent.name) {
            return Err(Refused::new(
                action,
                format!("it inherits {} already", path(&reference).join(".")),
            ));
        }
        self.must_not_descend(action, &parent.name, table)?;
        let relation = self.table(table);
        relation.parents.push(parent.name);
        // The checks that it has already are its own, also where the parent has them too.
        let constraints = relation.constraints.iter();
        let own: Vec<String> = constraints.map(|own| own.name.clone()).collect();
        for check in own {
            self.local_checks.note(table, &check, ());
        }
        Ok(())
    }
}

impl Relation {
    /// Whether the index keeps an exclusion, be it written as a key WITHOUT OVERLAPS.
    fn excludes(&self, index: &Index) -> bool {
        let constraint = self.constraint_of(&index.name);
        constraint.is_some_and(Constraint::excludes)
    }

    /// The constraint that is kept by this index.
    pub(super) fn constraint_of(&self, index: &str) -> Option<&Constraint> {
        let mut constraints = self.constraints.iter();
        constraints.find(|constraint| constraint.name == index && constraint.kind.has_index())
    }
}
