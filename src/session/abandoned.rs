//! Ends what a dropped call has left: its pipeline and its transaction.
//!
//! A task that is dropped cannot wait. So the session keeps the pipeline, and its next user or the
//! pool ends it: the server is asked to cancel, and its answer is waited for.

use super::Session;
use super::exchange::cancel;
use super::transaction_manager::roll_back_innermost;
use crate::command::Command;
use crate::error::Outcome;
use crate::wire::driver::Completion;

impl Session {
    /// Returns whether rows or a COPY were dropped before their end.
    #[cfg(feature = "tokio")]
    pub(crate) fn has_leftover(&self) -> bool {
        self.in_flight.is_waiting()
    }

    /// Ends the pipeline of a call that was dropped, if there is one. If the server does not
    /// answer, the session is lost.
    pub(crate) async fn end_abandoned(&mut self) {
        if let Some(copy) = self.in_flight.take_copy() {
            return Box::pin(self.end_abandoned_copy(copy)).await;
        }
        let Some(pending) = self.in_flight.dropped_pipeline() else {
            return;
        };
        // What was not given to libpq yet is never sent.
        pending.state.give_up();
        let commits =
            pending.has_sent_commit() && !pending.commands.iter().all(Command::only_reads);
        let mut pipeline = self.connection.pipeline(&mut pending.state);
        let completion = Completion::expired(cancel(&mut pipeline).await);
        self.set_close_reason("dropped_call");
        let ended = self.end_exchange(completion);
        if commits {
            let outcome = match &ended {
                Ok(_) => Outcome::Committed,
                Err(error) => error.outcome(),
            };
            self.observer.dropped_while_committing(outcome);
        }
        let is_guarded = self.in_flight.take_savepoint();
        if is_guarded && !self.is_broken() {
            Box::pin(self.end_stream(ended.is_ok())).await;
        }
        if !self.is_broken() {
            self.observer.unset_close_reason();
        }
    }

    /// Ends the pipeline of a call that was dropped, and rolls back until only this many
    /// transactions are open.
    pub(crate) async fn undo_abandoned(&mut self, depth: u32) {
        self.end_abandoned().await;
        while self.transactions.depth() > depth && !self.is_broken() {
            if roll_back_innermost(self).await.is_err() {
                self.transactions.set_broken();
            }
        }
    }
}
