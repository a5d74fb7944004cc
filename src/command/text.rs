//! The text of a command and the properties of its SQL, determined once for each text that a
//! session keeps.

mod column_set;
mod recent_map;
mod text_cache;

use std::ffi::{CStr, CString};
use std::hash::BuildHasher as _;
use std::sync::{Arc, LazyLock, OnceLock};

use foldhash::fast::RandomState;

use crate::command::ExpectedRows;
use crate::sql_text::keywords::{
    CopyDirection, begins_transaction, begins_with, cannot_run_in_transaction, copy_direction,
    ends_transaction, is_empty, may_commit_and_fail,
};
use crate::sql_text::read_only::{Reads, reads};
use crate::sql_text::search_path::may_change_path;
use crate::sql_text::session_state::leaves_state;
use crate::sql_text::statement_kinds::query_kind;

pub(crate) use column_set::ColumnSet;
pub(crate) use text_cache::{ConstantNumber, Derivation, Form, QueryText, TextCache};

/// The first words of statements that may change the schema, directly or in code that they call, or
/// that discard prepared statements.
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
    has_backslash: bool,
    begins_transaction: bool,
    ends_transaction: bool,
    cannot_run_in_transaction: bool,
    may_commit_and_fail: bool,
    may_change_path: bool,
    is_query: bool,
    is_select: bool,
    may_change_schema: bool,
    leaves_state: OnceLock<bool>,
    reads: OnceLock<Reads>,
    /// The SQL for libpq, once it was sent with it.
    c_sql: OnceLock<Arc<CStr>>,
    /// The number of rows that was first expected of it, and the text by which the server checks
    /// that number, if it can.
    checking: OnceLock<(ExpectedRows, Option<Arc<Text>>)>,
}

impl Text {
    pub(crate) fn new(sql: impl Into<Arc<str>>) -> Self {
        let sql = sql.into();
        Self {
            hash: hash(&sql),
            copy_direction: copy_direction(&sql),
            is_empty: is_empty(&sql),
            has_nul: sql.contains('\0'),
            has_backslash: sql.contains('\\'),
            begins_transaction: begins_transaction(&sql),
            ends_transaction: ends_transaction(&sql),
            cannot_run_in_transaction: cannot_run_in_transaction(&sql),
            may_commit_and_fail: may_commit_and_fail(&sql),
            may_change_path: may_change_path(&sql),
            is_query: query_kind(&sql).is_some(),
            is_select: begins_with(&sql, &["select"]),
            may_change_schema: begins_with(&sql, &SCHEMA_CHANGES),
            leaves_state: OnceLock::new(),
            reads: OnceLock::new(),
            c_sql: OnceLock::new(),
            checking: OnceLock::new(),
            sql,
        }
    }

    /// Returns a statement that sets a setting until the transaction ends.
    pub(crate) fn local_setting(sql: &str) -> Self {
        Self {
            leaves_state: OnceLock::from(false),
            reads: OnceLock::from(Reads::Yes),
            ..Self::new(sql)
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

    pub(crate) fn has_backslash(&self) -> bool {
        self.has_backslash
    }

    /// Returns the SQL for libpq; empty if it has a NUL byte, with which it is not sent.
    pub(crate) fn to_c_sql(&self) -> Arc<CStr> {
        CString::new(self.sql.as_bytes()).unwrap_or_default().into()
    }

    /// Returns the same as [`Text::to_c_sql`], and keeps the result, for SQL that is sent at each
    /// use.
    pub(crate) fn c_sql(&self) -> Arc<CStr> {
        Arc::clone(self.c_sql.get_or_init(|| self.to_c_sql()))
    }

    /// Returns the text by which the server checks this number of rows, or `None` within if it
    /// cannot. `None` if no text, or that for another number, is known.
    pub(crate) fn checking(&self, rows: ExpectedRows) -> Option<&Option<Arc<Self>>> {
        let (known, checking) = self.checking.get()?;
        (*known == rows).then_some(checking)
    }

    /// Keeps the text by which the server checks this number of rows, unless there is one already.
    pub(crate) fn keep_checking(&self, rows: ExpectedRows, checking: Option<Arc<Self>>) {
        self.checking.get_or_init(|| (rows, checking));
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

    /// Returns whether it is a query or writes rows, so that the server makes a plan for it.
    pub(crate) fn is_query(&self) -> bool {
        self.is_query
    }

    /// Returns whether it begins with SELECT.
    pub(crate) fn is_select(&self) -> bool {
        self.is_select
    }

    /// Returns whether it may make a prepared statement invalid: it may change the schema, or
    /// discard prepared statements.
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

fn hash(sql: &str) -> u64 {
    static STATE: LazyLock<RandomState> = LazyLock::new(RandomState::default);
    STATE.hash_one(sql)
}
