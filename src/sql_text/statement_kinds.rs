//! The table of the kinds of statements, by their first words.
//!
//! Statements that need more than the first word (SET, PREPARE, ROLLBACK TO, CREATE INDEX
//! CONCURRENTLY) are handled in [`super::keywords`] and [`super::session_state`].

use bowline_sql::{Kind, Token};

use super::keywords::first_word;

/// A kind of statement.
#[derive(Debug)]
pub(crate) struct StatementKind {
    /// The first word, in lower case.
    word: &'static str,
    /// Its kind of query; `None` for a statement that is not a query.
    pub(crate) query: Option<QueryKind>,
    /// The state that it leaves in the session.
    pub(super) leaves: Leaves,
}

/// A statement that EXPLAIN accepts, and that may be part of any transaction (PostgreSQL manual,
/// EXPLAIN).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum QueryKind {
    /// Returns rows.
    Rows,
    /// Changes rows.
    Changes,
    /// Changes rows; in a WITH only from PostgreSQL 17 on.
    Merge,
    /// Returns or changes rows, depending on the statement after the WITH clause.
    With,
}

/// The state that a statement leaves in the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leaves {
    /// Nothing: its effects end with its transaction, or are changes of the database, or there are
    /// none.
    Nothing,
    /// The state that the functions it calls leave, or a temporary object that it creates.
    ByContent,
}

const fn query(word: &'static str, kind: QueryKind) -> StatementKind {
    StatementKind {
        word,
        query: Some(kind),
        leaves: Leaves::ByContent,
    }
}

const fn by_content(word: &'static str) -> StatementKind {
    StatementKind {
        word,
        query: None,
        leaves: Leaves::ByContent,
    }
}

const fn nothing(word: &'static str) -> StatementKind {
    StatementKind {
        word,
        query: None,
        leaves: Leaves::Nothing,
    }
}

/// All kinds whose effects on the session are known, sorted; any other statement may leave state
/// behind.
///
/// DEALLOCATE and DISCARD are deliberately missing: they remove the prepared statements on which
/// the session relies.
static KINDS: &[StatementKind] = &[
    nothing("abort"),
    by_content("alter"),
    nothing("analyse"),
    nothing("analyze"),
    nothing("begin"),
    nothing("checkpoint"),
    nothing("close"),
    nothing("cluster"),
    nothing("comment"),
    nothing("commit"),
    by_content("copy"),
    by_content("create"),
    query("delete", QueryKind::Changes),
    nothing("drop"),
    nothing("end"),
    nothing("fetch"),
    nothing("grant"),
    nothing("import"),
    query("insert", QueryKind::Changes),
    nothing("lock"),
    query("merge", QueryKind::Merge),
    nothing("move"),
    nothing("notify"),
    nothing("reassign"),
    by_content("refresh"),
    nothing("reindex"),
    nothing("release"),
    nothing("reset"),
    nothing("revoke"),
    nothing("rollback"),
    nothing("savepoint"),
    nothing("security"),
    query("select", QueryKind::Rows),
    nothing("show"),
    nothing("start"),
    query("table", QueryKind::Rows),
    nothing("truncate"),
    nothing("unlisten"),
    query("update", QueryKind::Changes),
    nothing("vacuum"),
    query("values", QueryKind::Rows),
    query("with", QueryKind::With),
];

impl StatementKind {
    /// Returns the kind of a statement that begins with this word.
    pub(super) fn of_word(word: &Token<'_>) -> Option<&'static Self> {
        if word.kind() != Kind::Word {
            return None;
        }
        let letters = || word.text().bytes().map(|byte| byte.to_ascii_lowercase());
        let found = KINDS.binary_search_by(|kind| kind.word.bytes().cmp(letters()));
        KINDS.get(found.ok()?)
    }

    /// Returns the kind of the first statement of a text.
    pub(crate) fn of(sql: &str) -> Option<&'static Self> {
        Self::of_word(&first_word(sql)?)
    }
}

/// Returns the kind of query that a text begins with, or `None` if it begins with no query.
pub(crate) fn query_kind(sql: &str) -> Option<QueryKind> {
    StatementKind::of(sql)?.query
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_occurs_once_and_in_order() {
        assert!(KINDS.is_sorted_by(|one, other| one.word < other.word));
    }

    #[test]
    fn queries_are_the_statements_that_explain_accepts() {
        assert_eq!(query_kind("/* a */ (SELECT 1)"), Some(QueryKind::Rows));
        assert_eq!(
            query_kind("with a as (select 1) delete from a"),
            Some(QueryKind::With)
        );
        assert_eq!(query_kind("CREATE TABLE t ()"), None);
        assert_eq!(query_kind("\"select\""), None);
    }
}
