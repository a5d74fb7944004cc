//! The reasons why the pool had no session, as plain data that an error carries.

use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

/// The reason why the pool had no session: see [`Error::no_session`](crate::Error::no_session).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum NoSession {
    /// All sessions are in use, and none was returned in time: hold them for a shorter time, or
    /// allow more.
    #[non_exhaustive]
    Exhausted {
        /// The callers that hold them, the longest holder first.
        holders: Vec<Holder>,
        /// The counters of the pool.
        pool: PoolState,
    },
    /// The limit of waiting callers is reached
    /// ([`Config::max_waiting`](crate::Config::max_waiting)): shed load.
    #[non_exhaustive]
    TooManyWaiting {
        /// The counters of the pool.
        pool: PoolState,
    },
    /// The server cannot be reached; the pool retries while a caller waits.
    #[non_exhaustive]
    ServerDown {
        /// How long it has been down.
        down: Duration,
        /// The last failure to connect; `None` while the first attempt has no answer.
        cause: Option<String>,
        /// The counters of the pool.
        pool: PoolState,
    },
    /// This thread would wait for itself: it holds a session, and all are in use.
    #[non_exhaustive]
    Nested {
        /// The location that took the session which the thread holds.
        first: &'static Location<'static>,
        /// The location that asks for another.
        second: &'static Location<'static>,
    },
    /// The database was closed.
    Closed,
}

/// A caller that holds a session of the pool.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Holder {
    /// The source location that asked for the session.
    pub location: &'static Location<'static>,
    /// The time for which the session has been held.
    pub held: Duration,
    /// The process id of the server's backend, as in `pg_stat_activity`.
    pub backend_pid: i32,
    /// The state of the session, as known by this process, in the terms of `pg_stat_activity`:
    /// `active`, `idle` or `idle in transaction`.
    pub state: &'static str,
    /// The time for which the session has been in that state.
    pub state_for: Duration,
    /// The SQL that the session runs or ran last, without values; `None` before the first.
    pub sql: Option<Arc<str>>,
    /// The server's report, if it could be asked in time: the state, the event that the session
    /// waits for, and the sessions that block it.
    pub server: Option<String>,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} for {:.1?} (pid {}, {} for {:.1?}",
            self.location, self.held, self.backend_pid, self.state, self.state_for
        )?;
        if let Some(sql) = &self.sql {
            write!(f, ": {}", shortened(sql))?;
        }
        if let Some(server) = &self.server {
            write!(f, "; the server reports {server}")?;
        }
        f.write_str(")")
    }
}

/// Returns SQL as one line of limited length.
fn shortened(sql: &str) -> String {
    const MAX_LENGTH: usize = 100;
    let line = sql.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(MAX_LENGTH) {
        Some((end, _)) => format!("{} ..", &line[..end]),
        None => line,
    }
}

/// The counters of the pool. Each is exact; they may be of slightly different moments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolState {
    /// Open sessions.
    pub size: u32,
    /// Open sessions that are free.
    pub idle: u32,
    /// Open sessions that are in use.
    pub in_use: u32,
    /// Sessions that are connecting.
    pub connecting: u32,
    /// Callers that wait for a session.
    pub waiting: u32,
    /// The most sessions that may be open.
    pub max: u32,
    /// Sessions opened so far.
    pub opened: u64,
}

impl PoolState {
    /// Returns the state of a pool of one session that is always open.
    pub(crate) fn of_one(in_use: bool) -> Self {
        Self {
            size: 1,
            idle: u32::from(!in_use),
            in_use: u32::from(in_use),
            connecting: 0,
            waiting: 0,
            max: 1,
            opened: 1,
        }
    }
}
