//! `ALTER TABLE` with several actions, as one statement for each of them.
//!
//! A rule looks at one action, and at the schema before and after it.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::scope::subject;
use crate::replay::state::State;
use crate::replay::state_after;
use crate::replay::syntax::tree::text;

/// An action with the states before and after it.
pub(super) struct Action {
    pub(super) node: SyntaxNode,
    pub(super) before: State,
    pub(super) after: State,
}

/// Returns the actions of ALTER TABLE; none for other statements.
pub(super) fn of(node: &SyntaxNode) -> Vec<SyntaxNode> {
    if node.kind() != SyntaxKind::ALTER_TABLE {
        return Vec::new();
    }
    let subject = subject(node);
    let is_action = |child: &SyntaxNode| {
        child.kind() != SyntaxKind::IF_EXISTS && subject.as_ref() != Some(child)
    };
    node.children().filter(is_action).collect()
}

/// Returns the actions one after the other; `None` if there is only one, or if one of them cannot
/// stand alone.
pub(super) fn split(node: &SyntaxNode, start: &State) -> Option<Vec<Action>> {
    let actions = of(node);
    if actions.len() < 2 {
        return None;
    }
    let head = head(node, &subject(node)?);
    let mut before = start.clone();
    let mut split = Vec::new();
    for node in actions {
        let sql = format!("{head} {}\n;", text(&node));
        let after = state_after(before.clone(), &sql)?;
        split.push(Action {
            node,
            before,
            after: after.clone(),
        });
        before = after;
    }
    Some(split)
}

/// Returns the text up to the name of the table.
fn head(node: &SyntaxNode, subject: &SyntaxNode) -> String {
    let mut head = String::new();
    for part in node.children_with_tokens() {
        if part.kind() != SyntaxKind::COMMENT {
            head.push_str(&part.to_string());
        }
        if part.as_node() == Some(subject) {
            break;
        }
    }
    head
}
