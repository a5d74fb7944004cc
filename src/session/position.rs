//! The place in the write-ahead log behind a commit, for callers that ask for it.
//!
//! It is asked for behind the COMMIT, in the same round trip: the COMMIT has inserted its record
//! into the log by then, so the place where the next record would be inserted lies behind it. The
//! places up to which the log was written or flushed need not: with `synchronous_commit = off` a
//! commit is answered before its record is written (PostgreSQL manual, 9.28.3 and 30.4).

use std::sync::{Arc, LazyLock};

use crate::command::Command;
use crate::command::text::Text;
use crate::sql_text::read_only::Reads;
use crate::wire::answer::Answer;

static ASK: LazyLock<Arc<Text>> =
    LazyLock::new(|| Arc::new(Text::new("SELECT pg_catalog.pg_current_wal_insert_lsn()")));

/// The place behind the commit of a call.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct CommitPosition {
    is_wanted: bool,
    /// Whether the call may have written.
    has_written: bool,
    known: Option<u64>,
}

/// The place behind the commit of a call that asked for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Committed {
    /// The call wrote nothing, or did not ask.
    Nothing,
    /// All that the call wrote is before this place.
    Before(u64),
    /// The call may have written, and the place is not known.
    Somewhere,
}

impl CommitPosition {
    /// Begins a call.
    #[inline]
    pub(super) fn begin(&mut self, is_wanted: bool) {
        self.is_wanted = is_wanted;
        self.has_written = false;
        self.known = None;
    }

    pub(super) fn is_wanted(&self) -> bool {
        self.is_wanted
    }

    /// Notes that the call runs something that may write.
    pub(super) fn note_write(&mut self) {
        self.has_written = true;
    }

    /// Returns the query to send behind the COMMIT.
    pub(super) fn query() -> Command {
        Command {
            is_named: true,
            ..Command::of(Arc::clone(&ASK))
        }
        .with_reads(Reads::Yes)
    }

    /// Takes the answer to [`CommitPosition::query`], which a server can refuse.
    pub(super) fn note(&mut self, answer: Option<&Answer>) {
        let value = answer.and_then(|answer| answer.value(0, 0));
        let value = value.and_then(|value| value.try_into().ok());
        self.known = value.map(u64::from_be_bytes);
    }

    pub(super) fn take(&mut self) -> Committed {
        let position = std::mem::take(self);
        match position.known {
            Some(known) => Committed::Before(known),
            None if position.is_wanted && position.has_written => Committed::Somewhere,
            None => Committed::Nothing,
        }
    }
}
