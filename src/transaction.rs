//! How a transaction is to run: isolation, writing, deferral, commit keys.

use std::sync::Arc;

use crate::commit_keys::{CommitKey, Keyed};

/// How a transaction is to run; the session's defaults where nothing is said.
///
/// Made by [`serializable`], [`repeatable_read`], [`read_committed`], [`read_only`], [`keyed`] and [`commit_key`],
/// and given to [`Database::with`](crate::Database::with).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TransactionOptions {
    isolation: Option<Isolation>,
    read_only: Option<bool>,
    deferrable: bool,
    keyed: Keyed,
}

/// The words that begin one attempt at a transaction, and the key that it leaves behind.
#[derive(Debug, Clone)]
pub(crate) struct TransactionStart {
    /// BEGIN first.
    pub(crate) sql: Vec<Arc<str>>,
    pub(crate) attempt: Option<CommitKey>,
}

impl TransactionStart {
    /// A transaction as the session has it.
    pub(crate) fn plain() -> Self {
        TransactionOptions::default().opening()
    }

    /// Whether it says nothing that a statement by itself does not.
    pub(crate) fn is_plain(&self) -> bool {
        matches!(&*self.sql, [begin] if **begin == *BEGIN)
    }
}

const BEGIN: &str = "BEGIN";

/// What a transaction sees of others (PostgreSQL manual, 13.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isolation {
    /// Each statement sees what was committed before it began.
    ReadCommitted,
    /// All statements see what was committed before the first one began.
    RepeatableRead,
    /// As if transactions ran one after the other.
    Serializable,
}

/// As if transactions ran one after the other; conflicts are retried.
pub fn serializable() -> TransactionOptions {
    TransactionOptions::default().isolation(Isolation::Serializable)
}

/// All statements see what was committed before the first one began; conflicts are retried.
pub fn repeatable_read() -> TransactionOptions {
    TransactionOptions::default().isolation(Isolation::RepeatableRead)
}

/// Each statement sees what was committed before it began.
pub fn read_committed() -> TransactionOptions {
    TransactionOptions::default().isolation(Isolation::ReadCommitted)
}

/// Writes fail with SQLSTATE 25006.
pub fn read_only() -> TransactionOptions {
    TransactionOptions::default().read_only(true)
}

/// Leaves a commit key behind, so that even a transaction whose answer was lost is known to be committed or not.
///
/// It takes no round trip, and one row in the table that [`commit_keys::MIGRATION`](crate::commit_keys::MIGRATION)
/// makes. Once the connection was lost with the commit under way, the key is looked for on another session: if
/// the work was not committed, it is kept from that for good and done again; if it was, what follows is
///
/// - for [`Database::transaction`](crate::Database::transaction) and
///   [`UnitOfWork::commit`](crate::UnitOfWork::commit): success;
/// - for [`Database::run`](crate::Database::run), whose answer is gone: an error whose
///   [`outcome`](crate::Error::outcome) is [`Committed`](crate::Outcome::Committed).
///
/// ```
/// # use bowline::{keyed, sql, Database, Result, StatementDsl as _, ErrorKind};
/// # fn pay(db: &Database) -> Result<usize> {
/// db.with(keyed()).run(sql("UPDATE accounts SET balance = balance - 10 WHERE id = 7").affected())
/// # }
/// ```
pub fn keyed() -> TransactionOptions {
    TransactionOptions::default().keyed()
}

/// As [`keyed`], and does the work once for all calls with this key: for requests that may be sent twice.
///
/// The second fails with [`ErrorKind::Constraint`](crate::ErrorKind::Constraint) and the outcome
/// [`Committed`](crate::Outcome::Committed), having done nothing; one that comes while the first is under way waits
/// for it.
pub fn commit_key(key: impl Into<CommitKey>) -> TransactionOptions {
    TransactionOptions::default().commit_key(key)
}

impl TransactionOptions {
    /// Sets the isolation level.
    pub fn isolation(self, isolation: Isolation) -> Self {
        Self {
            isolation: Some(isolation),
            ..self
        }
    }

    /// Sets whether writes fail.
    pub fn read_only(self, read_only: bool) -> Self {
        Self {
            read_only: Some(read_only),
            ..self
        }
    }

    /// A serializable read only transaction waits at its begin until it cannot conflict any more.
    pub fn deferrable(self) -> Self {
        Self {
            deferrable: true,
            ..self
        }
    }

    /// Leaves a commit key behind: see [`keyed`].
    pub fn keyed(self) -> Self {
        Self {
            keyed: Keyed::Attempts,
            ..self
        }
    }

    /// Leaves this commit key behind: see [`commit_key`].
    pub fn commit_key(self, key: impl Into<CommitKey>) -> Self {
        Self {
            keyed: Keyed::As(key.into()),
            ..self
        }
    }

    /// How an attempt begins; each has a key of its own.
    pub(crate) fn opening(&self) -> TransactionStart {
        let (insert, attempt) = self.keyed.mark().unzip();
        TransactionStart {
            sql: [self.begin().into()].into_iter().chain(insert).collect(),
            attempt,
        }
    }

    /// The BEGIN that says it.
    fn begin(&self) -> String {
        let isolation = self.isolation.map(|isolation| match isolation {
            Isolation::ReadCommitted => " ISOLATION LEVEL READ COMMITTED",
            Isolation::RepeatableRead => " ISOLATION LEVEL REPEATABLE READ",
            Isolation::Serializable => " ISOLATION LEVEL SERIALIZABLE",
        });
        let writing = self.read_only.map(|read_only| {
            if read_only {
                " READ ONLY"
            } else {
                " READ WRITE"
            }
        });
        let deferrable = self.deferrable.then_some(" DEFERRABLE");
        [BEGIN]
            .into_iter()
            .chain(isolation)
            .chain(writing)
            .chain(deferrable)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_become_a_begin() {
        assert_eq!(TransactionOptions::default().begin(), "BEGIN");
        assert_eq!(
            serializable().read_only(true).deferrable().begin(),
            "BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY DEFERRABLE"
        );
        assert_eq!(
            read_committed().read_only(false).begin(),
            "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
        );
    }
}
