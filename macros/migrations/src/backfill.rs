//! Data changes that run in batches: an UPDATE or DELETE after the comment `-- bowline: backfill`.
//!
//! One statement that changes a million rows keeps their locks until it ends, and a failure loses
//! all of its work. In batches by ranges of the primary key, each in a transaction of its own,
//! programs go on meanwhile, and a run that stopped goes on where it was. The file stays plain SQL,
//! which diesel's own command runs as one statement.

mod batch;

use std::ops::Range;
use std::time::Duration;

use bowline_sql::{Kind, Statement, Token, statements, tokens_and_comments};

use crate::script_error::ScriptError;
pub use batch::KeyColumn;

/// An UPDATE or DELETE that runs in batches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backfill<'a> {
    /// The statement, as it is written.
    pub sql: &'a str,
    /// The position of the statement in the file, in bytes.
    pub start: usize,
    /// The table, as it is written.
    pub table: &'a str,
    /// The name by which the statement refers to the table.
    target: &'a str,
    /// The condition after WHERE.
    condition: Option<Range<usize>>,
    /// The number of rows that a batch looks at.
    pub rows: u32,
    /// The pause between two batches; `None` for as long as the batch took.
    pub pause: Option<Duration>,
}

/// The rows of a batch if the file does not say how many.
const ROWS: u32 = 1_000;

/// The longest pause, and the largest batch.
const MAX_PAUSE: Duration = Duration::from_secs(60);
const MAX_ROWS: u32 = 1_000_000;

/// The mark of a comment for Bowline, and the word of this one.
const MARK: &str = "bowline:";
const WORD: &str = "backfill";

/// What else such a comment can say: that the next statement changes no schema, or the SQL of what
/// it changes.
const IGNORE: &str = "ignore";
const EFFECTS: [&str; 20] = [
    "alter", "call", "comment", "create", "delete", "do", "drop", "grant", "import", "insert",
    "merge", "refresh", "reindex", "revoke", "select", "set", "truncate", "update", "values",
    "with",
];

/// Returns the statements of a file that run in batches, in order. Either all of them do, or none.
///
/// Fails if a comment or statement cannot be read as one, or if the migration runs in a
/// transaction.
pub fn backfills(text: &str, in_transaction: bool) -> Result<Vec<Backfill<'_>>, ScriptError> {
    // Nearly all files have none, and are not read twice.
    if !text.as_bytes().windows(MARK.len()).any(is_mark) {
        return Ok(Vec::new());
    }
    let marks = marks(text)?;
    let Some(first) = marks.first() else {
        return Ok(Vec::new());
    };
    if in_transaction {
        return Err(ScriptError::new(
            text,
            first.span.clone(),
            "a backfill runs in transactions of its own, one for each batch",
            "write a metadata.toml with run_in_transaction = false beside the file",
        ));
    }
    let mut marks = marks.into_iter().peekable();
    let mut found = Vec::new();
    for statement in statements(text) {
        let start = statement.start();
        let Some(mark) = marks.next_if(|mark| mark.span.start < start) else {
            return Err(ScriptError::new(
                text,
                start..start + statement.text().len(),
                "only data changes in batches can stand in a file with a backfill",
                "write `-- bowline: backfill` before it too, or move it to a migration of its own",
            ));
        };
        if let Some(second) = marks.next_if(|mark| mark.span.start < start) {
            return Err(ScriptError::new(
                text,
                second.span,
                "the statement has two comments for its backfill",
                "remove one of them",
            ));
        }
        found.push(mark.read(text, &statement)?);
    }
    match marks.next() {
        None => Ok(found),
        Some(mark) => Err(ScriptError::new(
            text,
            mark.span,
            "no statement follows",
            "write it before an UPDATE or DELETE",
        )),
    }
}

/// A comment `-- bowline: backfill`.
struct Mark<'a> {
    span: Range<usize>,
    /// The words after `backfill`.
    options: &'a str,
}

/// Returns true for the mark in any case.
fn is_mark(text: &[u8]) -> bool {
    text.eq_ignore_ascii_case(MARK.as_bytes())
}

/// Returns the marks. Fails for a comment for Bowline that says nothing which Bowline knows: as a
/// misspelled backfill, it would run as one statement.
fn marks(text: &str) -> Result<Vec<Mark<'_>>, ScriptError> {
    let comments = tokens_and_comments(text).filter(|token| token.kind() == Kind::Comment);
    let mut marks = Vec::new();
    // Whether the comment before is SQL that goes on.
    let mut goes_on = false;
    for token in comments {
        let (start, end) = (token.start(), token.end());
        let comment = &text[start..end];
        let line = comment.strip_prefix("--").map(str::trim);
        let inner = line.unwrap_or_else(|| comment.trim_start_matches("/*").trim_start());
        if !inner.as_bytes().get(..MARK.len()).is_some_and(is_mark) {
            goes_on = false;
            continue;
        }
        let rest = inner[MARK.len()..].trim();
        let word = rest.split_whitespace().next().unwrap_or_default();
        let is_line = line.is_some_and(|line| line.starts_with(MARK));
        let first = bowline_sql::first_word(rest);
        let is_sql = first.is_some_and(|first| first.is_one_of(&EFFECTS));
        if is_line && word == WORD {
            goes_on = false;
            marks.push(Mark {
                span: start..end,
                options: &rest[WORD.len()..],
            });
        } else if is_line && (rest == IGNORE || is_sql || goes_on) {
            goes_on = rest != IGNORE;
        } else {
            return Err(ScriptError::new(
                text,
                start..end,
                "this comment is for Bowline, and says nothing that Bowline knows",
                "write `-- bowline: backfill` before an UPDATE or DELETE; `-- bowline: ignore`, or \
                 `-- bowline:` with SQL, before a statement that cannot be followed; or begin the \
                 comment with another word",
            ));
        }
    }
    Ok(marks)
}

impl Mark<'_> {
    fn read<'a>(
        &self,
        text: &'a str,
        statement: &Statement<'a>,
    ) -> Result<Backfill<'a>, ScriptError> {
        let (rows, pause) = self.options(text)?;
        let change = change(statement).map_err(|(span, message, hint)| {
            let start = statement.start();
            ScriptError::new(text, start + span.start..start + span.end, message, hint)
        })?;
        Ok(Backfill {
            sql: statement.text(),
            start: statement.start(),
            table: change.table,
            target: change.target,
            condition: change.condition,
            rows,
            pause,
        })
    }

    /// Reads `rows 5000 pause 100ms`.
    fn options(&self, text: &str) -> Result<(u32, Option<Duration>), ScriptError> {
        let (mut rows, mut pause) = (ROWS, None);
        let mut words = self.options.split_whitespace();
        while let Some(word) = words.next() {
            let value = words.next().unwrap_or_default();
            match word {
                "rows" => match value.parse() {
                    Ok(number @ 1..=MAX_ROWS) => rows = number,
                    _ => {
                        return Err(self.wrong(text, "rows is a number from 1 to 1000000"));
                    }
                },
                "pause" => match duration(value).filter(|length| *length <= MAX_PAUSE) {
                    Some(length) => pause = Some(length),
                    None => return Err(self.wrong(text, "pause is a time up to 60s")),
                },
                _ => return Err(self.wrong(text, "a backfill has the options rows and pause")),
            }
        }
        Ok((rows, pause))
    }

    fn wrong(&self, text: &str, message: &str) -> ScriptError {
        ScriptError::new(
            text,
            self.span.clone(),
            message,
            "write it as `-- bowline: backfill rows 5000 pause 100ms`, or without options",
        )
    }
}

/// Reads `100ms` or `2s`; `0` needs no unit.
fn duration(text: &str) -> Option<Duration> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number: u64 = digits.parse().ok()?;
    match &text[digits.len()..] {
        "ms" => Some(Duration::from_millis(number)),
        "s" => Some(Duration::from_secs(number)),
        "" if number == 0 => Some(Duration::ZERO),
        _ => None,
    }
}

/// The parts of an UPDATE or DELETE.
struct Change<'a> {
    table: &'a str,
    target: &'a str,
    condition: Option<Range<usize>>,
}

type Wrong = (Range<usize>, &'static str, &'static str);

/// Reads an UPDATE or DELETE. Only what is outside of parentheses is looked at.
fn change<'a>(statement: &Statement<'a>) -> Result<Change<'a>, Wrong> {
    let text = statement.text();
    let tokens: Vec<Token<'a>> = statement.tokens().collect();
    let mut at = 0;
    let is = |at: usize, word: &str| tokens.get(at).is_some_and(|token| token.is_word(word));
    let is_sign = |at: usize, sign: &str| tokens.get(at).is_some_and(|token| token.is(sign));
    let whole = || {
        (
            0..text.len(),
            "only an UPDATE or DELETE can run in batches",
            "write it as one, without WITH",
        )
    };
    let ends: &[&str] = if is(0, "update") {
        at += 1;
        &["set"]
    } else if is(0, "delete") && is(1, "from") {
        at += 2;
        &["using", "where", "returning"]
    } else {
        return Err(whole());
    };
    if is(at, "only") {
        at += 1;
    }
    // The name, with its schema: words between dots.
    let first = at;
    while is_sign(at + 1, ".") {
        at += 2;
    }
    let (Some(begin), Some(last)) = (tokens.get(first), tokens.get(at)) else {
        return Err(whole());
    };
    let table = &text[begin.start()..last.end()];
    let mut target = last.text();
    at += 1;
    if is_sign(at, "*") {
        at += 1;
    }
    if is(at, "as") {
        at += 1;
    }
    if let Some(alias) = tokens.get(at).filter(|token| !token.is_one_of(ends)) {
        target = alias.text();
        at += 1;
    }
    let mut depth = 0_usize;
    let mut condition = None;
    for token in &tokens[at.min(tokens.len())..] {
        if token.is("(") {
            depth += 1;
        } else if token.is(")") {
            depth = depth.saturating_sub(1);
        } else if depth == 0 && token.is_word("where") {
            condition = Some(token.end()..text.len());
        } else if depth == 0 && token.is_word("returning") {
            return Err((
                token.start()..text.len(),
                "nothing reads the rows that a backfill returns",
                "remove RETURNING",
            ));
        }
    }
    let of_cursor = condition.as_ref().filter(|condition| {
        let mut words = bowline_sql::tokens(&text[(*condition).clone()]);
        words.next().is_some_and(|word| word.is_word("current"))
            && words.next().is_some_and(|word| word.is_word("of"))
    });
    if let Some(condition) = of_cursor {
        return Err((
            condition.clone(),
            "a migration has no cursor",
            "write the condition of the rows",
        ));
    }
    Ok(Change {
        table,
        target,
        condition,
    })
}

#[cfg(test)]
mod tests;
