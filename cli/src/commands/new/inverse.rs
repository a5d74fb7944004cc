//! The statement that takes a rename back. The script between two schemas would drop the object
//! under its new name and create it anew under the old one, without its rows.

use bowline_sql::{Statement, Token};

/// Returns true if a statement gives an object another name or schema.
pub(super) fn renames(statement: &Statement<'_>) -> bool {
    let tokens: Vec<Token<'_>> = statement.tokens().collect();
    let is_alter = tokens.first().is_some_and(|token| token.is_word("alter"));
    is_alter && (word_at(&tokens, "rename").is_some() || schema_at(&tokens).is_some())
}

/// Returns the statements that revert those of a step with renames, the last one first; `None` if
/// one of them cannot be reverted.
pub(super) fn inverse(sql: &str) -> Option<String> {
    let statements = bowline_sql::statements(sql);
    let reverted: Option<Vec<String>> = statements.map(|it| inverse_of(&it)).collect();
    let mut reverted = reverted?;
    reverted.retain(|statement| !statement.is_empty());
    reverted.reverse();
    Some(reverted.join("\n"))
}

fn inverse_of(statement: &Statement<'_>) -> Option<String> {
    let tokens: Vec<Token<'_>> = statement.tokens().collect();
    let text = Text::new(statement, &tokens);
    let first = tokens.first()?;
    if first.is_word("create") {
        let view = tokens.get(1).filter(|token| token.is_word("view"))?;
        let name = path_from(&tokens, 2)?;
        return Some(format!(
            "DROP {} {};",
            view.text().to_uppercase(),
            text.of(name)
        ));
    }
    // It goes with the view that the step has created.
    if first.is_one_of(&["grant", "comment"]) {
        return Some(String::new());
    }
    if !first.is_word("alter") {
        return None;
    }
    if let Some(at) = schema_at(&tokens) {
        let (start, end) = object(&tokens)?;
        let schema = match end - start {
            1 => "public",
            _ => tokens[start].text(),
        };
        let new = tokens.get(at + 2)?.text();
        let name = tokens[end - 1].text();
        let before = text.of((0, start));
        let between = text.of((end, at));
        return Some(words(&[
            before,
            &format!("{new}.{name}"),
            between,
            "SET SCHEMA",
            schema,
        ]));
    }
    let at = word_at(&tokens, "rename")?;
    let to = at + word_at(&tokens[at..], "to")?;
    let new = tokens.get(to + 1)?.text();
    let rest = text.of((to + 2, tokens.len()));
    if to == at + 1 {
        let (_, end) = object(&tokens)?;
        let before = text.of((0, end - 1));
        let between = text.of((end, at));
        let old = tokens[end - 1].text();
        let before = match before.ends_with('.') {
            true => format!("{before}{new}"),
            false => format!("{before} {new}"),
        };
        return Some(words(&[&before, between, "RENAME TO", old, rest]));
    }
    // `RENAME [COLUMN] a TO b`, `RENAME VALUE 'a' TO 'b'`.
    let old = tokens.get(to.checked_sub(1)?)?.text();
    let before = text.of((0, to - 1));
    Some(words(&[before, new, "TO", old, rest]))
}

/// Returns the tokens of the object's name in `ALTER .. name`, without IF EXISTS and ONLY.
fn object(tokens: &[Token<'_>]) -> Option<(usize, usize)> {
    const KINDS: [&str; 29] = [
        "aggregate",
        "collation",
        "configuration",
        "dictionary",
        "domain",
        "event",
        "exists",
        "extension",
        "foreign",
        "function",
        "if",
        "index",
        "materialized",
        "only",
        "parser",
        "policy",
        "procedure",
        "routine",
        "rule",
        "schema",
        "search",
        "sequence",
        "statistics",
        "table",
        "template",
        "text",
        "trigger",
        "type",
        "view",
    ];
    let is_kind = |token: &Token<'_>| token.is_one_of(&KINDS);
    let count = tokens
        .get(1..)?
        .iter()
        .take_while(|token| is_kind(token))
        .count();
    // A table can have the name of a kind.
    let start = 1 + count;
    match path_from(tokens, start) {
        Some(found) => Some(found),
        None => path_from(tokens, start.checked_sub(1)?),
    }
}

/// Returns the tokens of a name with its schema.
fn path_from(tokens: &[Token<'_>], start: usize) -> Option<(usize, usize)> {
    let is_end = |token: &Token<'_>| token.is_one_of(&["rename", "set", "as", "to"]);
    let first = tokens.get(start).filter(|token| !is_end(token))?;
    first.name()?;
    let mut end = start + 1;
    while tokens.get(end).is_some_and(|token| token.is(".")) && tokens.get(end + 1).is_some() {
        end += 2;
    }
    Some((start, end))
}

fn word_at(tokens: &[Token<'_>], word: &str) -> Option<usize> {
    tokens.iter().position(|token| token.is_word(word))
}

/// Returns the position of `SET SCHEMA`.
fn schema_at(tokens: &[Token<'_>]) -> Option<usize> {
    let is_pair = |pair: &[Token<'_>]| pair[0].is_word("set") && pair[1].is_word("schema");
    tokens.windows(2).position(is_pair)
}

fn words(parts: &[&str]) -> String {
    let parts: Vec<&str> = parts
        .iter()
        .filter(|part| !part.is_empty())
        .copied()
        .collect();
    format!("{};", parts.join(" "))
}

/// The text of a statement by its tokens.
struct Text<'a> {
    text: &'a str,
    spans: Vec<(usize, usize)>,
}

impl<'a> Text<'a> {
    fn new(statement: &Statement<'a>, tokens: &[Token<'a>]) -> Self {
        Self {
            text: statement.text(),
            spans: tokens.iter().map(|it| (it.start(), it.end())).collect(),
        }
    }

    /// Returns the text from one token to another one, which is not included.
    fn of(&self, (start, end): (usize, usize)) -> &'a str {
        if start >= end {
            return "";
        }
        let range = match (self.spans.get(start), self.spans.get(end - 1)) {
            (Some((start, _)), Some((_, end))) => *start..*end,
            _ => return "",
        };
        self.text.get(range).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rename_is_taken_back() {
        for (sql, expected) in [
            ("ALTER TABLE a RENAME TO b", "ALTER TABLE b RENAME TO a;"),
            (
                "ALTER TABLE IF EXISTS \"S x\".\"A b\" RENAME TO c;",
                "ALTER TABLE IF EXISTS \"S x\".c RENAME TO \"A b\";",
            ),
            (
                "alter table only s.a rename column \"x y\" to z",
                "alter table only s.a rename column z TO \"x y\";",
            ),
            (
                "ALTER TABLE a RENAME x TO y",
                "ALTER TABLE a RENAME y TO x;",
            ),
            (
                "ALTER TABLE a RENAME CONSTRAINT x TO y",
                "ALTER TABLE a RENAME CONSTRAINT y TO x;",
            ),
            (
                "ALTER TYPE mood RENAME VALUE 'sad' TO 'blue'",
                "ALTER TYPE mood RENAME VALUE 'blue' TO 'sad';",
            ),
            (
                "ALTER TYPE t RENAME ATTRIBUTE a TO b CASCADE",
                "ALTER TYPE t RENAME ATTRIBUTE b TO a CASCADE;",
            ),
            (
                "ALTER TABLE a SET SCHEMA s",
                "ALTER TABLE s.a SET SCHEMA public;",
            ),
            (
                "ALTER TABLE s.a SET SCHEMA \"T\"",
                "ALTER TABLE \"T\".a SET SCHEMA s;",
            ),
            ("ALTER SCHEMA a RENAME TO b", "ALTER SCHEMA b RENAME TO a;"),
            (
                "ALTER FUNCTION s.f(int, text) RENAME TO g",
                "ALTER FUNCTION s.g (int, text) RENAME TO f;",
            ),
            (
                "ALTER TRIGGER a ON s.t RENAME TO b",
                "ALTER TRIGGER b ON s.t RENAME TO a;",
            ),
            (
                "ALTER MATERIALIZED VIEW a RENAME TO b",
                "ALTER MATERIALIZED VIEW b RENAME TO a;",
            ),
            (
                "-- The old name stays.\nALTER TABLE s.a RENAME TO b;\nCREATE VIEW s.a AS SELECT * FROM s.b;",
                "DROP VIEW s.a;\nALTER TABLE s.b RENAME TO a;",
            ),
            (
                "ALTER TABLE a RENAME TO b;\nCREATE VIEW a AS SELECT * FROM b;\nGRANT SELECT ON TABLE a TO r;",
                "DROP VIEW a;\nALTER TABLE b RENAME TO a;",
            ),
            (
                "ALTER TABLE rule RENAME TO b",
                "ALTER TABLE b RENAME TO rule;",
            ),
        ] {
            assert_eq!(inverse(sql).as_deref(), Some(expected), "{sql}");
        }
        for sql in ["CREATE TABLE a ()", "ALTER TABLE a ADD COLUMN b int"] {
            assert_eq!(inverse(sql), None, "{sql}");
        }
    }
}
