//! The safe form of a statement: steps, each of which is a migration of its own.

use bowline_sql::quote::identifier;
use serde::Serialize;
use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::rule::Rule;
use crate::replay::state::PUBLIC;
use crate::replay::syntax::tree::text;
use crate::{Name, Relation};

/// A step of a safe form. Each is a migration of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// The SQL, or a comment on what happens outside of migrations.
    pub sql: String,
    /// False if the migration needs `run_in_transaction = false` in its `metadata.toml`.
    pub in_transaction: bool,
}

impl Step {
    /// Returns the SQL.
    pub fn sql(&self) -> &str {
        &self.sql
    }

    /// Returns a step in a transaction.
    pub(crate) fn new(sql: impl Into<String>) -> Self {
        Self {
            sql: sql.into(),
            in_transaction: true,
        }
    }

    /// Returns a step without a transaction.
    pub(crate) fn alone(sql: impl Into<String>) -> Self {
        Self {
            sql: sql.into(),
            in_transaction: false,
        }
    }
}

/// Returns the step that changes rows in batches; `None` for a table without a primary key, by
/// which the batches are made. `before` is a comment on what comes first; it may be empty.
pub(crate) fn backfill(table: Option<&Relation>, before: &str, update: &str) -> Option<Step> {
    let before = match before {
        "" => String::new(),
        before => format!("-- {before}\n"),
    };
    table.and_then(Relation::primary_key)?;
    Some(Step::alone(format!(
        "{before}-- bowline: backfill\n{update}"
    )))
}

/// Returns the reason why rows of a table cannot be written in batches.
pub(crate) fn no_key(table: &str) -> String {
    format!(
        "{table} has no primary key, by which its rows could be written in batches: add one first, or run it while little uses the table"
    )
}

/// Returns a statement that a rule would report although its danger is known, with the comment that
/// hides the finding and says why.
pub(crate) fn accepted(rule: Rule, why: &str, statement: &str) -> String {
    format!("-- squawk-ignore {rule} -- {why}\n{statement}")
}

/// Returns a relation's name as SQL, without the schema `public`.
pub(crate) fn relation(name: &Name) -> String {
    if name.schema == PUBLIC {
        identifier(&name.name)
    } else {
        format!("{}.{}", identifier(&name.schema), identifier(&name.name))
    }
}

/// Returns a list of columns as SQL.
pub(crate) fn columns(names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|name| identifier(name)).collect();
    names.join(", ")
}

/// Returns the source of a node without some of its children, in which runs of white space are one
/// space.
pub(crate) fn without(node: &SyntaxNode, left_out: &[SyntaxNode]) -> String {
    changed(node, |child| left_out.contains(child).then(String::new))
}

/// Returns the source of a node in which some of its children have another text.
pub(crate) fn changed(node: &SyntaxNode, other: impl Fn(&SyntaxNode) -> Option<String>) -> String {
    let mut out = String::new();
    for part in node.children_with_tokens() {
        match &part {
            rowan::NodeOrToken::Node(child) => {
                out.push_str(&other(child).unwrap_or_else(|| part.to_string()));
            }
            rowan::NodeOrToken::Token(token) if token.kind() == SyntaxKind::COMMENT => {}
            rowan::NodeOrToken::Token(_) => out.push_str(&part.to_string()),
        }
    }
    one_space(&out)
}

/// Returns a text with a word after the first token of a kind.
pub(crate) fn with_word_after(node: &SyntaxNode, kind: SyntaxKind, word: &str) -> String {
    let mut out = String::new();
    let mut is_done = false;
    for part in node.children_with_tokens() {
        let is_it = !is_done && part.kind() == kind;
        out.push_str(&part.to_string());
        if is_it {
            out.push_str(word);
            is_done = true;
        }
    }
    statement(&out)
}

/// Returns a statement with a semicolon.
pub(crate) fn statement(text: &str) -> String {
    format!("{};", text.trim().trim_end_matches(';').trim_end())
}

/// Returns the source of a node as one statement.
pub(crate) fn whole(node: &SyntaxNode) -> String {
    statement(&text(node))
}

fn one_space(text: &str) -> String {
    bowline_sql::one_line(text)
}
