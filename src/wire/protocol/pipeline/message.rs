//! The messages of a pipeline, and what was received for them.

use std::ffi::CStr;
use std::sync::Arc;

use crate::wire::answer::{Answer, ColumnDescription};
use crate::wire::libpq::{ResultSet, ResultStatus};
use crate::wire::parameters::Parameters;

/// The messages of one command: Parse if there is SQL, then Bind and Execute.
#[derive(Debug)]
pub(crate) struct Message {
    /// The name of the prepared statement; `None` is the unnamed one.
    pub(crate) name: Option<Arc<CStr>>,
    /// The SQL of a statement that the server has not prepared.
    pub(crate) sql: Option<Arc<CStr>>,
    /// The values, until they are sent.
    pub(crate) parameters: Parameters,
    /// The number of bytes of the values.
    pub(crate) bytes: usize,
    /// The number of rows that it affects, if the server fails it otherwise. Its answer is a row
    /// that says no more.
    pub(crate) affects: Option<usize>,
}

impl Message {
    /// Returns whether a named statement is parsed first.
    pub(super) fn prepares(&self) -> bool {
        self.name.is_some() && self.sql.is_some()
    }

    /// Returns about how many bytes the messages have.
    pub(super) fn size(&self) -> usize {
        let sql = self.sql.as_ref().map_or(0, |sql| sql.count_bytes());
        64 + sql + 8 * self.parameters.len() + self.bytes
    }
}

/// The answers received so far.
#[derive(Debug, Default)]
pub(crate) struct Received {
    /// The answers to the first commands, in their order.
    pub(crate) answers: Vec<Answer>,
    /// The columns of the answer that was packed last; later answers often have the same columns.
    pub(super) columns: Option<Arc<[ColumnDescription]>>,
    /// The first error, with the number of the command; `None` for one that came with the commit.
    pub(crate) error: Option<(Option<usize>, ResultSet)>,
    /// The command that began a COPY, and the status of its result, which has the direction.
    pub(crate) copy: Option<(usize, ResultStatus)>,
    /// The names that the server has prepared, and those that it has closed.
    pub(crate) prepared: Vec<Arc<CStr>>,
    pub(crate) closed: Vec<Arc<CStr>>,
    /// The number of commands that were queued: the server may have received any of them.
    pub(crate) commands_sent: usize,
    /// Whether everything was written, the last byte of the Sync included. Until then the server
    /// cannot have the Sync.
    pub(crate) sync_sent: bool,
}

impl Received {
    /// Forgets the answers of a pipeline that has ended; `answers` is an empty vector for those to
    /// the next one.
    pub(super) fn begin(&mut self, answers: Vec<Answer>) {
        self.answers = answers;
        self.columns = None;
        self.error = None;
        self.copy = None;
        self.prepared.clear();
        self.closed.clear();
        self.commands_sent = 0;
        self.sync_sent = false;
    }
}
