//! `-- bowline:` comments, by which an author answers for the statement that follows.
//!
//! `-- bowline: ignore` says that it changes no table, column, key or type. Anything else is SQL with the same
//! effect, which replay follows in its place.

use squawk_syntax::ast::AstNode as _;
use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::refusal::{Refused, Result};
use super::tree;
use super::{Replay, nesting};

/// The SQL that stands for a statement, empty for none; `None` where its author says nothing.
pub(super) fn before(node: &SyntaxNode) -> Option<String> {
    let tokens = std::iter::successors(
        node.first_token().and_then(|token| token.prev_token()),
        |token| token.prev_token(),
    );
    let mut lines: Vec<String> = tokens
        .take_while(|token| tree::is_trivia(token.kind()))
        .filter(|token| token.kind() == SyntaxKind::COMMENT)
        .filter_map(|token| {
            let text = token.text().strip_prefix("--")?.trim();
            Some(text.strip_prefix("bowline:")?.trim().to_owned())
        })
        .collect();
    lines.reverse();
    if lines.is_empty() {
        return None;
    }
    lines.retain(|line| line != "ignore");
    Some(lines.join("\n"))
}

impl Replay {
    /// Follows the SQL that an author gave for a statement.
    pub(super) fn declared(&mut self, node: &SyntaxNode, effect: &str) -> Result<()> {
        let here = |why: String, hint: String| Refused::new(node, why).do_this(hint);
        let Some(parse) = nesting::parse(effect) else {
            return Err(Refused::new(node, nesting::TOO_DEEP));
        };
        if let Some(error) = parse.errors().first() {
            return Err(here(
                format!(
                    "the comment before this cannot be parsed: {}",
                    error.message()
                ),
                "write `-- bowline: ignore`, or SQL with the effect of the statement".to_owned(),
            ));
        }
        for statement in parse.tree().stmts() {
            self.statement(statement.syntax()).map_err(|refused| {
                here(
                    format!("of the comment before this: {}", refused.why),
                    refused.hint,
                )
            })?;
        }
        self.note_ignored(node);
        Ok(())
    }
}
