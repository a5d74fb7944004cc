//! One migration on a session, up or down, together with the row that notes it.

use std::ops::ControlFlow;

use super::bookkeeping::{Bookkeeping, Direction};
use crate::error::{Error, Outcome};
use crate::session::{Session, SimpleQueryMessage};

/// One migration, as it is run.
#[derive(Debug, Clone, Copy)]
pub struct Step<'a> {
    /// What diesel's table has of it.
    pub version: &'a str,
    /// What is sent: see `bowline_migrations::script`.
    pub sql: &'a str,
    /// Whether it runs in a transaction, with its row.
    pub in_transaction: bool,
    /// Which way it goes.
    pub direction: Direction,
}

/// Where and why a migration failed.
#[derive(Debug)]
pub struct StepError {
    /// Why. Its outcome is that of the step as a whole.
    pub error: Error,
    /// How many statements of the file had succeeded; all of them where it was noted or committed.
    pub done: usize,
    /// Whether a COMMIT of the file was among them.
    pub committed: bool,
}

/// Gives a session its settings, role and temporary things back, but keeps its locks: DISCARD ALL without those, and
/// without statements that have a name.
///
/// RESET ROLE comes last of the roles: it goes back to what the connection was made with.
const CLEAN: &str = "RESET SESSION AUTHORIZATION; RESET ROLE; RESET ALL; CLOSE ALL; UNLISTEN *; DISCARD TEMP; DISCARD SEQUENCES;";

/// Runs a migration and notes it, on a session that is clean, and leaves the session clean.
///
/// What a file sets holds for that file only, whether the next one runs on the same session or not. In a transaction
/// the settings go before the row is noted and the transaction is committed, so that they do not stay with a pooler
/// either; constraints that are deferred are checked before that, under the file's own settings.
pub fn step(session: &mut Session, table: &Bookkeeping, step: Step<'_>) -> Result<(), StepError> {
    let note = note(session, table, &step);
    if step.in_transaction {
        in_transaction(session, &step, &note)
    } else {
        alone(session, &step, &note)
    }
}

/// What is sent behind the file.
fn note(session: &Session, table: &Bookkeeping, step: &Step<'_>) -> String {
    // Behind a pooler, what a connection of our own has from its start travels with each transaction.
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
    // Whether the statement that fails is one of the file's, and whether COMMIT was sent.
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
        // Nothing in the file ends the transaction, so that nothing is there without its COMMIT.
        error: if is_noted {
            error
        } else {
            error.with_outcome(Outcome::NotCommitted)
        },
        done: if is_noting { usize::MAX } else { file.done },
        committed: false,
    })
}

/// Without a transaction around the file.
fn alone(session: &mut Session, step: &Step<'_>, note: &str) -> Result<(), StepError> {
    let mut file = File::default();
    let ran = file.run(session, step.sql);
    let left_open = session.is_in_transaction();
    if left_open {
        // What rolls back on a connection that is lost is the server.
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

/// How far a file has come.
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
