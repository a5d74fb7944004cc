//! The parts of CREATE FUNCTION, and the calls in a statement.

use squawk_syntax::ast::{self, AstNode as _};
use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::replay::syntax::green;
use crate::replay::syntax::tree::{self, child, child_name, children, name};

/// Returns the value of an option in the parentheses of CREATE AGGREGATE.
pub(crate) fn attribute(node: &SyntaxNode, option: &str) -> Option<SyntaxNode> {
    use SyntaxKind as K;
    let list = child(node, K::ATTRIBUTE_LIST)?;
    let found = children(&list, K::ATTRIBUTE_OPTION)
        .find(|child| child_name(child, K::ATTRIBUTE_NAME).as_deref() == Some(option))?;
    child(&found, K::ATTRIBUTE_VALUE)
}

pub(crate) fn has_token(node: &SyntaxNode, kind: SyntaxKind) -> bool {
    green::has_below(&node.green(), kind)
}

/// Returns the language that a definition names.
fn language(definition: &SyntaxNode) -> Option<String> {
    definition
        .descendants()
        .find(|child| child.kind() == SyntaxKind::LANGUAGE_REF)
        .map(|language| name(&language).to_ascii_lowercase())
}

/// The code of a function.
#[derive(Debug)]
pub(crate) enum Source {
    Plpgsql(SyntaxNode),
    Sql(Vec<SyntaxNode>),
    /// A language that is not followed.
    Other,
}

impl Source {
    /// Parses the code in a definition.
    pub(crate) fn of(definition: &SyntaxNode) -> Self {
        if let Some(body) = plpgsql(definition) {
            return Self::Plpgsql(body);
        }
        match language(definition).as_deref() {
            None | Some("sql") => Self::Sql(sql_statements(definition)),
            Some(_) => Self::Other,
        }
    }

    /// Returns the code that a call runs. It is empty for languages that are not followed.
    pub(crate) fn bodies(&self) -> &[SyntaxNode] {
        match self {
            Self::Plpgsql(body) => std::slice::from_ref(body),
            Self::Sql(statements) => statements,
            Self::Other => &[],
        }
    }
}

/// Returns the body of a PL/pgSQL function.
fn plpgsql(definition: &SyntaxNode) -> Option<SyntaxNode> {
    let body = ast::CreateFunction::cast(definition.clone())
        .and_then(|function| function.plpgsql())
        .or_else(|| {
            ast::CreateProcedure::cast(definition.clone()).and_then(|procedure| procedure.plpgsql())
        });
    body.map(|body| body.syntax())
}

/// Returns true if a function is a trigger function.
pub(crate) fn is_of_trigger(definition: &SyntaxNode) -> bool {
    child(definition, SyntaxKind::RET_TYPE).is_some_and(|returns| {
        tree::tokens(&returns).any(|token| token.text().eq_ignore_ascii_case("trigger"))
    })
}

/// Returns the statements of an SQL function.
fn sql_statements(definition: &SyntaxNode) -> Vec<SyntaxNode> {
    if let Some(atomic) = child(definition, SyntaxKind::ATOMIC_BODY) {
        return atomic.children().collect();
    }
    if let Some(value) = child(definition, SyntaxKind::RETURN_STMT) {
        return vec![value];
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

/// Returns the calls of functions by name. Constructs with a syntax of their own, like EXISTS, are
/// left out.
pub(crate) fn calls_in(node: &SyntaxNode) -> impl Iterator<Item = SyntaxNode> + use<> {
    tree::descendants(node, SyntaxKind::CALL_EXPR).filter(|call| {
        call.children().next().is_some_and(|callee| {
            matches!(callee.kind(), SyntaxKind::NAME_REF | SyntaxKind::FIELD_EXPR)
        })
    })
}

/// Returns the parts of the called function's name.
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
