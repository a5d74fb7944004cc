//! Queries that the parser reads only in parentheses of their own: `SET (a, b) = (WITH ..)`.

use bowline_sql::{Token, tokens};
use squawk_syntax::SyntaxNode;

use super::parse::parse;

/// Parses statements whose UPDATE assigns a query that begins with WITH or VALUES. Returns
/// `None` if there is none, or if they are no SQL for another reason.
///
/// White space becomes the parentheses, so that every position stays as it is.
pub(crate) fn parse_in_brackets(sql: &str) -> Option<SyntaxNode> {
    let all: Vec<Token<'_>> = tokens(sql).collect();
    let mut text = sql.as_bytes().to_vec();
    let mut is_changed = false;
    for (at, four) in all.windows(4).enumerate() {
        let [list, equals, open, first] = four else {
            continue;
        };
        let is_assignment = list.is(")") && equals.is("=") && open.is("(");
        if !is_assignment || !first.is_one_of(&["with", "values"]) {
            continue;
        }
        let close = closing(&all[at + 2..])?;
        // One blank is needed before the query, and one after it.
        if is_blank(sql, open.start().checked_sub(1)?) && equals.end() < open.start() {
            text[open.start() - 1] = b'(';
        } else if equals.end() == open.start() && is_blank(sql, equals.start().checked_sub(1)?) {
            text[equals.start() - 1] = b'=';
            text[equals.start()] = b'(';
        } else {
            return None;
        }
        match text.get(close.end()) {
            None => text.push(b')'),
            Some(_) if is_blank(sql, close.end()) => text[close.end()] = b')',
            Some(_) if is_blank(sql, close.start() - 1) => text[close.start() - 1] = b')',
            Some(_) => return None,
        }
        is_changed = true;
    }
    let text = String::from_utf8(text).ok()?;
    is_changed.then(|| parse(&text).ok()).flatten()
}

/// Returns the parenthesis that closes the first token.
fn closing<'a>(all: &[Token<'a>]) -> Option<Token<'a>> {
    let mut depth = 0_usize;
    all.iter().copied().find(|token| {
        if token.is("(") {
            depth += 1;
        } else if token.is(")") {
            depth = depth.saturating_sub(1);
        }
        depth == 0
    })
}

/// Returns true for a blank. A line break may end a comment, and is needed.
fn is_blank(sql: &str, at: usize) -> bool {
    matches!(sql.as_bytes().get(at), Some(b' ' | b'\t'))
}
