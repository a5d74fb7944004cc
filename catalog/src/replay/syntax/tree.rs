//! Reads squawk's syntax tree: names, literals and texts in PostgreSQL's sense.
//!
//! These functions do not find nodes of a kind that a test has switched off.

use squawk_syntax::{SyntaxElement, SyntaxKind, SyntaxNode, SyntaxToken};

use crate::replay::refusal::{Refused, Result};
use crate::replay::syntax::off::is_off;

/// Returns true if a node is a query.
pub(crate) fn is_query(kind: SyntaxKind) -> bool {
    use SyntaxKind as K;
    matches!(
        kind,
        K::SELECT | K::SELECT_INTO | K::COMPOUND_SELECT | K::PAREN_SELECT | K::VALUES | K::TABLE
    )
}

/// Returns the kind of a statement, or `None` if a test has switched its arm off.
pub(crate) fn statement_kind(node: &SyntaxNode) -> Option<SyntaxKind> {
    is_seen(node.kind()).then(|| node.kind())
}

/// Returns the child nodes.
pub(crate) fn child_nodes(node: &SyntaxNode) -> impl Iterator<Item = SyntaxNode> + use<> {
    node.children().filter(|child| is_seen(child.kind()))
}

/// Returns the node and all nodes below it.
pub(crate) fn nodes_below(node: &SyntaxNode) -> impl Iterator<Item = SyntaxNode> + use<> {
    node.descendants().filter(|child| is_seen(child.kind()))
}

/// Returns true unless a test has switched the arm of this kind off.
pub(crate) fn is_seen(kind: SyntaxKind) -> bool {
    !is_off(kind)
}

/// Returns the first child node of this kind.
pub(crate) fn child(node: &SyntaxNode, kind: SyntaxKind) -> Option<SyntaxNode> {
    node.children()
        .find(|child| child.kind() == kind && !is_off(kind))
}

/// Returns the child nodes of this kind.
pub(crate) fn children(
    node: &SyntaxNode,
    kind: SyntaxKind,
) -> impl Iterator<Item = SyntaxNode> + use<> {
    node.children()
        .filter(move |child| child.kind() == kind && !is_off(kind))
}

/// Returns a token in normal form: names unquoted, keywords in lower case, literals unchanged.
#[cfg(test)]
pub(crate) fn spelling(token: &SyntaxToken) -> String {
    let is_quoted_keyword =
        token.text().starts_with('"') && super::expression::is_reserved(&identifier(token.text()));
    if token.text().starts_with('\'') || is_quoted_keyword {
        token.text().to_owned()
    } else {
        identifier(token.text())
    }
}

/// Returns true if there is a child node or token of this kind.
pub(crate) fn has(node: &SyntaxNode, kind: SyntaxKind) -> bool {
    node.children_with_tokens()
        .any(|child| child.kind() == kind && !is_off(kind))
}

/// Returns the nodes of this kind at any depth.
pub(crate) fn below(
    node: &SyntaxNode,
    kind: SyntaxKind,
) -> impl Iterator<Item = SyntaxNode> + use<> {
    node.descendants()
        .filter(move |child| child.kind() == kind && !is_off(kind))
}

/// Returns true if there is a node or token of this kind at any depth.
pub(crate) fn has_below(node: &SyntaxNode, kind: SyntaxKind) -> bool {
    node.descendants_with_tokens()
        .any(|child| child.kind() == kind && !is_off(kind))
}

/// Returns all tokens of a node, without white space and comments.
pub(crate) fn tokens(node: &SyntaxNode) -> impl Iterator<Item = SyntaxToken> + use<> {
    node.descendants_with_tokens()
        .filter_map(SyntaxElement::into_token)
        .filter(|token| !is_trivia(token.kind()))
}

pub(crate) fn is_trivia(kind: SyntaxKind) -> bool {
    matches!(kind, SyntaxKind::WHITESPACE | SyntaxKind::COMMENT)
}

/// Returns the parts of a dotted name.
pub(crate) fn path(node: &SyntaxNode) -> Vec<String> {
    tokens(node)
        .filter(stands_alone)
        .map(|token| identifier(token.text()))
        .collect()
}

/// Returns the parts of a dotted name, whatever node kind the parser gave it.
pub(crate) fn dotted(node: &SyntaxNode) -> Vec<String> {
    tokens(node)
        .filter(|token| token.kind() != SyntaxKind::DOT)
        .map(|token| identifier(token.text()))
        .collect()
}

/// Returns true if a token is the only one of its node, as a name is and a keyword is not.
fn stands_alone(token: &SyntaxToken) -> bool {
    token.kind() != SyntaxKind::DOT
        && token
            .parent()
            .is_some_and(|parent| tokens(&parent).count() == 1)
}

/// Returns the last part of a dotted name. It is empty if the name is missing, which the parser has
/// reported.
pub(crate) fn name(node: &SyntaxNode) -> String {
    path(node).pop().unwrap_or_default()
}

/// Returns the name in the child of this kind.
pub(crate) fn child_name(node: &SyntaxNode, kind: SyntaxKind) -> Option<String> {
    child(node, kind).map(|child| name(&child))
}

/// Returns the names in the children of this kind.
pub(crate) fn child_names(node: &SyntaxNode, kind: SyntaxKind) -> Vec<String> {
    children(node, kind).map(|child| name(&child)).collect()
}

/// Returns an identifier in PostgreSQL's stored form: folded to lower case unless quoted (manual,
/// 4.1.1).
pub(crate) fn identifier(text: &str) -> String {
    let token = bowline_sql::tokens(text).next();
    let name = token.filter(|token| token.text().len() == text.len());
    let name = name.and_then(|token| token.name());
    let stored = name.unwrap_or_else(|| text.to_ascii_lowercase().into());
    truncate(&stored).to_owned()
}

/// Refuses names with escapes, `U&"d\\0061t"`. They are rare, and a misread one would be a wrong
/// name.
pub(crate) fn no_escaped_name(node: &SyntaxNode) -> Result<()> {
    let escaped = tokens(node).find(|token| {
        let text = token.text().as_bytes();
        matches!(text, [b'U' | b'u', b'&', b'"', ..])
    });
    match escaped.and_then(|token| token.parent()) {
        None => Ok(()),
        Some(name) => Err(
            Refused::new(&name, "names with Unicode escapes are not followed")
                .hint("write the name itself in quotes"),
        ),
    }
}

/// Truncates a name to 63 bytes, at a character boundary (manual, 4.1.1).
pub(crate) fn truncate(name: &str) -> &str {
    const LONGEST: usize = 63;
    if name.len() <= LONGEST {
        return name;
    }
    let end = (0..=LONGEST)
        .rev()
        .find(|end| name.is_char_boundary(*end))
        .unwrap_or(0);
    &name[..end]
}

/// Returns the value of a string literal in any notation of PostgreSQL. Returns `None` for other
/// nodes, such as bit strings.
pub(crate) fn string(node: &SyntaxNode) -> Option<String> {
    bowline_sql::string_value(&node.text().to_string())
}

/// Returns the source text without the white space around it.
pub(crate) fn text(node: &SyntaxNode) -> String {
    node.text().to_string().trim().to_owned()
}
