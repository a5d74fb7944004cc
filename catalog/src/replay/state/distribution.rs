//! How Citus distributes the tables: what its functions write, and what follows from it for
//! partitions and for tables of distributed schemas.

use std::collections::{BTreeMap, BTreeSet};

use crate::replay::state::State;
use crate::{
    Column, ConstraintKind, DataType, Distribution, DistributionKind, Name, Relation, RelationKind,
};

/// What replay knows of Citus besides the distribution of each table.
#[derive(Debug, Clone, Default)]
pub(crate) struct Citus {
    /// Whether a function of Citus has run. Most histories have none, and pay for none of this.
    is_used: bool,
    /// The schemas whose tables are all in one shard, each with its co-location group.
    schemas: BTreeMap<String, u32>,
    /// The largest number of a group so far.
    last_group: u32,
    /// The tables that Citus has refused once. They are not reported again.
    refused: BTreeSet<Name>,
}

/// The default co-location group of a table.
pub(crate) enum DefaultGroup {
    Found(u32),
    New,
    /// A group has the same number of shards only if the server's `citus.shard_count` is this.
    Unclear(Name),
}

impl State {
    /// Returns true if a function of Citus has run.
    pub(crate) fn uses_citus(&self) -> bool {
        self.citus.is_used
    }

    /// Sets how a table and its partitions are distributed.
    pub(crate) fn distribute(&mut self, table: &Name, distribution: Option<&Distribution>) {
        self.citus.is_used = true;
        for name in self.partitions(table).into_iter().chain([table.clone()]) {
            self.table(&name).distribution = distribution.cloned();
        }
    }

    /// Returns how a table is distributed.
    pub(crate) fn distribution(&self, table: &Name) -> Option<&Distribution> {
        let relation = self.catalog.relations.get(table)?;
        relation.distribution.as_ref()
    }

    /// Returns the number of a new co-location group.
    pub(crate) fn new_group(&mut self) -> u32 {
        self.citus.last_group += 1;
        self.citus.last_group
    }

    /// Returns the oldest group with this type of distribution column and this number of shards.
    /// `None` as the type stands for tables in one shard. A table that leaves the group `left`
    /// because its number of shards changes does not find it again.
    pub(crate) fn default_group(
        &self,
        column: Option<&DataType>,
        shards: Option<u32>,
        left: Option<u32>,
    ) -> DefaultGroup {
        let mut unclear = None;
        let mut found: Option<u32> = None;
        for relation in self.catalog.relations.values() {
            let Some((distribution, group)) = grouped(relation) else {
                continue;
            };
            let is_of_schema = self.citus.schemas.values().any(|of| *of == group);
            let is_same_kind = match column {
                Some(wanted) => {
                    let column = distribution_column(relation);
                    distribution.kind == DistributionKind::Hash
                        && column.is_some_and(|column| same_type(&column.data_type, wanted))
                }
                None => distribution.kind == DistributionKind::SingleShard,
            };
            if is_of_schema || !is_same_kind || left == Some(group) {
                continue;
            }
            if column.is_none() || distribution.shards == shards {
                found = Some(found.map_or(group, |other| other.min(group)));
            } else if distribution.shards.is_none() || shards.is_none() {
                unclear = Some(relation.name.clone());
            }
        }
        match (found, unclear) {
            (Some(group), _) => DefaultGroup::Found(group),
            (None, Some(table)) => DefaultGroup::Unclear(table),
            (None, None) => DefaultGroup::New,
        }
    }

    /// Returns the tables of a co-location group, without partitions.
    pub(crate) fn tables_of_group(&self, group: u32) -> Vec<Name> {
        let tables = self.catalog.relations.values().filter(|relation| {
            relation.partition_bound.is_none()
                && grouped(relation).is_some_and(|(_, of)| of == group)
        });
        tables.map(|relation| relation.name.clone()).collect()
    }

    /// Returns the tables that foreign keys connect with a table, and the table itself.
    pub(crate) fn connected_by_foreign_keys(&self, table: &Name) -> BTreeSet<Name> {
        let mut found = BTreeSet::from([table.clone()]);
        loop {
            let known = found.len();
            for relation in self.catalog.relations.values() {
                for constraint in &relation.constraints {
                    if let ConstraintKind::ForeignKey { references, .. } = &constraint.kind
                        && (found.contains(references) || found.contains(&relation.name))
                    {
                        found.insert(references.clone());
                        found.insert(relation.name.clone());
                    }
                }
            }
            if found.len() == known {
                return found;
            }
        }
    }

    /// Makes a schema one whose tables are all in one shard.
    pub(crate) fn distribute_schema(&mut self, schema: &str) {
        self.citus.is_used = true;
        let group = self.new_group();
        self.citus.schemas.insert(schema.to_owned(), group);
    }

    /// Makes a schema one of PostgreSQL alone. Its tables follow. Returns false if it was one.
    pub(crate) fn undistribute_schema(&mut self, schema: &str) -> bool {
        self.citus.schemas.remove(schema).is_some_and(|group| {
            for table in self.tables_of_group(group) {
                self.distribute(&table, None);
            }
            true
        })
    }

    pub(crate) fn is_distributed_schema(&self, schema: &str) -> bool {
        self.citus.schemas.contains_key(schema)
    }

    pub(super) fn distributed_schema_is_renamed(&mut self, from: &str, to: &str) {
        if let Some(group) = self.citus.schemas.remove(from) {
            self.citus.schemas.insert(to.to_owned(), group);
        }
    }

    /// Records that Citus refuses a table. Returns false if that was known.
    pub(crate) fn note_refused_by_citus(&mut self, table: &Name) -> bool {
        self.citus.refused.insert(table.clone())
    }

    /// Returns the distribution columns, by table.
    pub(crate) fn distribution_columns(&self) -> Vec<(Name, Column)> {
        if !self.citus.is_used {
            return Vec::new();
        }
        let relations = self.catalog.relations.values();
        let found = relations.filter_map(|relation| {
            Some((
                relation.name.clone(),
                distribution_column(relation)?.clone(),
            ))
        });
        found.collect()
    }

    /// Distributes what follows without a call: new and attached partitions of distributed tables,
    /// tables in distributed schemas, and tables with a foreign key to or from a local table that
    /// is in Citus's metadata.
    pub(crate) fn follow_distribution(&mut self) {
        let schemas = &self.schemas;
        self.citus
            .schemas
            .retain(|schema, _| schemas.contains(schema));
        let names: Vec<Name> = self.catalog.relations.keys().cloned().collect();
        for name in &names {
            let followed = self.followed(name);
            if let Some(distribution) = followed {
                self.table(name).distribution = distribution;
            }
        }
    }

    /// Returns the distribution that a table gets without a call; `None` if it keeps what it has.
    fn followed(&self, name: &Name) -> Option<Option<Distribution>> {
        let relation = self.catalog.relations.get(name)?;
        let is_table = matches!(
            relation.kind,
            RelationKind::Table | RelationKind::PartitionedTable | RelationKind::Partition
        );
        if !is_table {
            return None;
        }
        let of_schema = self.citus.schemas.get(&name.schema);
        match (&relation.distribution, of_schema) {
            (None, Some(group)) => {
                return Some(Some(Distribution {
                    kind: DistributionKind::SingleShard,
                    column: None,
                    group: Some(*group),
                    shards: None,
                }));
            }
            (Some(found), None) => {
                let mut groups = self.citus.schemas.values();
                // It moved out of a distributed schema.
                if found.kind == DistributionKind::SingleShard
                    && groups.any(|group| found.group == Some(*group))
                {
                    return Some(None);
                }
            }
            _ => {}
        }
        if relation.distribution.is_some() {
            return None;
        }
        let parent = relation
            .parents
            .first()
            .filter(|_| relation.partition_bound.is_some());
        if let Some(of_parent) = parent.and_then(|parent| self.distribution(parent)) {
            return Some(Some(of_parent.clone()));
        }
        let is_local = |name: &Name| {
            let found = self.distribution(name);
            found.is_some_and(|found| found.kind == DistributionKind::Local)
        };
        let connected = self.connected_by_one_key(relation);
        let local = connected.into_iter().find(|name| is_local(name))?;
        Some(self.distribution(&local).cloned())
    }

    /// Returns the tables that a foreign key from or to a table names.
    fn connected_by_one_key(&self, relation: &Relation) -> Vec<Name> {
        let references = |relation: &Relation| {
            let kinds = relation.constraints.iter().map(|found| found.kind.clone());
            let names = kinds.filter_map(|kind| match kind {
                ConstraintKind::ForeignKey { references, .. } => Some(references),
                _ => None,
            });
            names.collect::<Vec<_>>()
        };
        let others = self.catalog.relations.values();
        let from = others.filter(|other| references(other).contains(&relation.name));
        let from = from.map(|other| other.name.clone());
        from.chain(references(relation)).collect()
    }
}

/// Returns the distribution of a table and its co-location group, if it has one.
fn grouped(relation: &Relation) -> Option<(&Distribution, u32)> {
    let distribution = relation.distribution.as_ref()?;
    Some((distribution, distribution.group?))
}

/// Returns the distribution column of a table.
pub(crate) fn distribution_column(relation: &Relation) -> Option<&Column> {
    let name = relation.distribution.as_ref()?.column.as_ref()?;
    relation.columns.iter().find(|column| column.name == *name)
}

/// Returns true if two types are one to Citus, which ignores modifiers.
pub(crate) fn same_type(one: &DataType, other: &DataType) -> bool {
    one.name == other.name && (one.dimensions > 0) == (other.dimensions > 0)
}
