//! Views, and what they rest on.

use std::collections::BTreeSet;

use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::Replay;
use super::refusal::{Refused, Result};
use super::tree::{child, has, text};
use crate::catalog::{Name, Relation, RelationKind};

/// What the query of a view uses.
#[derive(Debug, Clone, Default)]
pub(super) struct Uses {
    pub(super) relations: BTreeSet<Name>,
    pub(super) columns: BTreeSet<(Name, String)>,
    /// The query as written, for the functions and types it names.
    pub(super) text: String,
}

impl Replay {
    pub(super) fn create_view(&mut self, node: &SyntaxNode) -> Result<()> {
        let view = child(node, SyntaxKind::VIEW)
            .ok_or_else(|| Refused::new(node, "the view's name is not given"))?;
        let name = self.new_name(node, &view)?;
        let is_materialized = node.kind() == SyntaxKind::CREATE_MATERIALIZED_VIEW;
        let kind = if is_materialized {
            RelationKind::MaterializedView
        } else {
            RelationKind::View
        };
        if self.has_relation(&name.schema, &name.name) {
            if has(node, SyntaxKind::IF_NOT_EXISTS) {
                return Ok(());
            }
            let is_replaced = has(node, SyntaxKind::OR_REPLACE)
                && self
                    .catalog
                    .relations
                    .get(&name)
                    .map(|earlier| earlier.kind)
                    == Some(kind);
            if !is_replaced {
                return Err(super::table::exists(node, &name));
            }
        }
        let uses = Uses {
            text: text(node),
            ..Uses::default()
        };
        self.views.insert(name.clone(), uses);
        self.catalog
            .relations
            .insert(name.clone(), Relation::new(name, kind));
        Ok(())
    }
}
