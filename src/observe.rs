//! What can be seen of a database's work from outside: spans and events of `tracing`.
//!
//! Names are OpenTelemetry's where it has one (semantic conventions for databases), else they begin with
//! `bowline.`. Bound values are never shown. Nothing is measured and nothing allocated unless somebody
//! wants to know. `docs/OBSERVING.md` lists all of it.

mod checkout;
pub(crate) mod metrics;
mod statement;
mod transaction;

pub(crate) use checkout::Checkout;
pub(crate) use statement::StatementSpan;
pub(crate) use transaction::TransactionSpan;

use std::sync::Arc;

use crate::error::Outcome;

/// Where a session is connected to.
#[derive(Debug)]
pub(crate) struct ServerAddress {
    /// A name, an address, or the folder of a Unix socket.
    pub(crate) address: String,
    pub(crate) port: u16,
    pub(crate) database: Arc<str>,
    /// All of it, to tell pools apart.
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

/// What became of work, in words.
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

    use super::*;

    #[test]
    fn nothing_is_allocated_where_nobody_watches() {
        let server = ServerAddress::new("db.example.com".to_owned(), 5432, "bank");
        let allocated = allocation_counter::measure(|| {
            let checkout = Checkout::begin(Location::caller());
            let entered = checkout.span().entered();
            checkout.end(None);
            drop(entered);
            let transaction = TransactionSpan::begin(&server, "BEGIN", 1);
            let entered = transaction.span().entered();
            assert!(!StatementSpan::is_wanted());
            transaction.end(Outcome::Committed, 3, 3);
            drop(entered);
        });
        assert_eq!(allocated.count_total, 0);
    }
}
