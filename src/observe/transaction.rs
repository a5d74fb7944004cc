//! The span of an interactive transaction: from its BEGIN to its COMMIT or ROLLBACK.

use tracing::Span;
use tracing::field::Empty;

use super::ServerAddress;
use crate::error::Outcome;

/// The span of a transaction, entered while its work runs.
#[must_use = "ends by `end`"]
pub(crate) struct TransactionSpan(Span);

impl TransactionSpan {
    pub(crate) fn begin(server: &ServerAddress, begin: &str, attempt: u32) -> Self {
        Self(tracing::debug_span!(
            target: "bowline::transaction",
            "transaction",
            db.system.name = "postgresql",
            db.namespace = &*server.database,
            server.address = server.address,
            server.port = server.port,
            bowline.begin = begin,
            bowline.attempt = attempt,
            bowline.outcome = Empty,
            bowline.statements = Empty,
            bowline.round_trips = Empty,
        ))
    }

    pub(crate) fn span(&self) -> Span {
        self.0.clone()
    }

    /// Ends the span with the outcome and the numbers of statements and round trips.
    pub(crate) fn end(self, outcome: Outcome, statements: u64, round_trips: u64) {
        self.0.record("bowline.outcome", super::outcome(outcome));
        self.0.record("bowline.statements", statements);
        self.0.record("bowline.round_trips", round_trips);
    }
}
