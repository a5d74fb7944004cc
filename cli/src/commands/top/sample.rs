//! One look at a database: its sessions, and the server's numbers.

use bowline::{Activity, Session, SessionState, sql};
use diesel::sql_types::{BigInt, Double, Text};
use serde::Serialize;

/// What one look saw.
#[derive(Debug, Serialize)]
pub(super) struct Sample {
    #[serde(flatten)]
    pub(super) totals: Totals,
    /// Since the look before; none at the first.
    pub(super) transactions_per_second: Option<f64>,
    pub(super) sessions: Vec<Activity>,
}

/// The server's numbers.
#[derive(Debug, bowline::Row, Serialize)]
pub(super) struct Totals {
    #[diesel(sql_type = Text)]
    pub(super) database: String,
    #[diesel(sql_type = Text)]
    pub(super) server_version: String,
    /// In UTC.
    #[diesel(sql_type = Text)]
    pub(super) observed_at: String,
    #[diesel(sql_type = Double)]
    #[serde(skip)]
    seconds: f64,
    /// Of the whole server.
    #[diesel(sql_type = BigInt)]
    pub(super) connections: i64,
    #[diesel(sql_type = BigInt)]
    pub(super) max_connections: i64,
    /// Committed and rolled back in this database since its numbers were last reset.
    #[diesel(sql_type = BigInt)]
    transactions: i64,
}

const TOTALS: &str = "SELECT datname::text AS database, \
     split_part(current_setting('server_version'), ' ', 1) AS server_version, \
     to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') AS observed_at, \
     extract(epoch FROM clock_timestamp())::float8 AS seconds, \
     (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS connections, \
     current_setting('max_connections')::bigint AS max_connections, \
     xact_commit + xact_rollback AS transactions \
     FROM pg_stat_database WHERE datname = current_database()";

impl Sample {
    /// Asks the server, in one round trip.
    pub(super) fn take(session: &mut Session, before: Option<&Self>) -> bowline::Result<Self> {
        let (totals, sessions) = session.run((sql(TOTALS).one::<Totals>(), Activity::list()))?;
        let rate = before.map(|before| {
            let transactions = totals.transactions - before.totals.transactions;
            let seconds = totals.seconds - before.totals.seconds;
            transactions.max(0) as f64 / seconds.max(0.001)
        });
        Ok(Self {
            totals,
            transactions_per_second: rate,
            sessions,
        })
    }

    /// How many sessions of the database are in this state.
    pub(super) fn count(&self, state: SessionState) -> usize {
        let sessions = self.sessions.iter();
        sessions
            .filter(|session| session.state == Some(state))
            .count()
    }

    pub(super) fn json(&self) -> String {
        serde_json::to_string(self).unwrap_or_else(|error| format!("{{\"error\":\"{error}\"}}"))
    }
}
