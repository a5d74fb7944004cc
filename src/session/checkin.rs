//! What the pool does with a session between two holders: all of it ends by a deadline of its own.
//!
//! A call that runs out of time asks the server to cancel and hears it out. Here nobody's work is at stake,
//! so a session that does not answer in time is given up at once.

use std::collections::VecDeque;
use std::ffi::CString;
use std::time::{Duration, Instant};

use super::dialogue::{Flow, Message, Pipeline, Script};
use super::driver::drive;
use super::{Session, after};

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
    /// What the holder set here goes without asking the server; only what is
    /// [touched](Session::is_touched) costs a round trip.
    pub(crate) fn check_in(&mut self, call_timeout: Duration) -> bool {
        self.limit = call_timeout;
        self.deadline = None;
        if self.is_broken() || !self.is_idle() {
            return false;
        }
        !self.is_touched() || self.discard_all()
    }

    fn discard_all(&mut self) -> bool {
        let Ok(sql) = CString::new("DISCARD ALL") else {
            return false;
        };
        let mut script = Script::new(&mut self.connection, sql);
        let done = drive(&mut script, after(RESET)).is_ok() && script.heard.error.is_none();
        if done {
            self.was_discarded();
        }
        done
    }
}
