//! The words of an expression, to compare two expressions of different authors.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::parse::parse_again;
use super::{tree, type_name};

/// Returns the words of an expression without the types of its casts. Names are unquoted, keywords
/// in lower case.
pub(crate) fn tokens_of(expression: &str) -> Vec<String> {
    let mut words = Vec::new();
    let root = parse_again(&format!("SELECT {expression}"));
    for token in tree::tokens(&root).skip(1) {
        let is_of_cast = token
            .parent_ancestors()
            .take_while(|node| node.kind() != SyntaxKind::SELECT)
            .any(|node| {
                let is_cast = |parent: SyntaxNode| parent.kind() == SyntaxKind::CAST_EXPR;
                (type_name::is_type(node.kind()) || node.kind() == SyntaxKind::COLON_COLON)
                    && node.parent().is_some_and(is_cast)
            });
        if !is_of_cast {
            words.push(tree::spelling(&token));
        }
    }
    words
}
