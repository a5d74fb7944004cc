//! `alter_distributed_table` and `update_distributed_table_colocation`.

use squawk_syntax::SyntaxNode;

use super::colocation::{Colocate, colocation, data_type, default_group, group_of};
use super::{Call, not_distributed};
use crate::replay::ddl::distributed::{self, refuses};
use crate::replay::refusal::Result;
use crate::replay::state::State;
use crate::replay::state::distribution::same_type;
use crate::{Distribution, DistributionKind, Name};

/// Returns the distribution of a table that is distributed by hash.
fn by_hash(state: &State, node: &SyntaxNode, table: &Name) -> Result<Distribution> {
    let found = state.distribution(table);
    let found = found.filter(|found| found.kind == DistributionKind::Hash);
    found.cloned().ok_or_else(|| {
        not_distributed(
            node,
            "cannot alter table because the table is not distributed",
        )
    })
}

pub(super) fn alter(state: &mut State, node: &SyntaxNode, call: &Call, table: &Name) -> Result<()> {
    let old = by_hash(state, node, table)?;
    let column = call.text("distribution_column").map(str::to_owned);
    let shards = call.shards(node)?;
    let colocate = colocation(state, node, call)?;
    let cascade = call.is_true("cascade_to_colocated");
    let refuse = |words: &str, hint: &str| Err(refuses(node, words, hint));
    if column.is_none() && shards.is_none() && colocate.is_none() && !cascade {
        return refuse(
            "you have to specify at least one of the distribution_column, shard_count or \
             colocate_with parameters",
            "name what changes",
        );
    }
    if cascade && column.is_some() {
        return refuse(
            "distribution_column cannot be cascaded to colocated tables",
            "change the column of each table by a call of its own",
        );
    }
    let others = old
        .group
        .map_or(Vec::new(), |group| state.tables_of_group(group));
    let has_others = others.len() > 1;
    let says_nothing =
        call.text("cascade_to_colocated").is_none() && shards.is_some() && shards != old.shards;
    if has_others && says_nothing {
        return refuse(
            "cascade_to_colocated parameter is necessary: this table is colocated with some other \
             tables",
            "cascade_to_colocated := false breaks the co-location, true changes the others too",
        );
    }
    let new_column = column.clone().or_else(|| old.column.clone());
    let new_type = data_type(state, node, table, new_column.as_deref())?;
    let old_type = data_type(state, node, table, old.column.as_deref())?;
    let is_same_type = match (&new_type, &old_type) {
        (Some(new), Some(old)) => same_type(new, old),
        _ => true,
    };
    let (group, shards) = match colocate {
        None if is_same_type && shards.is_none() => (old.group, old.shards),
        None | Some(Colocate::Default) => {
            let left = old.group.filter(|_| shards.is_some());
            let shards = shards.or(old.shards);
            let group = default_group(state, node, new_type.as_ref(), shards, left)?;
            (Some(group), shards)
        }
        Some(Colocate::Nothing) => (Some(state.new_group()), shards.or(old.shards)),
        Some(Colocate::With(other)) => {
            let of_table = (table, DistributionKind::Hash, new_type.as_ref());
            let group = group_of(state, node, of_table, &other)?;
            let of_other = state.distribution(&other).and_then(|found| found.shards);
            (Some(group), of_other)
        }
    };
    let distribution = Distribution {
        kind: DistributionKind::Hash,
        column: new_column,
        group,
        shards,
    };
    if !cascade {
        distributed::may_be(state, node, table, &distribution)?;
        state.distribute(table, Some(&distribution));
        return Ok(());
    }
    for name in others {
        let column = state
            .distribution(&name)
            .and_then(|found| found.column.clone());
        let of_table = Distribution {
            column,
            ..distribution.clone()
        };
        state.distribute(&name, Some(&of_table));
    }
    Ok(())
}

pub(super) fn update_colocation(
    state: &mut State,
    node: &SyntaxNode,
    call: &Call,
    table: &Name,
) -> Result<()> {
    let old = by_hash(state, node, table)?;
    let group = match colocation(state, node, call)? {
        None => return Ok(()),
        Some(Colocate::Nothing) => state.new_group(),
        Some(Colocate::Default) => {
            return Err(refuses(
                node,
                "relation \"default\" does not exist",
                "name a table, or write 'none'",
            ));
        }
        Some(Colocate::With(other)) => {
            let data_type = data_type(state, node, table, old.column.as_deref())?;
            let of_table = (table, DistributionKind::Hash, data_type.as_ref());
            group_of(state, node, of_table, &other)?
        }
    };
    let distribution = Distribution {
        group: Some(group),
        ..old
    };
    distributed::may_be(state, node, table, &distribution)?;
    state.distribute(table, Some(&distribution));
    Ok(())
}
