//! Gaps: objects of which only the name is known, and that the generated code does not need.
//!
//! A gap is a view whose columns are not inferred, or an object of a statement that its author
//! marked as ignored. Later statements that alter it, comment on it or drop it are valid, and do
//! not change the catalog. A statement that needs more than the name is refused.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::Name;
use crate::gap::{Gap, GapKind};
use crate::replay::refusal::{Refused, Result};
use crate::replay::state::State;
use crate::replay::syntax::routine;
use crate::replay::syntax::tree::{below, child, children, name, path};

impl State {
    /// Removes the gap of a function that is now known.
    pub(crate) fn remove_routine_gap(&mut self, name: &Name) {
        let gaps = &mut self.catalog.gaps;
        gaps.retain(|gap| gap.kind != GapKind::Routine || gap.name != *name);
    }

    /// Removes the gaps of dropped objects.
    pub(crate) fn drop_gaps(&mut self, is_dropped: impl Fn(&Gap) -> bool) {
        self.catalog.gaps.retain(|gap| !is_dropped(gap));
    }

    pub(crate) fn note_attached_gap(&mut self, node: &SyntaxNode, kind: GapKind, why: String) {
        use SyntaxKind as K;
        if kind == GapKind::Routine {
            let signature = node
                .children()
                .find(|part| routine::is_signature(part.kind()));
            let parts = signature.and_then(|signature| signature.children().next());
            let parts = parts.map(|named| path(&named)).unwrap_or_default();
            let name = self.candidates(&parts).into_iter().find(|name| {
                self.functions.get(&name.name).is_some_and(|overloads| {
                    overloads.iter().any(|function| function.name == *name)
                })
            });
            // A function that no migration created belongs to an extension, and is not part of the
            // catalog.
            if let Some(name) = name {
                self.note_gap(kind, name, None, why);
            }
            return;
        }
        if kind == GapKind::Privileges {
            self.note_gap(kind, any(), None, why);
            return;
        }
        let table = below(node, K::RELATION_NAME_REF)
            .chain(below(node, K::TABLE_NAME_REF))
            .next()
            .map(|table| path(&table))
            .unwrap_or_default();
        let named = node.children().find(|part| {
            matches!(
                part.kind(),
                K::TRIGGER | K::TRIGGER_REF | K::POLICY | K::POLICY_REF | K::RULE | K::RULE_REF
            )
        });
        // A table that is not known is not compared.
        if let Some(table) = self.find_relation(&table) {
            self.note_gap(kind, table, named.map(|named| name(&named)), why);
        }
    }

    pub(crate) fn forget_part(&mut self, table: &Name, part: &str) {
        self.catalog
            .gaps
            .retain(|gap| gap.name != *table || gap.part.as_deref() != Some(part));
    }

    pub(crate) fn has_part_gap(&self, table: &Name, part: &str) -> bool {
        self.catalog.gaps.iter().any(|gap| {
            gap.part.as_deref().is_none_or(|name| name == part)
                && (gap.name == *table || gap.name.name.is_empty())
                && matches!(
                    gap.kind,
                    GapKind::Triggers | GapKind::Policies | GapKind::Rules
                )
        })
    }

    /// Adds a gap for an object that replay does not know.
    pub(crate) fn note_gap(
        &mut self,
        kind: GapKind,
        name: Name,
        part: Option<String>,
        why: impl Into<String>,
    ) {
        let gap = Gap {
            kind,
            name,
            part,
            file: self.here.file.clone(),
            line: self.here.line,
            why: why.into(),
        };
        self.catalog.gaps.retain(|other| {
            (other.kind, &other.name, &other.part) != (gap.kind, &gap.name, &gap.part)
        });
        self.catalog.gaps.push(gap);
    }

    /// Returns the gap that a reference names.
    pub(crate) fn find_gap(&self, parts: &[String]) -> Option<&Gap> {
        let mut names = self.candidates(parts).into_iter();
        names.find_map(|name| self.catalog.gap_at(&name))
    }

    /// Removes the gap that a reference names, as DROP does. Returns true if there was one.
    pub(crate) fn drop_gap(&mut self, parts: &[String]) -> bool {
        let Some(name) = self.find_gap(parts).map(|gap| gap.name.clone()) else {
            return false;
        };
        self.forget_gaps(&name);
        true
    }

    /// Removes the gaps of a function, as DROP FUNCTION does.
    pub(crate) fn drop_routine_gap(&mut self, parts: &[String]) {
        let names = self.candidates(parts);
        self.catalog
            .gaps
            .retain(|gap| gap.kind != GapKind::Routine || !names.contains(&gap.name));
    }

    /// Removes the gaps of this name, because the object is now known or was dropped.
    pub(crate) fn forget_gaps(&mut self, name: &Name) {
        self.catalog
            .gaps
            .retain(|gap| gap.name != *name || gap.kind == GapKind::Routine);
    }

    /// Renames the gaps of an object that was renamed.
    pub(crate) fn move_gaps(&mut self, from: &Name, to: &Name) {
        let moved = |gap: &&mut Gap| gap.name == *from && gap.kind != GapKind::Routine;
        for gap in self.catalog.gaps.iter_mut().filter(moved) {
            gap.name.clone_from(to);
        }
    }

    /// Accepts a refused statement if its object is a gap, and follows a rename of the gap.
    pub(crate) fn accept_if_gap(&mut self, node: &SyntaxNode, refused: Refused) -> Result<()> {
        use SyntaxKind as K;
        let Some(parts) = subject(node) else {
            return Err(self.explained(node, refused));
        };
        let Some(gap) = self.find_gap(&parts).cloned() else {
            return Err(self.explained(node, refused));
        };
        let renamed = node.descendants().find(|part| {
            matches!(
                part.kind(),
                K::TABLE_RENAME_TO
                    | K::VIEW_RENAME_TO
                    | K::SEQUENCE_RENAME_TO
                    | K::INDEX_RENAME_TO
                    | K::TYPE_RENAME_TO
                    | K::DOMAIN_RENAME_TO
                    | K::SET_SCHEMA
            )
        });
        if node.kind() == K::CREATE_INDEX {
            let index = child(node, K::INDEX).map(|index| name(&index));
            if let Some(index) = index.filter(|index| !index.is_empty()) {
                let schema = gap.name.schema.clone();
                let name = Name {
                    schema,
                    name: index,
                };
                self.note_gap(GapKind::Ignored, name, None, gap.why);
            }
        } else if let Some(renamed) = renamed {
            let to = renamed.children().next().map(|to| name(&to));
            let to = to.unwrap_or_default();
            for other in self.catalog.gaps.iter_mut() {
                if other.name == gap.name {
                    match renamed.kind() {
                        K::SET_SCHEMA => other.name.schema.clone_from(&to),
                        _ => other.name.name.clone_from(&to),
                    }
                }
            }
        }
        Ok(())
    }

    /// Returns the refusal, with the gap that its statement needs, if any.
    fn explained(&self, node: &SyntaxNode, mut refused: Refused) -> Refused {
        if let Some(gap) = self.gap_in(node) {
            refused.why = format!("{}: this needs the {gap}", refused.why);
            refused.is_error = false;
            refused.raises = None;
        }
        refused
    }

    /// Returns a gap that a statement or query names anywhere.
    pub(crate) fn gap_in(&self, node: &SyntaxNode) -> Option<&Gap> {
        use SyntaxKind as K;
        if self.catalog.gaps.is_empty() {
            return None;
        }
        let mut names = node.descendants().filter(|part| {
            matches!(
                part.kind(),
                K::RELATION_NAME_REF
                    | K::RELATION_NAME
                    | K::TABLE_NAME_REF
                    | K::VIEW_REF
                    | K::TABLE_RELATION_NAME
                    | K::PATH_TYPE
            )
        });
        names.find_map(|part| self.find_gap(&path(&part)))
    }

    /// Adds gaps for the objects that an ignored statement creates.
    pub(crate) fn note_ignored(&mut self, node: &SyntaxNode) {
        use SyntaxKind as K;
        let made = match node.kind() {
            K::CREATE_TABLE | K::CREATE_FOREIGN_TABLE | K::CREATE_TABLE_AS => K::TABLE_NAME,
            K::CREATE_VIEW | K::CREATE_MATERIALIZED_VIEW => K::VIEW,
            K::CREATE_INDEX => K::INDEX,
            K::CREATE_SEQUENCE => K::SEQUENCE,
            K::CREATE_TYPE => K::TYPE_NAME,
            K::CREATE_DOMAIN => K::DOMAIN,
            _ => return,
        };
        let Some(given) = child(node, made) else {
            return;
        };
        let Ok(mut name) = self.new_name(node, &given) else {
            return;
        };
        if made == K::INDEX
            && let Some(table) = child(node, K::RELATION_NAME)
                .or_else(|| child(node, K::RELATION_NAME_REF))
                .and_then(|table| self.find_relation(&path(&table)))
        {
            name.schema = table.schema;
        }
        let catalog = &self.catalog;
        let is_known = catalog.relations.contains_key(&name)
            || catalog.sequences.contains_key(&name)
            || catalog.types.contains_key(&name)
            || self.has_relation(&name.schema, &name.name);
        if !is_known && !name.name.is_empty() {
            self.note_gap(GapKind::Ignored, name, None, "ignored by its author");
        }
    }

    /// Removes the gaps of the objects that a statement created, which are now known.
    pub(crate) fn close_gaps(&mut self, node: &SyntaxNode) {
        use SyntaxKind as K;
        if self.catalog.gaps.is_empty() {
            return;
        }
        let kinds = [K::TABLE_NAME, K::VIEW, K::SEQUENCE, K::TYPE_NAME, K::DOMAIN];
        let made: Vec<Vec<String>> = kinds
            .into_iter()
            .flat_map(|kind| children(node, kind))
            .map(|made| path(&made))
            .collect();
        for parts in made {
            let known = self.candidates(&parts).into_iter().find(|name| {
                let catalog = &self.catalog;
                catalog.relations.contains_key(name)
                    || catalog.sequences.contains_key(name)
                    || catalog.types.contains_key(name)
            });
            if let Some(known) = known {
                let is_hidden = |gap: &Gap| gap.hides(&known);
                self.catalog.gaps.retain(|gap| !is_hidden(gap));
            }
        }
    }
}

/// Returns an empty name, which stands for every name.
pub(crate) fn any() -> Name {
    Name {
        schema: String::new(),
        name: String::new(),
    }
}

/// Returns the last two components of a migration file's path, which are the same on every machine.
pub(crate) fn shown(path: &std::path::Path) -> String {
    let mut parts: Vec<_> = path.iter().rev().take(2).collect();
    parts.reverse();
    let parts: Vec<_> = parts.iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}

/// Returns the name of the object that a statement alters or comments on, or to which it adds a
/// part.
fn subject(node: &SyntaxNode) -> Option<Vec<String>> {
    use SyntaxKind as K;
    let reference = |kinds: &[SyntaxKind]| {
        let mut below = node.descendants();
        below.find(|part| kinds.contains(&part.kind()))
    };
    match node.kind() {
        K::ALTER_TABLE
        | K::ALTER_FOREIGN_TABLE
        | K::ALTER_VIEW
        | K::ALTER_MATERIALIZED_VIEW
        | K::ALTER_SEQUENCE
        | K::ALTER_INDEX
        | K::ALTER_TYPE
        | K::ALTER_DOMAIN
        | K::CREATE_INDEX
        | K::CREATE_TRIGGER
        | K::ALTER_TRIGGER
        | K::DROP_TRIGGER
        | K::CREATE_POLICY
        | K::ALTER_POLICY
        | K::DROP_POLICY
        | K::CREATE_RULE
        | K::ALTER_RULE
        | K::DROP_RULE => {
            let found = reference(&[
                K::TABLE_RELATION_NAME,
                K::TABLE_NAME_REF,
                K::VIEW_REF,
                K::RELATION_NAME,
                K::RELATION_NAME_REF,
                K::SEQUENCE_REF,
                K::INDEX_REF,
                K::TYPE_NAME_REF,
                K::DOMAIN_REF,
            ])?;
            Some(path(&found))
        }
        K::COMMENT_ON => {
            let object = node.children().find(|child| child.kind() != K::LITERAL)?;
            let mut parts = match object.kind() {
                K::OBJECT_CONSTRAINT | K::OBJECT_TRIGGER | K::OBJECT_POLICY | K::OBJECT_RULE => {
                    path(&object.children().last()?)
                }
                _ => path(&object),
            };
            if object.kind() == K::OBJECT_COLUMN {
                parts.pop();
            }
            Some(parts)
        }
        _ => None,
    }
}
