//! The parts of CREATE FUNCTION, and the calls in a statement.

use squawk_syntax::ast::{self, AstNode as _};
use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::replay::syntax::tree::{self, child, child_name, children, name};

/// The value of an option in the brackets of CREATE AGGREGATE.
pub(crate) fn attribute(node: &SyntaxNode, option: &str) -> Option<SyntaxNode> {
    use SyntaxKind as K;
    let list = child(node, K::ATTRIBUTE_LIST)?;
    let found = children(&list, K::ATTRIBUTE_OPTION)
        .find(|own| child_name(own, K::ATTRIBUTE_NAME).as_deref() == Some(option))?;
    child(&found, K::ATTRIBUTE_VALUE)
}

pub(crate) fn has_token(node: &SyntaxNode, kind: SyntaxKind) -> bool {
    tree::tokens(node).any(|token| token.kind() == kind)
}

/// The language that a definition names.
pub(crate) fn language(definition: &SyntaxNode) -> Option<String> {
    definition
        .descendants()
        .find(|child| child.kind() == SyntaxKind::LANGUAGE_REF)
        .map(|language| name(&language).to_ascii_lowercase())
}

/// The body of a function in PL/pgSQL.
pub(crate) fn plpgsql(definition: &SyntaxNode) -> Option<SyntaxNode> {
    let body = ast::CreateFunction::cast(definition.clone())
        .and_then(|function| function.plpgsql())
        .or_else(|| {
            ast::CreateProcedure::cast(definition.clone()).and_then(|procedure| procedure.plpgsql())
        });
    body.map(|body| body.syntax())
}

/// Whether a function is one that a trigger runs.
pub(crate) fn is_of_trigger(definition: &SyntaxNode) -> bool {
    child(definition, SyntaxKind::RET_TYPE).is_some_and(|returns| {
        tree::tokens(&returns).any(|token| token.text().eq_ignore_ascii_case("trigger"))
    })
}

/// What runs when a function is called; of other languages nothing is known, and nothing given.
pub(crate) fn bodies(definition: &SyntaxNode) -> Vec<SyntaxNode> {
    match plpgsql(definition) {
        Some(body) => vec![body],
        None => sql_statements(definition),
    }
}

/// The statements of a function in SQL.
pub(crate) fn sql_statements(definition: &SyntaxNode) -> Vec<SyntaxNode> {
    if let Some(atomic) = child(definition, SyntaxKind::ATOMIC_BODY) {
        return atomic.children().collect();
    }
    let body = ast::CreateFunction::cast(definition.clone())
        .and_then(|function| function.sql_body())
        .or_else(|| {
            ast::CreateProcedure::cast(definition.clone())
                .and_then(|procedure| procedure.sql_body())
        });
    body.map(|body| body.syntax().children().collect())
        .unwrap_or_default()
}

/// Calls of functions by name; what has a syntax of its own, like EXISTS, is no call.
pub(crate) fn calls_in(node: &SyntaxNode) -> impl Iterator<Item = SyntaxNode> {
    node.descendants()
        .filter(|node| node.kind() == SyntaxKind::CALL_EXPR)
        .filter(|call| {
            call.children().next().is_some_and(|callee| {
                matches!(callee.kind(), SyntaxKind::NAME_REF | SyntaxKind::FIELD_EXPR)
            })
        })
}

/// The name of what is called, in its parts.
pub(crate) fn callee(call: &SyntaxNode) -> Vec<String> {
    call.children()
        .next()
        .map(|callee| tree::path(&callee))
        .unwrap_or_default()
}

pub(crate) fn is_signature(kind: SyntaxKind) -> bool {
    matches!(
        kind,
        SyntaxKind::AGGREGATE
            | SyntaxKind::FUNCTION_SIG
            | SyntaxKind::PROCEDURE_SIG
            | SyntaxKind::ROUTINE_SIG
    )
}
