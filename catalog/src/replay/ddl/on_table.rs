//! The table that a statement about a trigger, policy or rule names.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::Name;
use crate::replay::refusal::{Refused, Result};
use crate::replay::state::State;
use crate::replay::syntax::tree::{below, path};

/// Returns the table of a trigger, policy or rule.
pub(crate) fn on_table(state: &State, node: &SyntaxNode) -> Result<Name> {
    use SyntaxKind as K;
    let reference = below(node, K::RELATION_NAME_REF)
        .next()
        .or_else(|| below(node, K::TABLE_NAME_REF).next())
        .ok_or_else(|| Refused::new(node, "no table is named"))?;
    let parts = path(&reference);
    state.find_relation(&parts).ok_or_else(|| {
        Refused::new(node, format!("there is no table {}", parts.join(".")))
            .raises("undefined_table")
    })
}
