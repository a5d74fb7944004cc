//! The server's report on the sessions in use, for the error of a caller whose wait for a session
//! times out.
//!
//! A thread asks in the background, on a separate connection, while the caller still waits. So the
//! caller loses no time, and a report that arrives too late is left out. The connection exceeds the
//! limit of the pool by one. It is opened at most once a second, and only shortly before a caller's
//! deadline.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use diesel::deserialize::QueryableByName;
use diesel::sql_types::{Integer, Text};

use super::{PoolInternals, Resource, SharedPool};
use crate::config::Config;
use crate::deadline::after;
use crate::error::Result;
use crate::session::Session;
use crate::statement::StatementDsl as _;

/// The server's report on each session, by process id.
pub(in crate::pool) type ServerReport = BTreeMap<i32, String>;

/// The time before a caller's deadline at which the server is asked; half of the time that is left
/// if that is less.
const BEFORE: Duration = Duration::from_secs(1);

/// The shortest time between two inquiries, and the longest time that an answer may take.
const EVERY: Duration = Duration::from_secs(1);

/// The age up to which a report is used.
const FRESH: Duration = Duration::from_secs(2);

/// The time of the last inquiry, and the last report.
#[derive(Debug, Default)]
pub(in crate::pool) struct Inquiry {
    asked: Option<Instant>,
    report: Option<(Instant, Arc<ServerReport>)>,
}

impl Inquiry {
    /// Returns the server's report, if it is fresh.
    pub(in crate::pool) fn fresh(&self) -> Option<&ServerReport> {
        let (at, report) = self.report.as_ref()?;
        (at.elapsed() < FRESH).then_some(report)
    }
}

/// Returns the time at which the server is asked for a caller with this deadline.
pub(in crate::pool) fn moment(now: Instant, deadline: Instant) -> Instant {
    let patience = deadline.saturating_duration_since(now);
    deadline - BEFORE.min(patience / 2)
}

impl<S: Resource> SharedPool<S> {
    /// Asks the server, unless it was asked less than a second ago or the pool has room for another
    /// session.
    pub(in crate::pool) fn inquire(self: &Arc<Self>, state: &mut PoolInternals<S>) {
        let now = Instant::now();
        let lately = |asked| now.duration_since(asked) < EVERY;
        if state.holders.len() < self.limits.max || state.inquiry.asked.is_some_and(lately) {
            return;
        }
        state.inquiry.asked = Some(now);
        let pids = state.holders.backend_pids();
        let shared = Arc::clone(self);
        // Without a thread there is no report, and the error contains only what this process knows.
        thread::Builder::new()
            .name("bowline-inquiry".to_owned())
            .spawn(move || {
                let asked = catch_unwind(AssertUnwindSafe(|| (shared.ask)(&pids, now + EVERY)));
                if let Ok(Ok(report)) = asked {
                    shared.lock().inquiry.report = Some((Instant::now(), Arc::new(report)));
                }
            })
            .ok();
    }
}

#[derive(QueryableByName)]
struct ActivityRow {
    #[diesel(sql_type = Integer)]
    pid: i32,
    #[diesel(sql_type = Text)]
    report: String,
}

/// Asks the server, on a separate connection.
pub(in crate::pool) fn ask(
    config: &Config,
    pids: &[i32],
    deadline: Instant,
) -> Result<ServerReport> {
    let mut session = Session::connect_sharing(config, Arc::default(), deadline)?;
    session.set_timeout(deadline.saturating_duration_since(Instant::now()));
    let pids: Vec<_> = pids.iter().map(ToString::to_string).collect();
    // Queries are left out, since they may contain data.
    let query = format!(
        "SELECT pid, concat_ws(', ', state, 'waits for ' || wait_event_type || ' ' || wait_event,
            (SELECT 'blocked by ' || string_agg(concat_ws(' ', 'pid', other.pid, nullif(other.application_name, ''), other.state), ', ')
             FROM pg_stat_activity AS other WHERE other.pid = ANY (pg_blocking_pids(mine.pid)))) AS report
         FROM pg_stat_activity AS mine WHERE pid IN ({})",
        pids.join(", ")
    );
    let rows = session.run(diesel::sql_query(query).all::<ActivityRow>())?;
    Ok(rows.into_iter().map(|row| (row.pid, row.report)).collect())
}

/// Returns a function that asks the server of this configuration.
pub(in crate::pool) fn asking(config: Config) -> impl Fn(&[i32], Instant) -> Result<ServerReport> {
    move |pids, deadline| ask(&config, pids, deadline.min(after(config.connect_timeout)))
}
