//! Code that is not replayed: whether running it could change the schema, or triggers, policies and
//! the like.

use std::collections::BTreeSet;

use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::gap::GapKind;
use crate::replay::ddl::attached::{self, gap_kind};
use crate::replay::ddl::harmless;
use crate::replay::program::block::is_select_into;
use crate::replay::program::call::{is_known, is_of_extension};
use crate::replay::program::{Program, harmless_text, plain_code};
use crate::replay::state::functions::{Called, Effect, Function};
use crate::replay::state::gaps::any;
use crate::replay::syntax::routine::{Source, callee, calls_in};
use crate::replay::syntax::setting;
use crate::replay::syntax::tree::child_name;

impl Program {
    /// Returns true if running the function could change the catalog.
    pub(crate) fn may_change_catalog(&self, function: &Function) -> bool {
        let effect = effect_of(function);
        effect.changes
            || effect
                .calls
                .iter()
                .any(|called| self.call_may_change(called))
            || self.body_may_run_hidden_code(function)
    }

    /// Returns the names of the functions that may change the catalog or a setting, by the
    /// statements that they and the functions that they call contain.
    pub(super) fn find_changing(&self) -> BTreeSet<String> {
        let mut changing = BTreeSet::new();
        loop {
            let functions = self.state.functions().iter();
            let more = functions.filter(|(name, overloads)| {
                let may_change = |function: &Function| {
                    let effect = effect_of(function);
                    let mut calls = effect.calls.iter();
                    effect.changes || calls.any(|called| self.is_among(&changing, called))
                };
                !changing.contains(*name) && overloads.iter().any(may_change)
            });
            let more: Vec<String> = more.map(|(name, _)| name.clone()).collect();
            if more.is_empty() {
                return changing;
            }
            changing.extend(more);
        }
    }

    /// Returns true if a called function is one of these, or not known.
    fn is_among(&self, changing: &BTreeSet<String>, called: &Called) -> bool {
        if self.state.overloads(&called.name).is_empty() {
            !called.is_known
        } else {
            changing.contains(&called.name)
        }
    }

    /// Returns true if a called function could change the schema. A function that is being followed
    /// is not examined again.
    fn call_may_change(&self, called: &Called) -> bool {
        if self.state.overloads(&called.name).is_empty() {
            return !called.is_known;
        }
        !self.calls.contains(&called.name)
            && (self.changing().contains(&called.name) || self.calls_reach(&called.name))
    }

    /// Returns true if hidden code that a function runs, itself or by the functions that it calls,
    /// may change the catalog.
    fn calls_reach(&self, function: &str) -> bool {
        if self.changing().is_empty() {
            return false;
        }
        let mut seen = BTreeSet::new();
        let mut open = vec![function];
        while let Some(function) = open.pop() {
            if !seen.insert(function) {
                continue;
            }
            for overload in self.state.overloads(function) {
                if self.body_may_run_hidden_code(overload) {
                    return true;
                }
                let calls = effect_of(overload).calls.iter();
                open.extend(calls.map(|called| called.name.as_str()));
            }
        }
        false
    }

    /// Returns true if the statements in a function's own PL/pgSQL may run hidden code that changes
    /// the catalog.
    fn body_may_run_hidden_code(&self, function: &Function) -> bool {
        match function.source() {
            Source::Plpgsql(body) => self.hidden_code_may_change(body),
            Source::Sql(_) | Source::Other => false,
        }
    }

    /// Returns true if a function that is called within this node could change the schema.
    pub(crate) fn calls_may_change(&self, node: &SyntaxNode) -> bool {
        calls_in(node).any(|call| self.call_may_change(&called(&call)))
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
                    for overload in self.state.overloads(&function) {
                        seen.push(function.clone());
                        for body in overload.bodies() {
                            kinds.extend(self.attached_kinds(body, seen));
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
            let why = "whether this runs, and with which values, is known only at run time";
            self.state.note_gap(kind, any(), None, why);
        }
    }

    /// Returns true if code within this node could change the catalog.
    pub(crate) fn block_may_change(&self, node: &SyntaxNode) -> bool {
        block_may_change_itself(node)
            || self.calls_may_change(node)
            || self.hidden_code_may_change(node)
    }
}

/// Returns the function that a call names.
fn called(call: &SyntaxNode) -> Called {
    let mut parts = callee(call);
    let is_of_extension = is_of_extension(&parts);
    let name = parts.pop().unwrap_or_default();
    Called {
        is_known: is_of_extension || is_known(&name),
        name,
    }
}

/// Returns the effect of a function's code.
fn effect_of(function: &Function) -> &Effect {
    function.effect(|| {
        if let Some(effect) = plain_code::effect(&function.definition) {
            return effect;
        }
        let source = function.source();
        let calls = source.bodies().iter().flat_map(calls_in);
        Effect {
            changes: match source {
                Source::Plpgsql(body) => block_may_change_itself(body),
                Source::Sql(statements) => statements.iter().any(may_change_itself),
                Source::Other => true,
            },
            calls: calls.map(|call| called(&call)).collect(),
        }
    })
}

/// Returns true if a statement could change the catalog or a setting, apart from the functions that
/// it calls.
fn may_change_itself(statement: &SyntaxNode) -> bool {
    let may_change = |kind| {
        !harmless::is_harmless(kind)
            && !attached::is_attached(kind)
            && !matches!(
                kind,
                SyntaxKind::SELECT
                    | SyntaxKind::COMPOUND_SELECT
                    | SyntaxKind::VALUES
                    | SyntaxKind::PAREN_SELECT
                    | SyntaxKind::RETURN_STMT
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
    may_change(statement.kind()) || setting::is_changed_in(statement)
}

/// Returns true if PL/pgSQL could change the catalog or a setting, apart from the functions that it
/// calls and the code that its data reaches.
fn block_may_change_itself(node: &SyntaxNode) -> bool {
    use SyntaxKind as K;
    node.descendants().any(|inner| match inner.kind() {
        K::PLPGSQL_DYN_EXECUTE_STMT => !harmless_text::is_harmless(&inner),
        K::PLPGSQL_FOR_DYN_STMT | K::PLPGSQL_DO_STMT => true,
        K::PLPGSQL_EXEC_SQL_STMT => inner
            .children()
            .any(|statement| may_change_itself(&statement)),
        K::PLPGSQL_CALL_STMT => true,
        K::ERROR => !is_select_into(&inner),
        _ => false,
    }) || setting::is_changed_in(node)
}
