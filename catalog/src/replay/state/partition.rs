//! Partitions and children of a table. Each partition has the indexes and foreign keys of its
//! parent.

use std::collections::BTreeSet;

use crate::replay::state::objects::Object;
use crate::replay::state::{State, names};
use crate::{Constraint, ConstraintKind, Index, Name, Relation, RelationKind};

impl State {
    /// Adds the columns of children that exist only because the parent's column exists.
    pub(crate) fn inherited_columns(&self, table: &Name, column: &str, targets: &mut Vec<Object>) {
        for relation in self.catalog.relations.values() {
            let child = &relation.name;
            let is_elsewhere = relation.parents.iter().any(|parent| {
                !targets.contains(&Object::Column(parent.clone(), column.to_owned()))
                    && self.catalog.relations.get(parent).is_some_and(|parent| {
                        parent.columns.iter().any(|other| other.name == column)
                    })
            });
            if relation.parents.contains(table)
                && !is_elsewhere
                && !self.local_columns.has(child, column)
            {
                targets.push(Object::Column(child.clone(), column.to_owned()));
                self.inherited_columns(&relation.name, column, targets);
            }
        }
    }

    /// Returns the children of a table.
    pub(crate) fn children(&self, table: &Name) -> impl Iterator<Item = &Relation> {
        let relations = self.catalog.relations.values();
        let relations = relations.filter(|_| self.may_be_parent(table));
        relations.filter(move |relation| relation.parents.contains(table))
    }

    /// Returns the descendants of a table: its children, their children, and so on.
    pub(crate) fn descendants(&self, table: &Name) -> Vec<Name> {
        let mut found: Vec<Name> = Vec::new();
        if !self.may_be_parent(table) {
            return found;
        }
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

    pub(crate) fn partitions(&self, table: &Name) -> Vec<Name> {
        if !self.may_be_parent(table) {
            return Vec::new();
        }
        let relations = self.catalog.relations.values();
        relations
            .filter(|relation| {
                relation.kind == RelationKind::Partition && relation.parents.contains(table)
            })
            .map(|relation| relation.name.clone())
            .collect()
    }

    /// Adds an index, with its constraint if it has one, to a table and to its partitions.
    pub(crate) fn push_index(
        &mut self,
        table: &Name,
        index: Index,
        constraint: Option<Constraint>,
        recurse: bool,
    ) {
        self.note_index(&index.name);
        if let Some(constraint) = &constraint {
            self.note_constraint(&constraint.name);
        }
        let relation = self.table(table);
        relation.indexes.push(index.clone());
        relation.constraints.extend(constraint.clone());
        if recurse {
            for partition in self.partitions(table) {
                self.cover(table, &partition, &index, constraint.as_ref());
            }
        }
    }

    /// Adds an index of the parent to a partition, unless the partition has an equal one.
    fn cover(
        &mut self,
        parent: &Name,
        partition: &Name,
        index: &Index,
        constraint: Option<&Constraint>,
    ) {
        let Some(attached_name) = self.attached(parent, partition, &index.name) else {
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
        let index = relation
            .indexes
            .iter()
            .find(|index| index.name == attached_name);
        let Some(index) = index.cloned() else {
            return;
        };
        let constraint = relation.constraint_of(&attached_name).cloned();
        for below in self.partitions(partition) {
            self.cover(partition, &below, &index, constraint.as_ref());
        }
    }

    /// Returns the partition's index that belongs to this index of the parent. Each index of the
    /// parent takes the first equal one that is left.
    fn attached(&self, parent: &Name, partition: &Name, index: &str) -> Option<String> {
        let parent = self.catalog.relations.get(parent)?;
        let partition = self.catalog.relations.get(partition)?;
        let mut taken: Vec<&str> = Vec::new();
        for of_parent in &parent.indexes {
            let constraint = parent.constraint_of(&of_parent.name);
            let found = partition.indexes.iter().find(|index| {
                // PostgreSQL accepts a primary key for a unique one, and the other way round.
                let fits = constraint.is_none_or(|constraint| {
                    let index = partition.constraint_of(&index.name);
                    let excludes =
                        |one: &Constraint| matches!(one.kind, ConstraintKind::Exclude { .. });
                    index.is_some_and(|index| excludes(index) == excludes(constraint))
                });
                fits && !taken.contains(&index.name.as_str())
                    && index.unique == of_parent.unique
                    && index.nulls_not_distinct == of_parent.nulls_not_distinct
                    && index.method == of_parent.method
                    && index.keys == of_parent.keys
                    && index.included == of_parent.included
                    && index.predicate == of_parent.predicate
            });
            let found = found.map(|found| found.name.as_str());
            if of_parent.name == index {
                return found.map(str::to_owned);
            }
            taken.extend(found);
        }
        None
    }

    /// Adds an index equal to one of another table, with a name that PostgreSQL chooses.
    pub(crate) fn clone_index(
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
            // PostgreSQL copies a key WITHOUT OVERLAPS with its operators, and names the copy as an
            // exclusion constraint.
            Some(_) if constraint.as_ref().is_some_and(|one| one.temporal) => "excl",
            Some(_) => "key",
        };
        let column_names = self.index_column_names.get(model, &index.name).cloned();
        index.name = if label == "pkey" {
            self.free_relation_name(table, "", label)
        } else {
            let now = || names::column_names(&index.keys, &index.included);
            self.index_name_of(table, column_names.clone().unwrap_or_else(now), label)
        };
        if let Some(column_names) = column_names {
            self.index_column_names
                .note(table, &index.name, column_names);
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

    /// Returns the indexes of partitions that belong to one of the parent's indexes.
    pub(crate) fn partition_indexes(&self, table: &Name, index: &str) -> Vec<(Name, String)> {
        let mut all = Vec::new();
        for partition in self.partitions(table) {
            if let Some(name) = self.attached(table, &partition, index) {
                all.extend(self.partition_indexes(&partition, &name));
                all.push((partition, name));
            }
        }
        all
    }

    /// Adds the indexes and foreign keys of the parent to a new partition.
    pub(crate) fn follow_partitioned_parent(&mut self, partition: &Name) {
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

    /// Adds a foreign key of the parent to a partition, under the same name if that is free.
    pub(crate) fn clone_reference(
        &mut self,
        parent: &Name,
        partition: &Name,
        constraint: &Constraint,
    ) {
        let attached = self.attached_reference(parent, partition, &constraint.name);
        let relation = self.table(partition);
        let copy = match attached {
            Some(name) => relation
                .constraints
                .iter()
                .find(|constraint| constraint.name == name)
                .cloned(),
            None => {
                let mut constraints = relation.constraints.iter();
                let is_taken = constraints.any(|other| other.name == constraint.name);
                let mut copy = constraint.clone();
                copy.comment = None;
                if is_taken && let ConstraintKind::ForeignKey { columns, .. } = &copy.kind {
                    let part = columns.join("_");
                    copy.name = self.free_constraint_name(partition, &part, "fkey");
                }
                self.note_constraint(&copy.name);
                self.table(partition).constraints.push(copy.clone());
                Some(copy)
            }
        };
        if let Some(copy) = copy {
            for below in self.partitions(partition) {
                self.clone_reference(partition, &below, &copy);
            }
        }
    }

    /// Returns the partition's foreign key that belongs to this one of the parent. Each takes the
    /// first equal one.
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
            let found = partition.constraints.iter().find(|constraint| {
                !taken.contains(&constraint.name.as_str())
                    && constraint.kind == of_parent.kind
                    && constraint.temporal == of_parent.temporal
                    && constraint.deferrable == of_parent.deferrable
                    && constraint.initially_deferred == of_parent.initially_deferred
            });
            let found = found.map(|found| found.name.as_str());
            if of_parent.name == name {
                return found.map(str::to_owned);
            }
            taken.extend(found);
        }
        None
    }

    /// Returns the foreign keys of partitions that belong to one of the parent's.
    pub(crate) fn partition_references(&self, table: &Name, name: &str) -> Vec<(Name, String)> {
        let mut all = Vec::new();
        for partition in self.partitions(table) {
            if let Some(attached) = self.attached_reference(table, &partition, name) {
                all.extend(self.partition_references(&partition, &attached));
                all.push((partition, attached));
            }
        }
        all
    }

    /// Replaces the indexes of partitions that belong to the table's indexes of a column.
    /// PostgreSQL recreates those of the table when the type of the column changes, and they create
    /// the others under new names.
    pub(crate) fn recreate_partition_indexes(&mut self, table: &Name, column: &str) {
        let relation = self.table(table).clone();
        let indexes = relation.indexes.iter().filter(|index| index.names(column));
        let replaced = indexes.flat_map(|index| self.partition_indexes(table, &index.name));
        let replaced: Vec<(Name, String)> = replaced.collect();
        for (partition, name) in replaced {
            self.index_column_names.forget(&partition, &name);
            let partition = self.table(&partition);
            partition.indexes.retain(|index| index.name != name);
            partition
                .constraints
                .retain(|constraint| constraint.name != name || !constraint.kind.has_index());
        }
        for index in relation.indexes.iter().filter(|index| index.names(column)) {
            for partition in self.partitions(table) {
                let constraint = relation.constraint_of(&index.name);
                self.cover(table, &partition, index, constraint);
            }
        }
    }
}
