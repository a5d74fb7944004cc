//! The lock that allows one run of migrations at a time: an advisory lock of the session.
//!
//! The lock is polled instead of waited for in the server. A session that waits in the server has a
//! snapshot, and a CREATE INDEX CONCURRENTLY of the lock's holder would wait for that snapshot.
//! Then each would wait for the other.

use std::time::{Duration, Instant};

use diesel::QueryableByName;
use diesel::sql_types::{Integer, Text};

use crate::error::{Error, Result};
use crate::session::Session;
use crate::statement::StatementDsl as _;

/// The key of the advisory lock, in the database of the migrations.
pub const KEY: &str = "bowline migrate";

/// The pause between two attempts to get the lock.
const PAUSE: Duration = Duration::from_millis(200);

/// The session that holds the lock.
#[derive(Debug, QueryableByName)]
pub struct LockHolder {
    /// Its process id on the server.
    #[diesel(sql_type = Integer)]
    pub pid: i32,
    /// Its role.
    #[diesel(sql_type = Text)]
    pub user: String,
    /// Its `application_name`.
    #[diesel(sql_type = Text)]
    pub application: String,
    /// The address of its client; empty for a Unix socket.
    #[diesel(sql_type = Text)]
    pub address: String,
}

/// The reason why work under the lock was not done.
#[derive(Debug)]
pub enum NotLocked {
    /// Other sessions held the lock all the time; the present holder, if there is one.
    Busy(Option<LockHolder>),
    /// The request for the lock failed.
    Failed(Error),
}

impl From<Error> for NotLocked {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// Runs `work` under the lock, once no other session holds it. Before it waits, `waits` is called
/// once with the holder.
pub fn locked<T>(
    session: &mut Session,
    patience: Duration,
    mut waits: impl FnMut(Option<&LockHolder>),
    work: impl FnOnce(&mut Session) -> T,
) -> Result<T, NotLocked> {
    let started = Instant::now();
    let mut was_reported = false;
    loop {
        if let Some(mut lock) = session.try_advisory_lock(KEY)? {
            return Ok(work(&mut lock));
        }
        let holder = holder(session)?;
        let left = patience.saturating_sub(started.elapsed());
        if left.is_zero() {
            return Err(NotLocked::Busy(holder));
        }
        if !std::mem::replace(&mut was_reported, true) {
            waits(holder.as_ref());
        }
        std::thread::sleep(PAUSE.min(left));
    }
}

/// Returns the session that holds the lock; `None` if nobody does.
pub fn holder(session: &mut Session) -> Result<Option<LockHolder>> {
    let query = diesel::sql_query(
        "SELECT a.pid, coalesce(a.usename, '')::text AS user, coalesce(nullif(a.application_name, ''), 'a session') AS application,
                coalesce(host(a.client_addr), '') AS address
         FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a USING (pid)
         WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
           AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
           AND (l.classid::bigint << 32) | l.objid::bigint = pg_catalog.hashtextextended($1, 0)
         LIMIT 1",
    );
    session.run(query.bind::<Text, _>(KEY).optional::<LockHolder>())
}

/// Returns whether a pooler in transaction mode is between the session and the server.
///
/// A pooler makes up the process id that it reports to the client. In transaction mode the server's
/// own process id changes from transaction to transaction.
pub fn is_behind_pooler(session: &mut Session) -> Result<bool> {
    #[derive(QueryableByName)]
    struct Backend {
        #[diesel(sql_type = Integer)]
        pid: i32,
    }
    let named = session.backend_pid();
    let backend = session
        .run(diesel::sql_query("SELECT pg_catalog.pg_backend_pid() AS pid").one::<Backend>())?;
    Ok(backend.pid != named)
}
