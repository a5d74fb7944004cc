//! DROP of tables, views, sequences and types, with what hangs on them.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::Replay;
use super::refusal::{Refused, Result};
use super::tree::{child, child_name, children, has, path};
use crate::catalog::{ConstraintKind, Name, Sequence};

/// Whether CASCADE is said.
pub(super) fn cascades(node: &SyntaxNode) -> bool {
    has(node, SyntaxKind::CASCADE)
}

impl Replay {
    pub(super) fn drop_relations(
        &mut self,
        node: &SyntaxNode,
        references: SyntaxKind,
    ) -> Result<()> {
        let mut found = Vec::new();
        for reference in children(node, references) {
            let parts = path(&reference);
            if parts.last().is_some_and(|name| self.temporary.remove(name)) {
                continue;
            }
            match self.find_relation(&parts) {
                Some(name) => found.push(name),
                None if has(node, SyntaxKind::IF_EXISTS) => {}
                None => {
                    return Err(
                        Refused::new(node, format!("there is no {}", parts.join(".")))
                            .do_this("look at the name and at the migrations before this one"),
                    );
                }
            }
        }
        if !cascades(node) {
            let refers = |kind: &ConstraintKind| matches!(kind, ConstraintKind::ForeignKey { references, .. } if found.contains(references));
            let mut others = self
                .catalog
                .relations
                .values()
                .filter(|relation| !found.contains(&relation.name));
            if let Some(other) = others.find(|relation| {
                relation
                    .constraints
                    .iter()
                    .any(|constraint| refers(&constraint.kind))
            }) {
                return Err(Refused::new(
                    node,
                    format!(
                        "{} refers to it, so PostgreSQL refuses this",
                        other.name.name
                    ),
                )
                .do_this("drop the reference first, or say CASCADE"));
            }
        }
        found.iter().for_each(|name| self.remove_relation(name));
        Ok(())
    }

    /// Takes a relation out, with the references to it and the sequences it owns.
    pub(super) fn remove_relation(&mut self, name: &Name) {
        self.catalog.relations.remove(name);
        for relation in self.catalog.relations.values_mut() {
            relation.constraints.retain(|constraint| {
                !matches!(&constraint.kind, ConstraintKind::ForeignKey { references, .. } if references == name)
            });
        }
        self.catalog
            .sequences
            .retain(|_, sequence| sequence.owner.as_ref().is_none_or(|owner| owner.0 != *name));
    }

    pub(super) fn drop_types(&mut self, node: &SyntaxNode, references: SyntaxKind) -> Result<()> {
        for reference in children(node, references) {
            let parts = path(&reference);
            let Some(name) = self.find_type(&parts) else {
                if has(node, SyntaxKind::IF_EXISTS) {
                    continue;
                }
                return Err(Refused::new(
                    node,
                    format!("there is no type {}", parts.join(".")),
                ));
            };
            let uses = |relation: &crate::catalog::Relation| {
                relation
                    .columns
                    .iter()
                    .any(|column| column.data_type.name == name)
            };
            if let Some(user) = self
                .catalog
                .relations
                .values()
                .find(|relation| uses(relation))
            {
                if !cascades(node) {
                    return Err(Refused::new(
                        node,
                        format!(
                            "a column of {} has this type, so PostgreSQL refuses this",
                            user.name.name
                        ),
                    )
                    .do_this("change the column's type first, or say CASCADE"));
                }
                return Err(Refused::new(
                    node,
                    format!(
                        "replay does not follow DROP TYPE .. CASCADE, which drops columns of {}",
                        user.name.name
                    ),
                )
                .do_this("drop the columns with ALTER TABLE first"));
            }
            self.catalog.types.remove(&name);
        }
        Ok(())
    }

    pub(super) fn create_sequence(&mut self, node: &SyntaxNode) -> Result<()> {
        let sequence = child(node, SyntaxKind::SEQUENCE)
            .ok_or_else(|| Refused::new(node, "the sequence's name is not given"))?;
        let name = self.new_name(&sequence);
        self.insert_sequence(name, "int8", None);
        Ok(())
    }

    /// Adds a sequence that counts up from 1.
    pub(super) fn insert_sequence(
        &mut self,
        name: Name,
        data_type: &str,
        owner: Option<(Name, String)>,
    ) {
        let max = match data_type {
            "int2" => i64::from(i16::MAX),
            "int4" => i64::from(i32::MAX),
            _ => i64::MAX,
        };
        let sequence = Sequence {
            name: name.clone(),
            data_type: data_type.to_owned(),
            start: 1,
            increment: 1,
            min: 1,
            max,
            cache: 1,
            cycle: false,
            owner,
            comment: None,
        };
        self.catalog.sequences.insert(name, sequence);
    }

    pub(super) fn drop_sequences(&mut self, node: &SyntaxNode) -> Result<()> {
        for reference in children(node, SyntaxKind::SEQUENCE_REF) {
            for name in self.candidates(&path(&reference)) {
                self.catalog.sequences.remove(&name);
            }
        }
        // A sequence that a default still uses cannot be dropped without CASCADE, which then drops the default.
        if cascades(node) && child_name(node, SyntaxKind::SEQUENCE_REF).is_some() {
            return Err(
                Refused::new(node, "replay does not follow DROP SEQUENCE .. CASCADE")
                    .do_this("drop the default of the column first"),
            );
        }
        Ok(())
    }
}
