//! The SQL to send for one file of a migration, or the reason why the file cannot run.
//!
//! A migration runs in one transaction with the INSERT into diesel's table. So its file must not
//! end that transaction or begin another one. Otherwise diesel's table could record a migration
//! that was rolled back, or lack one that was committed.
//!
//! The commands of psql are errors too, since the server does not know them.

use std::borrow::Cow;
use std::ops::Range;

use bowline_sql::{Statement, Token, statements};

use crate::backfill::backfills;
use crate::script_error::ScriptError;

/// Returns the SQL of a file as it is sent to the server.
///
/// A byte order mark is removed. The `\restrict` and `\unrestrict` of pg_dump are replaced by
/// spaces, so that positions in the SQL are positions in the file. With `in_transaction`, a BEGIN
/// and a COMMIT around everything else are replaced by spaces too.
///
/// Other statements that begin or end a transaction are errors, and so are other commands of psql.
/// Without `in_transaction`, a BEGIN is allowed if the file has its COMMIT. So is a backfill, which
/// has to be one that [`backfills`] reads.
pub fn script(text: &str, in_transaction: bool) -> Result<Cow<'_, str>, ScriptError> {
    let reader = Reader {
        text,
        blank: Vec::new(),
        controls: Vec::new(),
        count: 0,
    };
    reader.read(in_transaction)
}

/// A statement that begins or ends a transaction.
struct Control<'a> {
    words: &'a str,
    /// The index of the statement in the file, counted from 0.
    number: usize,
    start: usize,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// BEGIN or START TRANSACTION; `plain` is true if it has no transaction modes.
    Begin {
        plain: bool,
    },
    Commit,
    /// COMMIT AND CHAIN or ROLLBACK AND CHAIN, which begins the next transaction.
    Chain,
    Rollback,
    Prepare,
    /// DISCARD ALL, which releases all advisory locks of the session.
    Discard,
}

struct Reader<'a> {
    text: &'a str,
    /// The ranges that are not sent.
    blank: Vec<Range<usize>>,
    controls: Vec<Control<'a>>,
    /// The number of statements so far.
    count: usize,
}

impl<'a> Reader<'a> {
    fn read(mut self, in_transaction: bool) -> Result<Cow<'a, str>, ScriptError> {
        let mut at = 0;
        if self.text.starts_with(BYTE_ORDER_MARK) {
            at = BYTE_ORDER_MARK.len_utf8();
            self.blank.push(0..at);
        }
        while let Some(statement) = statements(&self.text[at..]).next() {
            let start = at + statement.start();
            at = if statement.text().starts_with('\\') {
                self.psql(start)?
            } else {
                self.statement(&statement, start)?;
                start + statement.text().len()
            };
        }
        // A byte order mark is no part of the SQL.
        let sql = self.text.trim_start_matches(BYTE_ORDER_MARK);
        backfills(sql, in_transaction).map_err(|error| {
            let before = self.text.len() - sql.len();
            ScriptError {
                span: error.span.start + before..error.span.end + before,
                ..error
            }
        })?;
        if in_transaction {
            self.within()?;
        } else {
            self.balanced()?;
        }
        Ok(blanked(self.text, &self.blank))
    }

    /// Reads a command of psql up to the end of its line, and returns the position of that end.
    ///
    /// Fails unless the command is `\restrict` or `\unrestrict`.
    fn psql(&mut self, start: usize) -> Result<usize, ScriptError> {
        let rest = &self.text[start..];
        let line = rest.lines().next().unwrap_or_default();
        let name: &str = line.split_whitespace().next().unwrap_or_default();
        if !matches!(name, "\\restrict" | "\\unrestrict") {
            return Err(self.is_psqls(start, name));
        }
        self.blank.push(start..start + line.len());
        Ok(start + line.len())
    }

    fn is_psqls(&self, start: usize, name: &str) -> ScriptError {
        self.error(
            start..start + name.len(),
            format!("{name} is a command of psql, which a server does not accept"),
            "write it in SQL, or remove it",
        )
    }

    fn statement(&mut self, statement: &Statement<'a>, start: usize) -> Result<(), ScriptError> {
        let number = self.count;
        self.count += 1;
        if statement.text().contains('\\')
            && let Some(psql) = statement.tokens().find(|token| token.is("\\"))
        {
            let at = start + psql.start();
            let name = self.text[at..].split_whitespace().next();
            return Err(self.is_psqls(at, name.unwrap_or("\\")));
        }
        let mut tokens = statement.tokens();
        let first = tokens.next();
        if first.is_some_and(|first| first.is_word("copy")) && takes_rows(statement) {
            return Err(self.error(
                start..start + statement.text().len(),
                "COPY .. FROM STDIN takes its rows from psql, which does not run migrations"
                    .to_owned(),
                "write the rows as INSERT, as pg_dump does with --inserts",
            ));
        }
        let is_control = |first: &Token<'_>| first.is_one_of(&CONTROLS);
        let kind = first
            .filter(is_control)
            .and_then(|first| control(&first, &tokens.collect::<Vec<_>>()));
        if let Some(kind) = kind {
            self.controls.push(Control {
                words: statement.text(),
                number,
                start,
                kind,
            });
        }
        Ok(())
    }

    /// Checks a file that runs in the migration's transaction. It may contain one BEGIN and COMMIT,
    /// around everything else, and no other statement that begins or ends a transaction.
    fn within(&mut self) -> Result<(), ScriptError> {
        let last = self.count.saturating_sub(1);
        if let [begin, end] = self.controls.as_slice()
            && begin.kind == (Kind::Begin { plain: true })
            && end.kind == Kind::Commit
            && (begin.number, end.number) == (0, last)
        {
            let both = [begin.span(), end.span()];
            self.blank.extend(both);
            return Ok(());
        }
        // The error is about the first statement that is not a part of such a pair.
        let around = self.controls.len() > 1
            && self.controls.first().is_some_and(|first| {
                first.number == 0 && matches!(first.kind, Kind::Begin { plain: true })
            })
            && self
                .controls
                .last()
                .is_some_and(|end| end.number == last && end.kind == Kind::Commit);
        let Some(wrong) = self.controls.get(usize::from(around)) else {
            return Ok(());
        };
        let (message, hint) = match wrong.kind {
            Kind::Begin { plain: false } => (
                "the migration runs in a transaction of its own, which has begun already",
                "write SET TRANSACTION ISOLATION LEVEL .. as the first statement, without BEGIN and COMMIT",
            ),
            Kind::Begin { plain: true } if self.controls.len() == 1 => (
                "this transaction has no COMMIT at the end of the file",
                "remove it: a migration runs in a transaction of its own",
            ),
            Kind::Begin { plain: true } => (
                "the migration runs in a transaction of its own, which has begun already",
                "remove it, with its COMMIT",
            ),
            Kind::Commit => (
                "this would end the transaction in which the migration runs and is recorded",
                APART,
            ),
            Kind::Chain => (
                "this would end the transaction in which the migration runs and is recorded, and begin another",
                APART,
            ),
            Kind::Rollback => (
                "this would undo what the file has done, and the migration would still be recorded as run",
                "remove it, with the statements that it undoes",
            ),
            Kind::Prepare => (
                "this would leave the migration's transaction prepared, for a later COMMIT PREPARED",
                "remove it",
            ),
            Kind::Discard => (
                "DISCARD ALL cannot run in a transaction",
                "remove it: each migration begins with a clean session",
            ),
        };
        Err(self.refused(wrong, message, hint))
    }

    /// Checks a file that runs without a transaction: each BEGIN needs its COMMIT.
    fn balanced(&self) -> Result<(), ScriptError> {
        let mut open: Option<&Control<'_>> = None;
        for control in &self.controls {
            let (message, hint) = match (control.kind, open) {
                (Kind::Begin { .. }, None) => {
                    open = Some(control);
                    continue;
                }
                (Kind::Commit, Some(_)) => {
                    open = None;
                    continue;
                }
                (Kind::Begin { .. }, Some(_)) => (
                    "a transaction is open here already",
                    "end it with COMMIT before, or remove this",
                ),
                (Kind::Commit, None) => (
                    "no transaction is open here",
                    "remove it, or write BEGIN where the transaction begins",
                ),
                (Kind::Chain, _) => (
                    "this would begin a transaction without a BEGIN",
                    "write COMMIT, and BEGIN where the next one begins",
                ),
                (Kind::Rollback, _) => (
                    "this would undo what the file has done, and the migration would still be recorded as run",
                    "remove it, with the statements that it undoes",
                ),
                (Kind::Prepare, _) => (
                    "this would leave the transaction prepared, for a later COMMIT PREPARED",
                    "write COMMIT",
                ),
                (Kind::Discard, _) => (
                    "this would release the lock that keeps others from running migrations now",
                    "remove it: each migration begins with a clean session",
                ),
            };
            return Err(self.refused(control, message, hint));
        }
        match open {
            Some(open) => Err(self.refused(
                open,
                "this transaction does not end in the file, so it would be rolled back",
                "end it with COMMIT",
            )),
            None => Ok(()),
        }
    }

    fn refused(&self, control: &Control<'_>, message: &str, hint: &str) -> ScriptError {
        self.error(control.span(), message.to_owned(), hint)
    }

    fn error(&self, span: Range<usize>, message: String, hint: &str) -> ScriptError {
        ScriptError::new(self.text, span, message, hint)
    }
}

const BYTE_ORDER_MARK: char = '\u{feff}';

/// The hint for a COMMIT in the middle of a file.
const APART: &str = "remove it; move the statements that have to be committed first into a migration of their own, before this one";

impl Control<'_> {
    fn span(&self) -> Range<usize> {
        self.start..self.start + self.words.len()
    }
}

/// The first words of statements that begin or end a transaction.
const CONTROLS: [&str; 8] = [
    "begin", "start", "commit", "end", "rollback", "abort", "prepare", "discard",
];

/// Returns the effect of a statement on the transaction, from its first word and the others;
/// `None` if it has no effect, as for savepoints.
fn control(first: &Token<'_>, rest: &[Token<'_>]) -> Option<Kind> {
    let second_is = |word: &str| rest.first().is_some_and(|second| second.is_word(word));
    // WORK and TRANSACTION have no effect.
    let filler = usize::from(second_is("work") || second_is("transaction"));
    let rest_is = |words: &[&str]| {
        let rest = &rest[filler..];
        rest.len() == words.len()
            && rest
                .iter()
                .zip(words)
                .all(|(token, word)| token.is_word(word))
    };
    let ends = |plain: Kind| match () {
        // A prepared transaction is not the transaction of this session.
        () if second_is("prepared") => None,
        () if rest.iter().any(|token| token.is_word("to")) => None,
        () if rest_is(&["and", "chain"]) => Some(Kind::Chain),
        () => Some(plain),
    };
    if first.is_word("begin") || (first.is_word("start") && second_is("transaction")) {
        Some(Kind::Begin {
            plain: rest.len() == filler,
        })
    } else if first.is_one_of(&["commit", "end"]) {
        ends(Kind::Commit)
    } else if first.is_one_of(&["rollback", "abort"]) {
        ends(Kind::Rollback)
    } else if first.is_word("prepare") && second_is("transaction") {
        Some(Kind::Prepare)
    } else if first.is_word("discard") && second_is("all") {
        Some(Kind::Discard)
    } else {
        None
    }
}

/// Returns true if a COPY has FROM STDIN outside of parentheses.
fn takes_rows(copy: &Statement<'_>) -> bool {
    let (mut depth, mut from) = (0_usize, false);
    for token in copy.tokens() {
        if token.is("(") {
            depth += 1;
        } else if token.is(")") {
            depth = depth.saturating_sub(1);
        } else if depth == 0 {
            if from && token.is_word("stdin") {
                return true;
            }
            from = token.is_word("from");
        }
    }
    false
}

/// Returns the text with a space for each character in these ranges. White space stays, and a byte
/// order mark is removed.
fn blanked<'a>(text: &'a str, ranges: &[Range<usize>]) -> Cow<'a, str> {
    if ranges.is_empty() {
        return text.into();
    }
    let mut ranges = ranges.to_vec();
    ranges.sort_by_key(|range| range.start);
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for range in ranges {
        out.push_str(&text[at..range.start]);
        let blank = text[range.clone()].chars();
        // The server counts positions without the byte order mark, so it gets no space.
        let blank = blank.filter(|c| *c != BYTE_ORDER_MARK);
        out.extend(blank.map(|c| if c.is_whitespace() { c } else { ' ' }));
        at = range.end;
    }
    out.push_str(&text[at..]);
    out.into()
}

#[cfg(test)]
mod tests;
