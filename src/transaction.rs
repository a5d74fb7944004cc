//! How a transaction is to run: isolation, writing, deferral.

/// How a transaction is to run; the session's defaults where nothing is said.
///
/// Made by [`serializable`], [`repeatable_read`], [`read_committed`] and [`read_only`], and given to
/// [`Database::with`](crate::Database::with).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TransactionOptions {
    isolation: Option<Isolation>,
    read_only: Option<bool>,
    deferrable: bool,
}

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

    pub(crate) fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Whether writes were not to be expected.
    pub(crate) fn is_read_only(&self) -> bool {
        self.read_only == Some(true)
    }

    /// The BEGIN that says it.
    pub(crate) fn begin(&self) -> String {
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
        ["BEGIN"]
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
