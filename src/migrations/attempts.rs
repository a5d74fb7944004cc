//! Runs a migration, again where a lock was not free in time.
//!
//! A statement that waits for a lock blocks all others that come for the same table after it. So
//! it waits for a short time only, and the migration begins again after a pause.

use std::time::Instant;

use super::backfill::{self, Runs};
use super::blockers::reported;
use super::bookkeeping::{Bookkeeping, Direction};
use super::lock_wait::{LockWait, pause_after};
use super::observer::Observer;
use super::step::{Step, StepError, step};
use crate::config::Config;
use crate::session::Session;
use crate::sqlstate::SqlState;

/// Runs a migration and records it. If a lock is not free in time, and nothing was changed, begins
/// again, up to the number of attempts and to the deadline. A backfill tries each batch so often,
/// and goes on after the last one of an earlier run.
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
    let is_backfill = |sql| bowline_migrations::backfills(sql, one.in_transaction);
    match is_backfill(one.sql) {
        Ok(backfills) if !backfills.is_empty() && one.direction == Direction::Up => {
            let runs = Runs {
                wait,
                deadline,
                observer,
            };
            let mut work = || backfill::run(session, table, &one, &backfills, &runs);
            return match config {
                Some(config) => reported(config, pid, wait, &|by| observer.blocked(by), work),
                None => work(),
            };
        }
        // A file is refused before it is run, by `bowline_migrations::script`.
        Ok(_) | Err(_) => {}
    }
    let mut attempt = 1;
    loop {
        session.set_timeout(deadline.saturating_duration_since(Instant::now()));
        let mut progress = |done: usize| observer.statement_done(done);
        let mut work = || step(session, table, one, &mut progress);
        let done = match config {
            Some(config) => reported(config, pid, wait, &|by| observer.blocked(by), work),
            None => work(),
        };
        let Err(failed) = done else {
            return Ok(());
        };
        let pause = pause_after(attempt);
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
