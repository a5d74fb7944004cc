//! Reading squawk's syntax tree: names, literals and texts as PostgreSQL understands them.

use squawk_syntax::{SyntaxElement, SyntaxKind, SyntaxNode, SyntaxToken};

/// The first child node of this kind.
pub(super) fn child(node: &SyntaxNode, kind: SyntaxKind) -> Option<SyntaxNode> {
    node.children().find(|child| child.kind() == kind)
}

/// The child nodes of this kind.
pub(super) fn children(
    node: &SyntaxNode,
    kind: SyntaxKind,
) -> impl Iterator<Item = SyntaxNode> + use<> {
    node.children().filter(move |child| child.kind() == kind)
}

/// Whether there is a child node or token of this kind.
pub(super) fn has(node: &SyntaxNode, kind: SyntaxKind) -> bool {
    node.children_with_tokens()
        .any(|child| child.kind() == kind)
}

/// All tokens below, without white space and comments.
pub(super) fn tokens(node: &SyntaxNode) -> impl Iterator<Item = SyntaxToken> + use<> {
    node.descendants_with_tokens()
        .filter_map(SyntaxElement::into_token)
        .filter(|token| !is_trivia(token.kind()))
}

pub(super) fn is_trivia(kind: SyntaxKind) -> bool {
    matches!(kind, SyntaxKind::WHITESPACE | SyntaxKind::COMMENT)
}

/// The parts of a dotted name.
pub(super) fn path(node: &SyntaxNode) -> Vec<String> {
    tokens(node)
        .filter(stands_alone)
        .map(|token| identifier(token.text()))
        .collect()
}

/// Whether a token is all of its node: names are, keywords around them are not.
fn stands_alone(token: &SyntaxToken) -> bool {
    token.kind() != SyntaxKind::DOT
        && token
            .parent()
            .is_some_and(|parent| tokens(&parent).count() == 1)
}

/// The last part of a dotted name; empty if there is none, which the parser has reported.
pub(super) fn name(node: &SyntaxNode) -> String {
    path(node).pop().unwrap_or_default()
}

/// The name in the child of this kind.
pub(super) fn child_name(node: &SyntaxNode, kind: SyntaxKind) -> Option<String> {
    child(node, kind).map(|child| name(&child))
}

/// The names in the children of this kind.
pub(super) fn child_names(node: &SyntaxNode, kind: SyntaxKind) -> Vec<String> {
    children(node, kind).map(|child| name(&child)).collect()
}

/// An identifier as PostgreSQL stores it: folded to lower case unless quoted (manual, 4.1.1).
pub(super) fn identifier(text: &str) -> String {
    let stored = match text
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
    {
        Some(quoted) => quoted.replace("\"\"", "\""),
        None => text.to_ascii_lowercase(),
    };
    truncate(&stored).to_owned()
}

/// Names are cut to 63 bytes, at the border of a character (manual, 4.1.1).
pub(super) fn truncate(name: &str) -> &str {
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

/// The text of a string literal, in any of PostgreSQL's notations; `None` for what is no string.
pub(super) fn string(node: &SyntaxNode) -> Option<String> {
    let token = tokens(node).next()?;
    let text = token.text();
    if let Some(rest) = text
        .strip_prefix(['E', 'e'])
        .and_then(|rest| rest.strip_prefix('\''))
    {
        return Some(unescape(rest.strip_suffix('\'')?));
    }
    if let Some(rest) = text.strip_prefix('\'') {
        return Some(rest.strip_suffix('\'')?.replace("''", "'"));
    }
    if let Some(rest) = text.strip_prefix('$') {
        let tag = rest.find('$')? + 2;
        return text
            .get(tag..text.len().checked_sub(tag)?)
            .map(str::to_owned);
    }
    None
}

fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n') => out.push('\n'),
                Some('t') => out.push('\t'),
                Some('r') => out.push('\r'),
                Some('b') => out.push('\u{8}'),
                Some('f') => out.push('\u{c}'),
                Some(other) => out.push(other),
                None => {}
            },
            '\'' => {
                chars.next();
                out.push('\'');
            }
            other => out.push(other),
        }
    }
    out
}

/// The source as it stands, without the white space around it.
pub(super) fn text(node: &SyntaxNode) -> String {
    node.text().to_string().trim().to_owned()
}

/// The first child that is an expression, which is any node but those of these kinds.
pub(super) fn expression(node: &SyntaxNode) -> Option<SyntaxNode> {
    use SyntaxKind::{CONSTRAINT_NAME_CLAUSE, GENERATED_ALWAYS, STORED, VIRTUAL};
    node.children().find(|child| {
        !matches!(
            child.kind(),
            CONSTRAINT_NAME_CLAUSE | GENERATED_ALWAYS | STORED | VIRTUAL
        )
    })
}

/// The columns that an expression names, each once, in the order of their first appearance.
pub(super) fn columns_in(expression: &SyntaxNode) -> Vec<String> {
    let mut columns = Vec::new();
    let names = expression
        .descendants()
        .filter(|node| node.kind() == SyntaxKind::NAME_REF);
    for reference in names {
        let is_function = reference.parent().is_some_and(|parent| {
            parent.kind() == SyntaxKind::CALL_EXPR
                && parent.children().next().as_ref() == Some(&reference)
        });
        let column = name(&reference);
        if !is_function && !columns.contains(&column) {
            columns.push(column);
        }
    }
    columns
}

/// The same expression with a column under its new name.
pub(super) fn rename_in(expression: &str, from: &str, to: &str) -> String {
    words(expression)
        .map(|(word, is_name)| {
            if is_name && identifier(word) == from {
                quoted(to)
            } else {
                word.to_owned()
            }
        })
        .collect()
}

/// Whether an expression names this column.
pub(super) fn mentions(expression: &str, column: &str) -> bool {
    words(expression).any(|(word, is_name)| is_name && identifier(word) == column)
}

/// A text cut into identifiers and what is between them; strings are never identifiers.
fn words(expression: &str) -> impl Iterator<Item = (&str, bool)> {
    let mut rest = expression;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
        let (end, is_name) = match first {
            '"' => (rest[1..].find('"').map_or(rest.len(), |end| end + 2), true),
            '\'' => (
                rest[1..].find('\'').map_or(rest.len(), |end| end + 2),
                false,
            ),
            c if c.is_alphabetic() || c == '_' => {
                (rest.find(|c| !is_word(c)).unwrap_or(rest.len()), true)
            }
            c if c.is_ascii_digit() => (rest.find(|c| !is_word(c)).unwrap_or(rest.len()), false),
            c => (c.len_utf8(), false),
        };
        let (word, after) = rest.split_at(end);
        rest = after;
        Some((word, is_name))
    })
}

/// The name as it is written in SQL: quoted only where it must be.
fn quoted(name: &str) -> String {
    let plain = name
        .chars()
        .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if plain && !name.starts_with(|c: char| c.is_ascii_digit()) {
        name.to_owned()
    } else {
        format!("\"{}\"", name.replace('"', "\"\""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rename_leaves_strings_and_longer_names_alone() {
        assert_eq!(
            rename_in("a > 'a' AND ab = \"a\"", "a", "new name"),
            "\"new name\" > 'a' AND ab = \"new name\""
        );
        assert!(!mentions("lower('email')", "email"));
    }

    #[test]
    fn a_long_name_is_cut_at_the_border_of_a_character() {
        let name = format!("{}é", "x".repeat(62));
        assert_eq!(truncate(&name).len(), 62);
    }
}
