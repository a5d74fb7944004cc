//! Runs one migration on a session, up or down, and records it in diesel's table.

use std::ops::ControlFlow;

use super::bookkeeping::{Bookkeeping, Direction};
use crate::error::{Error, Outcome};
use crate::session::{Session, SimpleQueryMessage};

/// One migration to run.
#[derive(Debug, Clone, Copy)]
pub struct Step<'a> {
    /// The version in diesel's table.
    pub version: &'a str,
    /// The SQL that is sent: see `bowline_migrations::script`.
    pub sql: &'a str,
    /// Whether the migration runs in a transaction, together with its row.
    pub in_transaction: bool,
    /// The direction in which it is run.
    pub direction: Direction,
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
}

/// Resets the session's settings and role and drops its temporary objects, but keeps its locks and
/// its prepared statements. It is DISCARD ALL without those two.
///
/// RESET ROLE comes after RESET SESSION AUTHORIZATION: it restores the role with which the
/// connection was made.
const CLEAN: &str = "RESET SESSION AUTHORIZATION; RESET ROLE; RESET ALL; CLOSE ALL; UNLISTEN *; DISCARD TEMP; DISCARD SEQUENCES;";

/// Runs a migration and records it. The session has to be clean, and is left clean.
///
/// Settings of a file apply to that file only, whether or not the next one runs on the same
/// session. In a transaction, they are reset before the row is written and the transaction is
/// committed, so that they do not stay with a pooler either. Deferred constraints are checked
/// before that, under the file's own settings.
pub fn step(session: &mut Session, table: &Bookkeeping, step: Step<'_>) -> Result<(), StepError> {
    let note = note(session, table, &step);
    if step.in_transaction {
        in_transaction(session, &step, &note)
    } else {
        without_transaction(session, &step, &note)
    }
}

/// Returns the SQL that is sent after the file.
fn note(session: &Session, table: &Bookkeeping, step: &Step<'_>) -> String {
    // Behind a pooler, the settings that other connections get at their start are sent with each
    // transaction.
    let settings = session
        .pooler_settings()
        .map(|settings| format!("{settings};"));
    format!(
        "{CLEAN} {} {}",
        settings.unwrap_or_default(),
        table.note(step.version, step.direction)
    )
}

fn in_transaction(session: &mut Session, step: &Step<'_>, note: &str) -> Result<(), StepError> {
    let mut file = File::default();
    // Whether the file has succeeded, and whether only the COMMIT remains.
    let (mut is_noting, mut is_noted) = (false, false);
    let done: Result<(), Error> = session.savepoint(|session| {
        file.run(session, step.sql)?;
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
    done.map_err(|error| StepError {
        // The file does not end the transaction, so nothing is committed before its COMMIT.
        error: if is_noted {
            error
        } else {
            error.with_outcome(Outcome::NotCommitted)
        },
        done: if is_noting { usize::MAX } else { file.done },
        committed: false,
    })
}

/// Runs and records the migration without a transaction around the file.
fn without_transaction(
    session: &mut Session,
    step: &Step<'_>,
    note: &str,
) -> Result<(), StepError> {
    let mut file = File::default();
    let ran = file.run(session, step.sql);
    let left_open = session.is_in_transaction();
    if left_open {
        // If the connection is lost, the server rolls back.
        run(session, "ROLLBACK").ok();
    }
    if let Err(error) = ran {
        run(session, CLEAN).ok();
        return Err(StepError {
            error,
            done: file.done,
            committed: file.committed,
        });
    }
    if left_open {
        run(session, CLEAN).ok();
        return Err(StepError {
            error: Error::query("the migration left a transaction open, which was rolled back"),
            done: usize::MAX,
            committed: file.committed,
        });
    }
    run(session, note).map_err(|error| StepError {
        error: error.with_outcome(Outcome::Committed),
        done: usize::MAX,
        committed: file.committed,
    })
}

/// The progress of a file.
#[derive(Default)]
struct File {
    done: usize,
    committed: bool,
}

impl File {
    fn run(&mut self, session: &mut Session, sql: &str) -> Result<(), Error> {
        session.simple_query(sql, |message| {
            if let SimpleQueryMessage::CommandComplete(tag) = message {
                self.done += 1;
                self.committed |= tag == "COMMIT";
            }
            ControlFlow::Continue(())
        })
    }
}

fn run(session: &mut Session, sql: &str) -> Result<(), Error> {
    session.simple_query(sql, |_| ControlFlow::Continue(()))
}
