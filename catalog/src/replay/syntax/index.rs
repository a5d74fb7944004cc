//! The elements of an index.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::replay::syntax::clause;
use crate::replay::syntax::tree::{is_seen, name, text};
use crate::{IndexKey, KeyOrder};

/// The condition of a partial index; one that is always true makes none.
pub(crate) fn predicate(clause: &SyntaxNode) -> Option<String> {
    let condition = text(&clause.children().next()?);
    let bare = condition.trim_matches(['(', ')', ' ']);
    (!bare.eq_ignore_ascii_case("true")).then_some(condition)
}

/// What an element of an index is of, without its collation and the parentheses around, which are the index's.
pub(crate) fn expression_of(item: &SyntaxNode) -> Option<SyntaxNode> {
    let mut expression = item.children().next()?;
    while matches!(
        expression.kind(),
        SyntaxKind::COLLATE | SyntaxKind::PAREN_EXPR
    ) && is_seen(expression.kind())
    {
        expression = expression.children().next()?;
    }
    Some(expression)
}

/// The collation that an element of an index is given, also within parentheses; the outermost holds.
pub(crate) fn given_collation(item: &SyntaxNode) -> Option<Vec<String>> {
    let collation = clause::collation(item);
    let within = || {
        let inner = item.children().next()?;
        (inner.kind() == SyntaxKind::PAREN_EXPR).then(|| given_collation(&inner))?
    };
    collation.or_else(within)
}

/// A column or an expression of an index.
pub(crate) fn key_order(item: &SyntaxNode, order: KeyOrder) -> Option<IndexKey> {
    use SyntaxKind as K;
    let expression = expression_of(item)?;
    Some(match expression.kind() {
        kind if !is_seen(kind) => return None,
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
