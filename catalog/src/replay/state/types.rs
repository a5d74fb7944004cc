//! Adds types.

use squawk_syntax::SyntaxNode;

use crate::replay::refusal::{Refused, Result};
use crate::replay::state::State;
use crate::replay::syntax::tree::{self};
use crate::{Name, Type, TypeKind};

impl State {
    /// Returns a type that CREATE TYPE or CREATE DOMAIN created, mutably.
    pub(crate) fn type_mut(&mut self, name: &Name) -> Option<&mut Type> {
        self.catalog.types.get_mut(name)
    }

    /// Adds a type of an extension.
    pub(crate) fn add_external_type(&mut self, name: Name) {
        let external = Type {
            name: name.clone(),
            kind: TypeKind::External,
            comment: None,
        };
        self.catalog.types.insert(name, external);
    }

    pub(crate) fn insert_type(
        &mut self,
        node: &SyntaxNode,
        name: Name,
        kind: TypeKind,
    ) -> Result<()> {
        let is_composite = matches!(kind, TypeKind::Composite { .. });
        if self.catalog.types.contains_key(&name)
            || self.catalog.relations.contains_key(&name)
            || (is_composite && self.has_relation(&name.schema, &name.name))
        {
            return Err(
                Refused::error(node, format!("there is a type {} already", name.name))
                    .hint("give it another name, or drop the earlier one first")
                    .raises("duplicate_object"),
            );
        }
        self.catalog.types.insert(
            name.clone(),
            Type {
                name,
                kind,
                comment: None,
            },
        );
        Ok(())
    }
}

/// Returns the name that PostgreSQL gives to the multirange of a range.
pub(crate) fn multirange_name(range: &str) -> String {
    let name = match range.find("range") {
        Some(start) => format!("{}multi{}", &range[..start], &range[start..]),
        None => format!("{range}_multirange"),
    };
    tree::truncate(&name).to_owned()
}
