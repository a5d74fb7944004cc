//! What a session sends by itself and can do without, and what a server is known to lack of it.

use std::sync::atomic::{AtomicU8, Ordering};

/// Something that a session sends by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extra {
    /// The transaction ID, for the outcome of a commit that is not answered.
    TransactionId,
    /// `SET CONSTRAINTS`, before a COMMIT.
    CheckConstraints,
    /// The query for deferrable constraints.
    DeferrableQuery,
}

/// What a server is known to lack; shared by all sessions of a pool.
#[derive(Debug, Default)]
pub(crate) struct Lacking(AtomicU8);

impl Extra {
    fn bit(self) -> u8 {
        1 << self as u8
    }
}

impl Lacking {
    #[inline]
    pub(crate) fn has(&self, extra: Extra) -> bool {
        self.0.load(Ordering::Relaxed) & extra.bit() != 0
    }

    /// Notes that the server lacks it; returns whether that is new.
    pub(crate) fn note(&self, extra: Extra) -> bool {
        self.0.fetch_or(extra.bit(), Ordering::Relaxed) & extra.bit() == 0
    }
}
