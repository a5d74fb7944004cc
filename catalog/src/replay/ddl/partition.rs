//! ATTACH and DETACH PARTITION, INHERIT and NO INHERIT.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::detached;
use crate::replay::ddl::precondition;
use crate::replay::refusal::{Refused, Result};
use crate::replay::state::State;
use crate::replay::syntax::clause::bound;
use crate::replay::syntax::tree::{child, has_below, path};
use crate::{Fill, Index, Name};

pub(crate) fn attach_partition(state: &mut State, action: &SyntaxNode, table: &Name) -> Result<()> {
    let partition = named_partition(state, action)?;
    must_not_descend(state, action, table, &partition)?;
    precondition::has_columns_of(state, action, &partition, table)?;
    let parent = state.table(table).clone();
    for index in &parent.indexes {
        if parent.excludes(index) {
            must_have_none_like(state, action, &partition, index)?;
        }
    }
    let identities = state.table(&partition).columns.iter();
    let mut identities = identities.filter(|column| matches!(column.fill, Fill::Identity { .. }));
    if let Some(column) = identities.next() {
        let why = format!(
            "the column {} of {} is an identity, which PostgreSQL refuses from 17 on",
            column.name, partition.name
        );
        return Err(Refused::new(action, why)
            .hint("drop the identity of the column first: it gets that of the partitioned table"));
    }
    let bound = action.children().find_map(|child| bound(&child));
    state.attach(&partition, table, bound);
    Ok(())
}

/// Refuses a partition with an exclusion constraint or a key WITHOUT OVERLAPS like the parent's.
/// PostgreSQL does not use the partition's one. It creates another, or refuses a second primary
/// key. Replay does not record which of the two belongs to the parent.
pub(crate) fn must_have_none_like(
    state: &State,
    node: &SyntaxNode,
    partition: &Name,
    index: &Index,
) -> Result<()> {
    let mut all = state.descendants(partition);
    all.push(partition.clone());
    for name in all {
        let relation = state.catalog().relations.get(&name);
        let is_like = |other: &&Index| other.method == index.method && other.keys == index.keys;
        let existing = relation.and_then(|relation| {
            let mut like = relation.indexes.iter().filter(is_like);
            like.find(|index| relation.excludes(index))
        });
        if let Some(existing) = existing {
            let why = format!(
                "{} has {} already, and replay does not follow a second one like it that comes from its parent",
                name.name, existing.name
            );
            return Err(Refused::new(node, why).hint("drop the partition's own one first"));
        }
    }
    Ok(())
}

pub(crate) fn detach_partition(state: &mut State, action: &SyntaxNode) -> Result<()> {
    let partition = named_partition(state, action)?;
    let check = match has_below(action, SyntaxKind::CONCURRENTLY_KW) {
        true => detached::check(state, action, &partition)?,
        false => None,
    };
    state.detach(&partition);
    if let Some(check) = check {
        state.note_constraint(&check.name);
        state.table(&partition).constraints.push(check);
    }
    Ok(())
}

/// Refuses a parent that is a descendant of the table.
fn must_not_descend(state: &State, node: &SyntaxNode, parent: &Name, child: &Name) -> Result<()> {
    if parent == child || state.descendants(child).contains(parent) {
        let why = format!("{} would inherit from itself", child.name);
        return Err(Refused::error(node, why));
    }
    Ok(())
}

fn named_partition(state: &mut State, action: &SyntaxNode) -> Result<Name> {
    let reference = child(action, SyntaxKind::TABLE_NAME_REF)
        .ok_or_else(|| Refused::new(action, "no partition is named"))?;
    Ok(state.relation_mut(&reference)?.name.clone())
}

/// Applies `INHERIT` or `NO INHERIT`.
pub(crate) fn change_parent(state: &mut State, action: &SyntaxNode, table: &Name) -> Result<()> {
    let reference = child(action, SyntaxKind::TABLE_NAME_REF)
        .ok_or_else(|| Refused::new(action, "no table is named"))?;
    let parent = state.relation_mut(&reference)?.clone();
    let inherits = action.kind() == SyntaxKind::INHERIT_TABLE;
    state.keep_columns_of(table, &parent);
    if !inherits {
        state.remove_parent(table, &parent.name);
        return Ok(());
    }
    if state.table(table).parents.contains(&parent.name) {
        return Err(Refused::new(
            action,
            format!("it inherits {} already", path(&reference).join(".")),
        ));
    }
    must_not_descend(state, action, &parent.name, table)?;
    precondition::has_columns_of(state, action, table, &parent.name)?;
    state.add_parent(table, &parent.name);
    Ok(())
}
