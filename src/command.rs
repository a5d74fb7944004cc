//! One command on its way to the server: SQL, bound values, and what must be true of its answer.
//!
//! A statement is encoded as commands; a session sends them. Beside the command itself:
//! [`row_count`] (the number of rows, checked by the server), [`columns`] (the types of the answer,
//! compared with those that Rust reads), [`types`] (OIDs of types that migrations made),
//! [`prepared`] (named statements), [`extra`] (what a server may lack), [`failure`] (errors from
//! what the server answers).

pub(crate) mod columns;
pub(crate) mod control;
pub(crate) mod extra;
pub(crate) mod failure;
pub(crate) mod prepared;
pub(crate) mod row_count;
pub(crate) mod text;
pub(crate) mod types;

use std::cell::OnceCell;
use std::ffi::CStr;
use std::sync::Arc;

use diesel::result::DatabaseErrorKind;

use crate::error::{Error, Result};
use crate::sql_text::read_only::Reads;
use crate::sql_text::search_path::SearchPathChange;
use crate::sql_text::search_path::SearchPathKey;
use crate::wire::parameters::Parameters;
use columns::{Checks, Describe};
use text::Text;

/// A command with its values in binary.
#[derive(Debug, Clone)]
pub(crate) struct Command {
    pub(crate) text: Arc<Text>,
    pub(crate) parameters: Parameters,
    /// Whether it is prepared under a name, because its SQL is sent again with other values.
    pub(crate) is_named: bool,
    /// Whether it is a query of diesel whose type decides its SQL, or a constant of generated code.
    /// Then it names its columns, and a change of the schema cannot change its result unnoticed.
    pub(crate) is_diesels: bool,
    pub(crate) rows: ExpectedRows,
    pub(crate) written: WrittenRows,
    /// The columns that its answer is read as; `None` if no rows are read.
    pub(crate) read_as: Option<ReadAs>,
    /// The search path by which its names are found, as far as it is known.
    pub(crate) path: SearchPathKey,
    /// Whether a type of it was looked up by its name.
    pub(crate) names_types: bool,
    /// The change that it makes to the search path.
    pub(crate) sets: Option<Box<SearchPathChange>>,
    /// The function that created it, for spans and metrics.
    pub(crate) function: Option<&'static str>,
    /// The SQL as the caller wrote it, if the server is sent other SQL.
    pub(crate) wrapped: Option<Arc<Text>>,
    /// Whether it only reads, where its text does not decide that.
    pub(crate) reads: OnceCell<Reads>,
}

/// The columns that an answer is read as.
#[derive(Debug, Clone)]
pub(crate) struct ReadAs {
    pub(crate) describe: Describe,
    /// The statement that was prepared for it.
    pub(crate) name: Option<Arc<CStr>>,
    /// The checks of its values, once the columns have the right types.
    pub(crate) checks: Option<Checks>,
}

impl ReadAs {
    pub(crate) fn new(describe: Describe) -> Self {
        Self {
            describe,
            name: None,
            checks: None,
        }
    }

    /// Sets the prepared statement as which it is sent, with the known checks of that statement's
    /// values.
    pub(crate) fn prepared(&mut self, name: &Arc<CStr>, checked: Option<(Describe, Checks)>) {
        self.name = Some(Arc::clone(name));
        self.checks = checked
            .filter(|(describe, _)| self.is_by(*describe))
            .map(|(_, checks)| checks);
    }

    /// Returns whether it reads these columns.
    pub(crate) fn is_by(&self, describe: Describe) -> bool {
        // Two functions with the same address have the same code.
        self.describe as usize == describe as usize
    }
}

/// The number of rows that an answer must have.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ExpectedRows {
    Any,
    One,
    AtMostOne,
    /// The rows affected, not returned.
    Exactly(u64),
}

/// The knowledge of the number of rows that a command writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WrittenRows {
    /// Nothing is known.
    Any,
    /// At most one. If the command writes no row, it changes nothing else either: it writes by a
    /// whole unique key, to a table without statement-level triggers and without rules.
    AtMostOne,
    /// One, or an error.
    One,
}

/// Which side checks the number of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CheckedBy {
    /// The server, or there is nothing to check.
    Server,
    /// The client, by the answer: nothing may be committed before it has arrived.
    Client,
}

/// The most parameters of a command, and the most bytes of a value: the protocol counts them in 16
/// and in 31 bits (PostgreSQL manual, 55.7, Bind).
const PARAMETERS: usize = u16::MAX as usize;
const BYTES: usize = i32::MAX as usize;

impl Command {
    /// Returns a command without parameters that is not worth a name: BEGIN, SAVEPOINT, ..
    pub(crate) fn plain(sql: impl Into<Arc<str>>) -> Self {
        Self::of(Arc::new(Text::new(sql)))
    }

    /// Returns a command without parameters, of this text.
    pub(crate) fn of(text: Arc<Text>) -> Self {
        Self {
            text,
            parameters: Parameters::default(),
            is_named: false,
            is_diesels: false,
            rows: ExpectedRows::Any,
            written: WrittenRows::Any,
            read_as: None,
            path: Arc::default(),
            names_types: false,
            sets: None,
            function: None,
            wrapped: None,
            reads: OnceCell::new(),
        }
    }

    /// Returns the SQL that is sent to the server.
    pub(crate) fn sql(&self) -> &Arc<str> {
        self.text.sql()
    }

    /// Fails if it exceeds a limit of the protocol. Its values have this number of bytes.
    #[inline]
    pub(crate) fn check(&self, bytes: usize) -> Result<()> {
        if !self.text.is_empty()
            && !self.text.has_nul()
            && self.parameters.len() <= PARAMETERS
            && (bytes <= BYTES || self.parameters.largest() <= BYTES)
        {
            return Ok(());
        }
        Err(self.refusal().with_sql(self.caller_sql()))
    }

    /// Returns why [`Command::check`] fails.
    #[cold]
    fn refusal(&self) -> Error {
        if self.text.is_empty() {
            return Error::unsent(DatabaseErrorKind::Unknown, "the query is empty".to_owned())
                .with_hint("check how the SQL is put together");
        }
        let (message, hint) = if self.text.has_nul() {
            (
                "the SQL holds a NUL byte, which PostgreSQL cannot store".to_owned(),
                "check where the SQL comes from",
            )
        } else if self.parameters.len() > PARAMETERS {
            (
                format!(
                    "a statement takes at most {PARAMETERS} parameters, this one has {}",
                    self.parameters.len()
                ),
                "insert in portions with bowline::statement::chunks, bind an array, or COPY",
            )
        } else {
            (
                "a bound value is larger than 2 GiB".to_owned(),
                "store it in parts",
            )
        };
        Error::unsent(DatabaseErrorKind::UnableToSendCommand, message).with_hint(hint)
    }

    /// Returns the SQL as the caller wrote it.
    pub(crate) fn caller_sql(&self) -> Arc<str> {
        Arc::clone(self.written().sql())
    }

    /// Returns the caller's text, which may be wrapped in the text that is sent.
    fn written(&self) -> &Arc<Text> {
        self.wrapped.as_ref().unwrap_or(&self.text)
    }

    /// Returns whether it only reads, and how certain that is.
    pub(crate) fn reads(&self) -> Reads {
        self.reads
            .get()
            .copied()
            .unwrap_or_else(|| self.written().reads())
    }

    /// Returns whether it certainly only reads: its answer can be checked here, and it can be run
    /// again.
    pub(crate) fn only_reads(&self) -> bool {
        self.reads() == Reads::Yes
    }

    /// Sets whether it only reads, whatever its text says.
    pub(crate) fn with_reads(self, reads: Reads) -> Self {
        Self {
            reads: reads.into(),
            ..self
        }
    }

    /// Changes the SQL, and forgets what was known of it.
    pub(crate) fn set_text(&mut self, text: Arc<Text>) {
        self.text = text;
        self.reads = OnceCell::new();
    }

    /// Sets whether it only reads, unless that is known.
    pub(crate) fn set_reads_if_unknown(&self, reads: Reads) {
        self.reads.get_or_init(|| reads);
    }

    /// Returns whether it may commit some of its work and fail after that: a procedure may, and so
    /// may a block that commits or calls one.
    pub(crate) fn may_commit_and_fail(&self) -> bool {
        self.text.may_commit_and_fail()
    }

    /// Returns whether it ends the transaction of the commands before it: it is a COMMIT or
    /// ROLLBACK, or it cannot run within a transaction (PostgreSQL manual, 55.2.3.2).
    pub(crate) fn ends_its_transaction(&self) -> bool {
        self.text.ends_transaction()
            || self.text.cannot_run_in_transaction()
            || self.text.may_commit_and_fail()
    }

    /// Returns whether PostgreSQL runs it outside of a transaction only.
    pub(crate) fn cannot_run_in_transaction(&self) -> bool {
        self.text.cannot_run_in_transaction()
    }

    /// Returns whether it begins a transaction.
    pub(crate) fn begins_transaction(&self) -> bool {
        self.text.begins_transaction()
    }

    /// Returns whether it ends a transaction.
    pub(crate) fn ends_transaction(&self) -> bool {
        self.text.ends_transaction()
    }
}
