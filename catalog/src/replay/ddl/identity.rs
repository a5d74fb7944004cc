//! ADD, SET and DROP of an identity in ALTER TABLE.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::replay::ddl::precondition;
use crate::replay::refusal::{Refused, Result};
use crate::replay::state::State;
use crate::replay::syntax::tree::{below, has, nodes_below, tokens};
use crate::{Fill, Name};

pub(crate) fn add_identity(
    state: &mut State,
    option: &SyntaxNode,
    table: &Name,
    column: &str,
) -> Result<()> {
    use SyntaxKind as K;
    let always = tokens(option).any(|token| token.kind() == K::ALWAYS_KW);
    precondition::may_be_identity(state, option, table, column)?;
    let found = state.column_mut(option, table, column)?;
    found.fill = Fill::Identity { always };
    let data_type = found.data_type.clone();
    let options = below(option, K::SEQUENCE_OPTION_LIST).next();
    let data_type = state.base_type(&data_type).name.name;
    state.insert_sequence(table, column, &data_type, options.as_ref())?;
    state.share_identity(table, column);
    Ok(())
}

pub(crate) fn change_identity(
    state: &mut State,
    option: &SyntaxNode,
    table: &Name,
    column: &str,
) -> Result<()> {
    use SyntaxKind as K;
    for part in nodes_below(option) {
        if part.kind() == K::SET_GENERATED {
            let always = tokens(&part).any(|token| token.kind() == K::ALWAYS_KW);
            state.column_mut(option, table, column)?.fill = Fill::Identity { always };
        }
        if part.kind() == K::SET_SEQUENCE_OPTION {
            let sequence = state.catalog().identity_sequence(table, column);
            if let Some(sequence) = sequence.map(|sequence| sequence.name.clone()) {
                state.sequence_options(&part, &sequence, false)?;
            }
        }
    }
    state.share_identity(table, column);
    Ok(())
}

pub(crate) fn drop_identity(
    state: &mut State,
    option: &SyntaxNode,
    table: &Name,
    column: &str,
) -> Result<()> {
    let found = state.column_mut(option, table, column)?;
    if matches!(found.fill, Fill::Identity { .. }) {
        found.fill = Fill::Nothing;
        state.drop_identity_sequence(table, column);
        state.share_identity(table, column);
    } else if !has(option, SyntaxKind::IF_EXISTS) {
        let why = format!("the column {column} has no identity");
        return Err(Refused::new(option, why));
    }
    Ok(())
}
