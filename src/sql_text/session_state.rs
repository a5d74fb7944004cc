//! Determines from the tokens of a statement whether it may leave state behind in its session.
//!
//! A statement that is not understood counts as one that may. An unnecessary reset costs a round
//! trip; a role left for the next holder would cost more.

use std::borrow::Cow;

use bowline_sql::{Kind, Token, Tokens, statements, tokens};

use super::functions::SETS_SESSION;
use super::statement_kinds::{Leaves, StatementKind};

/// Returns whether one of these statements may leave state behind.
pub(crate) fn script_leaves_state(sql: &str) -> bool {
    statements(sql).any(|statement| statement_leaves_state(statement.tokens()))
}

/// Returns whether a single statement may leave state behind; PostgreSQL refuses several in one
/// prepared statement.
pub(crate) fn leaves_state(sql: &str) -> bool {
    let mut all = tokens(sql);
    let mut after_semicolons = all.clone();
    while after_semicolons.next().is_some_and(|token| token.is(";")) {
        all = after_semicolons.clone();
    }
    statement_leaves_state(all)
}

fn statement_leaves_state(mut tokens: Tokens<'_>) -> bool {
    let Some(first) = tokens.by_ref().find(|token| !token.is("(")) else {
        return false;
    };
    if first.is_word("set") {
        let kind = tokens.next();
        // A setting may have such a name: `SET local.x = 1`.
        !kind.is_some_and(|kind| kind.is_one_of(&["local", "transaction", "constraints"]))
            || tokens.clone().next().is_some_and(|next| next.is("."))
            || tokens.any(|token| names_temporary(&token))
    } else if first.is_word("prepare") {
        !tokens
            .next()
            .is_some_and(|next| next.is_word("transaction"))
    } else if first.is_word("declare") {
        holds(tokens.clone()) || calls_something(first, tokens)
    } else if first.is_word("explain") {
        statement_leaves_state(past_options(tokens))
    } else {
        match StatementKind::of_word(&first).map(|kind| kind.leaves) {
            Some(Leaves::Nothing) => false,
            Some(Leaves::ByContent) => calls_something(first, tokens),
            None => true,
        }
    }
}

/// Returns whether a cursor is declared WITH HOLD, so that it outlives its transaction.
fn holds(tokens: Tokens<'_>) -> bool {
    let mut last: Option<Token<'_>> = None;
    for token in tokens {
        if token.is_word("hold") && last.is_some_and(|last| last.is_word("with")) {
            return true;
        }
        last = Some(token);
    }
    false
}

/// Returns the tokens of the statement that EXPLAIN explains, and with ANALYZE runs.
fn past_options(mut tokens: Tokens<'_>) -> Tokens<'_> {
    let mut depth = 0_usize;
    loop {
        let before = tokens.clone();
        let Some(token) = tokens.next() else {
            return before;
        };
        if token.is("(") {
            // Options are in parentheses, and the query may be too: its first word decides.
            let inside = tokens.clone().find(|token| !token.is("("));
            if depth == 0 && inside.is_some_and(|token| is_query(&token)) {
                return before;
            }
            depth += 1;
        } else if token.is(")") {
            depth = depth.saturating_sub(1);
        } else if depth == 0 && !token.is_one_of(&["analyze", "analyse", "verbose"]) {
            return before;
        }
    }
}

fn is_query(token: &Token<'_>) -> bool {
    StatementKind::of_word(token).is_some_and(|kind| kind.query.is_some())
}

/// Returns whether the tokens after this word create a temporary object, or call a function that
/// changes a setting of the session.
///
/// Functions of the database are not known here, wherever they are called.
fn calls_something(first: Token<'_>, mut tokens: Tokens<'_>) -> bool {
    let mut last = first;
    let mut updates = first.is_word("update");
    let mut settings = false;
    while let Some(token) = tokens.next() {
        match token.kind() {
            // The token before belongs to the name: `U&"a" UESCAPE '!' (`.
            Kind::Word if token.is_word("uescape") && last.kind() == Kind::QuotedName => {
                tokens.next();
                continue;
            }
            Kind::Word | Kind::QuotedName => {
                if is_temporary(&token, &first, &last) {
                    return true;
                }
                // A rule on this view makes an UPDATE set the setting.
                updates |= token.is_word("update");
                settings |= token.is_name("pg_settings");
                if updates && settings {
                    return true;
                }
            }
            Kind::Punctuation if token.is("(") => {
                if let Some(name) = last.name()
                    && sets_something(&name, tokens.clone())
                {
                    return true;
                }
            }
            _ => {}
        }
        last = token;
    }
    false
}

/// Returns whether a word creates a temporary object: TEMP as a keyword, or the schema of temporary
/// objects.
fn is_temporary(token: &Token<'_>, first: &Token<'_>, last: &Token<'_>) -> bool {
    if token.is_one_of(&["temp", "temporary"]) {
        return first.is_word("create") || last.is_one_of(&["into", "local", "global"]);
    }
    let is_schema = |name: &str| {
        name.get(..7)
            .is_some_and(|start| start.eq_ignore_ascii_case("pg_temp"))
    };
    match token.kind() {
        Kind::Word => is_schema(token.text()),
        _ => token
            .name()
            .is_none_or(|name: Cow<'_, str>| is_schema(&name)),
    }
}

/// Returns whether it names the schema of temporary objects, or a path with that schema: objects
/// created without a schema are temporary then.
fn names_temporary(token: &Token<'_>) -> bool {
    let text = token.value().or_else(|| token.name());
    text.is_some_and(|text| text.to_ascii_lowercase().contains("pg_temp"))
}

/// Returns whether a call of this function changes a setting of the session.
fn sets_something(name: &str, arguments: Tokens<'_>) -> bool {
    if name == "set_config" {
        return !is_local(arguments.clone())
            || arguments.into_iter().any(|token| names_temporary(&token));
    }
    (name.contains("advisory") && !name.contains("_xact_") && !name.contains("unlock"))
        || SETS_SESSION.contains(&name)
}

/// Returns whether these arguments of `set_config`, up to their parenthesis, say that it ends with
/// the transaction.
fn is_local(arguments: Tokens<'_>) -> bool {
    let mut depth = 0_usize;
    let mut number = 1;
    let mut argument: Vec<Token<'_>> = Vec::new();
    for token in arguments {
        let ends = depth == 0 && (token.is(")") || token.is(","));
        if !ends {
            depth = match token.text() {
                "(" | "[" => depth + 1,
                ")" | "]" => depth.saturating_sub(1),
                _ => depth,
            };
            argument.push(token);
            continue;
        }
        if let Some(is_local) = local_argument(number, &argument) {
            return is_local;
        }
        if token.is(")") {
            return false;
        }
        argument.clear();
        number += 1;
    }
    false
}

/// Returns the value of the argument `is_local`, if this is that argument: the third, or the one
/// with this name.
fn local_argument(number: u32, argument: &[Token<'_>]) -> Option<bool> {
    let value = match argument {
        [name, arrow, value @ ..] if arrow.is("=>") || arrow.is(":=") => {
            name.is_name("is_local").then_some(value)?
        }
        value if number == 3 => value,
        _ => return None,
    };
    let value = match value {
        [value, cast, data_type] if cast.is("::") && data_type.is_one_of(&["bool", "boolean"]) => {
            value
        }
        [value] => value,
        _ => return Some(false),
    };
    let is_true = |text: Cow<'_, str>| ["t", "true"].contains(&text.to_ascii_lowercase().as_str());
    Some(value.is_word("true") || value.value().is_some_and(is_true))
}

/// Returns whether a text may leave state behind that `DISCARD ALL` does not remove: a loaded
/// library, the seed of `random()`, a connection of dblink, or a setting of a name that PostgreSQL
/// does not know, which stays known as an empty string.
///
/// The text is searched as a whole, strings included: a DO block has its statements in one.
pub(crate) fn outlasts_discard(sql: &str) -> bool {
    const NAMES: [&str; 4] = [
        "set_config",
        "setseed",
        "dblink_connect",
        "replication_origin_session",
    ];
    let is_part_of_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut rest = sql;
    while let Some(start) = rest.find(is_part_of_name) {
        rest = &rest[start..];
        let end = rest.find(|c| !is_part_of_name(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        rest = after;
        let is = |other: &str| word.eq_ignore_ascii_case(other);
        if is("load") || is("set") && sets_unknown(after) {
            return true;
        }
        // Few words begin with these letters, so few are written in lower case.
        if matches!(
            word.as_bytes(),
            [b's' | b'S' | b'd' | b'D' | b'p' | b'P', ..]
        ) && NAMES
            .iter()
            .any(|name| word.to_ascii_lowercase().contains(name))
        {
            return true;
        }
    }
    false
}

/// Returns whether the name after SET may be one that PostgreSQL does not know: such a name has a
/// dot.
fn sets_unknown(after_set: &str) -> bool {
    let mut rest = after_set.trim_start();
    for word in ["local", "session"] {
        let tail = rest.get(word.len()..).unwrap_or_default();
        let is_word = rest
            .get(..word.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(word));
        if is_word && tail.starts_with(|c: char| c.is_ascii_whitespace() || c == '/') {
            rest = tail.trim_start();
        }
    }
    if rest.starts_with("--") || rest.starts_with("/*") {
        return true;
    }
    let after_name = match rest.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"').map_or("", |(_, after)| after),
        None => rest
            .trim_start_matches(|c: char| !c.is_ascii() || c.is_ascii_alphanumeric() || c == '_'),
    };
    after_name.trim_start().starts_with('.')
}

#[cfg(test)]
mod tests;
