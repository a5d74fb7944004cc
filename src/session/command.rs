//! One command on its way to the server: SQL, bound values, and what must be true of its answer.

use std::sync::Arc;

use diesel::result::DatabaseErrorKind;

use super::libpq::BoundValue;
use crate::error::{Error, Result};

/// A command with its values in binary.
#[derive(Debug, Clone)]
pub(crate) struct Command {
    pub(crate) sql: Arc<str>,
    /// The OIDs of the parameters' types.
    pub(crate) types: Vec<u32>,
    pub(crate) values: Vec<BoundValue>,
    /// Whether it is worth a named statement: its SQL comes back with other values.
    pub(crate) reusable: bool,
    pub(crate) rows: Expectation,
    /// The function that made it, for those who watch.
    pub(crate) function: Option<&'static str>,
    /// The SQL as the caller wrote it, where the server is sent more.
    wrapped: Option<Arc<str>>,
}

/// How many rows an answer must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expectation {
    Any,
    One,
    AtMostOne,
    /// Affected, not returned.
    Exactly(u64),
}

/// How an expectation can be held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// There is nothing to hold, or the server holds it.
    Server,
    /// Only the answer tells, so nothing may be committed before it has come.
    Client,
}

impl Command {
    /// A command without parameters that is not worth a name: BEGIN, SAVEPOINT, ..
    pub(crate) fn plain(sql: impl Into<Arc<str>>) -> Self {
        Self {
            sql: sql.into(),
            types: Vec::new(),
            values: Vec::new(),
            reusable: false,
            rows: Expectation::Any,
            function: None,
            wrapped: None,
        }
    }

    /// A query with its values, and how many rows it is to give.
    pub(crate) fn query(
        sql: impl Into<Arc<str>>,
        types: Vec<u32>,
        values: Vec<BoundValue>,
        reusable: bool,
        rows: Expectation,
    ) -> Self {
        Self {
            types,
            values,
            reusable,
            rows,
            ..Self::plain(sql)
        }
    }

    /// Keeps one copy of SQL that is that of the command before it.
    pub(crate) fn share_sql(&mut self, before: &Self) {
        if self.sql == before.sql {
            self.sql = Arc::clone(&before.sql);
        }
    }

    /// Fails if it cannot be sent at all, in the words of the protocol's limits.
    pub(crate) fn check(&self) -> Result<()> {
        // The protocol counts parameters in 16 bits, and bytes of a value in 31 (PostgreSQL manual, 55.7, Bind).
        const PARAMETERS: usize = u16::MAX as usize;
        const BYTES: usize = i32::MAX as usize;
        let refused = if self.sql.trim().is_empty() {
            Error::unsent(DatabaseErrorKind::Unknown, "the query is empty".to_owned())
                .with_hint("look at how the SQL is put together")
        } else if self.sql.contains('\0') {
            Error::unsent(
                DatabaseErrorKind::UnableToSendCommand,
                "the SQL holds a NUL byte, which PostgreSQL cannot store".to_owned(),
            )
            .with_hint("look at where the SQL comes from")
        } else if self.values.len() > PARAMETERS {
            Error::unsent(
                DatabaseErrorKind::UnableToSendCommand,
                format!(
                    "a statement takes at most {PARAMETERS} parameters, this one has {}",
                    self.values.len()
                ),
            )
            .with_hint("insert in portions with bowline::chunks, bind an array, or COPY")
        } else if self
            .values
            .iter()
            .flatten()
            .any(|value| value.len() > BYTES)
        {
            Error::unsent(
                DatabaseErrorKind::UnableToSendCommand,
                "a bound value is larger than 2 GiB".to_owned(),
            )
            .with_hint("store it in parts")
        } else {
            return Ok(());
        };
        Err(refused.with_sql(self.written()))
    }

    /// The SQL as the caller wrote it.
    pub(crate) fn written(&self) -> Arc<str> {
        Arc::clone(self.wrapped.as_ref().unwrap_or(&self.sql))
    }

    /// How many characters the server is sent before the caller's SQL.
    pub(crate) fn shift(&self) -> usize {
        if self.wrapped.is_some() {
            WRAP.len()
        } else {
            0
        }
    }

    /// Whether it is a query of diesel's that only reads: nothing is lost when its answer is judged here.
    ///
    /// diesel's own queries are reusable and SQL written by hand is not; a function with side effects
    /// that somebody declared to diesel is the one thing this does not see.
    pub(crate) fn only_reads(&self) -> bool {
        let keyword = first_keyword(&self.sql);
        (self.reusable && keyword == "SELECT") || keyword == "SHOW"
    }

    /// Whether it may commit some of its own work and fail after that: a procedure may, and so may a block that
    /// commits or calls one.
    pub(crate) fn may_commit_and_fail(&self) -> bool {
        let says = |what| self.sql.to_ascii_uppercase().contains(what);
        match first_keyword(&self.sql).as_str() {
            "CALL" => true,
            "DO" => says("COMMIT") || says("CALL"),
            _ => false,
        }
    }

    /// Whether what stands before it and itself is committed, or rolled back, before what follows: by the words that end
    /// a transaction, or because it cannot run within one (PostgreSQL manual, 55.2.3.2).
    pub(crate) fn ends_its_transaction(&self) -> bool {
        let words = self.first_words();
        let [first, second, _] = words.each_ref().map(String::as_str);
        self.ends_transaction()
            || matches!(first, "VACUUM" | "CLUSTER")
            || (matches!(first, "CREATE" | "DROP" | "REINDEX" | "ALTER")
                && (matches!(
                    second,
                    "DATABASE" | "TABLESPACE" | "SYSTEM" | "SUBSCRIPTION"
                ) || self.sql.to_ascii_uppercase().contains("CONCURRENTLY")))
            || self.may_commit_and_fail()
    }

    /// Whether its words begin a transaction.
    pub(crate) fn begins_transaction(&self) -> bool {
        let [first, second, _] = self.first_words();
        first == "BEGIN" || (first == "START" && second == "TRANSACTION")
    }

    /// Whether its words end a transaction.
    pub(crate) fn ends_transaction(&self) -> bool {
        let words = self.first_words();
        match words.each_ref().map(String::as_str) {
            ["COMMIT" | "END" | "ABORT", ..] | ["PREPARE", "TRANSACTION", _] => true,
            ["ROLLBACK", second, third] => second != "TO" && third != "TO",
            _ => false,
        }
    }

    /// Its first words, in upper case.
    fn first_words(&self) -> [String; 3] {
        let mut words = past_comments(&self.sql)
            .split(|c: char| !c.is_ascii_alphanumeric())
            .filter(|word| !word.is_empty())
            .map(str::to_ascii_uppercase);
        std::array::from_fn(|_| words.next().unwrap_or_default())
    }

    /// Makes the server hold the expectation, by wrapping the SQL in a query that fails when it is not met;
    /// shares the result with the command before it, if that is the same.
    ///
    /// A data-modifying `WITH` may stand at the top level only (PostgreSQL manual, 7.8.4), so what begins with one
    /// cannot be wrapped, nor can what is not a query.
    pub(crate) fn hold(&mut self, before: Option<&Self>) -> Verdict {
        if self.rows == Expectation::Any {
            return Verdict::Server;
        }
        if let Some(before) = before
            && before.rows == self.rows
            && before.wrapped.as_ref() == Some(&self.sql)
        {
            self.wrapped = Some(std::mem::replace(&mut self.sql, Arc::clone(&before.sql)));
            return Verdict::Server;
        }
        if !matches!(
            first_keyword(&self.sql).as_str(),
            "SELECT" | "INSERT" | "UPDATE" | "DELETE" | "VALUES" | "TABLE"
        ) {
            return Verdict::Client;
        }
        let written = Arc::clone(&self.sql);
        let sql = written.trim_end().trim_end_matches(';');
        self.sql = match self.rows {
            Expectation::Any => return Verdict::Server,
            // The outer join keeps the planner from skipping the count when there is no row.
            Expectation::One => format!(
                "{WRAP}{sql}\n) SELECT s.* FROM (SELECT CASE WHEN count(*) = 1 THEN 1 \
                 ELSE ('{MARK} one row, got ' || count(*))::int END AS ok FROM s) g LEFT JOIN s ON g.ok = 1"
            ),
            Expectation::AtMostOne => format!(
                "{WRAP}{sql}\n) SELECT s.* FROM (SELECT CASE WHEN count(*) <= 1 THEN 1 \
                 ELSE ('{MARK} one row, got ' || count(*))::int END AS ok FROM s) g JOIN s ON g.ok = 1"
            ),
            Expectation::Exactly(rows) => format!(
                "{WRAP}{sql} RETURNING 1\n) SELECT CASE WHEN count(*) = {rows} THEN count(*) \
                 ELSE ('{MARK} {rows} rows, got ' || count(*))::int END FROM s"
            ),
        }
        .into();
        self.wrapped = Some(written);
        Verdict::Server
    }
}

/// Stands before the caller's SQL when a row count is held.
const WRAP: &str = "WITH s AS (\n";

/// Begins the text that a held expectation fails with; the server quotes it in its message, in any language.
const MARK: &str = "bowline: expected";

/// What the message of a held expectation says: how many rows were expected and found.
pub(crate) fn unmet(message: &str) -> Option<(u64, u64)> {
    let rest = &message[message.find(MARK)? + MARK.len()..];
    let (expected, found) = rest.split_once(", got ")?;
    let expected = match expected.trim() {
        "one row" => 1,
        rows => rows.strip_suffix(" rows")?.parse().ok()?,
    };
    let digits = found.bytes().take_while(u8::is_ascii_digit).count();
    Some((expected, found[..digits].parse().ok()?))
}

/// The first word of the SQL in upper case, past white space, comments and opening parentheses.
pub(crate) fn first_keyword(sql: &str) -> String {
    past_comments(sql)
        .chars()
        .take_while(|c| c.is_ascii_alphabetic())
        .collect::<String>()
        .to_ascii_uppercase()
}

/// The SQL past white space, comments and opening parentheses.
pub(crate) fn past_comments(sql: &str) -> &str {
    let mut rest = sql;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '(');
        if let Some(comment) = rest.strip_prefix("--") {
            rest = comment.find('\n').map_or("", |end| &comment[end..]);
        } else if let Some(comment) = rest.strip_prefix("/*") {
            rest = skip_block_comment(comment);
        } else {
            return rest;
        }
    }
}

/// What follows a block comment, which may hold others (PostgreSQL manual, 4.1.5).
fn skip_block_comment(inside: &str) -> &str {
    let mut depth = 1;
    let mut rest = inside;
    while depth > 0 {
        let (open, close) = (rest.find("/*"), rest.find("*/"));
        match (open, close) {
            (Some(open), Some(close)) if open < close => {
                depth += 1;
                rest = &rest[open + 2..];
            }
            (_, Some(close)) => {
                depth -= 1;
                rest = &rest[close + 2..];
            }
            (_, None) => return "",
        }
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_keyword_stands_behind_comments_and_parentheses() {
        assert_eq!(
            first_keyword(" -- all\n /* a /* b */ c */ ((select 1))"),
            "SELECT"
        );
        assert_eq!(first_keyword("/* open"), "");
        assert_eq!(first_keyword(""), "");
    }

    #[test]
    fn the_servers_message_tells_what_was_expected_and_found() {
        let message = "invalid input syntax for type integer: \"bowline: expected one row, got 0\"";
        assert_eq!(unmet(message), Some((1, 0)));
        assert_eq!(
            unmet("ungültig: »bowline: expected 3 rows, got 12«"),
            Some((3, 12))
        );
        assert_eq!(unmet("invalid input syntax for type integer: \"x\""), None);
    }

    #[test]
    fn what_ends_a_transaction_is_told_from_its_words() {
        for sql in [
            "COMMIT",
            "/* now */ end work",
            "ROLLBACK AND CHAIN",
            "abort",
            "PREPARE TRANSACTION 'x'",
        ] {
            assert!(Command::plain(sql).ends_transaction(), "{sql}");
        }
        for sql in [
            "ROLLBACK TO s",
            "ROLLBACK WORK TO SAVEPOINT s",
            "PREPARE p AS SELECT 1",
            "SELECT 'COMMIT'",
            "SAVEPOINT commit",
        ] {
            assert!(!Command::plain(sql).ends_transaction(), "{sql}");
        }
        for sql in [
            "VACUUM t",
            "create index concurrently i on t (x)",
            "CALL p()",
        ] {
            assert!(Command::plain(sql).ends_its_transaction(), "{sql}");
        }
        for sql in [
            "CREATE INDEX i ON t (x)",
            "DO $$ BEGIN END $$",
            "UPDATE t SET x = 1",
        ] {
            assert!(!Command::plain(sql).ends_its_transaction(), "{sql}");
        }
    }

    #[test]
    fn what_begins_with_with_cannot_be_held_by_the_server() {
        let mut command = Command {
            rows: Expectation::One,
            ..Command::plain("WITH x AS (DELETE FROM t RETURNING 1) SELECT 1")
        };
        assert_eq!(command.hold(None), Verdict::Client);
    }
}
