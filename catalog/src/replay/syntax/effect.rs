//! `-- bowline:` comments, by which an author states the effect of the statement that follows.
//!
//! `-- bowline: ignore` states that the statement changes no table, column, key or type. Any other
//! text is SQL with the same effect, which is replayed instead. `-- bowline: backfill` says how the
//! statement runs, and nothing of its effect.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::replay::syntax::tree;

/// The word that begins such a comment.
pub(crate) const MARK: &str = "bowline:";

/// Returns the SQL that replaces a statement, which is empty for `ignore`. Returns `None` without
/// such a comment.
pub(crate) fn before(node: &SyntaxNode) -> Option<String> {
    let tokens = std::iter::successors(
        node.first_token().and_then(|token| token.prev_token()),
        |token| token.prev_token(),
    );
    let mut lines: Vec<String> = tokens
        .take_while(|token| tree::is_trivia(token.kind()))
        .filter(|token| token.kind() == SyntaxKind::COMMENT)
        .filter_map(|token| {
            let text = token.text().strip_prefix("--")?.trim();
            Some(text.strip_prefix(MARK)?.trim().to_owned())
        })
        .filter(|line| line.split_whitespace().next() != Some("backfill"))
        .collect();
    lines.reverse();
    if lines.is_empty() {
        return None;
    }
    lines.retain(|line| line != "ignore");
    Some(lines.join("\n"))
}
