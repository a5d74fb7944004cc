//! Code that is not replayed: whether running it could change the schema, or triggers, policies and
//! the like.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::gap::GapKind;
use crate::replay::ddl::guard::{self, gap_kind};
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
    pub(crate) fn shapes(&self, definition: &SyntaxNode) -> bool {
        if let Some(body) = plpgsql(definition) {
            return self.block_shapes(&body);
        }
        let is_sql = language(definition).is_none_or(|language| language == "sql");
        !is_sql
            || sql_statements(definition)
                .iter()
                .any(|statement| self.statement_shapes(statement))
    }

    pub(crate) fn statement_shapes(&self, statement: &SyntaxNode) -> bool {
        let shapes = |kind| {
            !harmless::is_harmless(kind)
                && !guard::is_guard(kind)
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
        shapes(statement.kind()) || setting::is_changed_in(statement) || self.calls_shape(statement)
    }

    /// Returns true if a function that is called within this node could change the schema.
    pub(crate) fn calls_shape(&self, node: &SyntaxNode) -> bool {
        calls_in(node).any(|call| {
            let parts = callee(&call);
            let function = parts.last().cloned().unwrap_or_default();
            match self.state.functions().get(&function) {
                // A recursive function is examined once.
                Some(_) if self.calls.contains(&function) => false,
                Some(forms) => forms.iter().any(|form| self.shapes(&form.definition)),
                None => !is_of_extension(&parts) && !is_known(&function),
            }
        })
    }

    /// Returns true if a node contains a statement about triggers, policies or the like.
    pub(crate) fn guards(&self, node: &SyntaxNode) -> bool {
        !self.guard_kinds(node, &mut Vec::new()).is_empty()
    }

    fn guard_kinds(&self, node: &SyntaxNode, seen: &mut Vec<String>) -> Vec<GapKind> {
        use SyntaxKind as K;
        let mut kinds = Vec::new();
        for inner in node.descendants() {
            match inner.kind() {
                K::PLPGSQL_DYN_EXECUTE_STMT => {
                    kinds.extend(harmless_text::guard(&inner));
                }
                K::CALL_EXPR | K::CALL => {
                    let named = match inner.kind() {
                        K::CALL => child_name(&inner, K::PROCEDURE_NAME_REF),
                        _ => callee(&inner).pop(),
                    };
                    let Some(function) = named.filter(|function| !seen.contains(function)) else {
                        continue;
                    };
                    let forms = self.state.functions().get(&function).into_iter().flatten();
                    for form in forms {
                        seen.push(function.clone());
                        for body in routine::bodies(&form.definition) {
                            kinds.extend(self.guard_kinds(&body, seen));
                        }
                    }
                }
                kind => kinds.extend(gap_kind(kind)),
            }
        }
        kinds
    }

    /// Records that triggers, policies and the like are not fully known after this code.
    pub(crate) fn note_guard_gaps(&mut self, node: &SyntaxNode) {
        for kind in self.guard_kinds(node, &mut Vec::new()) {
            let why = "whether or with what this runs is known only when it runs";
            self.state.note_gap(kind, any(), None, why);
        }
    }

    /// Returns true if code within this node could change the catalog.
    pub(crate) fn block_shapes(&self, node: &SyntaxNode) -> bool {
        use SyntaxKind as K;
        node.descendants().any(|inner| match inner.kind() {
            K::PLPGSQL_DYN_EXECUTE_STMT => !harmless_text::is_harmless(&inner),
            K::PLPGSQL_FOR_DYN_STMT | K::PLPGSQL_DO_STMT => true,
            K::PLPGSQL_EXEC_SQL_STMT => inner
                .children()
                .any(|statement| self.statement_shapes(&statement)),
            K::PLPGSQL_CALL_STMT => true,
            K::ERROR => !is_select_into(&inner),
            _ => false,
        }) || setting::is_changed_in(node)
            || self.calls_shape(node)
            || self.reaches_something(node)
    }
}
