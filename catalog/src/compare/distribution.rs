//! Differences in how Citus distributes tables. The numbers of co-location groups mean nothing, so
//! the groups are compared by the tables in them.

use super::{Aspect, Found, Subject};
use crate::{Catalog, Distribution, DistributionKind, Name, Relation};

pub(super) fn compare(found: &mut Found, left: &Catalog, right: &Catalog) {
    for (name, one) in &left.relations {
        let Some(other) = right.relations.get(name) else {
            continue;
        };
        // The distribution of a partition is that of its parent.
        if one.partition_bound.is_some() && other.partition_bound.is_some() {
            continue;
        }
        if one.distribution.is_none() && other.distribution.is_none() {
            continue;
        }
        let subject = Subject::Relation(name.clone());
        let (in_left, in_right) = texts(one.distribution.as_ref(), other.distribution.as_ref());
        let is_same = in_left == in_right;
        found.differs(&subject, Aspect::Distribution, in_left, in_right);
        let is_sharded = |relation: &Relation| {
            let distribution = relation.distribution.as_ref();
            distribution.is_some_and(|found| found.kind.is_sharded())
        };
        if is_same && is_sharded(one) {
            let in_left = colocated(left, one, right);
            let in_right = colocated(right, other, left);
            found.differs(&subject, Aspect::Colocation, in_left, in_right);
        }
    }
}

/// Returns the two distributions in words. The numbers of shards are among them if both are known.
fn texts(left: Option<&Distribution>, right: Option<&Distribution>) -> (String, String) {
    let words = |one: Option<&Distribution>, other: Option<&Distribution>| {
        let Some(one) = one else {
            return "none".to_owned();
        };
        let is_known = other.is_some_and(|other| other.shards.is_some());
        match one
            .shards
            .filter(|_| is_known && one.kind == DistributionKind::Hash)
        {
            Some(shards) => format!("{} in {shards} shards", one.words()),
            None => one.words(),
        }
    };
    (words(left, right), words(right, left))
}

/// Returns the tables of the co-location group, of those that are sharded in both catalogs.
fn colocated(catalog: &Catalog, relation: &Relation, other: &Catalog) -> String {
    let names = catalog.colocated_with(relation).into_iter();
    let in_both = names.filter(|name| {
        let found = other.relations.get(name);
        let distribution = found.and_then(|found| found.distribution.as_ref());
        distribution.is_some_and(|found| found.kind.is_sharded())
    });
    let names: Vec<String> = in_both.map(Name::sql).collect();
    if names.is_empty() {
        return "with no table".to_owned();
    }
    format!("with {}", names.join(", "))
}
