//! DROP, statement by statement; what goes along is found in `dependents`.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::Replay;
use super::dependents::Object;
use super::refusal::{Refused, Result};
use super::tree::{below, child_names, children, has, path};
use crate::gap::GapKind;
use crate::{Name, RelationKind};

/// Whether CASCADE is said.
pub(super) fn cascades(node: &SyntaxNode) -> bool {
    has(node, SyntaxKind::CASCADE)
}

impl Replay {
    /// DROP of what is found by name, in the nodes of one kind.
    fn drop_named(
        &mut self,
        node: &SyntaxNode,
        references: SyntaxKind,
        what: &str,
        find: impl Fn(&Self, &[String]) -> Option<Object>,
    ) -> Result<()> {
        let mut targets = Vec::new();
        for reference in children(node, references) {
            let parts = path(&reference);
            match find(self, &parts) {
                Some(object) => targets.push(object),
                None if self.drop_gap(&parts) || has(node, SyntaxKind::IF_EXISTS) => {}
                None => {
                    return Err(Refused::new(
                        node,
                        format!("there is no {what} {}", parts.join(".")),
                    )
                    .do_this("look at the name and at the migrations before this one"));
                }
            }
        }
        self.drop_objects(node, &targets)
    }

    pub(super) fn drop_relations(
        &mut self,
        node: &SyntaxNode,
        references: SyntaxKind,
        kinds: &[RelationKind],
    ) -> Result<()> {
        let what = if kinds.contains(&RelationKind::Table) {
            "table"
        } else {
            "view"
        };
        self.drop_named(node, references, what, |replay, parts| {
            let name = replay.find_relation(parts)?;
            let kind = replay.catalog.relations.get(&name)?.kind;
            kinds.contains(&kind).then_some(Object::Relation(name))
        })
    }

    pub(super) fn drop_types(&mut self, node: &SyntaxNode, references: SyntaxKind) -> Result<()> {
        self.drop_named(node, references, "type", |replay, parts| {
            replay.find_own_type(parts).map(Object::Type)
        })
    }

    pub(super) fn drop_sequences(&mut self, node: &SyntaxNode) -> Result<()> {
        self.drop_named(
            node,
            SyntaxKind::SEQUENCE_REF,
            "sequence",
            |replay, parts| replay.find_sequence(parts).map(Object::Sequence),
        )
    }

    pub(super) fn drop_indexes(&mut self, node: &SyntaxNode) -> Result<()> {
        for reference in children(node, SyntaxKind::INDEX_REF) {
            let parts = path(&reference);
            let holder = self.find_index_by(&parts);
            let Some((table, index)) = holder else {
                if self.drop_gap(&parts) || has(node, SyntaxKind::IF_EXISTS) {
                    continue;
                }
                return Err(no_index(node, &parts.join(".")));
            };
            let relation = self.table(&table);
            let of_constraint = relation
                .constraints
                .iter()
                .any(|other| other.name == index && other.kind.has_index());
            if of_constraint {
                return Err(Refused::new(
                    node,
                    format!("the constraint {index} needs this index, so PostgreSQL refuses this"),
                )
                .do_this("drop the constraint instead"));
            }
            let mut targets = vec![Object::Index(table.clone(), index.clone())];
            targets.extend(
                self.partition_indexes(&table, &index)
                    .into_iter()
                    .map(|(table, index)| Object::Index(table, index)),
            );
            self.drop_objects(node, &targets)?;
        }
        Ok(())
    }

    pub(super) fn drop_schemas(&mut self, node: &SyntaxNode) -> Result<()> {
        for schema in child_names(node, SyntaxKind::SCHEMA_REF) {
            if !self.schemas.contains(&schema) {
                if has(node, SyntaxKind::IF_EXISTS) {
                    continue;
                }
                return Err(Refused::new(node, format!("there is no schema {schema}"))
                    .do_this("look at the name and at the migrations before this one"));
            }
            let is_inside = |name: &&Name| name.schema == schema;
            let relations = self.catalog.relations.keys().filter(is_inside);
            let sequences = self.catalog.sequences.keys().filter(is_inside);
            let types = self.catalog.types.keys().filter(is_inside);
            let functions = self.functions.values().flatten();
            let functions = functions.filter(|form| is_inside(&&form.name));
            let inside: Vec<Object> =
                relations
                    .map(|name| Object::Relation(name.clone()))
                    .chain(sequences.map(|name| Object::Sequence(name.clone())))
                    .chain(types.map(|name| Object::Type(name.clone())))
                    .chain(functions.map(|form| {
                        Object::Routine(form.name.clone(), form.argument_types.clone())
                    }))
                    .collect();
            if !inside.is_empty() && !cascades(node) {
                return Err(Refused::new(
                    node,
                    format!("the schema {schema} is not empty, so PostgreSQL refuses this"),
                )
                .do_this("empty it first, or say CASCADE"));
            }
            let homes = self.extension_schemas.iter();
            let here: Vec<String> = homes
                .filter(|(_, home)| **home == schema)
                .map(|(extension, _)| extension.clone())
                .collect();
            if !here.is_empty() && !cascades(node) {
                let why =
                    format!("an extension is in the schema {schema}, so PostgreSQL refuses this");
                return Err(Refused::new(node, why).do_this("drop it first, or say CASCADE"));
            }
            for extension in here {
                self.drop_installed(node, &extension)?;
            }
            self.drop_objects(node, &inside)?;
            self.catalog.gaps.retain(|gap| gap.name.schema != schema);
            self.catalog.schemas.remove(&schema);
            self.catalog.schema_privileges.remove(&schema);
            self.schemas.remove(&schema);
        }
        Ok(())
    }

    /// DROP FUNCTION, which takes along what calls the function only under CASCADE.
    pub(super) fn drop_functions(&mut self, node: &SyntaxNode) -> Result<()> {
        let kinds = [
            SyntaxKind::AGGREGATE,
            SyntaxKind::FUNCTION_SIG,
            SyntaxKind::PROCEDURE_SIG,
            SyntaxKind::ROUTINE_SIG,
        ];
        for signature in kinds.into_iter().flat_map(|kind| below(node, kind)) {
            let parts = signature.children().next().map(|name| path(&name));
            let parts = parts.unwrap_or_default();
            self.drop_routine_gap(&parts);
            let Ok((key, place)) = self.find_form(&signature) else {
                continue;
            };
            let forms = self.functions.get(&key).map_or(&[][..], Vec::as_slice);
            let Some(form) = forms.get(place) else {
                continue;
            };
            if cascades(node) && forms.len() > 1 && self.is_called(&key) {
                return Err(Refused::new(
                    node,
                    format!("{key} has several forms, and it is not clear which is called"),
                ));
            }
            let routine = Object::Routine(form.name.clone(), form.argument_types.clone());
            if cascades(node) {
                self.drop_objects(node, &[routine])?;
            } else {
                self.take_out(&routine);
            }
        }
        Ok(())
    }

    pub(super) fn drop_extension(&mut self, node: &SyntaxNode) -> Result<()> {
        for extension in child_names(node, SyntaxKind::EXTENSION_REF) {
            if !self.catalog.extensions.contains(&extension) {
                if has(node, SyntaxKind::IF_EXISTS) {
                    continue;
                }
                return Err(Refused::new(
                    node,
                    format!("the extension {extension} is not installed"),
                ));
            }
            self.drop_installed(node, &extension)?;
        }
        Ok(())
    }

    fn drop_installed(&mut self, node: &SyntaxNode, extension: &str) -> Result<()> {
        let members = super::extension::members(extension);
        let types: Vec<_> = members
            .types
            .iter()
            .flat_map(|member| {
                let types = self.catalog.types.values();
                types.filter(move |found| {
                    found.name.name == *member && found.kind == crate::TypeKind::External
                })
            })
            .map(|found| Object::Type(found.name.clone()))
            .collect();
        let functions = members.functions.iter();
        let mut targets = types;
        targets.extend(functions.map(|function| Object::Function((*function).to_owned())));
        for relation in self.catalog.relations.values() {
            for index in &relation.indexes {
                let uses = index
                    .operator_classes()
                    .any(|class| members.operator_classes.contains(&class));
                if uses && !cascades(node) {
                    return Err(Refused::new(
                        node,
                        format!(
                            "the index {} needs it, so PostgreSQL refuses this",
                            index.name
                        ),
                    )
                    .do_this("drop the index first, or say CASCADE"));
                }
                if uses {
                    targets.push(Object::Index(relation.name.clone(), index.name.clone()));
                }
            }
        }
        if !members.is_known && cascades(node) {
            return Err(Refused::new(
                node,
                format!(
                    "what the extension {extension} holds is not known, so neither is what CASCADE drops"
                ),
            ));
        }
        self.drop_objects(node, &targets)?;
        self.catalog.extensions.remove(extension);
        if extension == "postgis" {
            let is_its = |gap: &crate::gap::Gap| {
                gap.kind == GapKind::Table && gap.name.name == "spatial_ref_sys"
            };
            self.catalog.gaps.retain(|gap| !is_its(gap));
        }
        self.extension_schemas.remove(extension);
        Ok(())
    }
}

pub(super) fn no_index(node: &SyntaxNode, index: &str) -> Refused {
    Refused::new(node, format!("there is no index {index}"))
        .do_this("look at the name and at the migrations before this one")
        .raises("undefined_object")
}
