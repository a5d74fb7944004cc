//! Finds out, on another session, the outcome of a commit that was not answered.

use std::panic::Location;
use std::sync::Arc;
use std::time::{Duration, Instant};

use diesel::QueryableByName;
use diesel::sql_types::{Bool, Nullable, Text};

use super::Database;
use crate::commit_keys::{CommitKey, fence};
use crate::deadline::after;
use crate::error::{ErrorKind, Outcome, Result};
use crate::session::{Session, Xid};
use crate::sql_text::read_only::shadowed;
use crate::statement::StatementDsl as _;
use crate::transaction::{TransactionOptions, TransactionStart};
use crate::wire::interrupt;

/// A commit that was not answered.
#[derive(Debug)]
pub(super) struct Unanswered {
    /// The commit key, which the server has if the transaction was committed.
    pub(super) attempt: Option<CommitKey>,
    pub(super) xid: Option<Arc<Xid>>,
    /// Whether the transaction can have written only if the database has a function with the name
    /// of one of PostgreSQL's.
    pub(super) depends_on_shadowing: bool,
    /// The server process of the lost connection.
    pub(super) backend_pid: i32,
}

/// The time that the server's process has to end by itself.
const PATIENCE: Duration = Duration::from_secs(1);

/// The longest pause between two queries for the outcome.
const PAUSE: Duration = Duration::from_millis(100);

#[derive(QueryableByName)]
struct Fenced {
    #[diesel(sql_type = Bool)]
    fenced: bool,
}

#[derive(QueryableByName)]
struct Shadowed {
    #[diesel(sql_type = Bool)]
    shadowed: bool,
}

#[derive(QueryableByName)]
struct XactStatus {
    #[diesel(sql_type = Nullable<Text>)]
    status: Option<String>,
}

impl Database {
    /// Returns the outcome, as far as it can be found out before the deadline.
    pub(super) async fn outcome_of(
        &self,
        unanswered: &Unanswered,
        holder: &'static Location<'static>,
        deadline: Instant,
    ) -> Outcome {
        if unanswered.attempt.is_none()
            && unanswered.xid.is_none()
            && !unanswered.depends_on_shadowing
        {
            return Outcome::Unknown;
        }
        let since = Instant::now();
        let mut pause = Duration::from_millis(1);
        let mut ended = false;
        // A call that was given up reports no outcome.
        while Instant::now() < deadline && !interrupt::is_given_up() {
            let asked = self
                .ask_elsewhere(unanswered, holder, deadline, since, &mut ended)
                .await;
            match asked {
                Ok(Some(outcome)) => {
                    tracing::info!(
                        target: "bowline::outcome",
                        ?outcome,
                        took = ?since.elapsed(),
                        "found the outcome of a commit that was not answered"
                    );
                    return outcome;
                }
                Ok(None) => {}
                Err(error) if may_be_decided_later(error.kind()) => {}
                Err(error) => {
                    tracing::warn!(
                        target: "bowline::outcome",
                        %error,
                        "could not find the outcome of a commit that was not answered"
                    );
                    return Outcome::Unknown;
                }
            }
            let left = deadline.saturating_duration_since(Instant::now());
            interrupt::pause(pause.min(left)).await;
            pause = (pause * 2).min(PAUSE);
        }
        Outcome::Unknown
    }

    /// Asks the server once, on another session; `ended` is whether the old process was terminated.
    async fn ask_elsewhere(
        &self,
        unanswered: &Unanswered,
        holder: &'static Location<'static>,
        deadline: Instant,
        since: Instant,
        ended: &mut bool,
    ) -> Result<Option<Outcome>> {
        let mut session = self.source.get(holder, Instant::now(), || deadline).await?;
        let late = since.elapsed() >= PATIENCE;
        // A query that waits for the old process is cut short, and asked again once that
        // process was ended.
        let limit = if late {
            deadline
        } else {
            deadline.min(after(PATIENCE))
        };
        session.begin_call(limit, self.limit, false);
        // Behind a pooler, the process id is made up by the pooler.
        let ends = late && !self.settings.is_pooled() && !std::mem::replace(ended, true);
        let end = if ends {
            end_backend(&mut session, unanswered.backend_pid, since).await
        } else {
            Ok(())
        };
        let asked = match end {
            Ok(()) => ask(&mut session, unanswered).await,
            Err(error) => Err(error),
        };
        session.end_call();
        asked
    }
}

/// Returns true if a later query may succeed: there is no session yet, or the old process still
/// holds the lock.
fn may_be_decided_later(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::Unavailable | ErrorKind::Timeout | ErrorKind::Conflict
    )
}

/// Asks the server once; returns `None` if the outcome is not decided yet.
async fn ask(session: &mut Session, unanswered: &Unanswered) -> Result<Option<Outcome>> {
    if let Some(attempt) = unanswered.attempt {
        let mut fence = diesel::sql_query(fence(attempt)).one::<Fenced>();
        let kept = session.run_as(&mut fence, &opening()).await?.fenced;
        return Ok(Some(if kept {
            Outcome::NotCommitted
        } else {
            Outcome::Committed
        }));
    }
    if unanswered.depends_on_shadowing {
        let mut shadowed = diesel::sql_query(shadowed()).one::<Shadowed>();
        let shadowed = session.run_now(&mut shadowed).await?.shadowed;
        return Ok(Some(if shadowed {
            Outcome::Unknown
        } else {
            Outcome::NotCommitted
        }));
    }
    let Some(xid) = &unanswered.xid else {
        return Ok(Some(Outcome::Unknown));
    };
    let mut status = diesel::sql_query(xid.status()).one::<XactStatus>();
    let status = session.run_now(&mut status).await?;
    Ok(match status.status.as_deref() {
        Some("committed") => Some(Outcome::Committed),
        Some("aborted") => Some(Outcome::NotCommitted),
        Some("in progress") => None,
        // The transaction is too old, or this is another server.
        _ => Some(Outcome::Unknown),
    })
}

/// Returns the transaction start for writing a fence, whatever the session's defaults are.
///
/// The fence need not be on disk or on a standby: a crash that removes the fence removes the
/// attempt too. And the attempt may be waiting for exactly that standby.
fn opening() -> TransactionStart {
    let opening = TransactionOptions::read_committed().read_write().opening();
    let faster = "SET LOCAL synchronous_commit = off".into();
    TransactionStart {
        sql: opening.sql.iter().cloned().chain([faster]).collect(),
        ..opening
    }
}

/// Ends the server process of the lost connection, which may wait forever.
///
/// If another process has got its process id since, that process began after the connection was
/// lost, and is not ended.
async fn end_backend(session: &mut Session, pid: i32, lost: Instant) -> Result<()> {
    let age = lost.elapsed().as_secs_f64();
    let end = format!(
        "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity \
         WHERE pid = {pid} AND usename = current_user \
         AND backend_start < pg_catalog.clock_timestamp() - pg_catalog.make_interval(secs => {age})"
    );
    let mut end = diesel::sql_query(end).affected();
    session.run_now(&mut end).await.map(drop)
}
