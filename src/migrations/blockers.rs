//! The sessions that hold the locks that a migration waits for.

use std::fmt;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Integer, Nullable, Text};

use super::lock_wait::LockWait;
use crate::config::Config;
use crate::error::Result;
use crate::session::Session;
use crate::statement::StatementDsl as _;

/// A session that holds a lock which a migration waits for.
#[derive(Debug, Clone, QueryableByName)]
pub struct Blocker {
    /// Its process id on the server.
    #[diesel(sql_type = Integer)]
    pub pid: i32,
    /// Its role.
    #[diesel(sql_type = Text)]
    pub user: String,
    /// Its `application_name`, or what kind of process it is.
    #[diesel(sql_type = Text)]
    pub application: String,
    /// How long its transaction is open, in seconds; `None` if this role may not see it.
    #[diesel(sql_type = Nullable<BigInt>)]
    pub open_for: Option<i64>,
}

impl fmt::Display for Blocker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            pid,
            user,
            application,
            open_for,
        } = self;
        write!(f, "process {pid} ({application}")?;
        if !user.is_empty() {
            write!(f, " of {user}")?;
        }
        if let Some(seconds) = open_for {
            write!(f, ", in a transaction for {seconds} s")?;
        }
        f.write_str(")")
    }
}

/// The longest time that a migration may wait before its blockers are looked for, and between two
/// looks.
const PAUSE: Duration = Duration::from_secs(1);

/// Returns the time before the blockers are looked for: the wait must not have ended by then.
fn pause(wait: LockWait) -> Duration {
    wait.timeout
        .map_or(PAUSE, |timeout| (timeout / 4).min(PAUSE))
}

/// The time limit for each look.
const LIMIT: Duration = Duration::from_secs(5);

/// Runs `work`; while the session with this process id waits for a lock, reports the sessions that
/// hold it, each once.
///
/// They are looked for on another connection, which is made only if the work takes longer than a
/// second, or than a quarter of the wait for a lock. Failures of that connection are ignored.
pub(super) fn reported<T>(
    config: &Config,
    pid: i32,
    wait: LockWait,
    report: &(dyn Fn(&Blocker) + Sync),
    work: impl FnOnce() -> T,
) -> T {
    let (end, ended) = channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || look(config, pid, pause(wait), report, &ended).ok());
        let done = work();
        drop(end);
        done
    })
}

fn look(
    config: &Config,
    pid: i32,
    pause: Duration,
    report: &(dyn Fn(&Blocker) + Sync),
    ended: &Receiver<()>,
) -> Result<()> {
    let goes_on = || ended.recv_timeout(pause) == Err(RecvTimeoutError::Timeout);
    if !goes_on() {
        return Ok(());
    }
    let config = config.clone().statement_cache(0).connect_timeout(LIMIT);
    let mut session = Session::connect(&config)?;
    session.set_timeout(LIMIT);
    let mut reported = Vec::new();
    loop {
        for blocker in blockers(&mut session, pid)? {
            if !reported.contains(&blocker.pid) {
                report(&blocker);
                reported.push(blocker.pid);
            }
        }
        if !goes_on() {
            return Ok(());
        }
    }
}

fn blockers(session: &mut Session, pid: i32) -> Result<Vec<Blocker>> {
    let query = diesel::sql_query(
        "SELECT a.pid, coalesce(a.usename, '')::pg_catalog.text AS user,
                coalesce(nullif(a.application_name, ''), a.backend_type, 'a session') AS application,
                EXTRACT(epoch FROM pg_catalog.clock_timestamp() - a.xact_start)::pg_catalog.int8 AS open_for
         FROM pg_catalog.pg_stat_activity a
         WHERE a.pid = ANY (pg_catalog.pg_blocking_pids($1))
         ORDER BY a.xact_start",
    );
    session.run(query.bind::<Integer, _>(pid).all::<Blocker>())
}
