//! Why there is no session, as plain data: an error carries it, and knows no pool.

use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

/// Why a session could not be had, for a program that decides by it: see [`Error::no_session`](crate::Error::no_session).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum NoSession {
    /// All are in use, and none came back in time: hold them for a shorter time, or allow more.
    #[non_exhaustive]
    Exhausted {
        /// Who has them, the longest in front.
        holders: Vec<Holder>,
        /// The pool in numbers.
        pool: PoolState,
    },
    /// As many wait already as may ([`Config::max_waiting`](crate::Config::max_waiting)): shed load.
    #[non_exhaustive]
    TooManyWaiting {
        /// The pool in numbers.
        pool: PoolState,
    },
    /// The server cannot be reached; it is tried for as long as somebody waits.
    #[non_exhaustive]
    ServerDown {
        /// For how long.
        down: Duration,
        /// What connecting failed with last; `None` while the first attempt has not been answered.
        cause: Option<String>,
        /// The pool in numbers.
        pool: PoolState,
    },
    /// This thread would wait for itself: it has a session, and all are in use.
    #[non_exhaustive]
    Nested {
        /// Where it took the session that it has.
        first: &'static Location<'static>,
        /// Where it asks for another.
        second: &'static Location<'static>,
    },
    /// The database was closed.
    Closed,
}

/// Somebody who has a session of the pool.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Holder {
    /// Where in the source it was asked for.
    pub place: &'static Location<'static>,
    /// For how long it has been held.
    pub held: Duration,
    /// The process id of the server's side, as in `pg_stat_activity`.
    pub backend_pid: i32,
    /// What the session does in `pg_stat_activity`'s words (`active`, `idle`, `idle in transaction`), and for how
    /// long, as seen from here.
    pub state: (&'static str, Duration),
    /// The SQL that it runs or ran last, without values; `None` before the first.
    pub sql: Option<Arc<str>>,
    /// What the server said of it just now, where it could be asked in time: the state, what it waits for, and who
    /// blocks it.
    pub server: Option<String>,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (state, since) = self.state;
        write!(
            f,
            "{} for {:.1?} (pid {}, {state} for {since:.1?}",
            self.place, self.held, self.backend_pid
        )?;
        if let Some(sql) = &self.sql {
            write!(f, ": {}", shortened(sql))?;
        }
        if let Some(server) = &self.server {
            write!(f, "; the server says {server}")?;
        }
        f.write_str(")")
    }
}

/// One line of some SQL.
fn shortened(sql: &str) -> String {
    const LONGEST: usize = 100;
    let line = sql.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{} ..", &line[..end]),
        None => line,
    }
}

/// The pool in numbers; each is true by itself, though another may have changed since.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolState {
    /// Sessions that are open.
    pub size: u32,
    /// Those of them that nobody has.
    pub idle: u32,
    /// Those of them that somebody has.
    pub in_use: u32,
    /// Sessions that are being made.
    pub connecting: u32,
    /// Callers who wait for one.
    pub waiting: u32,
    /// How many sessions there may be at most.
    pub max: u32,
    /// Sessions that were opened so far.
    pub opened: u64,
}

impl PoolState {
    /// Of a single session that is always open.
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
