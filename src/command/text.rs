//! The text of a command and the properties of its SQL, determined once for each text that a
//! session keeps.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hasher as _};
use std::sync::{Arc, OnceLock};

use super::ExpectedRows;
use crate::sql_text::keywords::{
    CopyDirection, begins_transaction, begins_with, cannot_run_in_transaction, copy_direction,
    ends_transaction, is_empty, may_commit_and_fail,
};
use crate::sql_text::read_only::{Reads, reads};
use crate::sql_text::search_path::may_change_path;
use crate::sql_text::session_state::leaves_state;
use crate::sql_text::statement_kinds::query_kind;

/// The first words of statements that change the schema, call what may, or discard prepared statements.
const SCHEMA_CHANGES: [&str; 8] = [
    "alter",
    "create",
    "drop",
    "do",
    "call",
    "import",
    "deallocate",
    "discard",
];

/// SQL and the properties that its keywords show.
#[derive(Debug)]
pub(crate) struct Text {
    sql: Arc<str>,
    hash: u64,
    copy_direction: Option<CopyDirection>,
    is_empty: bool,
    has_nul: bool,
    begins_transaction: bool,
    ends_transaction: bool,
    cannot_run_in_transaction: bool,
    may_commit_and_fail: bool,
    may_change_path: bool,
    is_query: bool,
    may_change_schema: bool,
    leaves_state: OnceLock<bool>,
    reads: OnceLock<Reads>,
}

impl Text {
    pub(crate) fn new(sql: impl Into<Arc<str>>) -> Self {
        let sql = sql.into();
        Self {
            hash: hash(&sql),
            copy_direction: copy_direction(&sql),
            is_empty: is_empty(&sql),
            has_nul: sql.contains('\0'),
            begins_transaction: begins_transaction(&sql),
            ends_transaction: ends_transaction(&sql),
            cannot_run_in_transaction: cannot_run_in_transaction(&sql),
            may_commit_and_fail: may_commit_and_fail(&sql),
            may_change_path: may_change_path(&sql),
            is_query: query_kind(&sql).is_some(),
            may_change_schema: begins_with(&sql, &SCHEMA_CHANGES),
            leaves_state: OnceLock::new(),
            reads: OnceLock::new(),
            sql,
        }
    }

    pub(crate) fn sql(&self) -> &Arc<str> {
        &self.sql
    }

    /// Returns a hash of the SQL, the same in this process for the same SQL.
    pub(crate) fn hash(&self) -> u64 {
        self.hash
    }

    /// Returns the direction of a COPY from or to the client.
    pub(crate) fn copy_direction(&self) -> Option<CopyDirection> {
        self.copy_direction
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.is_empty
    }

    pub(crate) fn has_nul(&self) -> bool {
        self.has_nul
    }

    pub(crate) fn begins_transaction(&self) -> bool {
        self.begins_transaction
    }

    pub(crate) fn ends_transaction(&self) -> bool {
        self.ends_transaction
    }

    /// Returns whether PostgreSQL runs it outside of a transaction only.
    pub(crate) fn cannot_run_in_transaction(&self) -> bool {
        self.cannot_run_in_transaction
    }

    /// Returns whether it may commit some of its work and fail after that.
    pub(crate) fn may_commit_and_fail(&self) -> bool {
        self.may_commit_and_fail
    }

    /// Returns whether it may change the search path; the values that are bound decide.
    pub(crate) fn may_change_path(&self) -> bool {
        self.may_change_path
    }

    /// Returns whether it is a query or writes rows: what a plan is made of.
    pub(crate) fn is_query(&self) -> bool {
        self.is_query
    }

    /// Returns whether it may change what a prepared statement rests on.
    pub(crate) fn may_change_schema(&self) -> bool {
        self.may_change_schema
    }

    /// Returns whether it may leave state behind in its session.
    pub(crate) fn leaves_state(&self) -> bool {
        *self.leaves_state.get_or_init(|| leaves_state(&self.sql))
    }

    /// Returns whether it only reads.
    pub(crate) fn reads(&self) -> Reads {
        *self.reads.get_or_init(|| reads(&self.sql))
    }
}

/// The text of a query.
#[derive(Debug, Clone)]
pub(crate) struct QueryText {
    pub(crate) text: Arc<Text>,
    /// Whether the session has met the text before.
    pub(crate) is_known: bool,
}

/// The texts that a session has met.
///
/// Bounded: twice [`TEXTS`] texts of up to [`LONGEST`] bytes, and [`TEXTS`] pairs that check a row
/// count. When a map is full, it is cleared; texts used since it was last full are kept.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    recent: HashMap<u64, Arc<Text>>,
    earlier: HashMap<u64, Arc<Text>>,
    /// By the caller's text and the rows that it expects.
    checked: HashMap<(u64, ExpectedRows), (Arc<Text>, Arc<Text>)>,
}

const TEXTS: usize = 256;
const LONGEST: usize = 4 * 1024;

impl Texts {
    /// Returns the text of this SQL, and whether it was met before.
    pub(crate) fn of_sql(&mut self, sql: &str) -> QueryText {
        let hash = hash(sql);
        if let Some(known) = self.recent.get(&hash).filter(|known| **known.sql() == *sql) {
            return QueryText {
                text: Arc::clone(known),
                is_known: true,
            };
        }
        let known = self
            .earlier
            .remove(&hash)
            .filter(|known| **known.sql() == *sql);
        let is_known = known.is_some();
        let text = known.unwrap_or_else(|| Arc::new(Text::new(sql)));
        if sql.len() <= LONGEST {
            if self.recent.len() >= TEXTS {
                self.earlier = std::mem::take(&mut self.recent);
            }
            self.recent.insert(hash, Arc::clone(&text));
        }
        QueryText { text, is_known }
    }

    /// Returns the text that checks the row count of this one, made by `make` the first time.
    pub(crate) fn checking(
        &mut self,
        text: &Arc<Text>,
        rows: ExpectedRows,
        make: impl FnOnce() -> Option<String>,
    ) -> Option<Arc<Text>> {
        let key = (text.hash(), rows);
        if let Some((_, checking)) = self
            .checked
            .get(&key)
            .filter(|(known, _)| Arc::ptr_eq(known, text) || known.sql() == text.sql())
        {
            return Some(Arc::clone(checking));
        }
        let checking = Arc::new(Text::new(make()?));
        if text.sql().len() <= LONGEST {
            if self.checked.len() >= TEXTS {
                self.checked.clear();
            }
            self.checked
                .insert(key, (Arc::clone(text), Arc::clone(&checking)));
        }
        Some(checking)
    }
}

fn hash(sql: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(sql.as_bytes());
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_known_when_it_comes_back() {
        let mut texts = Texts::default();
        let first = texts.of_sql("SELECT 1");
        assert!(!first.is_known);
        let second = texts.of_sql("SELECT 1");
        assert!(second.is_known && Arc::ptr_eq(&first.text, &second.text));
    }

    #[test]
    fn texts_are_bounded_and_those_in_use_stay() {
        let mut texts = Texts::default();
        texts.of_sql("SELECT 'often'");
        for number in 0..10_000 {
            texts.of_sql(&format!("SELECT {number}"));
            if number % 100 == 0 {
                assert!(texts.of_sql("SELECT 'often'").is_known, "{number}");
            }
        }
        assert!(texts.recent.len() + texts.earlier.len() <= 2 * TEXTS);
        texts.of_sql(&" ".repeat(LONGEST + 1));
        assert!(!texts.of_sql(&" ".repeat(LONGEST + 1)).is_known);
    }
}
