//! What the server says of the sessions in use, for who is about to give up waiting for one.
//!
//! Asked in the background, on a connection of its own, while the caller still waits: it costs nobody any
//! time, and an answer that comes too late is simply not told. That connection is one more than there may
//! be otherwise, so it is made at most once a second, and only when a caller's patience is nearly at its end.

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

/// What the server says of each session, by process id.
pub(in crate::pool) type Says = BTreeMap<i32, String>;

/// How long before its deadline a caller has it asked; half of its patience if that is less.
const BEFORE: Duration = Duration::from_secs(1);

/// How often it is asked at most, and how long an answer may take.
const EVERY: Duration = Duration::from_secs(1);

/// How old an answer may be to be told.
const FRESH: Duration = Duration::from_secs(2);

/// The last question and the last answer.
#[derive(Debug, Default)]
pub(in crate::pool) struct Inquiry {
    asked: Option<Instant>,
    answer: Option<(Instant, Arc<Says>)>,
}

impl Inquiry {
    /// Returns the server's report, if it is fresh.
    pub(in crate::pool) fn fresh(&self) -> Option<&Says> {
        let (at, says) = self.answer.as_ref()?;
        (at.elapsed() < FRESH).then_some(says)
    }
}

/// Returns when the server is asked on behalf of a caller with this deadline.
pub(in crate::pool) fn moment(now: Instant, deadline: Instant) -> Instant {
    let patience = deadline.saturating_duration_since(now);
    deadline - BEFORE.min(patience / 2)
}

impl<S: Resource> SharedPool<S> {
    /// Has the server asked, unless it was a moment ago or there is room for another session anyway.
    pub(in crate::pool) fn inquire(self: &Arc<Self>, state: &mut PoolInternals<S>) {
        let now = Instant::now();
        let lately = |asked| now.duration_since(asked) < EVERY;
        if state.holders.len() < self.limits.max || state.inquiry.asked.is_some_and(lately) {
            return;
        }
        state.inquiry.asked = Some(now);
        let pids = state.holders.backend_pids();
        let shared = Arc::clone(self);
        // Without a thread there is no answer, and the error tells what is known here.
        thread::Builder::new()
            .name("bowline-inquiry".to_owned())
            .spawn(move || {
                let asked = catch_unwind(AssertUnwindSafe(|| (shared.ask)(&pids, now + EVERY)));
                if let Ok(Ok(says)) = asked {
                    shared.lock().inquiry.answer = Some((Instant::now(), Arc::new(says)));
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
    says: String,
}

/// Asks the server, on a connection of its own.
pub(in crate::pool) fn ask(config: &Config, pids: &[i32], deadline: Instant) -> Result<Says> {
    let mut session = Session::connect_sharing(config, Arc::default(), deadline)?;
    session.set_timeout(deadline.saturating_duration_since(Instant::now()));
    let pids: Vec<_> = pids.iter().map(ToString::to_string).collect();
    // Queries are left out, since they may hold data.
    let query = format!(
        "SELECT pid, concat_ws(', ', state, 'waits for ' || wait_event_type || ' ' || wait_event,
            (SELECT 'blocked by ' || string_agg(concat_ws(' ', 'pid', other.pid, nullif(other.application_name, ''), other.state), ', ')
             FROM pg_stat_activity AS other WHERE other.pid = ANY (pg_blocking_pids(mine.pid)))) AS says
         FROM pg_stat_activity AS mine WHERE pid IN ({})",
        pids.join(", ")
    );
    let rows = session.run(diesel::sql_query(query).all::<ActivityRow>())?;
    Ok(rows.into_iter().map(|row| (row.pid, row.says)).collect())
}

/// Asks by this configuration.
pub(in crate::pool) fn asking(config: Config) -> impl Fn(&[i32], Instant) -> Result<Says> {
    move |pids, deadline| ask(&config, pids, deadline.min(after(config.connect_timeout)))
}
