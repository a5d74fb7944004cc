//! Foreign keys: the columns that they reference, and their actions.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::replay::ddl::precondition;
use crate::replay::refusal::{Refused, Result};
use crate::replay::state::State;
use crate::replay::syntax::clause::{column_list, constraint};
use crate::replay::syntax::tree::{child, child_name, child_nodes, children, has, name};
use crate::{ConstraintKind, Name, ReferentialAction};

pub(crate) fn add_foreign_key(
    state: &mut State,
    node: &SyntaxNode,
    table: &Name,
    column: Option<&str>,
    given: Option<String>,
) -> Result<()> {
    use SyntaxKind as K;
    let lists: Vec<Vec<String>> = children(node, K::FOREIGN_KEY_COLUMN_LIST)
        .map(|list| {
            let period = child(&list, K::PERIOD_COLUMN);
            let period = period.and_then(|period| child(&period, K::COLUMN_NAME_REF));
            let columns = children(&list, K::COLUMN_NAME_REF).chain(period);
            columns.map(|column| name(&column)).collect()
        })
        .collect();
    let (columns, mut referenced_columns) = match column {
        Some(column) => (
            vec![column.to_owned()],
            child_name(node, K::COLUMN_NAME_REF).into_iter().collect(),
        ),
        None => (
            lists.first().cloned().unwrap_or_default(),
            lists.get(1).cloned().unwrap_or_default(),
        ),
    };
    for column in &columns {
        state.column_mut(node, table, column)?;
    }
    let parent_name = child(node, K::TABLE_NAME_REF)
        .ok_or_else(|| Refused::new(node, "no table is referenced"))?;
    let periods = children(node, K::FOREIGN_KEY_COLUMN_LIST)
        .map(|list| has(&list, K::PERIOD_COLUMN))
        .collect::<Vec<_>>();
    let temporal = periods.contains(&true);
    if temporal && periods.contains(&false) {
        return Err(
            Refused::error(node, "only one side of the foreign key has a PERIOD")
                .hint("write PERIOD before the last column of both sides"),
        );
    }
    let on_delete = referential_action(node, K::ON_DELETE_ACTION);
    let on_update = referential_action(node, K::ON_UPDATE_ACTION);
    if temporal && [&on_delete, &on_update] != [&ReferentialAction::NoAction; 2] {
        return Err(Refused::error(
            node,
            "a foreign key with a PERIOD has no action but NO ACTION",
        )
        .hint("leave ON DELETE and ON UPDATE out"));
    }
    let parent = state.relation_mut(&parent_name)?;
    let references = parent.name.clone();
    if referenced_columns.is_empty() {
        referenced_columns = parent
            .primary_key()
            .map(<[String]>::to_vec)
            .unwrap_or_default();
    }
    if parent
        .referenced_index(&referenced_columns, temporal)
        .is_none()
    {
        return Err(Refused::error(
            node,
            format!(
                "{} has no key of these columns to refer to",
                references.name
            ),
        )
        .hint("declare them PRIMARY KEY or UNIQUE first"));
    }
    precondition::may_refer(
        state,
        node,
        (table, &columns),
        (&references, &referenced_columns),
    )?;
    let name =
        given.unwrap_or_else(|| state.free_constraint_name(table, &columns.join("_"), "fkey"));
    let kind = ConstraintKind::ForeignKey {
        columns,
        references,
        referenced_columns,
        on_delete,
        on_update,
        match_full: has(node, K::MATCH_FULL),
    };
    let new = constraint(node, name, kind);
    state.push_constraint(node, table, new.clone())?;
    for partition in state.partitions(table) {
        state.clone_reference(table, &partition, &new);
    }
    Ok(())
}

fn referential_action(node: &SyntaxNode, clause: SyntaxKind) -> ReferentialAction {
    use SyntaxKind as K;
    let Some(action) = child(node, clause).and_then(|clause| child_nodes(&clause).next()) else {
        return ReferentialAction::NoAction;
    };
    let columns = || column_list(&action, K::COLUMN_REF_LIST);
    match action.kind() {
        K::RESTRICT => ReferentialAction::Restrict,
        K::CASCADE => ReferentialAction::Cascade,
        K::SET_NULL_COLUMNS => ReferentialAction::SetNull(columns()),
        K::SET_DEFAULT_COLUMNS => ReferentialAction::SetDefault(columns()),
        _ => ReferentialAction::NoAction,
    }
}
