//! Calls of Citus's functions that distribute tables.

use super::{Script, Step};
use crate::definition::literal;
use crate::{Catalog, Distribution, DistributionKind, Name, Relation};

/// Distributes a table that is not distributed yet.
pub(super) fn distribute(script: &mut Script, expected: &Catalog, relation: &Relation) {
    let Some(distribution) = &relation.distribution else {
        return;
    };
    // Partitions follow the partitioned table.
    if relation.partition_bound.is_some() {
        return;
    }
    let table = literal(&relation.name.sql());
    let column = distribution.column.as_deref().map(literal);
    let (step, call) = match distribution.kind {
        DistributionKind::Reference => (
            Step::DistributeReferences,
            format!("SELECT create_reference_table({table})"),
        ),
        DistributionKind::Local => (
            Step::DistributeReferences,
            format!("SELECT citus_add_local_table_to_metadata({table})"),
        ),
        DistributionKind::Range | DistributionKind::Append => {
            let kind = match distribution.kind {
                DistributionKind::Range => "range",
                _ => "append",
            };
            let column = column.unwrap_or_else(|| "NULL".to_owned());
            let call = format!("SELECT create_distributed_table({table}, {column}, '{kind}')");
            (Step::DistributeFirst, call)
        }
        DistributionKind::Hash | DistributionKind::SingleShard => {
            let column = column.unwrap_or_else(|| "NULL".to_owned());
            let (step, with, is_first) = colocate_with(expected, relation);
            let shards = distribution.shards.filter(|_| is_first);
            let shards =
                shards.map_or(String::new(), |shards| format!(", shard_count => {shards}"));
            let call = format!(
                "SELECT create_distributed_table({table}, {column}, colocate_with => {with}{shards})"
            );
            (step, call)
        }
    };
    script.push(step, call);
}

/// Returns the argument `colocate_with`, and whether the table is the first of its group. The
/// others of a group join the first, which is the one with the least name.
fn colocate_with(expected: &Catalog, relation: &Relation) -> (Step, String, bool) {
    let others = expected.colocated_with(relation);
    match others.first().filter(|other| ***other < relation.name) {
        Some(first) => (Step::Distribute, literal(&first.sql()), false),
        None => (Step::DistributeFirst, "'none'".to_owned(), true),
    }
}

/// Changes the distribution of a table.
pub(super) fn change(script: &mut Script, expected: &Catalog, new: &Relation, old: &Relation) {
    let undistribute = |table: &Name| {
        let table = literal(&table.sql());
        format!("SELECT undistribute_table({table})")
    };
    match (&new.distribution, &old.distribution) {
        (None, None) => {}
        (None, Some(_)) => script.push(Step::Undistribute, undistribute(&new.name)),
        (Some(_), None) => distribute(script, expected, new),
        (Some(one), Some(other)) if is_by_hash(one) && is_by_hash(other) => {
            alter(script, expected, new, (one, other));
        }
        (Some(_), Some(_)) => {
            script.push(Step::Undistribute, undistribute(&new.name));
            distribute(script, expected, new);
        }
    }
}

fn is_by_hash(distribution: &Distribution) -> bool {
    distribution.kind == DistributionKind::Hash
}

/// Changes a table that is distributed by hash and stays so. A first table that leaves its group
/// gets a new one, which the others then join.
fn alter(
    script: &mut Script,
    expected: &Catalog,
    relation: &Relation,
    (new, old): (&Distribution, &Distribution),
) {
    let table = literal(&relation.name.sql());
    let (step, with, is_first) = colocate_with(expected, relation);
    let mut changes = Vec::new();
    if new.column != old.column
        && let Some(column) = &new.column
    {
        changes.push(format!("distribution_column => {}", literal(column)));
    }
    let shards = new.shards.filter(|_| old.shards != new.shards && is_first);
    if let Some(shards) = shards {
        changes.push(format!("shard_count => {shards}"));
    }
    if changes.is_empty() {
        script.push(
            step,
            format!("SELECT update_distributed_table_colocation({table}, colocate_with => {with})"),
        );
        return;
    }
    changes.push(format!("colocate_with => {with}"));
    script.push(
        step,
        format!(
            "SELECT alter_distributed_table({table}, {})",
            changes.join(", ")
        ),
    );
}
