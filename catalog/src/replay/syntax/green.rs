//! Reads rowan's green trees, which hold the text of a node. Unlike `SyntaxNode`, they are read
//! without an allocation for each step.

use rowan::{GreenNodeData, NodeOrToken};
use squawk_syntax::SyntaxKind;

pub(crate) fn kind(node: &GreenNodeData) -> SyntaxKind {
    SyntaxKind::from(node.kind().0)
}

/// Returns the kinds of the children, nodes and tokens alike.
pub(crate) fn kinds(node: &GreenNodeData) -> impl Iterator<Item = SyntaxKind> {
    let children = node.children();
    children.map(|child| SyntaxKind::from(child.kind().0))
}

/// Returns the child nodes.
pub(crate) fn nodes(node: &GreenNodeData) -> impl Iterator<Item = &GreenNodeData> {
    node.children().filter_map(NodeOrToken::into_node)
}

/// Returns true if there is a node or token of this kind below a node.
pub(crate) fn has_below(node: &GreenNodeData, wanted: SyntaxKind) -> bool {
    has_any_below(node, &[wanted])
}

/// Returns true if there is a node or token of one of these kinds below a node.
pub(crate) fn has_any_below(node: &GreenNodeData, wanted: &[SyntaxKind]) -> bool {
    node.children().any(|child| {
        let kind = SyntaxKind::from(child.kind().0);
        wanted.contains(&kind)
            || child
                .into_node()
                .is_some_and(|node| has_any_below(node, wanted))
    })
}

/// Calls a function with each token below a node, until it returns false. Returns true if it never
/// did.
pub(crate) fn all_tokens<'a>(
    node: &'a GreenNodeData,
    visit: &mut impl FnMut(SyntaxKind, &'a str) -> bool,
) -> bool {
    node.children().all(|child| match child {
        NodeOrToken::Node(node) => all_tokens(node, visit),
        NodeOrToken::Token(token) => visit(SyntaxKind::from(token.kind().0), token.text()),
    })
}

/// Returns the first token below a node.
pub(crate) fn first_token(node: &GreenNodeData) -> Option<(SyntaxKind, &str)> {
    node.children().find_map(|child| match child {
        NodeOrToken::Node(node) => first_token(node),
        NodeOrToken::Token(token) => Some((SyntaxKind::from(token.kind().0), token.text())),
    })
}

/// Appends the text of a node.
pub(crate) fn push_text(node: &GreenNodeData, text: &mut String) {
    for child in node.children() {
        match child {
            NodeOrToken::Node(node) => push_text(node, text),
            NodeOrToken::Token(token) => text.push_str(token.text()),
        }
    }
}
