//! Begins, commits and rolls back a session's transactions, for diesel and for this crate alike.

use std::num::NonZeroU32;
use std::sync::Arc;

use diesel::connection::{TransactionManager, TransactionManagerStatus};
use diesel::result::QueryResult;

use super::Session;
use super::transactions::{Transactions, savepoint_of};
use crate::command::control::Control;
use crate::error::{Error, Outcome, Result, ServerError};
use crate::transaction::TransactionStart;
use crate::wire::executor::block_on;

/// The manager of the transactions of a [`Session`].
#[derive(Debug)]
pub struct SessionTransactions;

const RELEASE: &str = "RELEASE SAVEPOINT";

impl TransactionManager<Session> for SessionTransactions {
    type TransactionStateData = Transactions;

    /// Takes no round trip: the BEGIN or SAVEPOINT is sent with the next statement.
    fn begin_transaction(session: &mut Session) -> QueryResult<()> {
        begin(session, &TransactionStart::plain().sql)
    }

    /// Takes one round trip; none if nothing was sent since the transaction began.
    fn rollback_transaction(session: &mut Session) -> QueryResult<()> {
        block_on(roll_back_innermost(session))
    }

    /// Takes one round trip for the outermost transaction, none for one within; none if nothing was
    /// sent since it began.
    ///
    /// Fails, having rolled back, if an earlier statement failed and the caller ignored that:
    /// PostgreSQL would answer ROLLBACK to a COMMIT and call it a success.
    fn commit_transaction(session: &mut Session) -> QueryResult<()> {
        block_on(commit_innermost(session))
    }

    fn transaction_manager_status_mut(session: &mut Session) -> &mut TransactionManagerStatus {
        session.transactions.status_mut()
    }
}

/// Rolls back the innermost transaction or savepoint.
pub(super) async fn roll_back_innermost(session: &mut Session) -> QueryResult<()> {
    let depth = session.transactions.depth();
    let done = roll_back(session).await;
    if done.is_ok() {
        session.ended_by_rollback(depth);
    } else if depth > 0 || session.transactions.is_broken() {
        // A session that cannot roll back is not used again, and all of its work is undone with it.
        session.ended_by_rollback(0);
    }
    done
}

/// Commits the innermost transaction, or releases the innermost savepoint.
pub(super) async fn commit_innermost(session: &mut Session) -> QueryResult<()> {
    let depth = open_depth(session)?;
    if let Err(error) = session.limits.refuse_if_given_up() {
        Box::pin(roll_back_innermost(session)).await?;
        return Err(error.into());
    }
    // If nothing ran, not even BEGIN, the server knows of no failure.
    if session.connection.is_aborted() || session.transactions.failure().is_some() {
        let failure = session.transactions.failure().cloned();
        Box::pin(roll_back_innermost(session)).await?;
        return Err(aborted(failure).into());
    }
    session.observer.transaction_commits(depth);
    let depth = depth.get();
    let sent = !session.transactions.unsend(depth);
    if sent && depth > 1 {
        release(session, &savepoint_of(depth));
    } else if sent {
        session.transactions.clear_deferred();
        commit_outermost(session).await?;
    }
    // If the transaction is broken here, it was committed, and then the connection was lost.
    if !session.transactions.is_broken() {
        session.transactions.leave()?;
    }
    session.ended_by_commit(depth);
    Ok(())
}

/// Commits the outermost transaction; rolls back if that fails, unless its outcome is unknown.
async fn commit_outermost(session: &mut Session) -> QueryResult<()> {
    let Err(error) = session.commit().await else {
        return Ok(());
    };
    if error.outcome() == Outcome::Unknown {
        session.transactions.hooks().set_unanswered();
    } else if session.transactions.depth() > 0 || session.transactions.is_broken() {
        let undone = Box::pin(roll_back_innermost(session)).await;
        if !session.transactions.is_broken() {
            undone?;
        }
    }
    Err(error.into())
}

/// Undoes the innermost transaction.
async fn roll_back(session: &mut Session) -> QueryResult<()> {
    let depth = open_depth(session)?;
    session.observer.transaction_rolls_back(depth);
    if !session.transactions.unsend(depth.get()) {
        session.transactions.clear_deferred();
        if depth.get() == 1 {
            let before = session.transactions.failures();
            let undone = session.roll_back_with(&["ROLLBACK"]).await;
            if undone.is_ok() {
                session.transactions.failed_work_undone(before);
            } else {
                session.transactions.restore_latest_failure(before);
            }
            undone?;
        } else {
            rollback_to(session, &savepoint_of(depth.get())).await?;
        }
    }
    session.transactions.leave()
}

/// Begins a transaction with this SQL, or a savepoint within a transaction, which needs no BEGIN.
pub(super) fn begin(session: &mut Session, opening: &[Control]) -> QueryResult<()> {
    session.limits.refuse_if_given_up()?;
    session.transactions.begin(opening)?;
    let depth = open_depth(session)?;
    session.types.search_path().begin(depth.get());
    for change in opening.iter().filter_map(Control::search_path_change) {
        session.types.search_path().apply(&change, true);
    }
    session.observer.transaction_begins(depth);
    Ok(())
}

/// Releases a savepoint; the RELEASE is sent with the next statement.
pub(super) fn release(session: &mut Session, savepoint: &str) {
    session
        .transactions
        .defer(format!("{RELEASE} {savepoint}").into());
}

/// Rolls back to a savepoint.
///
/// A savepoint that was requested after the transaction had failed does not exist. Then nothing can
/// be undone here, and the transaction around it keeps the failure.
pub(super) async fn rollback_to(session: &mut Session, savepoint: &str) -> Result<()> {
    let before = session.transactions.failures();
    let undone = session
        .roll_back_with(&[
            &format!("ROLLBACK TO SAVEPOINT {savepoint}"),
            &format!("{RELEASE} {savepoint}"),
        ])
        .await;
    match undone {
        Ok(()) => session.transactions.failed_work_undone(before),
        Err(_) if session.connection.is_aborted() && !session.is_broken() => {
            session.transactions.restore_failures(before);
        }
        Err(error) => return Err(error),
    }
    Ok(())
}

/// Returns the depth of the innermost transaction; fails if none is open.
fn open_depth(session: &Session) -> QueryResult<NonZeroU32> {
    match session.transactions.checked_depth()? {
        Some(depth) => Ok(depth),
        None => Err(diesel::result::Error::NotInTransaction),
    }
}

/// Returns the error of a COMMIT after an earlier statement had failed.
fn aborted(failure: Option<Arc<ServerError>>) -> Error {
    let error = match failure {
        Some(failure) => Error::from_server(ServerError::clone(&failure)),
        None => Error::query("an earlier statement of the transaction failed"),
    };
    error.with_hint(
        "this statement failed earlier in the transaction, and PostgreSQL then commits none of it: return the error, or \
         run statements that may fail in a savepoint",
    )
}
