//! Commands that are sent to the server up to one Sync, and their outcome as far as it is known.

use std::ops::Range;

use super::exchange::CommitPoint;
use crate::command::Command;
use crate::error::Outcome;
use crate::sql_text::read_only::Reads;
use crate::wire::answer::Answer;
use crate::wire::libpq::{Field, ResultSet, ResultStatus};
use crate::wire::protocol::PipelineState;

/// Commands that are being sent or answered, up to one Sync.
#[derive(Debug, Default)]
pub(super) struct PendingPipeline {
    /// All commands of the pipeline: the session's own around the caller's. Their values are moved
    /// out when they are sent.
    pub(super) commands: Vec<Command>,
    /// The caller's commands among them.
    pub(super) own: Range<usize>,
    pub(super) commit: CommitPoint,
    /// Whether a pooler is known to be between.
    pub(super) is_pooled: bool,
    /// Whether the server had closed the connection before anything was sent.
    pub(super) was_closed: bool,
    pub(super) state: PipelineState,
}

impl PendingPipeline {
    /// Returns whether libpq has the message that commits the work.
    pub(super) fn has_sent_commit(&self) -> bool {
        match self.commit {
            CommitPoint::Later | CommitPoint::Undo => false,
            CommitPoint::Sync => self.state.has_queued_sync(),
            CommitPoint::Command => self.state.received.commands_sent > self.commit_index(),
        }
    }

    /// Returns the index of the COMMIT: it is the last command, or only reads are behind it.
    fn commit_index(&self) -> usize {
        let commit = self.commands.iter().rposition(Command::ends_transaction);
        commit.unwrap_or(self.commands.len().wrapping_sub(1))
    }

    /// Returns whether the command at this index is behind the COMMIT: then the work is committed,
    /// whatever becomes of the command.
    pub(super) fn is_behind_commit(&self, index: usize) -> bool {
        self.commit == CommitPoint::Command && index > self.commit_index()
    }

    /// Returns the caller's first command.
    pub(super) fn own_command(&mut self) -> Option<&mut Command> {
        self.commands.get_mut(self.own.start)
    }

    /// Returns whether the work only reads, if all names of functions mean PostgreSQL's own.
    pub(super) fn may_only_read(&self) -> bool {
        let reads = |command: &Command| command.reads() >= Reads::IfBuiltIn;
        self.commands.iter().all(reads)
    }

    /// Returns the outcome of the work if the connection is lost now, by what was sent and
    /// received.
    ///
    /// It is unknown only if the server may have received the commit, and has not answered it.
    pub(super) fn outcome_if_lost(&self) -> Outcome {
        let received = &self.state.received;
        let last = match self.commit {
            CommitPoint::Command => self.commit_index(),
            _ => self.commands.len().wrapping_sub(1),
        };
        if let Some((index, ResultStatus::CopyIn)) = received.copy
            && !self.commands[..index]
                .iter()
                .any(Command::ends_its_transaction)
        {
            // The server waits for data that never arrives, and rolls back.
            return Outcome::NotCommitted;
        }
        let commit_sent = match self.commit {
            CommitPoint::Later | CommitPoint::Undo => false,
            CommitPoint::Sync => received.sync_sent,
            CommitPoint::Command => received.commands_sent > last,
        };
        if !self.was_closed && self.may_have_committed_before(received.commands_sent) {
            return Outcome::Unknown;
        }
        if !commit_sent || self.was_closed || self.commands.iter().all(Command::only_reads) {
            return Outcome::NotCommitted;
        }
        let at_end = received.answers.get(last);
        if self.commit == CommitPoint::Command && at_end.is_some_and(Answer::is_commit) {
            return Outcome::Committed;
        }
        let error = received
            .error
            .as_ref()
            .filter(|(_, error)| error.error_field(Field::SqlState).is_some())
            .filter(|(_, error)| !self.is_of_pooler(error));
        match error {
            // The server answers in order, so it did not reach the commit.
            Some((Some(index), _)) if self.commit == CommitPoint::Sync || *index < last => {
                Outcome::NotCommitted
            }
            // A commit that fails rolls back, except if the server process ends: then the outcome
            // is unknown.
            Some((_, error))
                if error
                    .error_field(Field::Severity)
                    .is_some_and(|severity| severity == "ERROR") =>
            {
                Outcome::NotCommitted
            }
            _ => Outcome::Unknown,
        }
    }

    /// Returns whether a pooler may have sent this error in place of its server, which may have
    /// committed: PgBouncer answers with a fatal error when it loses the server.
    fn is_of_pooler(&self, error: &ResultSet) -> bool {
        let is_fatal = error
            .error_field(Field::Severity)
            .is_some_and(|severity| severity != "ERROR");
        let is_about_connection = error
            .error_field(Field::SqlState)
            .is_some_and(|code| code.starts_with("08"));
        is_fatal && (self.is_pooled || is_about_connection)
    }

    /// Returns the outcome of the work if the server refused one of the commands.
    ///
    /// No change remains, unless a part was committed before the Sync, as a procedure may do.
    pub(super) fn outcome_if_refused(&self) -> Outcome {
        let Some((index, _)) = self.state.received.error else {
            return Outcome::NotCommitted;
        };
        let index = index.unwrap_or(self.commands.len());
        let itself = self.commands.get(index);
        if self.may_have_committed_before(index)
            || (self.commit == CommitPoint::Sync
                && itself.is_some_and(Command::may_commit_and_fail))
        {
            return Outcome::Unknown;
        }
        Outcome::NotCommitted
    }

    /// Returns whether some of the first commands may be committed although the Sync was not
    /// answered. A command may commit by itself. And not all servers run the commands before one
    /// Sync in one transaction.
    fn may_have_committed_before(&self, index: usize) -> bool {
        if self.commit != CommitPoint::Sync {
            return false;
        }
        let first = || self.commands.iter().take(index);
        let is_one_of_several = self.own.len() > 1;
        // The last of several commands is not committed before its Sync, unless it commits by
        // itself.
        let mut with_more_behind = first().take(self.commands.len().saturating_sub(1));
        first().any(Command::ends_its_transaction)
            || (is_one_of_several && !with_more_behind.all(Command::only_reads))
    }
}
