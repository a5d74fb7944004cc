//! Where a session stands in its transactions.
//!
//! BEGIN, SAVEPOINT and RELEASE are lazy: they wait here and travel with the next statement, so a
//! transaction of n statements takes n + 1 round trips and one without statements takes none. The same
//! book serves diesel's `Connection::transaction` and ours.

use std::num::NonZeroU32;
use std::sync::Arc;

use diesel::connection::{
    InstrumentationEvent, TransactionDepthChange, TransactionManager, TransactionManagerStatus,
};
use diesel::result::QueryResult;

use super::Session;
use super::hooks::Hooks;
use super::xid::XidBook;
use crate::error::{Error, Outcome, Result, ServerError};
use crate::retry::{Failure, is_about_types, made_stale};
use crate::sql_text::read_only::Reads;
use crate::sqlstate::SqlState;
use crate::transaction::Opening;

/// A session's book of its transactions.
#[derive(Debug, Default)]
pub struct Transactions {
    status: TransactionManagerStatus,
    /// SQL that travels with the next statement.
    waiting: Vec<Arc<str>>,
    /// The error that made the server refuse the rest of the transaction.
    pub(super) failure: Option<Arc<ServerError>>,
    /// The latest failure since the outermost transaction began that no statement came through after.
    pub(super) latest: Option<Failure>,
    pub(super) xid: XidBook,
    /// Whether what was sent within the outermost transaction only reads.
    pub(super) sent: Reads,
    /// Whether a commit that was not answered can have written only if a function of the database's own has the name of
    /// one of PostgreSQL's.
    pub(super) hinges_on_names: bool,
    pub(crate) hooks: Hooks,
}

const RELEASE: &str = "RELEASE SAVEPOINT";

impl Transactions {
    /// How many are open, one in the other.
    pub(crate) fn depth(&self) -> u32 {
        self.status
            .transaction_depth()
            .ok()
            .flatten()
            .map_or(0, NonZeroU32::get)
    }

    /// What has to be sent before the next statement.
    pub(super) fn waiting(&self) -> &[Arc<str>] {
        &self.waiting
    }

    /// What was thought to be sent was not run.
    pub(super) fn wait_again(&mut self, sql: Vec<Arc<str>>) {
        self.waiting = sql;
    }

    /// Lets this travel with the next statement of the transaction; its end makes it needless.
    pub(super) fn defer(&mut self, sql: Arc<str>) {
        self.waiting.push(sql);
    }

    /// What waited was sent.
    pub(super) fn sent(&mut self) {
        self.waiting.clear();
    }

    /// Keeps an error of an exchange.
    pub(super) fn note(&mut self, error: &Error) {
        // That an earlier statement failed is not the failure.
        if self.latest.is_none() || error.sqlstate() != Some(SqlState::IN_FAILED_SQL_TRANSACTION) {
            self.latest = Some(Failure {
                sqlstate: error.sqlstate(),
                outcome: error.outcome(),
                stale: made_stale(error),
                ..Failure::default()
            });
        }
        if let Some(server) = error.shared_server()
            && self.depth() > 0
        {
            self.failure.get_or_insert_with(|| Arc::clone(server));
        }
    }

    /// The latest failure is not one of types that were looked up before.
    pub(super) fn has_fresh_types(&mut self) {
        if let Some(latest) = &mut self.latest {
            latest.stale &= !latest.sqlstate.is_some_and(is_about_types);
        }
    }

    /// The connection can no longer be trusted.
    pub(super) fn set_broken(&mut self) {
        self.status.set_in_error();
        self.waiting.clear();
    }

    pub(super) fn is_broken(&self) -> bool {
        matches!(self.status, TransactionManagerStatus::InError)
    }

    /// The server has nothing open.
    pub(super) fn reset(&mut self) {
        self.status = TransactionManagerStatus::default();
        self.waiting.clear();
        self.failure = None;
    }

    fn begin(&mut self, opening: &[Arc<str>]) -> Result<(), diesel::result::Error> {
        let depth = self.status.transaction_depth()?;
        let TransactionManagerStatus::Valid(valid) = &mut self.status else {
            return Err(diesel::result::Error::BrokenTransactionManager);
        };
        valid.change_transaction_depth(TransactionDepthChange::IncreaseDepth)?;
        match depth {
            None => {
                self.failure = None;
                self.latest = None;
                self.xid.forget();
                self.sent = if opening.len() > 1 {
                    Reads::No
                } else {
                    Reads::Yes
                };
                self.waiting.extend_from_slice(opening);
            }
            Some(depth) => {
                self.waiting
                    .push(format!("SAVEPOINT {}", savepoint(depth)).into());
                self.waiting.extend(opening.iter().skip(1).map(Arc::clone));
            }
        }
        Ok(())
    }

    /// Leaves the innermost transaction.
    fn leave(&mut self) -> Result<(), diesel::result::Error> {
        let TransactionManagerStatus::Valid(valid) = &mut self.status else {
            return Err(diesel::result::Error::BrokenTransactionManager);
        };
        valid.change_transaction_depth(TransactionDepthChange::DecreaseDepth)
    }

    /// Drops the innermost transaction from what waits; `false` if the server has it already.
    fn unsend(&mut self, depth: u32) -> bool {
        let begin = if depth == 1 {
            self.waiting.iter().position(|sql| sql.starts_with("BEGIN"))
        } else {
            let sql = format!("SAVEPOINT {}", savepoint_of(depth));
            self.waiting.iter().rposition(|waiting| **waiting == sql)
        };
        if let Some(place) = begin {
            self.waiting.truncate(place);
        }
        begin.is_some()
    }
}

/// The savepoint made when this many are open.
fn savepoint(open: NonZeroU32) -> String {
    format!("bowline_{open}")
}

/// The savepoint of the transaction at this depth, which is 2 or more.
fn savepoint_of(depth: u32) -> String {
    format!("bowline_{}", depth - 1)
}

/// Begins, commits and rolls back a [`Session`]'s transactions, for diesel and for this crate alike.
#[derive(Debug)]
pub struct SessionTransactions;

impl TransactionManager<Session> for SessionTransactions {
    type TransactionStateData = Transactions;

    /// Takes no round trip: the BEGIN or SAVEPOINT travels with the next statement.
    fn begin_transaction(session: &mut Session) -> QueryResult<()> {
        begin(session, &Opening::plain().sql)
    }

    /// One round trip; none if nothing was sent since the transaction began.
    fn rollback_transaction(session: &mut Session) -> QueryResult<()> {
        let depth = session.transactions.depth();
        let done = roll_back(session);
        if done.is_ok() {
            session.ended_by_rollback(depth);
        } else if depth > 0 || session.transactions.is_broken() {
            // A session that cannot is not used again, and all of its work goes with it.
            session.ended_by_rollback(0);
        }
        done
    }

    /// One round trip for the outermost, none for one within; none if nothing was sent since it began.
    ///
    /// Fails, having rolled back, if an earlier statement failed and the caller passed over it: PostgreSQL
    /// would answer ROLLBACK to a COMMIT and call it a success.
    fn commit_transaction(session: &mut Session) -> QueryResult<()> {
        let depth = open(session)?;
        if let Err(error) = session.refuse_if_given_up() {
            Self::rollback_transaction(session)?;
            return Err(error.into());
        }
        // Where nothing ran, not even BEGIN, the server knows of no failure.
        if session.is_aborted() || session.transactions.failure.is_some() {
            let failure = session.transactions.failure.clone();
            Self::rollback_transaction(session)?;
            return Err(aborted(failure).into());
        }
        session
            .instrumentation
            .on_connection_event(InstrumentationEvent::commit_transaction(depth));
        let depth = depth.get();
        let sent = !session.transactions.unsend(depth);
        if sent && depth > 1 {
            release(session, &savepoint_of(depth));
        } else if sent {
            session.transactions.waiting.clear();
            commit(session)?;
        }
        // Otherwise it was committed, and then the connection was lost.
        if !session.transactions.is_broken() {
            session.transactions.leave()?;
        }
        session.ended_by_commit(depth);
        Ok(())
    }

    fn transaction_manager_status_mut(session: &mut Session) -> &mut TransactionManagerStatus {
        &mut session.transactions.status
    }
}

/// Commits the outermost transaction; one that fails is rolled back, unless nobody knows.
fn commit(session: &mut Session) -> QueryResult<()> {
    let Err(error) = session.commit() else {
        return Ok(());
    };
    if error.outcome() == Outcome::Unknown {
        session.transactions.hooks.set_unanswered();
    } else if session.transactions.depth() > 0 || session.transactions.is_broken() {
        let undone = SessionTransactions::rollback_transaction(session);
        if !session.transactions.is_broken() {
            undone?;
        }
    }
    Err(error.into())
}

/// Undoes the innermost transaction.
fn roll_back(session: &mut Session) -> QueryResult<()> {
    let depth = open(session)?;
    session
        .instrumentation
        .on_connection_event(InstrumentationEvent::rollback_transaction(depth));
    let transactions = &mut session.transactions;
    if !transactions.unsend(depth.get()) {
        transactions.waiting.clear();
        if depth.get() == 1 {
            let latest = session.transactions.latest.clone();
            let undone = session.take_back(&["ROLLBACK"]);
            // What made it necessary decides whether to try again, not what became of it.
            session.transactions.latest = latest;
            undone?;
            session.transactions.failure = None;
        } else {
            rollback_to(session, &savepoint_of(depth.get()))?;
        }
    }
    session.transactions.leave()
}

/// Begins a transaction by this SQL, or a savepoint within one, which needs no BEGIN.
pub(super) fn begin(session: &mut Session, opening: &[Arc<str>]) -> QueryResult<()> {
    session.refuse_if_given_up()?;
    session.transactions.begin(opening)?;
    let depth = open(session)?;
    session.search_path.begin(depth.get());
    session
        .instrumentation
        .on_connection_event(InstrumentationEvent::begin_transaction(depth));
    Ok(())
}

/// Gives up a savepoint; travels with the next statement.
pub(super) fn release(session: &mut Session, savepoint: &str) {
    session
        .transactions
        .defer(format!("{RELEASE} {savepoint}").into());
}

/// Undoes what was done since a savepoint.
///
/// One that was asked for after the transaction had failed was never made. Then nothing can be undone here,
/// and the transaction around it still has the failure to tell.
pub(super) fn rollback_to(session: &mut Session, savepoint: &str) -> Result<()> {
    let (failure, latest) = (
        session.transactions.failure.clone(),
        session.transactions.latest.clone(),
    );
    let undone = session.take_back(&[
        &format!("ROLLBACK TO SAVEPOINT {savepoint}"),
        &format!("{RELEASE} {savepoint}"),
    ]);
    match undone {
        Ok(()) => {
            session.transactions.failure = None;
            session.transactions.latest = latest;
        }
        Err(_) if session.is_aborted() && !session.is_broken() => {
            session.transactions.failure = failure;
            session.transactions.latest = latest;
        }
        Err(error) => return Err(error),
    }
    Ok(())
}

fn open(session: &mut Session) -> QueryResult<NonZeroU32> {
    let transactions = &session.transactions;
    match transactions.status.transaction_depth()? {
        Some(depth) => Ok(depth),
        None => Err(diesel::result::Error::NotInTransaction),
    }
}

fn aborted(failure: Option<Arc<ServerError>>) -> Error {
    let error = match failure {
        Some(failure) => Error::from_server(ServerError::clone(&failure)),
        None => Error::query("an earlier statement of the transaction failed"),
    };
    error.with_hint(
        "this statement failed earlier in the transaction, and PostgreSQL then lets none of it be committed: \
         return the error, or run what may fail in a savepoint",
    )
}
