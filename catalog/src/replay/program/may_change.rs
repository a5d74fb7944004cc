//! Code that is not replayed: whether running it could change the schema, or triggers, policies and
//! the like.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::gap::GapKind;
use crate::replay::ddl::attached::{self, gap_kind};
use crate::replay::ddl::harmless;
use crate::replay::program::block::is_select_into;
use crate::replay::program::call::{is_known, is_of_extension};
use crate::replay::program::{Program, harmless_text};
use crate::replay::state::gaps::any;
use crate::replay::syntax::routine::{self, callee, calls_in, language, plpgsql, sql_statements};
use crate::replay::syntax::setting;
use crate::replay::syntax::tree::child_name;

impl Program {
    /// Returns true if running the body could change the catalog.
    pub(crate) fn may_change_catalog(&self, definition: &SyntaxNode) -> bool {
        if let Some(body) = plpgsql(definition) {
            return self.block_may_change(&body);
        }
        let is_sql = language(definition).is_none_or(|language| language == "sql");
        !is_sql
            || sql_statements(definition)
                .iter()
                .any(|statement| self.statement_may_change(statement))
    }

    pub(crate) fn statement_may_change(&self, statement: &SyntaxNode) -> bool {
        let may_change = |kind| {
            !harmless::is_harmless(kind)
                && !attached::is_attached(kind)
                && !matches!(
                    kind,
                    SyntaxKind::SELECT
                        | SyntaxKind::COMPOUND_SELECT
                        | SyntaxKind::VALUES
                        | SyntaxKind::PAREN_SELECT
                        | SyntaxKind::SET
                        | SyntaxKind::RESET
                        | SyntaxKind::SET_ROLE
                        | SyntaxKind::RESET_ROLE
                        | SyntaxKind::SET_SESSION_AUTH
                        | SyntaxKind::RESET_SESSION_AUTH
                        | SyntaxKind::DISCARD
                        | SyntaxKind::COMMENT_ON
                        | SyntaxKind::CREATE_AGGREGATE
                        | SyntaxKind::DROP_AGGREGATE
                )
        };
        may_change(statement.kind())
            || setting::is_changed_in(statement)
            || self.calls_may_change(statement)
    }

    /// Returns true if a function that is called within this node could change the schema.
    pub(crate) fn calls_may_change(&self, node: &SyntaxNode) -> bool {
        calls_in(node).any(|call| {
            let parts = callee(&call);
            let function = parts.last().cloned().unwrap_or_default();
            match self.state.functions().get(&function) {
                // A recursive function is examined once.
                Some(_) if self.calls.contains(&function) => false,
                Some(overloads) => overloads
                    .iter()
                    .any(|function| self.may_change_catalog(&function.definition)),
                None => !is_of_extension(&parts) && !is_known(&function),
            }
        })
    }

    /// Returns true if a node contains a statement about triggers, policies or the like.
    pub(crate) fn changes_attached(&self, node: &SyntaxNode) -> bool {
        !self.attached_kinds(node, &mut Vec::new()).is_empty()
    }

    fn attached_kinds(&self, node: &SyntaxNode, seen: &mut Vec<String>) -> Vec<GapKind> {
        use SyntaxKind as K;
        let mut kinds = Vec::new();
        for inner in node.descendants() {
            match inner.kind() {
                K::PLPGSQL_DYN_EXECUTE_STMT => {
                    kinds.extend(harmless_text::attached_kind(&inner));
                }
                K::CALL_EXPR | K::CALL => {
                    let named = match inner.kind() {
                        K::CALL => child_name(&inner, K::PROCEDURE_NAME_REF),
                        _ => callee(&inner).pop(),
                    };
                    let Some(function) = named.filter(|function| !seen.contains(function)) else {
                        continue;
                    };
                    let overloads = self.state.functions().get(&function).into_iter().flatten();
                    for overload in overloads {
                        seen.push(function.clone());
                        for body in routine::bodies(&overload.definition) {
                            kinds.extend(self.attached_kinds(&body, seen));
                        }
                    }
                }
                kind => kinds.extend(gap_kind(kind)),
            }
        }
        kinds
    }

    /// Records that triggers, policies and the like are not fully known after this code.
    pub(crate) fn note_attached_gaps(&mut self, node: &SyntaxNode) {
        for kind in self.attached_kinds(node, &mut Vec::new()) {
            let why = "whether or with what this runs is known only when it runs";
            self.state.note_gap(kind, any(), None, why);
        }
    }

    /// Returns true if code within this node could change the catalog.
    pub(crate) fn block_may_change(&self, node: &SyntaxNode) -> bool {
        use SyntaxKind as K;
        node.descendants().any(|inner| match inner.kind() {
            K::PLPGSQL_DYN_EXECUTE_STMT => !harmless_text::is_harmless(&inner),
            K::PLPGSQL_FOR_DYN_STMT | K::PLPGSQL_DO_STMT => true,
            K::PLPGSQL_EXEC_SQL_STMT => inner
                .children()
                .any(|statement| self.statement_may_change(&statement)),
            K::PLPGSQL_CALL_STMT => true,
            K::ERROR => !is_select_into(&inner),
            _ => false,
        }) || setting::is_changed_in(node)
            || self.calls_may_change(node)
            || self.reaches_something(node)
    }
}
