//! Which WITH clause a query has: the parser puts that of a set operation into its first part.

use crate::replay::syntax::tree::{child, is_query, seen};
use squawk_syntax::{SyntaxKind as K, SyntaxNode};

/// Returns the WITH clause of a query. In a set operation, a WITH clause before the first part
/// applies to all parts.
pub(super) fn with_clause(node: &SyntaxNode) -> Option<SyntaxNode> {
    let with = child(node, K::WITH_CLAUSE);
    match seen(node.kind()) {
        K::COMPOUND_SELECT => with.or_else(|| {
            let first = node.children().find(|part| is_query(part.kind()))?;
            with_clause(&first).filter(|with| {
                // A WITH clause within parentheses belongs to that part alone.
                !is_within_brackets(with, &first)
            })
        }),
        _ => with,
    }
}

/// Returns true if a WITH clause is behind the opening bracket of a query.
fn is_within_brackets(with: &SyntaxNode, query: &SyntaxNode) -> bool {
    let mut parts = query.children_with_tokens();
    let bracket = parts.find(|it| it.kind() == K::L_PAREN);
    let start = with.text_range().start();
    bracket.is_some_and(|it| it.text_range().start() < start)
}

/// Returns true for the WITH clause of the whole statement.
pub(super) fn is_at_top(with: &SyntaxNode) -> bool {
    let mut node = with.clone();
    while let Some(above) = node.parent() {
        match above.kind() {
            K::SOURCE_FILE => return true,
            // The WITH clause of a set operation is in the tree of its first part.
            K::COMPOUND_SELECT
                if is_within_brackets(with, &node)
                    || node.text_range().start() != above.text_range().start() =>
            {
                return false;
            }
            _ if node == *with => {}
            K::COMPOUND_SELECT | K::PAREN_SELECT => {}
            _ => return false,
        }
        node = above;
    }
    true
}
