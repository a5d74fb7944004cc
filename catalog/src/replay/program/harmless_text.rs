//! Executed texts of which only the beginning is known. The beginning can show that the statement
//! is harmless.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::gap::GapKind;
use crate::replay::syntax::tree::{string, tokens};

/// Returns true if an executed text begins with a literal that cannot change the schema, and is a
/// single statement.
pub(crate) fn is_harmless(execute: &SyntaxNode) -> bool {
    const HARMLESS: [&[&str]; 18] = [
        &["create", "trigger"],
        &["create", "constraint", "trigger"],
        &["drop", "trigger"],
        &["grant"],
        &["revoke"],
        &["insert", "into"],
        &["update"],
        &["delete", "from"],
        &["analyze"],
        &["refresh", "materialized", "view"],
        &["alter", "default", "privileges"],
        &["notify"],
        &["create", "role"],
        &["create", "user"],
        &["alter", "role"],
        &["alter", "user"],
        &["drop", "role"],
        &["drop", "user"],
    ];
    let Some(first) = beginning(execute) else {
        return false;
    };
    let literals: Vec<String> = execute
        .descendants()
        .filter(|node| node.kind() == SyntaxKind::LITERAL)
        .filter_map(|literal| string(&literal))
        .collect();
    let words: Vec<String> = first
        .split_whitespace()
        .map(str::to_ascii_lowercase)
        .collect();
    let starts = |statement: &&[&str]| {
        words.len() >= statement.len() && words.iter().zip(*statement).all(|(a, b)| a == b)
    };
    let ends_once = literals
        .iter()
        .all(|literal| !literal.trim_end().trim_end_matches(';').contains(';'));
    ends_once && HARMLESS.iter().any(starts)
}

/// Returns the kind of gap for a text of which only the beginning is known, if it is about
/// triggers, policies or the like.
pub(crate) fn attached_kind(execute: &SyntaxNode) -> Option<GapKind> {
    let first = beginning(execute)?;
    let words: Vec<String> = first
        .split_whitespace()
        .take(3)
        .map(str::to_ascii_lowercase)
        .collect();
    let is_about = |word: &str| {
        matches!(
            words.first().map(String::as_str),
            Some("create" | "alter" | "drop")
        ) && words.iter().any(|other| other == word)
    };
    let is_grant = matches!(words.first().map(String::as_str), Some("grant" | "revoke"))
        || (words.len() > 1 && words[0] == "alter" && words[1] == "default");
    if is_grant {
        Some(GapKind::Privileges)
    } else if is_about("trigger") {
        Some(GapKind::Triggers)
    } else if is_about("policy") {
        Some(GapKind::Policies)
    } else if is_about("rule") {
        Some(GapKind::Rules)
    } else {
        None
    }
}

/// The tables into which an executed text may insert rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    Nothing,
    Table(String),
    Anything,
}

/// Returns the table that an executed text may write to, as far as the literal at its beginning
/// shows.
pub(crate) fn target(execute: &SyntaxNode) -> Target {
    const WORDS: [&str; 15] = [
        "create", "alter", "drop", "grant", "revoke", "comment", "update", "delete", "truncate",
        "lock", "analyze", "notify", "set", "refresh", "reindex",
    ];
    let Some(first) = beginning(execute) else {
        return Target::Anything;
    };
    let words: Vec<String> = first
        .split_whitespace()
        .map(str::to_ascii_lowercase)
        .collect();
    let literals = execute
        .descendants()
        .filter(|node| node.kind() == SyntaxKind::LITERAL)
        .filter_map(|literal| string(&literal));
    let all = literals.collect::<Vec<_>>().join(" ").to_ascii_lowercase();
    let has_word = |wanted: &str| {
        let mut words = all.split(|c: char| !c.is_ascii_alphabetic());
        words.any(|word| word == wanted)
    };
    let writes = ["insert", "merge", "copy", "select"];
    match words
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .as_slice()
    {
        [first, ..] if WORDS.contains(first) && !writes.iter().any(|word| has_word(word)) => {
            Target::Nothing
        }
        // A text without parentheses calls no function.
        ["select", ..] if !all.contains('(') && !has_word("insert") => Target::Nothing,
        // The word after the table's name shows that the name is complete.
        ["insert", "into", table, _, ..]
            if table
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.') =>
        {
            let table = table.rsplit('.').next().unwrap_or(table);
            Target::Table(table.to_owned())
        }
        _ => Target::Anything,
    }
}

/// Returns the literal at the beginning of a text, which stands alone or is the first argument of
/// `format`.
fn beginning(execute: &SyntaxNode) -> Option<String> {
    let first = execute
        .descendants()
        .find(|node| node.kind() == SyntaxKind::LITERAL)?;
    let target = execute
        .descendants()
        .find(|node| node.kind() == SyntaxKind::TARGET)?;
    let mut words = tokens(&target).map(|token| token.text().to_ascii_lowercase());
    let begins = words.find(|word| !matches!(word.as_str(), "format" | "("))?;
    begins
        .starts_with(['\'', '$', 'e'])
        .then(|| string(&first))?
}
