//! The transaction ID of the open transaction, for finding out its outcome if COMMIT is not
//! answered.
//!
//! The query for it is sent after statements that may write, in the same round trip, until the ID
//! is known. The ID alone does not identify a transaction: after a crash, or on a promoted standby,
//! the server may assign it again. So it is kept with two values that change then: the timeline,
//! and the time at which the server's statistics began, which a crash discards.

use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use crate::command::Command;
use crate::command::text::Text;
use crate::sql_text::read_only::Reads;
use crate::wire::answer::Answer;

/// A transaction ID, and the server on which it is valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Xid {
    number: u64,
    server: Arc<str>,
}

/// SQL for a value that changes when IDs may have been assigned twice; NULL if that cannot be
/// known.
macro_rules! server {
    () => {
        "pg_catalog.textcat(\
         pg_catalog.left(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 8), \
         extract(epoch FROM pg_catalog.pg_stat_get_bgwriter_stat_reset_time())::pg_catalog.text)"
    };
}

/// The query for both values; they are NULL unless the transaction has written.
///
/// `pg_stat_activity` shows this query in place of the statement before it, so a comment explains
/// it.
const ASK: &str = concat!(
    "/* bowline: this transaction's number, asked behind its first write */ SELECT xid, CASE WHEN xid IS NOT NULL THEN ",
    server!(),
    " END FROM pg_catalog.pg_current_xact_id_if_assigned() AS xid"
);

/// The query for the ID only, for a session whose server is known.
const ASK_NUMBER: &str = "/* bowline: this transaction's number, asked behind its first write */ \
    SELECT pg_catalog.pg_current_xact_id_if_assigned()";

static TEXTS: LazyLock<[Arc<Text>; 2]> =
    LazyLock::new(|| [ASK, ASK_NUMBER].map(|sql| Arc::new(Text::new(sql))));

impl Xid {
    /// Returns the query for its outcome: `committed`, `aborted`, `in progress`, or NULL if this
    /// server cannot know.
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

/// The transaction ID of the open transaction, as far as it is known.
#[derive(Debug, Default)]
pub(super) struct XidTracker {
    /// Whether the ID is of use: the call can ask for the outcome with it.
    is_wanted: bool,
    known: Option<Arc<Xid>>,
    /// The server, once a transaction of the session has written. A crash changes it, but also ends
    /// all sessions. So does a promotion, but a standby has no session that has written. If the
    /// statistics are reset manually, the ID is not trusted.
    server: Option<(Arc<str>, Instant)>,
}

/// For how long a session believes that its server is the same: a reset of the statistics costs so
/// much.
const BELIEVED: Duration = Duration::from_secs(60);

impl XidTracker {
    pub(super) fn set_wanted(&mut self, is_wanted: bool) {
        self.is_wanted = is_wanted;
    }

    /// Forgets the server: behind a pooler the next transaction may run on another one.
    pub(super) fn forget_server(&mut self) {
        self.server = None;
    }

    /// Forgets the ID, because another transaction begins.
    pub(super) fn forget(&mut self) {
        self.known = None;
    }

    /// Returns the query to send after these commands; none if the ID is known or not wanted, or if
    /// nothing may write.
    pub(super) fn query(&self, commands: &[Command]) -> Option<Command> {
        let may_write = |command: &Command| command.reads() == Reads::No;
        if !self.is_wanted || self.known.is_some() || !commands.iter().any(may_write) {
            return None;
        }
        let [whole, number] = &*TEXTS;
        let server = self.server.as_ref();
        let is_known = server.is_some_and(|(_, since)| since.elapsed() < BELIEVED);
        Some(Command {
            // The other is sent once.
            is_named: is_known,
            ..Command::of(Arc::clone(if is_known { number } else { whole }))
        })
    }

    /// Reads the answer to the query; the ID is NULL as long as nothing was written.
    pub(super) fn note(&mut self, answers: &[Answer]) {
        let Some(answer) = answers.first() else {
            return;
        };
        if answer.column_count() > 1 {
            let server = answer
                .value(0, 1)
                .and_then(|server| std::str::from_utf8(server).ok());
            self.server = server.map(|server| (Arc::from(server), Instant::now()));
        }
        let number = answer.value(0, 0).and_then(|number| number.try_into().ok());
        self.known = number
            .zip(self.server.as_ref())
            .map(|(number, (server, _))| {
                Arc::new(Xid {
                    number: u64::from_be_bytes(number),
                    server: Arc::clone(server),
                })
            });
    }

    pub(super) fn take(&mut self) -> Option<Arc<Xid>> {
        self.known.take()
    }
}
