//! Reads squawk's syntax tree: names, literals and texts in PostgreSQL's sense.
//!
//! These functions do not find nodes of a kind that a test has switched off.

use rowan::{GreenNodeData, NodeOrToken, TextRange};
use squawk_syntax::ast::{AstNode as _, SourceFile};
use squawk_syntax::{SyntaxElement, SyntaxKind, SyntaxNode, SyntaxToken};

use crate::replay::refusal::{Refused, Result};
use crate::replay::syntax::green;
use crate::replay::syntax::off::is_off;

/// Returns the statements of a file.
pub(crate) fn statements(file: &SyntaxNode) -> impl Iterator<Item = SyntaxNode> + use<> {
    let file = SourceFile::cast(file.clone());
    let statements = file.into_iter().flat_map(|file| file.stmts());
    statements.map(|statement| statement.syntax().clone())
}

/// Returns true if a node is a query.
pub(crate) fn is_query(kind: SyntaxKind) -> bool {
    use SyntaxKind as K;
    matches!(
        kind,
        K::SELECT | K::SELECT_INTO | K::COMPOUND_SELECT | K::PAREN_SELECT | K::VALUES | K::TABLE
    )
}

/// Returns true for a statement that reads or writes rows.
pub(crate) fn is_of_rows(kind: SyntaxKind) -> bool {
    use SyntaxKind as K;
    is_query(kind) || matches!(kind, K::INSERT | K::UPDATE | K::DELETE | K::MERGE)
}

/// Returns true for the part of a BETWEEN that the parser makes a sibling of the cast before it.
pub(crate) fn begins_with_between(node: &SyntaxNode) -> bool {
    let mut tokens = tokens(node).map(|token| token.kind());
    match tokens.next() {
        Some(SyntaxKind::BETWEEN_KW) => true,
        Some(SyntaxKind::NOT_KW) => tokens.next() == Some(SyntaxKind::BETWEEN_KW),
        _ => false,
    }
}

/// Returns the kind of a statement, or `None` if a test has switched its arm off.
pub(crate) fn statement_kind(node: &SyntaxNode) -> Option<SyntaxKind> {
    is_arm_enabled(node.kind()).then(|| node.kind())
}

/// Returns the child nodes.
pub(crate) fn child_nodes(node: &SyntaxNode) -> impl Iterator<Item = SyntaxNode> + use<> {
    node.children().filter(|child| is_arm_enabled(child.kind()))
}

/// Returns the node and all nodes below it.
pub(crate) fn nodes_below(node: &SyntaxNode) -> impl Iterator<Item = SyntaxNode> + use<> {
    node.descendants()
        .filter(|child| is_arm_enabled(child.kind()))
}

/// Returns true unless a test has switched the arm of this kind off.
pub(crate) fn is_arm_enabled(kind: SyntaxKind) -> bool {
    !is_off(kind)
}

/// Returns a kind, or that of an error if a test has switched its arm off.
pub(crate) fn seen(kind: SyntaxKind) -> SyntaxKind {
    if is_off(kind) {
        SyntaxKind::ERROR
    } else {
        kind
    }
}

/// Returns the first child node of this kind.
pub(crate) fn child(node: &SyntaxNode, kind: SyntaxKind) -> Option<SyntaxNode> {
    if is_off(kind) {
        return None;
    }
    let mut start = node.text_range().start();
    for child in node.green().children() {
        let range = TextRange::at(start, child.text_len());
        start = range.end();
        if SyntaxKind::from(child.kind().0) == kind && child.into_node().is_some() {
            return child_at(node, kind, range);
        }
    }
    None
}

/// Returns the child node of this kind and place. Only a child that is wanted becomes a node, since
/// each is an allocation.
fn child_at(node: &SyntaxNode, kind: SyntaxKind, range: TextRange) -> Option<SyntaxNode> {
    let is_it = |child: &SyntaxNode| child.kind() == kind && child.text_range() == range;
    let child = node.child_or_token_at_range(range);
    let child = child.and_then(SyntaxElement::into_node).filter(is_it);
    // An empty node is not found by its place.
    child.or_else(|| node.children().find(is_it))
}

/// Returns the child nodes of this kind.
pub(crate) fn children(
    node: &SyntaxNode,
    kind: SyntaxKind,
) -> impl Iterator<Item = SyntaxNode> + use<> {
    let wanted = node.clone();
    let mut start = node.text_range().start();
    let mut found = Vec::new();
    if !is_off(kind) {
        for child in node.green().children() {
            let range = TextRange::at(start, child.text_len());
            start = range.end();
            if SyntaxKind::from(child.kind().0) == kind && child.into_node().is_some() {
                found.push(range);
            }
        }
    }
    let ranges = found.into_iter();
    ranges.filter_map(move |range| child_at(&wanted, kind, range))
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
    !is_off(kind) && green::kinds(&node.green()).any(|child| child == kind)
}

/// Returns true if there is a node of this kind at any depth, whether or not a test has switched
/// the arm off.
pub(crate) fn has_node(node: &SyntaxNode, kind: SyntaxKind) -> bool {
    node.kind() == kind || green::has_below(&node.green(), kind)
}

/// Returns true if there is a node of one of these kinds at any depth, whether or not a test has
/// switched the arm off.
pub(crate) fn has_any_node(node: &SyntaxNode, kinds: &[SyntaxKind]) -> bool {
    kinds.contains(&node.kind()) || green::has_any_below(&node.green(), kinds)
}

/// Returns the nodes of this kind at any depth, whether or not a test has switched the arm off.
pub(crate) fn descendants(
    node: &SyntaxNode,
    kind: SyntaxKind,
) -> impl Iterator<Item = SyntaxNode> + use<> {
    let found = has_node(node, kind).then(|| node.descendants());
    let found = found.into_iter().flatten();
    found.filter(move |child| child.kind() == kind)
}

/// Returns the nodes of this kind at any depth.
pub(crate) fn below(
    node: &SyntaxNode,
    kind: SyntaxKind,
) -> impl Iterator<Item = SyntaxNode> + use<> {
    let found = (!is_off(kind)).then(|| descendants(node, kind));
    found.into_iter().flatten()
}

/// Returns true if there is a node or token of this kind at any depth.
pub(crate) fn has_below(node: &SyntaxNode, kind: SyntaxKind) -> bool {
    !is_off(kind) && has_node(node, kind)
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
    let mut parts = Vec::new();
    push_path(&node.green(), &mut parts);
    parts
}

/// Adds the tokens that are the only ones of their nodes, as names are and keywords are not.
/// Returns the number of tokens below the node.
fn push_path(node: &GreenNodeData, parts: &mut Vec<String>) -> usize {
    let mut count = 0;
    let mut own = None;
    for child in node.children() {
        match child {
            NodeOrToken::Node(node) => count += push_path(node, parts),
            NodeOrToken::Token(token) => {
                let kind = SyntaxKind::from(token.kind().0);
                if !is_trivia(kind) {
                    count += 1;
                    own = (kind != SyntaxKind::DOT).then_some(token);
                }
            }
        }
    }
    if let Some(token) = own.filter(|_| count == 1) {
        parts.push(identifier(token.text()));
    }
    count
}

/// Returns the parts of a dotted name, whatever node kind the parser gave it.
pub(crate) fn dotted(node: &SyntaxNode) -> Vec<String> {
    let mut parts = Vec::new();
    green::all_tokens(&node.green(), &mut |kind, text| {
        if !is_trivia(kind) && kind != SyntaxKind::DOT {
            parts.push(identifier(text));
        }
        true
    });
    parts
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
    let is_stored = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_');
    if text.len() <= MAX_NAME_LENGTH && text.bytes().all(is_stored) {
        return text.to_owned();
    }
    let token = bowline_sql::tokens(text).next();
    let name = token.filter(|token| token.text().len() == text.len());
    let name = name.and_then(|token| token.name());
    let stored = name.unwrap_or_else(|| text.to_ascii_lowercase().into());
    truncate(&stored).to_owned()
}

/// Refuses names with escapes, `U&"d\\0061t"`. They are rare, and a misread one would be a wrong
/// name.
pub(crate) fn no_escaped_name(node: &SyntaxNode) -> Result<()> {
    let is_escaped = |text: &str| matches!(text.as_bytes(), [b'U' | b'u', b'&', b'"', ..]);
    if green::all_tokens(&node.green(), &mut |_, text| !is_escaped(text)) {
        return Ok(());
    }
    let escaped = tokens(node).find(|token| is_escaped(token.text()));
    match escaped.and_then(|token| token.parent()) {
        None => Ok(()),
        Some(name) => Err(
            Refused::new(&name, "names with Unicode escapes are not followed")
                .hint("write the name itself in quotes"),
        ),
    }
}

/// The maximum length of a name in bytes.
const MAX_NAME_LENGTH: usize = 63;

/// Truncates a name to 63 bytes, at a character boundary (manual, 4.1.1).
pub(crate) fn truncate(name: &str) -> &str {
    if name.len() <= MAX_NAME_LENGTH {
        return name;
    }
    let end = (0..=MAX_NAME_LENGTH)
        .rev()
        .find(|end| name.is_char_boundary(*end))
        .unwrap_or(0);
    &name[..end]
}

/// Returns the value of a string literal in any notation of PostgreSQL. Returns `None` for other
/// nodes, such as bit strings.
pub(crate) fn string(node: &SyntaxNode) -> Option<String> {
    let mut text = String::new();
    green::push_text(&node.green(), &mut text);
    bowline_sql::string_value(&text)
}

/// Returns the source text without the white space around it.
pub(crate) fn text(node: &SyntaxNode) -> String {
    let mut text = String::new();
    green::push_text(&node.green(), &mut text);
    text.truncate(text.trim_end().len());
    if text.starts_with(char::is_whitespace) {
        text.drain(..text.len() - text.trim_start().len());
    }
    text
}
