//! A notification of the server.

/// A notification that a session sent by NOTIFY (PostgreSQL manual, NOTIFY).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// The channel that it was sent on.
    pub channel: String,
    /// Its text; empty if it was sent without one.
    pub payload: String,
    /// The process id of the session that sent it, as in `pg_stat_activity`.
    pub pid: i32,
}
