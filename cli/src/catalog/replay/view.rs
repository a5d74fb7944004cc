//! Views, by name: their columns are not inferred, so they are known to be there and nothing more.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::Replay;
use super::refusal::{Refused, Result};
use super::tree::{child, has};
use crate::catalog::{Relation, RelationKind};

impl Replay {
    pub(super) fn create_view(&mut self, node: &SyntaxNode) -> Result<()> {
        let view = child(node, SyntaxKind::VIEW)
            .ok_or_else(|| Refused::new(node, "the view's name is not given"))?;
        if has(node, SyntaxKind::TEMP) {
            return Ok(());
        }
        let name = self.new_name(&view);
        let is_materialized = node.kind() == SyntaxKind::CREATE_MATERIALIZED_VIEW;
        let kind = if is_materialized {
            RelationKind::MaterializedView
        } else {
            RelationKind::View
        };
        if self
            .catalog
            .relations
            .get(&name)
            .is_some_and(|earlier| earlier.kind != kind)
        {
            return Err(Refused::new(
                node,
                format!(
                    "there is a relation {} already, so PostgreSQL refuses this",
                    name.name
                ),
            )
            .do_this("give it another name, or drop the earlier one first"));
        }
        self.catalog
            .relations
            .insert(name.clone(), Relation::new(name, kind));
        Ok(())
    }
}
