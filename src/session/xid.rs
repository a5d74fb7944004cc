//! The number of the transaction that is open, for finding out what became of it should COMMIT not be answered.
//!
//! It is asked for behind the statements that may write, in their own round trip, until it is known. A
//! number alone would not do: after a crash or on a promoted standby the same one may be given to another
//! transaction. So it goes with what changes at each of these: the timeline, and the moment at which the
//! server's statistics began, which a crash throws away.

use std::sync::Arc;

use crate::command::{Command, Expectation};
use crate::sql_text::read_only::Reads;
use crate::wire::answer::Answer;

/// A transaction's number, and the server it is valid on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Xid {
    number: u64,
    server: String,
}

/// What changes when numbers may have been given twice: NULL where it cannot be told.
macro_rules! server {
    () => {
        "pg_catalog.textcat(\
         pg_catalog.left(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 8), \
         extract(epoch FROM pg_catalog.pg_stat_get_bgwriter_stat_reset_time())::pg_catalog.text)"
    };
}

/// Asks for both; neither is there unless the transaction has written.
///
/// `pg_stat_activity` shows it in the place of the write before it, so it says what it is.
const ASK: &str = concat!(
    "/* bowline: this transaction's number, asked behind its first write */ SELECT xid, CASE WHEN xid IS NOT NULL THEN ",
    server!(),
    " END FROM pg_catalog.pg_current_xact_id_if_assigned() AS xid"
);

impl Xid {
    /// The command that asks.
    pub(super) fn ask() -> Command {
        Command::query(ASK, Vec::new(), Vec::new(), true, Expectation::Any)
    }

    /// What the answer says; `None` as long as nothing was written.
    pub(super) fn read(answer: &Answer) -> Option<Self> {
        let number = answer.value(0, 0)?.try_into().ok()?;
        let server = std::str::from_utf8(answer.value(0, 1)?).ok()?;
        Some(Self {
            number: u64::from_be_bytes(number),
            server: server.to_owned(),
        })
    }

    /// The query for what became of it: `committed`, `aborted`, `in progress`, or NULL where this server cannot know.
    pub(crate) fn status(&self) -> String {
        format!(
            concat!(
                "SELECT CASE WHEN NOT pg_catalog.pg_is_in_recovery() AND ",
                server!(),
                " = '{}' THEN pg_catalog.pg_xact_status('{}'::pg_catalog.xid8) END AS status"
            ),
            self.server, self.number
        )
    }
}

/// Whether, and with what answer, a transaction's number was asked for.
#[derive(Debug, Default)]
pub(super) struct XidBook {
    /// Whether anybody would use it.
    pub(super) is_wanted: bool,
    known: Option<Arc<Xid>>,
}

impl XidBook {
    /// Another transaction begins.
    pub(super) fn forget(&mut self) {
        self.known = None;
    }

    /// What to ask behind these commands.
    pub(super) fn question(&self, commands: &[Command]) -> Vec<Command> {
        let may_write = |command: &Command| command.reads() == Reads::No;
        let asks = self.is_wanted && self.known.is_none() && commands.iter().any(may_write);
        asks.then(Xid::ask).into_iter().collect()
    }

    /// Takes in the answer to the question.
    pub(super) fn note(&mut self, answers: &[Answer]) {
        if let Some(answer) = answers.first() {
            self.known = Xid::read(answer).map(Arc::new);
        }
    }

    pub(super) fn take(&mut self) -> Option<Arc<Xid>> {
        self.known.take()
    }
}
