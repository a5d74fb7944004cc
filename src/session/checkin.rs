//! What the pool does with a session between two holders: all of it ends by a deadline of its own.
//!
//! A call that runs out of time asks the server to cancel and hears it out. Here nobody's work is at stake,
//! so a session that does not answer in time is given up at once.

use std::collections::VecDeque;
use std::ffi::CStr;
use std::time::{Duration, Instant};

use diesel::connection::DynInstrumentation;

use super::Session;
use crate::deadline::after;
use crate::wire::driver::drive;
use crate::wire::libpq::TransactionStatus;
use crate::wire::protocol::{Flow, Message, Pipeline, Script};

/// How long a server may take to make a session as new.
const RESET: Duration = Duration::from_secs(1);

impl Session {
    /// Whether the server answers by the deadline; one round trip. If not, the session is lost.
    pub(crate) fn ping(&mut self, deadline: Instant) -> bool {
        let answered = self.connection.enter_pipeline().is_ok() && {
            let mut flow = Flow::new(VecDeque::from([Message::Sync]), 0);
            let mut pipeline = Pipeline::new(&mut self.connection, &mut flow);
            drive(&mut pipeline, deadline).is_ok()
        };
        let answered = answered && self.connection.exit_pipeline().is_ok();
        if !answered {
            self.lost
                .get_or_insert_with(|| "the server did not answer a ping".to_owned());
        }
        answered
    }

    /// Makes the session fit for another holder; `false` if it has to be closed.
    ///
    /// What the holder set here goes without asking the server. A transaction that is open costs a round trip,
    /// and so does what is [touched](Session::is_touched).
    pub(crate) fn check_in(&mut self, call_timeout: Duration) -> bool {
        self.limit = call_timeout;
        self.deadline = None;
        self.interrupt = None;
        self.prepared.turn(true);
        if std::mem::take(&mut self.instrumented) {
            self.instrumentation = DynInstrumentation::default_instrumentation();
        }
        if self.is_broken() {
            return false;
        }
        let deadline = after(RESET);
        match self.connection.transaction_status() {
            TransactionStatus::Idle => {}
            TransactionStatus::InTransaction | TransactionStatus::InError => {
                if !self.tell(c"ROLLBACK", deadline) {
                    return false;
                }
            }
            TransactionStatus::Active | TransactionStatus::Unknown => return false,
        }
        // One that was begun may not have been sent.
        self.transactions.reset();
        self.search_path.rolled_back(0);
        if self.pooler.is_some() {
            // What was set there went to whichever session of the server's it met.
            self.search_path.reset();
        }
        if self.is_touched() {
            let discarded = self.tell(c"DISCARD ALL", deadline);
            if discarded {
                self.was_discarded();
            }
            return discarded;
        }
        true
    }

    /// Whether the server does this by the deadline.
    fn tell(&mut self, sql: &CStr, deadline: Instant) -> bool {
        let mut script = Script::new(&mut self.connection, sql.to_owned());
        drive(&mut script, deadline).is_ok() && script.heard.error.is_none()
    }
}
