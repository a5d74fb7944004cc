//! CREATE, ALTER and DROP COLLATION. Only the names are recorded.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::Name;
use crate::replay::refusal::Result;
use crate::replay::state::State;
use crate::replay::state::objects::Object;
use crate::replay::syntax::tree::{child, child_name, children, path};

pub(crate) fn collation(state: &mut State, node: &SyntaxNode, kind: SyntaxKind) -> Result<()> {
    use SyntaxKind as K;
    match kind {
        K::CREATE_COLLATION => {
            if let Some(name) = child(node, K::COLLATION) {
                let name = state.new_name(node, &name)?;
                state.add_collation(name);
            }
        }
        K::ALTER_COLLATION => {
            let Some(reference) = child(node, K::COLLATION_REF) else {
                return Ok(());
            };
            let from = state.find_collation(&path(&reference));
            let renamed = child(node, K::COLLATION_RENAME_TO)
                .and_then(|action| child_name(&action, K::COLLATION));
            let moved =
                child(node, K::SET_SCHEMA).and_then(|action| child_name(&action, K::SCHEMA_REF));
            let to = Name {
                schema: moved.unwrap_or_else(|| from.schema.clone()),
                name: renamed.unwrap_or_else(|| from.name.clone()),
            };
            if to != from {
                state.move_collation(&from, &to);
            }
        }
        _ => {
            let references = children(node, K::COLLATION_REF);
            let targets: Vec<Object> = references
                .filter_map(|reference| state.find_own_collation(&path(&reference)))
                .map(Object::Collation)
                .collect();
            return state.drop_objects(node, &targets);
        }
    }
    Ok(())
}
