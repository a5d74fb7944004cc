//! One statement without the semicolons around it, and whether it is allowed in a WITH.

use std::borrow::Cow;

use super::keywords::only_statement;
use super::statement_kinds::{QueryKind, query_kind};

/// A statement that is allowed in a WITH.
pub(crate) struct WithQuery<'a> {
    pub(crate) sql: Cow<'a, str>,
    /// Whether it returns rows that can be counted; otherwise it needs RETURNING.
    pub(crate) counts: bool,
}

impl<'a> WithQuery<'a> {
    /// Reads a statement; returns `None` if it is not allowed in a WITH.
    ///
    /// A data-modifying WITH may stand at the top level only (PostgreSQL manual, 7.8.4), so a
    /// statement that begins with WITH cannot be wrapped. Nor can SELECT INTO, MERGE before 17, and
    /// statements that are not queries.
    pub(crate) fn read(sql: &'a str) -> Option<Self> {
        let is_query = match query_kind(sql) {
            Some(QueryKind::Rows) => true,
            Some(QueryKind::Changes) => false,
            _ => return None,
        };
        let keyword = if is_query { "into" } else { "returning" };
        if is_plain(sql) && !contains(sql, keyword) {
            return Some(Self {
                sql: sql.trim_end().into(),
                counts: is_query,
            });
        }
        let statement = only_statement(sql)?;
        let mut depth = 0_usize;
        let has_keyword = statement.tokens().any(|token| {
            if token.is("(") {
                depth += 1;
            } else if token.is(")") {
                depth = depth.saturating_sub(1);
            }
            depth == 0 && token.is_word(keyword)
        });
        if is_query && has_keyword {
            return None;
        }
        Some(Self {
            sql: bare(sql),
            counts: is_query || has_keyword,
        })
    }
}

/// Returns the SQL of one statement without the semicolons around it. Positions in it do not
/// change.
///
/// Several statements, or none, are returned unchanged.
pub(crate) fn bare(sql: &str) -> Cow<'_, str> {
    if !sql.contains(';') {
        return sql.into();
    }
    let Some(statement) = only_statement(sql) else {
        return sql.into();
    };
    let (start, end) = (
        statement.start(),
        statement.start() + statement.text().len(),
    );
    let before = &sql[..start];
    if before.contains(';') {
        format!("{}{}", before.replace(';', " "), &sql[start..end]).into()
    } else {
        sql[..end].into()
    }
}

/// Returns whether it contains no semicolon and no beginning of a comment.
fn is_plain(sql: &str) -> bool {
    let mut last = 0;
    sql.bytes().all(|byte| {
        let opens = matches!((last, byte), (b'-', b'-') | (b'/', b'*'));
        last = byte;
        byte != b';' && !opens
    })
}

/// Returns whether it contains these letters, in upper or lower case. Does not allocate, because it
/// runs in each call.
fn contains(sql: &str, letters: &str) -> bool {
    let (sql, letters) = (sql.as_bytes(), letters.as_bytes());
    let first = letters.first().copied().unwrap_or_default();
    sql.iter().enumerate().any(|(at, byte)| {
        byte.to_ascii_lowercase() == first
            && sql
                .get(at..at + letters.len())
                .is_some_and(|found| found.eq_ignore_ascii_case(letters))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_needs_no_returning() {
        let counts = |sql| WithQuery::read(sql).map(|wrappable| wrappable.counts);
        assert_eq!(counts("INSERT INTO t VALUES (1)"), Some(false));
        assert_eq!(counts("INSERT INTO t VALUES ('returning')"), Some(false));
        assert_eq!(counts("DELETE FROM t -- returning"), Some(false));
        assert_eq!(
            counts("DELETE FROM t WHERE (\"returning\") > f(returning)"),
            Some(false)
        );
        assert_eq!(counts("DELETE FROM t Returning *;"), Some(true));
        assert_eq!(counts("SELECT into_x FROM t"), Some(true));
    }

    #[test]
    fn a_statement_without_semicolons_keeps_its_positions() {
        assert_eq!(bare("SELECT 1"), "SELECT 1");
        assert_eq!(bare("SELECT ';' ; -- a"), "SELECT ';'");
        assert_eq!(bare(";/*;*/ SELECT 1;"), " /* */ SELECT 1");
        assert_eq!(bare("a; b"), "a; b");
    }
}
