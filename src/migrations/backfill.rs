//! Runs the statements of a migration in batches, and goes on after the last one where an earlier
//! run has stopped.
//!
//! A batch, and the record of how far it went, are one transaction. So each row is changed once,
//! whatever happens in between.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use bowline_migrations::{Backfill, KeyColumn};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Nullable, Text};

use super::bookkeeping::Bookkeeping;
use super::finishing::finishing;
use super::history::Progress;
use super::lock_wait::{LockWait, pause_after};
use super::observer::Observer;
use super::step::{CLEAN, Step, StepError, note};
use crate::error::{Error, Outcome, Result};
use crate::session::{Session, SimpleQueryMessage};
use crate::sqlstate::SqlState;
use crate::statement::StatementDsl as _;
use crate::wire::interrupt;

/// The longest pause between two batches that the file does not set.
const MAX_PAUSE: Duration = Duration::from_secs(10);

/// The limits of the attempts at a batch, and the observer of the progress.
pub(super) struct Runs<'a> {
    pub(super) wait: LockWait,
    pub(super) deadline: Instant,
    pub(super) observer: &'a dyn Observer,
}

/// Runs the statements of a backfill that are not done yet, and records the migration.
pub(super) fn run(
    session: &mut Session,
    table: &Bookkeeping,
    step: &Step<'_>,
    backfills: &[Backfill<'_>],
    runs: &Runs<'_>,
) -> Result<(), StepError> {
    session.set_timeout(runs.deadline.saturating_duration_since(Instant::now()));
    let mut at = Progress::default();
    let mut has_begun = false;
    let result = begin(session, table, step).and_then(|progress| {
        has_begun = true;
        at = progress;
        for (number, backfill) in backfills.iter().enumerate().skip(at.statement) {
            statement(session, table, step, backfill, &mut at, runs)?;
            at.statement = number + 1;
            runs.observer.statement_done(at.statement);
        }
        let note = note(session, table, step);
        send(session, &format!("BEGIN; {note}; COMMIT;"))
    });
    result.map_err(|error| {
        let changed_nothing = at == Progress::default() && error.outcome() == Outcome::NotCommitted;
        // Without a batch, the migration has not begun.
        let forget = has_begun && changed_nothing && !session.is_broken();
        let forget = forget.then(|| table.abandoned(step.record.version));
        let end = format!("{CLEAN} {}", forget.flatten().unwrap_or_default());
        finishing(session, |session| send(session, &end).ok());
        StepError {
            done: at.statement,
            committed: !changed_nothing,
            changed_nothing,
            backfilled: Some(at.rows),
            error,
        }
    })
}

/// Records that the migration begins, or reads how far it went.
fn begin(session: &mut Session, table: &Bookkeeping, step: &Step<'_>) -> Result<Progress> {
    if table.lacks_history() {
        return Err(Error::query(
            "this role may not write to __bowline_migrations, where a backfill records how far it went",
        )
        .with_hint("run it as the role that owns the table, or grant it what it needs")
        .with_outcome(Outcome::NotCommitted));
    }
    let progress = table.progress(session, &step.record);
    let progress = progress.map_err(|error| error.with_outcome(Outcome::NotCommitted))?;
    if let Some(progress) = progress {
        return Ok(progress);
    }
    let begin = table.backfill_begun(&step.record).unwrap_or_default();
    send(session, &begin).map_err(|error| error.with_outcome(Outcome::NotCommitted))?;
    Ok(Progress::default())
}

/// Runs the batches of a statement that are left.
fn statement(
    session: &mut Session,
    table: &Bookkeeping,
    step: &Step<'_>,
    backfill: &Backfill<'_>,
    at: &mut Progress,
    runs: &Runs<'_>,
) -> Result<()> {
    let (key, total) = key(session, backfill)?;
    let mut next = None;
    let query = backfill.boundary(&key, at.after());
    let query = format!("BEGIN; SET LOCAL statement_timeout = 0; {query}; COMMIT;");
    session.simple_query(&query, |message| read_end(&message, &mut next))?;
    while let Some(end) = next {
        let begun = Instant::now();
        let sql = Batch {
            change: backfill.batch(&key, at.after(), &end.key),
            next: backfill.boundary(&key, Some(&end.key)),
        };
        let reached = Progress {
            statement: at.statement,
            rows: at.rows + end.rows,
            position: end.key,
        };
        next = tried(session, table, step, &sql, &reached, runs)?;
        *at = reached;
        runs.observer.batch_done(at.rows, total);
        if next.is_some() {
            let pause = backfill
                .pause
                .unwrap_or_else(|| begun.elapsed().min(MAX_PAUSE));
            interrupt::block(pause);
        }
    }
    // The next statement begins at its first row.
    at.position.clear();
    let done = Progress {
        statement: at.statement + 1,
        ..at.clone()
    };
    send(session, &table.advanced(step.record.version, &done))
}

/// The SQL of a batch.
struct Batch {
    /// The UPDATE or DELETE.
    change: String,
    /// The query for the end of the next batch.
    next: String,
}

/// The end of a batch.
struct End {
    key: Vec<String>,
    /// The number of rows that the batch looks at.
    rows: u64,
}

/// Runs a batch, and returns the end of the next one; again if a lock was not free in time, or if
/// it was the victim of a deadlock.
fn tried(
    session: &mut Session,
    table: &Bookkeeping,
    step: &Step<'_>,
    batch: &Batch,
    reached: &Progress,
    runs: &Runs<'_>,
) -> Result<Option<End>> {
    let lock = runs.wait.timeout.unwrap_or_default().as_millis();
    let record = table.advanced(step.record.version, reached);
    let sql = format!(
        "BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = {lock};
         {}\n; {record} COMMIT; {}",
        batch.change, batch.next
    );
    let mut attempt = 1;
    loop {
        session.set_timeout(runs.deadline.saturating_duration_since(Instant::now()));
        let mut next = None;
        let done = session.simple_query(&sql, |message| read_end(&message, &mut next));
        let Err(error) = done else {
            return Ok(next);
        };
        send(session, "ROLLBACK").ok();
        let pause = pause_after(attempt);
        let is_late = Instant::now() + pause >= runs.deadline;
        if !is_passing(&error) || attempt >= runs.wait.attempts || is_late || session.is_broken() {
            return Err(error);
        }
        attempt += 1;
        runs.observer.begins_again(attempt, pause);
        interrupt::block(pause);
    }
}

/// Returns whether a batch that was rolled back can succeed if it is run again.
fn is_passing(error: &Error) -> bool {
    matches!(
        error.sqlstate(),
        Some(
            SqlState::LOCK_NOT_AVAILABLE
                | SqlState::DEADLOCK_DETECTED
                | SqlState::SERIALIZATION_FAILURE
        )
    ) && error.outcome() == Outcome::NotCommitted
}

/// Reads the row of [`Backfill::boundary`].
fn read_end(message: &SimpleQueryMessage<'_>, end: &mut Option<End>) -> ControlFlow<()> {
    if let SimpleQueryMessage::Row(row) = message {
        let value = |column| row.get(column).unwrap_or_default().into_owned();
        let rows = value(0).parse().unwrap_or_default();
        *end = Some(End {
            key: (1..row.len()).map(value).collect(),
            rows,
        });
    }
    ControlFlow::Continue(())
}

/// Returns the columns of the table's primary key, and about how many rows it has.
fn key(session: &mut Session, backfill: &Backfill<'_>) -> Result<(Vec<KeyColumn>, Option<u64>)> {
    #[derive(QueryableByName)]
    struct Column {
        #[diesel(sql_type = Text)]
        name: String,
        #[diesel(sql_type = Text)]
        data_type: String,
        #[diesel(sql_type = Nullable<BigInt>)]
        rows: Option<i64>,
    }
    let query = diesel::sql_query(
        "SELECT pg_catalog.quote_ident(a.attname) AS name,
                pg_catalog.format_type(a.atttypid, a.atttypmod) AS data_type,
                nullif(c.reltuples, -1)::pg_catalog.int8 AS rows
         FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indrelid
            CROSS JOIN pg_catalog.unnest(i.indkey) WITH ORDINALITY k (number, place)
            JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
         WHERE i.indrelid = $1::pg_catalog.regclass AND i.indisprimary
           AND k.place <= i.indnkeyatts
         ORDER BY k.place",
    );
    let found = session.run(query.bind::<Text, _>(backfill.table).all::<Column>())?;
    if found.is_empty() {
        let table = backfill.table;
        return Err(Error::query(format!(
            "{table} has no primary key, by which the batches would be made"
        ))
        .with_hint("give it one, or run the statement without `-- bowline: backfill`"));
    }
    let rows = found.first().and_then(|column| column.rows);
    let columns = found.into_iter().map(|column| KeyColumn {
        name: column.name,
        data_type: column.data_type,
    });
    Ok((
        columns.collect(),
        rows.and_then(|rows| rows.try_into().ok()),
    ))
}

fn send(session: &mut Session, sql: &str) -> Result<()> {
    session.simple_query(sql, |_| ControlFlow::Continue(()))
}
