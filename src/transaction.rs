//! Options of transactions: isolation, writing, deferral, commit keys.

use std::sync::{Arc, LazyLock};

use crate::command::control::Control;
use crate::commit_keys::{CommitKey, CommitKeys};

/// The options of a transaction; an option that is not set has the session's default.
///
/// They are passed to [`Database::with_options`](crate::Database::with_options):
///
/// ```
/// # use bowline::{Database, Result, StatementDsl as _, TransactionOptions, sql_query};
/// # fn settle(db: &Database) -> Result<i64> {
/// let careful = db.with_options(TransactionOptions::serializable().read_only());
/// careful.run(sql_query("SELECT sum(balance)::bigint FROM accounts").one::<i64>())
/// # }
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TransactionOptions {
    isolation: Option<Isolation>,
    read_only: Option<bool>,
    deferrable: bool,
    commit_key: CommitKeys,
}

/// The SQL that begins one attempt at a transaction, and the commit key of the attempt.
#[derive(Debug, Clone)]
pub(crate) struct TransactionStart {
    /// The statements, BEGIN first.
    pub(crate) sql: Arc<[Control]>,
    pub(crate) attempt: Option<CommitKey>,
}

impl TransactionStart {
    /// Returns the start of a transaction with the session's defaults.
    pub(crate) fn plain() -> Self {
        static PLAIN: LazyLock<TransactionStart> = LazyLock::new(|| TransactionStart {
            sql: [BEGIN.into()].into(),
            attempt: None,
        });
        PLAIN.clone()
    }

    /// Adds statements that set settings for the transaction.
    ///
    /// They follow the commit key, whose table is found by the session's search path.
    pub(crate) fn set_locally(&mut self, settings: Vec<Control>) {
        if !settings.is_empty() {
            self.sql = self.sql.iter().cloned().chain(settings).collect();
        }
    }

    /// Returns true for a statement that writes: the one for the commit key.
    pub(crate) fn writes(control: &Control) -> bool {
        !control.starts_with(BEGIN) && !control.is_setting()
    }

    /// Returns whether it is a plain BEGIN, which a single statement does not need.
    pub(crate) fn is_plain(&self) -> bool {
        matches!(&*self.sql, [begin] if begin.is(BEGIN))
    }
}

const BEGIN: &str = "BEGIN";

/// The isolation level of a transaction (PostgreSQL manual, 13.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isolation {
    /// Each statement sees the changes that were committed before it began.
    ReadCommitted,
    /// All statements see the changes that were committed before the first one began.
    RepeatableRead,
    /// The transactions behave as if they ran one after the other.
    Serializable,
}

impl TransactionOptions {
    /// Returns options of which none is set.
    pub const fn new() -> Self {
        Self {
            isolation: None,
            read_only: None,
            deferrable: false,
            commit_key: CommitKeys::None,
        }
    }

    /// Returns options with serializable isolation: as if transactions ran one after the other.
    /// Conflicts are retried.
    pub const fn serializable() -> Self {
        Self::new().isolation(Isolation::Serializable)
    }

    /// Returns options with repeatable read isolation: all statements see the changes that were
    /// committed before the first one began. Conflicts are retried.
    pub const fn repeatable_read() -> Self {
        Self::new().isolation(Isolation::RepeatableRead)
    }

    /// Returns options with read committed isolation: each statement sees the changes that were
    /// committed before it began.
    pub const fn read_committed() -> Self {
        Self::new().isolation(Isolation::ReadCommitted)
    }

    /// Sets the isolation level.
    pub const fn isolation(mut self, isolation: Isolation) -> Self {
        self.isolation = Some(isolation);
        self
    }

    /// Makes the transaction read only: writes fail with SQLSTATE 25006.
    pub const fn read_only(mut self) -> Self {
        self.read_only = Some(true);
        self
    }

    /// Allows writes, if the session's default is read only.
    pub const fn read_write(mut self) -> Self {
        self.read_only = Some(false);
        self
    }

    /// Makes a serializable read only transaction wait at its begin until it cannot conflict any
    /// more.
    pub const fn deferrable(mut self) -> Self {
        self.deferrable = true;
        self
    }

    /// Writes a separate commit key for each attempt, by which the outcome of a commit that was not
    /// answered is found out.
    ///
    /// It takes no round trip, and one row in the table that
    /// [`commit_keys::MIGRATION`](crate::commit_keys::MIGRATION) creates. If the connection is lost
    /// while the commit is in progress, another session looks for the key. Work that was not
    /// committed is kept from committing later, and is retried. Work that was committed results in
    ///
    /// - success for [`Database::transaction`](crate::Database::transaction) and
    ///   [`UnitOfWork::commit`](crate::UnitOfWork::commit);
    /// - for [`Database::run`](crate::Database::run), whose answer is lost, an error whose
    ///   [`outcome`](crate::Error::outcome) is [`Committed`](crate::Outcome::Committed).
    ///
    /// ```
    /// # use bowline::{Database, Result, StatementDsl as _, TransactionOptions, sql_query};
    /// # fn pay(db: &Database) -> Result<usize> {
    /// db.with_options(TransactionOptions::new().with_generated_commit_key())
    ///     .run(sql_query("UPDATE accounts SET balance = balance - 10 WHERE id = 7").affected())
    /// # }
    /// ```
    pub const fn with_generated_commit_key(mut self) -> Self {
        self.commit_key = CommitKeys::Generated;
        self
    }

    /// Writes this commit key, so that all calls with the key do the work once: for requests that
    /// may be sent twice.
    ///
    /// The second call fails with [`ErrorKind::Constraint`](crate::ErrorKind::Constraint) and the
    /// outcome [`Committed`](crate::Outcome::Committed), and changes nothing. If it arrives while
    /// the first is in progress, it waits for the first. The outcome of a lost commit is found out
    /// as with [`TransactionOptions::with_generated_commit_key`].
    pub fn with_commit_key(self, key: impl Into<CommitKey>) -> Self {
        Self {
            commit_key: CommitKeys::Given(key.into()),
            ..self
        }
    }

    /// Returns the start of an attempt; each attempt has a separate key.
    #[inline]
    pub(crate) fn opening(&self) -> TransactionStart {
        if *self == Self::new() {
            return TransactionStart::plain();
        }
        let (insert, attempt) = self.commit_key.mark().unzip();
        TransactionStart {
            sql: [self.begin().into()]
                .into_iter()
                .chain(insert.map(Control::Sql))
                .collect(),
            attempt,
        }
    }

    /// Returns the BEGIN with these options.
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
    fn options_become_the_text_of_begin() {
        assert_eq!(TransactionOptions::default().begin(), "BEGIN");
        assert_eq!(
            TransactionOptions::serializable()
                .read_only()
                .deferrable()
                .begin(),
            "BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY DEFERRABLE"
        );
        assert_eq!(
            TransactionOptions::read_committed().read_write().begin(),
            "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
        );
    }
}
