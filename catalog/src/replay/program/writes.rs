//! The tables that a statement may write to, itself or by the functions that it calls.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::replay::program::Program;
use crate::replay::program::harmless_text::{self, Target};
use crate::replay::state::functions::Function;
use crate::replay::syntax::routine;
use crate::replay::syntax::tree::{children, has, identifier, name, path, tokens};

/// Returns true if a statement of this kind may insert rows into a table, itself or by the
/// functions that it calls. DDL does not, except to create a table from a query.
pub(crate) fn may_write(kind: SyntaxKind) -> bool {
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

impl Program {
    /// Records the tables that running a node may write to.
    pub(crate) fn note_writes(&mut self, node: &SyntaxNode) {
        use SyntaxKind as K;
        let mut is_data = false;
        for part in node.descendants() {
            match part.kind() {
                K::INSERT | K::MERGE | K::COPY => {
                    is_data = true;
                    let target = part.children().find(|child| {
                        matches!(child.kind(), K::RELATION_NAME_REF | K::TABLE_NAME_REF)
                    });
                    match target {
                        Some(target) => self.state.note_write(&name(&target)),
                        None => self.state.note_write_anywhere(),
                    }
                }
                K::UPDATE | K::DELETE => is_data = true,
                K::EXECUTE => self.state.note_write_anywhere(),
                K::ERROR => {
                    is_data = true;
                    let words: Vec<_> = tokens(&part).collect();
                    for pair in words.windows(3) {
                        if matches!(pair[0].kind(), K::INSERT_KW | K::MERGE_KW) {
                            // The table may be the last part of a dotted name, so all parts are
                            // recorded.
                            let rest = words.iter().skip_while(|token| **token != pair[2]);
                            let parts = rest.step_by(2).take(2);
                            parts
                                .for_each(|token| self.state.note_write(&identifier(token.text())));
                        }
                    }
                }
                K::PLPGSQL_DYN_EXECUTE_STMT => match harmless_text::target(&part) {
                    Target::Nothing => {}
                    Target::Table(table) => self.state.note_write(&table),
                    Target::Anything => self.state.note_write_anywhere(),
                },
                K::PLPGSQL_FOR_DYN_STMT => self.state.note_write_anywhere(),
                _ => {}
            }
        }
        let mut called: Vec<String> = routine::calls_in(node)
            .filter_map(|call| routine::callee(&call).pop())
            .collect();
        let procedures = node
            .descendants()
            .filter(|part| part.kind() == K::PROCEDURE_NAME_REF);
        called.extend(procedures.map(|procedure| name(&procedure)));
        if is_data {
            // Any of the triggers may run.
            let functions = self.state.functions().iter();
            let triggers = functions.filter(|(_, overloads)| {
                let mut overloads = overloads.iter();
                overloads.any(|function| function.is_of_trigger)
            });
            called.extend(triggers.map(|(name, _)| name.clone()));
        }
        for called in called {
            if self.state.overloads(&called).is_empty() || self.state.is_examined(&called) {
                continue;
            }
            let overloads = self.state.overloads(&called).iter();
            let bodies: Vec<SyntaxNode> = overloads.flat_map(Function::bodies).cloned().collect();
            if bodies.is_empty() {
                continue;
            }
            self.state.note_examined(called);
            for body in bodies {
                self.note_writes(&body);
            }
        }
    }

    /// Records the tables that this statement creates from a query, which may have rows.
    pub(crate) fn note_created_from_query(&mut self, node: &SyntaxNode) {
        use SyntaxKind as K;
        let into = children(node, K::INTO_CLAUSE).next();
        let named = into.as_ref().unwrap_or(node);
        if has(named, K::TABLE_NAME)
            && let Some(table) = children(named, K::TABLE_NAME).next()
            && let Some(table) = path(&table).pop()
        {
            self.state.note_write(&table);
        }
    }
}
