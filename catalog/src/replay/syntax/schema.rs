//! The statements within CREATE SCHEMA, and later statements that the parser includes in its node.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::replay::syntax::tree;

/// Returns true if a statement can be an element of CREATE SCHEMA.
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

/// Returns true if a node within CREATE SCHEMA is a statement that cannot be its element.
pub(crate) fn is_other_statement(node: &SyntaxNode) -> bool {
    is_statement(node) && !is_element(node)
}

fn is_statement(node: &SyntaxNode) -> bool {
    is_element(node)
        || node
            .first_token()
            .is_some_and(|first| first.kind() == SyntaxKind::CREATE_KW)
}

/// Returns the statements in the node of a CREATE SCHEMA: first its elements, then those after its
/// semicolon. The parser does not separate them.
pub(crate) fn elements(node: &SyntaxNode) -> (Vec<SyntaxNode>, Vec<SyntaxNode>) {
    let (mut inside, mut others) = (Vec::new(), Vec::new());
    let mut is_over = false;
    for statement in node.children().filter(is_statement) {
        let last = tree::tokens(&statement).last();
        let ends = last.is_some_and(|last| last.kind() == SyntaxKind::SEMICOLON);
        if is_over {
            others.push(statement);
        } else {
            inside.push(statement);
        }
        is_over |= ends;
    }
    (inside, others)
}

/// Returns a statement, and the later statements that the parser included in its node.
pub(crate) fn with_included(node: SyntaxNode) -> Vec<SyntaxNode> {
    let mut all = vec![node];
    if all[0].kind() == SyntaxKind::CREATE_SCHEMA {
        let (_, others) = elements(&all[0]);
        all.extend(others);
    }
    all
}
