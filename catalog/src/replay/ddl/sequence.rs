//! CREATE and ALTER SEQUENCE.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::replay::refusal::{self, Refused, Result};
use crate::replay::state::State;
use crate::replay::syntax::tree::{child, child_name, has, path};
use crate::{Name, Sequence};

pub(crate) fn create_sequence(state: &mut State, node: &SyntaxNode) -> Result<()> {
    let given = child(node, SyntaxKind::SEQUENCE)
        .ok_or_else(|| Refused::new(node, "the sequence's name is not given"))?;
    let name = state.new_name(node, &given)?;
    if state.has_relation(&name.schema, &name.name) {
        if has(node, SyntaxKind::IF_NOT_EXISTS) {
            return Ok(());
        }
        return Err(refusal::exists(node, &name));
    }
    state.add_sequence(Sequence::new(name.clone(), "int8"));
    state.sequence_options(node, &name, true)
}

pub(crate) fn alter_sequence(state: &mut State, node: &SyntaxNode) -> Result<()> {
    use SyntaxKind as K;
    let reference =
        child(node, K::SEQUENCE_REF).ok_or_else(|| Refused::new(node, "no sequence is named"))?;
    let parts = path(&reference);
    let Some(name) = state.find_sequence(&parts) else {
        return if has(node, K::IF_EXISTS) {
            Ok(())
        } else {
            Err(
                Refused::new(node, format!("there is no sequence {}", parts.join(".")))
                    .hint("check the spelling, and whether an earlier migration creates it"),
            )
        };
    };
    if let Some(rename) = child(node, K::SEQUENCE_RENAME_TO) {
        let to = child_name(&rename, K::SEQUENCE).unwrap_or_default();
        let schema = name.schema.clone();
        state.move_sequence(&name, Name { schema, name: to });
        return Ok(());
    }
    if let Some(schema) = child(node, K::SET_SCHEMA) {
        let schema = child_name(&schema, K::SCHEMA_REF).unwrap_or_default();
        let to = Name {
            schema,
            name: name.name.clone(),
        };
        state.move_sequence(&name, to);
        return Ok(());
    }
    state.sequence_options(node, &name, false)
}
