//! The activity of a database's sessions, as the server reports it, and which sessions block
//! others.

use std::time::Duration;

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::deserialize::{FromSql, FromSqlRow, Result as FromSqlResult};
use diesel::pg::{Pg, PgValue};
use diesel::sql_types::{Array, Integer, Nullable, Text, Timestamptz};
use serde::Serialize;

use crate::statement::{Statement, StatementDsl as _};

/// The activity of one session of the database, as reported by `pg_stat_activity`.
///
/// Returned by [`Activity::list`] and [`Database::activity`](crate::Database::activity). For
/// sessions of other roles, the server reports only the first five fields, unless the current role
/// has the privileges of `pg_read_all_stats`.
#[derive(Debug, Clone, PartialEq, QueryableByName, Serialize)]
#[diesel(check_for_backend(Pg))]
pub struct Activity {
    /// The process id of the server's backend, as in
    /// [`Session::backend_pid`](crate::Session::backend_pid).
    #[diesel(sql_type = Integer)]
    pub pid: i32,
    /// The role that logged in.
    #[diesel(sql_type = Nullable<Text>)]
    pub user: Option<String>,
    /// The `application_name` of the session.
    #[diesel(sql_type = Text)]
    pub application_name: String,
    /// The sessions that hold the lock for which this one waits, or are before it in the queue.
    /// Empty if it waits for no lock. 0 stands for a prepared transaction.
    #[diesel(sql_type = Array<Integer>)]
    pub blocked_by: Vec<i32>,
    /// The time of this report, by the server's clock.
    #[diesel(sql_type = Timestamptz)]
    pub observed_at: DateTime<Utc>,
    /// The client's address; `None` for a Unix socket.
    #[diesel(sql_type = Nullable<Text>)]
    pub client_address: Option<String>,
    /// The state of the session: it runs a statement, or waits for its client.
    #[diesel(sql_type = Nullable<Text>)]
    pub state: Option<SessionState>,
    /// The type of event for which it waits, such as `Lock`, `IO` or `Client`.
    #[diesel(sql_type = Nullable<Text>)]
    pub wait_event_type: Option<String>,
    /// The event for which it waits, such as `transactionid` (PostgreSQL manual, 28.2.3).
    #[diesel(sql_type = Nullable<Text>)]
    pub wait_event: Option<String>,
    /// The SQL that runs, or ran last, with placeholders; the server truncates it at
    /// `track_activity_query_size`.
    #[diesel(sql_type = Nullable<Text>)]
    pub query: Option<String>,
    /// The time at which that SQL began.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub query_since: Option<DateTime<Utc>>,
    /// The time at which its transaction began; `None` outside of a transaction.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub transaction_since: Option<DateTime<Utc>>,
    /// The time at which the state last changed.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub state_since: Option<DateTime<Utc>>,
    /// The time at which the session connected.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub connected_since: Option<DateTime<Utc>>,
}

/// The state of a session: it runs a statement, or waits for its client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, FromSqlRow, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SessionState {
    /// The session runs a statement.
    Active,
    /// The session waits for its client, outside of a transaction.
    Idle,
    /// The session waits for its client, within a transaction.
    IdleInTransaction,
    /// The session waits for its client, within a transaction that has failed.
    IdleInTransactionAborted,
    /// Another state, such as `disabled` if `track_activities` is off.
    Other,
}

impl Activity {
    /// Returns a statement for all client sessions of the database, except the one that asks, the
    /// longest connected first.
    ///
    /// Blocking sessions are looked up only for sessions that wait for a lock, since that look-up
    /// stops the server's lock manager for a moment.
    pub fn list() -> impl Statement<Output = Vec<Self>> {
        diesel::sql_query(
            "SELECT pid, usename::text AS \"user\", coalesce(application_name, '') AS application_name, \
             CASE WHEN wait_event_type = 'Lock' THEN pg_catalog.pg_blocking_pids(pid) ELSE '{}' END AS blocked_by, \
             pg_catalog.clock_timestamp() AS observed_at, pg_catalog.host(client_addr) AS client_address, \
             state, wait_event_type, wait_event, query, query_start AS query_since, \
             xact_start AS transaction_since, state_change AS state_since, backend_start AS connected_since \
             FROM pg_catalog.pg_stat_activity \
             WHERE datname = pg_catalog.current_database() AND backend_type = 'client backend' \
             AND pid <> pg_catalog.pg_backend_pid() ORDER BY backend_start, pid",
        )
        .all::<Self>()
        .named_read("Activity::list")
    }

    /// Returns whether it waits for a lock that another session holds.
    pub fn is_blocked(&self) -> bool {
        !self.blocked_by.is_empty()
    }

    /// Returns how long its transaction has been open; `None` outside of a transaction.
    pub fn transaction_age(&self) -> Option<Duration> {
        self.since(self.transaction_since)
    }

    /// Returns how long its statement has run; `None` if no statement runs.
    pub fn query_age(&self) -> Option<Duration> {
        self.since(
            self.query_since
                .filter(|_| self.state == Some(SessionState::Active)),
        )
    }

    fn since(&self, moment: Option<DateTime<Utc>>) -> Option<Duration> {
        let age = self.observed_at.signed_duration_since(moment?);
        Some(age.to_std().unwrap_or_default())
    }
}

impl FromSql<Text, Pg> for SessionState {
    fn from_sql(value: PgValue<'_>) -> FromSqlResult<Self> {
        Ok(match value.as_bytes() {
            b"active" | b"fastpath function call" => Self::Active,
            b"idle" => Self::Idle,
            b"idle in transaction" => Self::IdleInTransaction,
            b"idle in transaction (aborted)" => Self::IdleInTransactionAborted,
            _ => Self::Other,
        })
    }
}
