//! Which tables may hold rows: those that anything a migration ran can have written to.
//!
//! Replay answers for a database that begins empty, as that of `bowline verify` does. A table that nothing wrote to
//! is certainly empty, and a loop over it runs no times.

use std::collections::BTreeSet;

use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::replay::plpgsql::harmless_text::{self, Target};
use crate::replay::tree::{children, has, identifier, name, path, tokens};
use crate::replay::{Replay, function};
use crate::{Name, RelationKind};

/// What may have been written to, by bare names.
#[derive(Debug, Default, Clone)]
pub(in crate::replay) struct Writes {
    tables: BTreeSet<String>,
    /// Something ran whose targets are not known.
    anywhere: bool,
    /// Functions that have been looked into.
    functions: BTreeSet<String>,
}

/// Whether a statement of this kind may put rows into a table, itself or by what it calls; DDL does not, but for
/// tables that are made of a query.
pub(in crate::replay) fn may_write(kind: SyntaxKind) -> bool {
    use SyntaxKind as K;
    matches!(
        kind,
        K::INSERT
            | K::UPDATE
            | K::DELETE
            | K::MERGE
            | K::COPY
            | K::SELECT
            | K::COMPOUND_SELECT
            | K::PAREN_SELECT
            | K::VALUES
            | K::CALL
            | K::EXPLAIN
            | K::EXECUTE
            | K::REFRESH
    )
}

impl Writes {
    pub(in crate::replay) fn add(&mut self, table: &str) {
        self.tables.insert(table.to_owned());
    }

    /// A table has another name now.
    pub(in crate::replay) fn rename(&mut self, from: &str, to: &str) {
        if self.tables.contains(from) {
            self.add(to);
        }
    }

    /// A function was made anew.
    pub(in crate::replay) fn forget_function(&mut self, function: &str) {
        self.functions.remove(function);
    }
}

impl Replay {
    /// Notes what running this may write to.
    pub(in crate::replay) fn note_writes(&mut self, node: &SyntaxNode) {
        use SyntaxKind as K;
        let mut is_data = false;
        for part in node.descendants() {
            match part.kind() {
                K::INSERT | K::MERGE | K::COPY => {
                    is_data = true;
                    let target = part
                        .children()
                        .find(|it| matches!(it.kind(), K::RELATION_NAME_REF | K::TABLE_NAME_REF));
                    match target {
                        Some(target) => self.writes.add(&name(&target)),
                        None => self.writes.anywhere = true,
                    }
                }
                K::UPDATE | K::DELETE => is_data = true,
                K::EXECUTE => self.writes.anywhere = true,
                K::ERROR => {
                    is_data = true;
                    let words: Vec<_> = tokens(&part).collect();
                    for pair in words.windows(3) {
                        if matches!(pair[0].kind(), K::INSERT_KW | K::MERGE_KW) {
                            // The last part of a dotted name; all are noted.
                            let rest = words.iter().skip_while(|it| **it != pair[2]);
                            let parts = rest.step_by(2).take(2);
                            parts.for_each(|it| self.writes.add(&identifier(it.text())));
                        }
                    }
                }
                K::PLPGSQL_DYN_EXECUTE_STMT => match harmless_text::target(&part) {
                    Target::Nothing => {}
                    Target::Table(table) => self.writes.add(&table),
                    Target::Anything => self.writes.anywhere = true,
                },
                K::PLPGSQL_FOR_DYN_STMT => self.writes.anywhere = true,
                _ => {}
            }
        }
        let mut called: Vec<String> = function::calls_in(node)
            .filter_map(|call| function::callee(&call).pop())
            .collect();
        let procedures = node
            .descendants()
            .filter(|part| part.kind() == K::PROCEDURE_NAME_REF);
        called.extend(procedures.map(|procedure| name(&procedure)));
        if is_data {
            // Any of the triggers may fire.
            let triggers = self.functions.iter().filter(|(_, forms)| {
                forms
                    .iter()
                    .any(|form| function::is_of_trigger(&form.definition))
            });
            called.extend(triggers.map(|(name, _)| name.clone()));
        }
        for called in called {
            let Some(forms) = self.functions.get(&called) else {
                continue;
            };
            if !self.writes.functions.insert(called) {
                continue;
            }
            for body in forms
                .clone()
                .iter()
                .flat_map(|form| function::bodies(&form.definition))
            {
                self.note_writes(&body);
            }
        }
    }

    /// Whether no migration can have put a row into this table.
    pub(super) fn is_certainly_empty(&self, table: &Name) -> bool {
        if self.writes.anywhere {
            return false;
        }
        let mut family = vec![table.clone()];
        let mut place = 0;
        while let Some(member) = family.get(place).cloned() {
            place += 1;
            let Some(relation) = self.catalog.relations.get(&member) else {
                return false;
            };
            let is_own = matches!(
                relation.kind,
                RelationKind::Table | RelationKind::PartitionedTable | RelationKind::Partition
            );
            if !is_own || self.writes.tables.contains(&member.name) {
                return false;
            }
            let heirs = self.catalog.relations.values();
            let heirs = heirs.filter(|heir| heir.parents.contains(&member));
            for other in heirs.map(|heir| &heir.name).chain(&relation.parents) {
                if !family.contains(other) {
                    family.push(other.clone());
                }
            }
        }
        true
    }

    /// The tables that this statement makes of a query, which may have rows.
    pub(in crate::replay) fn note_made_of_query(&mut self, node: &SyntaxNode) {
        use SyntaxKind as K;
        let into = children(node, K::INTO_CLAUSE).next();
        let named = into.as_ref().unwrap_or(node);
        if has(named, K::TABLE_NAME)
            && let Some(table) = children(named, K::TABLE_NAME).next()
            && let Some(table) = path(&table).pop()
        {
            self.writes.add(&table);
        }
    }
}
