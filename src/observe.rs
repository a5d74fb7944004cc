//! Spans and events of `tracing`, and metrics.
//!
//! Names are OpenTelemetry's where it has one (semantic conventions for databases); others begin
//! with `bowline.`. Bound values are never shown. Nothing is measured and nothing is allocated
//! without a subscriber or recorder. `docs/OBSERVING.md` lists all names.

mod checkout;
pub(crate) mod metrics;
mod statement;
mod transaction;

pub(crate) use checkout::Checkout;
pub(crate) use statement::StatementSpan;
pub(crate) use tracing::Span;
pub(crate) use transaction::TransactionSpan;

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;

use crate::error::Outcome;

/// The server and database that a session is connected to.
#[derive(Debug)]
pub(crate) struct ServerAddress {
    /// A host name, an address, or the directory of a Unix socket.
    pub(crate) address: String,
    pub(crate) port: u16,
    pub(crate) database: Arc<str>,
    /// The server, port and database as one name, which identifies a pool.
    pub(crate) name: Arc<str>,
}

impl ServerAddress {
    pub(crate) fn new(address: String, port: u16, database: &str) -> Self {
        Self {
            name: format!("{address}:{port}/{database}").into(),
            address,
            port,
            database: database.into(),
        }
    }
}

/// Runs a future within a span, which is entered while the future is polled.
pub(crate) fn within<'f, F: Future>(
    span: Option<&'f Span>,
    mut future: Pin<&'f mut F>,
) -> impl Future<Output = F::Output> + use<'f, F> {
    poll_fn(move |context| {
        let _entered = span.map(Span::enter);
        future.as_mut().poll(context)
    })
}

/// Returns the name of an outcome in spans and metrics.
fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Committed => "committed",
        Outcome::NotCommitted => "not committed",
        Outcome::Unknown => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use std::panic::Location;
    use std::time::Instant;

    use super::*;

    #[test]
    fn nothing_is_allocated_without_a_subscriber() {
        let server = ServerAddress::new("db.example.com".to_owned(), 5432, "bank");
        let allocated = allocation_counter::measure(|| {
            let checkout = Checkout::begin(Location::caller(), Instant::now());
            assert!(checkout.span().is_none());
            checkout.end(true, None);
            let transaction = TransactionSpan::begin(&server, "BEGIN", 1);
            let entered = transaction.span().entered();
            assert!(!StatementSpan::is_wanted());
            transaction.end(Outcome::Committed, 3, 3);
            drop(entered);
        });
        assert_eq!(allocated.count_total, 0);
    }
}
