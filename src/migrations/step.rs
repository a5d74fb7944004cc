//! Runs one migration on a session, up or down, and records it.

use std::ops::ControlFlow;
use std::time::Duration;

use diesel::QueryableByName;
use diesel::sql_types::Oid;

use super::bookkeeping::{Bookkeeping, Direction};
use super::finishing::finishing;
use super::history::Record;
use crate::error::{Error, Outcome};
use crate::session::{Session, SimpleQueryMessage};
use crate::sql_text::keywords::{cannot_run_in_transaction, may_commit_and_fail, only_statement};
use crate::statement::StatementDsl as _;

/// One migration to run.
#[derive(Debug, Clone, Copy)]
pub struct Step<'a> {
    /// What is recorded of it.
    pub record: Record<'a>,
    /// The SQL that is sent: see `bowline_migrations::script`.
    pub sql: &'a str,
    /// Whether the migration runs in a transaction, together with its row.
    pub in_transaction: bool,
    /// The direction in which it is run.
    pub direction: Direction,
    /// The longest wait for a lock, unless the file sets another; `None` for no limit.
    pub lock_timeout: Option<Duration>,
}

/// The failure of a migration.
#[derive(Debug)]
pub struct StepError {
    /// The error. Its outcome is that of the step as a whole.
    pub error: Error,
    /// The number of the file's statements that had succeeded; `usize::MAX` if the file itself had
    /// succeeded.
    pub done: usize,
    /// Whether a COMMIT of the file was among them.
    pub committed: bool,
    /// Whether it certainly has changed nothing.
    pub changed_nothing: bool,
    /// The rows that the batches of a backfill have looked at; `None` if it has none.
    pub backfilled: Option<u64>,
}

/// Resets the session's settings and role and drops its temporary objects, but keeps its locks and
/// its prepared statements. It is DISCARD ALL without those two.
///
/// RESET ROLE comes after RESET SESSION AUTHORIZATION: it restores the role with which the
/// connection was made.
pub(super) const CLEAN: &str = "RESET SESSION AUTHORIZATION; RESET ROLE; RESET ALL; CLOSE ALL; UNLISTEN *; DISCARD TEMP; DISCARD SEQUENCES;";

/// Runs a migration and records it. The session has to be clean, and is left clean.
///
/// Settings of a file apply to that file only, whether or not the next one runs on the same
/// session. In a transaction, they are reset before the row is written and the transaction is
/// committed, so that they do not stay with a pooler either. Deferred constraints are checked
/// before that, under the file's own settings.
///
/// `statement_timeout` does not apply. `progress` is called with the number of statements that are
/// done, each time that another one is.
pub(super) fn step(
    session: &mut Session,
    table: &Bookkeeping,
    step: Step<'_>,
    progress: &mut dyn FnMut(usize),
) -> Result<(), StepError> {
    let note = note(session, table, &step);
    let file = File {
        done: 0,
        committed: false,
        progress,
    };
    if step.in_transaction {
        in_transaction(session, &step, &note, file)
    } else {
        without_transaction(session, table, &step, &note, file)
    }
}

/// Returns the SQL that is sent after the file.
pub(super) fn note(session: &Session, table: &Bookkeeping, step: &Step<'_>) -> String {
    // Behind a pooler, the settings that other connections get at their start are sent with each
    // transaction.
    let settings = session
        .pooler_settings()
        .map(|settings| format!("{settings};"));
    format!(
        "{CLEAN} {} {}",
        settings.unwrap_or_default(),
        table.note(&step.record, step.direction)
    )
}

/// Returns the SQL that sets the limits of a file: `scope` is empty, or `LOCAL`.
fn limits(step: &Step<'_>, scope: &str) -> String {
    let lock = step.lock_timeout.unwrap_or_default().as_millis();
    format!("SET {scope} statement_timeout = 0; SET {scope} lock_timeout = {lock};")
}

fn in_transaction(
    session: &mut Session,
    step: &Step<'_>,
    note: &str,
    mut file: File<'_>,
) -> Result<(), StepError> {
    // Whether the file has succeeded, and whether only the COMMIT remains.
    let (mut is_noting, mut is_noted) = (false, false);
    let done: Result<(), Error> = session.savepoint(|session| {
        match is_citus(session, step)? {
            true => file.run_each(session, step.sql)?,
            false => file.run(session, step.sql)?,
        }
        if !session.is_in_transaction() {
            return Err(Error::query(
                "the migration ended the transaction that it ran in",
            ));
        }
        is_noting = true;
        run(session, &format!("SET CONSTRAINTS ALL IMMEDIATE; {note}"))?;
        is_noted = true;
        Ok(())
    });
    done.map_err(|error| {
        // The file does not end the transaction, so nothing is committed before its COMMIT.
        let error = if is_noted {
            error
        } else {
            error.with_outcome(Outcome::NotCommitted)
        };
        StepError {
            changed_nothing: error.outcome() == Outcome::NotCommitted,
            error,
            done: if is_noting { usize::MAX } else { file.done },
            committed: false,
            backfilled: None,
        }
    })
}

/// Runs and records the migration without a transaction around the file.
///
/// Before that it is recorded as begun. The record stays if the migration stops halfway, and is
/// removed if it certainly has changed nothing.
fn without_transaction(
    session: &mut Session,
    table: &Bookkeeping,
    step: &Step<'_>,
    note: &str,
    mut file: File<'_>,
) -> Result<(), StepError> {
    let is_whole = is_all_or_nothing(step.sql);
    let begun = (step.direction == Direction::Up).then(|| table.begun(&step.record));
    let begun = begun.flatten().unwrap_or_default();
    let is_pooled = session.pooler_settings().is_some();
    // A pooler would give the settings to another connection.
    let limits = match is_pooled {
        true => String::new(),
        // A CREATE INDEX CONCURRENTLY that gives up leaves an invalid index, and while it waits it
        // blocks nobody.
        false if !is_whole => limits(
            &Step {
                lock_timeout: None,
                ..*step
            },
            "",
        ),
        false => limits(step, ""),
    };
    run(session, &format!("{limits} {begun}")).map_err(|error| StepError {
        error: error.with_outcome(Outcome::NotCommitted),
        done: 0,
        committed: false,
        changed_nothing: true,
        backfilled: None,
    })?;
    let invalid = match is_whole {
        true => Vec::new(),
        false => invalid_indexes(session).unwrap_or_default(),
    };
    let ran = file.run(session, step.sql);
    let left_open = session.is_in_transaction();
    if left_open {
        // If the connection is lost, the server rolls back.
        finishing(session, |session| run(session, "ROLLBACK").ok());
    }
    let failed = |error: Error, session: &mut Session, done: usize| {
        finishing(session, |session| {
            let changed_nothing = !session.is_broken()
                && !file.committed
                && (is_whole
                    || !may_commit_and_fail(step.sql)
                        && invalid_indexes(session).is_ok_and(|left| left == invalid));
            let forget = changed_nothing && step.direction == Direction::Up;
            let forget = forget.then(|| table.abandoned(step.record.version));
            run(
                session,
                &format!("{CLEAN} {}", forget.flatten().unwrap_or_default()),
            )
            .ok();
            StepError {
                error,
                done,
                committed: file.committed,
                changed_nothing,
                backfilled: None,
            }
        })
    };
    if let Err(error) = ran {
        return Err(failed(error, session, file.done));
    }
    if left_open {
        let error = Error::query("the migration left a transaction open, which was rolled back");
        return Err(failed(error, session, usize::MAX));
    }
    run(session, note).map_err(|error| StepError {
        error: error.with_outcome(Outcome::Committed),
        done: usize::MAX,
        committed: file.committed,
        changed_nothing: false,
        backfilled: None,
    })
}

/// Returns the invalid indexes of the database: all that a statement that fails outside of a
/// transaction leaves, unless it commits by itself.
fn invalid_indexes(session: &mut Session) -> Result<Vec<u32>, Error> {
    #[derive(QueryableByName)]
    struct Index {
        #[diesel(sql_type = Oid)]
        oid: u32,
    }
    let query = "SELECT indexrelid AS oid FROM pg_catalog.pg_index WHERE NOT indisvalid ORDER BY 1";
    let found = session.run(diesel::sql_query(query).all::<Index>())?;
    Ok(found.into_iter().map(|index| index.oid).collect())
}

/// Returns whether a file that fails without a COMMIT of its own has changed nothing.
///
/// PostgreSQL runs the statements of one simple query in one transaction (manual, 55.2.2.1). Only a
/// statement that is alone in it can be one that commits its parts.
fn is_all_or_nothing(sql: &str) -> bool {
    only_statement(sql).is_none_or(|only| {
        !cannot_run_in_transaction(only.text()) && !may_commit_and_fail(only.text())
    })
}

/// Sets the limits of a file in a transaction. Returns true if it runs on a coordinator of Citus,
/// or names the extension.
///
/// Citus sends the text of some DDL on to its workers, and they refuse a text of several
/// statements.
fn is_citus(session: &mut Session, step: &Step<'_>) -> Result<bool, Error> {
    let mut is_there = false;
    let limits = limits(step, "LOCAL");
    let question = "SELECT pg_catalog.to_regclass('pg_catalog.pg_dist_partition') IS NOT NULL";
    session.simple_query(&format!("{limits} {question}"), |message| {
        if let SimpleQueryMessage::Row(row) = message {
            is_there |= row.get(0).as_deref() == Some("t");
        }
        ControlFlow::Continue(())
    })?;
    Ok(is_there || bowline_sql::tokens(step.sql).any(|token| token.is_name("citus")))
}

/// The longest text of blanks before a statement that is sent by itself.
const MOST_BLANKS: usize = 256 * 1024;

/// The progress of a file.
struct File<'p> {
    done: usize,
    committed: bool,
    progress: &'p mut dyn FnMut(usize),
}

impl File<'_> {
    fn run(&mut self, session: &mut Session, sql: &str) -> Result<(), Error> {
        session.simple_query(sql, |message| {
            if let SimpleQueryMessage::CommandComplete(tag) = message {
                self.done += 1;
                (self.progress)(self.done);
                self.committed |= tag == "COMMIT";
            }
            ControlFlow::Continue(())
        })
    }

    /// Runs each statement as a query of its own, in the transaction that is open.
    ///
    /// In place of the statements before it are blanks, so that the position in an error is that in
    /// the file. Far down in a long file they are left out.
    fn run_each(&mut self, session: &mut Session, sql: &str) -> Result<(), Error> {
        for statement in bowline_sql::statements(sql) {
            let blanks = match statement.start() {
                start if start > MOST_BLANKS => String::new(),
                start => sql[..start].chars().map(blank).collect(),
            };
            self.run(session, &format!("{blanks}{}", statement.text()))?;
        }
        Ok(())
    }
}

/// Returns a blank in place of a character: positions in errors are counted in characters.
fn blank(character: char) -> char {
    match character {
        '\n' => '\n',
        _ => ' ',
    }
}

fn run(session: &mut Session, sql: &str) -> Result<(), Error> {
    session.simple_query(sql, |_| ControlFlow::Continue(()))
}
