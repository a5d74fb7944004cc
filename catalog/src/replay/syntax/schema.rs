//! The statements within CREATE SCHEMA, and those that the parser takes for a part of it.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::replay::syntax::tree;

/// Whether a statement can be part of CREATE SCHEMA.
fn is_element(node: &SyntaxNode) -> bool {
    use SyntaxKind as K;
    matches!(
        node.kind(),
        K::CREATE_TABLE
            | K::CREATE_VIEW
            | K::CREATE_INDEX
            | K::CREATE_SEQUENCE
            | K::CREATE_TRIGGER
            | K::GRANT
    )
}

/// Whether a part of CREATE SCHEMA is a statement that is no element of it.
pub(crate) fn is_other_statement(node: &SyntaxNode) -> bool {
    is_statement(node) && !is_element(node)
}

fn is_statement(node: &SyntaxNode) -> bool {
    is_element(node)
        || node
            .first_token()
            .is_some_and(|first| first.kind() == SyntaxKind::CREATE_KW)
}

/// The statements in the node of a CREATE SCHEMA: its elements, and those behind its semicolon, which the parser does
/// not tell apart.
pub(crate) fn elements(node: &SyntaxNode) -> (Vec<SyntaxNode>, Vec<SyntaxNode>) {
    let (mut inside, mut behind) = (Vec::new(), Vec::new());
    let mut is_over = false;
    for statement in node.children().filter(is_statement) {
        let last = tree::tokens(&statement).last();
        let ends = last.is_some_and(|last| last.kind() == SyntaxKind::SEMICOLON);
        if is_over {
            behind.push(statement);
        } else {
            inside.push(statement);
        }
        is_over |= ends;
    }
    (inside, behind)
}

/// A statement, and those that the parser has put into its node though they come after it.
pub(crate) fn with_swallowed(node: SyntaxNode) -> Vec<SyntaxNode> {
    let mut all = vec![node];
    if all[0].kind() == SyntaxKind::CREATE_SCHEMA {
        let (_, behind) = elements(&all[0]);
        all.extend(behind);
    }
    all
}
