//! `create_distributed_table`.

use squawk_syntax::SyntaxNode;

use super::colocation::{Colocate, colocation, data_type, default_group, group_of};
use super::{Call, is_distributable, relation};
use crate::replay::ddl::distributed::{self, refuses};
use crate::replay::refusal::Result;
use crate::replay::state::State;
use crate::replay::state::distribution::distribution_column;
use crate::{Distribution, DistributionKind, Name};

pub(super) fn create_distributed(
    state: &mut State,
    node: &SyntaxNode,
    call: &Call,
    table: &Name,
) -> Result<()> {
    if call.nulls.contains(&"colocate_with") {
        return Ok(());
    }
    is_distributable(state, node, table)?;
    let (kind, column) = kind_of(state, node, call, table)?;
    let colocate = colocation(state, node, call)?.unwrap_or(Colocate::Default);
    let given = call.shards(node)?;
    if given.is_some() && matches!(colocate, Colocate::With(_)) {
        return Err(refuses(
            node,
            "Cannot use colocate_with with a table and shard_count at the same time",
            "leave one of the two out",
        ));
    }
    let has_shards = kind == DistributionKind::Hash;
    let shards = given.or_else(|| state.shard_count()).filter(|_| has_shards);
    let data_type = data_type(state, node, table, column.as_deref())?;
    let has_group = matches!(kind, DistributionKind::Hash | DistributionKind::SingleShard);
    let (group, shards) = match colocate {
        _ if !has_group => (None, None),
        Colocate::Nothing => (Some(state.new_group()), shards),
        Colocate::Default => {
            let group = default_group(state, node, data_type.as_ref(), shards, None)?;
            (Some(group), shards)
        }
        Colocate::With(other) => {
            let group = group_of(state, node, (table, kind, data_type.as_ref()), &other)?;
            let of_other = state.distribution(&other).and_then(|found| found.shards);
            (Some(group), of_other)
        }
    };
    let distribution = Distribution {
        kind,
        column,
        group,
        shards,
    };
    has_collation_of_group(state, node, table, &distribution)?;
    distributed::may_be(state, node, table, &distribution)?;
    state.distribute(table, Some(&distribution));
    Ok(())
}

/// Refuses a table whose distribution column has another collation than those of its group.
fn has_collation_of_group(
    state: &State,
    node: &SyntaxNode,
    table: &Name,
    distribution: &Distribution,
) -> Result<()> {
    let found = relation(state, node, table)?;
    let mut columns = found.columns.iter();
    let column = columns.find(|column| distribution.column.as_ref() == Some(&column.name));
    let (Some(column), Some(group)) = (column, distribution.group) else {
        return Ok(());
    };
    for other in state.tables_of_group(group) {
        let of_other = distribution_column(relation(state, node, &other)?);
        if of_other.is_some_and(|of_other| of_other.collation != column.collation) {
            let words = format!(
                "cannot colocate tables {} and {}: Distribution column collations don't match",
                table.name, other.name
            );
            let hint = "give both columns one collation, or write colocate_with => 'none'";
            return Err(refuses(node, &words, hint));
        }
    }
    Ok(())
}

/// Returns the kind of the distribution that a call asks for, and its column.
fn kind_of(
    state: &State,
    node: &SyntaxNode,
    call: &Call,
    table: &Name,
) -> Result<(DistributionKind, Option<String>)> {
    let kind = match call.text("distribution_type") {
        None | Some("hash") => DistributionKind::Hash,
        Some("range") => DistributionKind::Range,
        Some("append") => DistributionKind::Append,
        Some(other) => {
            return Err(refuses(
                node,
                &format!("invalid input value for enum citus.distribution_type: \"{other}\""),
                "the distribution types are hash, range and append",
            ));
        }
    };
    let concurrently = call.function == "create_distributed_table_concurrently";
    if concurrently && kind != DistributionKind::Hash {
        return Err(refuses(
            node,
            "only hash-distributed tables can be distributed without blocking writes",
            "use create_distributed_table",
        ));
    }
    let Some(column) = call.text("distribution_column") else {
        if !call.nulls.contains(&"distribution_column") {
            return Err(refuses(
                node,
                &format!("function {} needs a distribution column", call.function),
                "name the distribution column, or write NULL for a table in one shard",
            ));
        }
        if concurrently {
            return Err(refuses(
                node,
                "cannot use create_distributed_table_concurrently to create a distributed table \
                 with a null shard key",
                "use create_distributed_table",
            ));
        }
        if call.text("shard_count").is_some() {
            return Err(refuses(
                node,
                "shard_count can't be specified when the distribution column is null because in \
                 that case it's automatically set to 1",
                "leave shard_count out",
            ));
        }
        if kind != DistributionKind::Hash {
            return Err(refuses(
                node,
                "distribution_type can't be specified when the distribution column is null",
                "leave distribution_type out",
            ));
        }
        return Ok((DistributionKind::SingleShard, None));
    };
    let found = relation(state, node, table)?;
    let is_partitioned = found.partition_by.is_some();
    if is_partitioned && kind != DistributionKind::Hash {
        return Err(refuses(
            node,
            "distributing partitioned tables in only supported for hash-distributed tables",
            "distribute it by hash",
        ));
    }
    Ok((kind, Some(column.to_owned())))
}
