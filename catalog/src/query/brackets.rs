//! Parentheses around expressions.

use squawk_syntax::{SyntaxKind as K, SyntaxNode};

use super::analyzer::Result;
use super::expr::Span;
use super::fault::Fault;
use super::raw::{Raw, RawKind};
use crate::replay::syntax::tree::{seen, text};

/// Returns the expression without the parentheses around it.
pub(super) fn unwrapped(node: &SyntaxNode) -> SyntaxNode {
    match seen(node.kind()) {
        K::PAREN_EXPR => node
            .children()
            .next()
            .map_or_else(|| node.clone(), |it| unwrapped(&it)),
        _ => node.clone(),
    }
}

pub(super) fn first(node: &SyntaxNode, span: &Span) -> Result<SyntaxNode> {
    let found = node.children().next();
    found.ok_or_else(|| Fault::refused(span.clone(), "the query is incomplete"))
}

/// Returns the row of an expression such as `(a, b)`.
pub(super) fn row_of(raw: &Raw) -> Option<SyntaxNode> {
    match &raw.kind {
        RawKind::Leaf(node) => {
            let node = unwrapped(node);
            (node.kind() == K::TUPLE_EXPR).then_some(node)
        }
        _ => None,
    }
}

pub(super) fn is_null_literal(raw: &Raw) -> bool {
    match &raw.kind {
        RawKind::Leaf(node) => node.kind() == K::LITERAL && text(node).eq_ignore_ascii_case("null"),
        _ => false,
    }
}
