//! The elements of an index.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::replay::syntax::clause;
use crate::replay::syntax::tree::{is_arm_enabled, name, text};
use crate::{IndexKey, KeyOrder};

/// Returns the predicate of a partial index, or `None` if it is always true.
pub(crate) fn predicate(clause: &SyntaxNode) -> Option<String> {
    let predicate = text(&clause.children().next()?);
    let bare = predicate.trim_matches(['(', ')', ' ']);
    (!bare.eq_ignore_ascii_case("true")).then_some(predicate)
}

/// Returns the expression of an index element, without its collation and outer parentheses.
pub(crate) fn expression_of(item: &SyntaxNode) -> Option<SyntaxNode> {
    let mut expression = item.children().next()?;
    while matches!(
        expression.kind(),
        SyntaxKind::COLLATE | SyntaxKind::PAREN_EXPR
    ) && is_arm_enabled(expression.kind())
    {
        expression = expression.children().next()?;
    }
    Some(expression)
}

/// Returns the collation of an index element. The outermost one applies.
pub(crate) fn given_collation(item: &SyntaxNode) -> Option<Vec<String>> {
    let collation = clause::collation(item);
    let within = || {
        let inner = item.children().next()?;
        (inner.kind() == SyntaxKind::PAREN_EXPR).then(|| given_collation(&inner))?
    };
    collation.or_else(within)
}

/// Returns an index element as a column or an expression.
pub(crate) fn index_key(item: &SyntaxNode, order: KeyOrder) -> Option<IndexKey> {
    use SyntaxKind as K;
    let expression = expression_of(item)?;
    Some(match expression.kind() {
        kind if !is_arm_enabled(kind) => return None,
        K::NAME_REF => IndexKey::Column {
            name: name(&expression),
            order,
        },
        _ => IndexKey::Expression {
            text: text(&expression),
            order,
        },
    })
}
