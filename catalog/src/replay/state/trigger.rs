//! The states of triggers, which partitions inherit from their parents until they are set there.

use std::collections::BTreeMap;

use crate::attached::{Enabled, InheritedTrigger};
use crate::replay::state::State;
use crate::{Name, RelationKind};

impl State {
    /// Sets the state of one trigger of a table, or of all, and in its partitions if `recurses`.
    pub(crate) fn enable_triggers(
        &mut self,
        table: &Name,
        named: Option<&str>,
        enabled: Enabled,
        recurses: bool,
    ) {
        let partitions = self.partitions_below(table);
        let mut states: BTreeMap<Name, BTreeMap<String, Enabled>> = BTreeMap::new();
        for partition in std::iter::once(table).chain(&partitions) {
            states.insert(
                partition.clone(),
                self.trigger_states(partition, partition == table),
            );
        }
        let names: Vec<String> = states
            .get(table)
            .into_iter()
            .flat_map(BTreeMap::keys)
            .filter(|name| named.is_none_or(|named| named == *name))
            .cloned()
            .collect();
        for (other, triggers) in &mut states {
            if other == table || recurses {
                for (name, state) in triggers.iter_mut() {
                    if names.contains(name) {
                        *state = enabled;
                    }
                }
            }
        }
        for (other, triggers) in &states {
            self.write_states(other, triggers, &states);
        }
    }

    /// Records the states of one table's triggers: its own, and those that differ from the parent.
    fn write_states(
        &mut self,
        table: &Name,
        triggers: &BTreeMap<String, Enabled>,
        all: &BTreeMap<Name, BTreeMap<String, Enabled>>,
    ) {
        let parent = self.parent_of_partition(table);
        let in_parent = match &parent {
            Some(parent) => match all.get(parent) {
                Some(known) => known.clone(),
                None => self.trigger_states(parent, false),
            },
            None => BTreeMap::new(),
        };
        let attached = &mut self.table(table).attached;
        for trigger in &mut attached.triggers {
            if let Some(state) = triggers.get(&trigger.name) {
                trigger.enabled = *state;
            }
        }
        let names: Vec<String> = attached
            .triggers
            .iter()
            .map(|trigger| trigger.name.clone())
            .collect();
        attached.inherited_triggers = triggers
            .iter()
            .filter(|(name, state)| {
                !names.contains(name) && in_parent.get(*name).is_some_and(|other| other != *state)
            })
            .map(|(name, state)| InheritedTrigger {
                name: name.clone(),
                enabled: *state,
            })
            .collect();
    }

    /// Returns the states of the triggers of a table, including those that a partition inherits.
    /// Triggers for each statement, which partitions do not inherit, are included if `all`.
    fn trigger_states(&self, table: &Name, all: bool) -> BTreeMap<String, Enabled> {
        let parent = self.parent_of_partition(table);
        let mut states = match parent {
            Some(parent) => self.trigger_states(&parent, false),
            None => BTreeMap::new(),
        };
        if let Some(relation) = self.catalog.relations.get(table) {
            let attached = &relation.attached;
            for trigger in &attached.inherited_triggers {
                if let Some(state) = states.get_mut(&trigger.name) {
                    *state = trigger.enabled;
                }
            }
            let all_triggers = attached.triggers.iter();
            for trigger in all_triggers.filter(|trigger| all || trigger.for_each_row) {
                states.insert(trigger.name.clone(), trigger.enabled);
            }
        }
        states
    }

    fn parent_of_partition(&self, table: &Name) -> Option<Name> {
        let relation = self.catalog.relations.get(table)?;
        let is_partition = relation.kind == RelationKind::Partition;
        relation.parents.first().filter(|_| is_partition).cloned()
    }

    pub(crate) fn partitions_below(&self, table: &Name) -> Vec<Name> {
        let partitioned = self.catalog.relations.get(table);
        if partitioned.is_none_or(|relation| relation.partition_by.is_none()) {
            return Vec::new();
        }
        self.descendants(table)
    }

    /// Removes the states of triggers that a partition no longer inherits, under any name.
    pub(crate) fn settle_trigger_states(&mut self) {
        let partitions = self.catalog.relations.values();
        let noted: Vec<Name> = partitions
            .filter(|relation| !relation.attached.inherited_triggers.is_empty())
            .map(|relation| relation.name.clone())
            .collect();
        for partition in noted {
            let states = match self.parent_of_partition(&partition) {
                Some(parent) => self.trigger_states(&parent, false),
                None => BTreeMap::new(),
            };
            let triggers = &mut self.table(&partition).attached.inherited_triggers;
            triggers.retain(|trigger| {
                states
                    .get(&trigger.name)
                    .is_some_and(|state| *state != trigger.enabled)
            });
        }
    }

    /// Forgets the states of a replaced trigger in the partitions of a table.
    pub(crate) fn reset_inherited_trigger(&mut self, table: &Name, name: &str) {
        for partition in self.partitions_below(table) {
            let triggers = &mut self.table(&partition).attached.inherited_triggers;
            triggers.retain(|own| own.name != name);
        }
    }

    /// Renames an inherited trigger in the partitions of a table.
    pub(crate) fn rename_inherited_trigger(&mut self, table: &Name, from: &str, to: &str) {
        for partition in self.partitions_below(table) {
            let triggers = &mut self.table(&partition).attached.inherited_triggers;
            for trigger in triggers.iter_mut().filter(|trigger| trigger.name == from) {
                to.clone_into(&mut trigger.name);
            }
            triggers.sort();
        }
    }
}
