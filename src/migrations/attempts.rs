//! Runs a migration, again where a lock was not free in time.
//!
//! A statement that waits for a lock blocks all others that come for the same table after it. So
//! it waits for a short time only, and the migration begins again after a pause.

use std::time::{Duration, Instant};

use super::blockers::{Blocker, reported};
use super::bookkeeping::Bookkeeping;
use super::step::{Step, StepError, step};
use crate::config::Config;
use crate::random;
use crate::session::Session;
use crate::sqlstate::SqlState;

/// How long and how often a migration waits for a lock.
#[derive(Debug, Clone, Copy)]
pub struct LockWait {
    /// The longest wait of one attempt; `None` for no limit.
    pub timeout: Option<Duration>,
    /// The number of attempts, the first included.
    pub attempts: u32,
}

impl Default for LockWait {
    fn default() -> Self {
        Self {
            timeout: Some(Duration::from_secs(5)),
            attempts: 10,
        }
    }
}

/// Receives what happens while a migration runs.
pub trait Observer: Sync {
    /// Another statement of the file is done; `done` counts them.
    fn statement_done(&self, done: usize) {
        let _ = done;
    }

    /// A session holds a lock that the migration waits for.
    fn blocked(&self, by: &Blocker) {
        let _ = by;
    }

    /// A lock was not free in time; the migration begins again after the pause.
    fn begins_again(&self, attempt: u32, pause: Duration) {
        let _ = (attempt, pause);
    }
}

/// An observer of nothing.
impl Observer for () {}

/// Runs a migration and records it. If a lock is not free in time, and nothing was changed, begins
/// again, up to the number of attempts and to the deadline.
///
/// `config` is for the connection on which the holders of locks are looked for; without it, and
/// behind a pooler, they are not.
pub fn run_step(
    session: &mut Session,
    table: &Bookkeeping,
    one: Step<'_>,
    wait: LockWait,
    deadline: Instant,
    config: Option<&Config>,
    observer: &dyn Observer,
) -> Result<(), StepError> {
    let one = Step {
        lock_timeout: wait.timeout,
        ..one
    };
    // Behind a pooler the process id is not that of the server's process.
    let config = config.filter(|_| session.pooler_settings().is_none());
    let pid = session.backend_pid();
    let mut attempt = 1;
    loop {
        session.set_timeout(deadline.saturating_duration_since(Instant::now()));
        let mut progress = |done: usize| observer.statement_done(done);
        let mut work = || step(session, table, one, &mut progress);
        let done = match config {
            Some(config) => reported(config, pid, &|blocker| observer.blocked(blocker), work),
            None => work(),
        };
        let Err(failed) = done else {
            return Ok(());
        };
        let pause = pause(attempt);
        let is_late = Instant::now() + pause >= deadline;
        let is_locked = failed.error.sqlstate() == Some(SqlState::LOCK_NOT_AVAILABLE);
        if !is_locked || !failed.changed_nothing || attempt >= wait.attempts || is_late {
            return Err(failed);
        }
        attempt += 1;
        observer.begins_again(attempt, pause);
        std::thread::sleep(pause);
    }
}

/// Returns the pause after an attempt: half a second, twice as long after each, at most ten
/// seconds, and between half and one and a half of that.
fn pause(attempt: u32) -> Duration {
    let doubled = 0.5 * f64::from(2_u32.saturating_pow(attempt.min(10) - 1));
    Duration::from_secs_f64(doubled.min(10.0) * (0.5 + random::fraction()))
}
