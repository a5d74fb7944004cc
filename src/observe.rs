//! What can be seen of a database's work from outside: spans and events of `tracing`.
//!
//! Names are OpenTelemetry's where it has one (semantic conventions for databases), else they begin with
//! `bowline.`. Bound values are never shown. Nothing is measured and nothing allocated unless somebody
//! wants to know. `docs/OBSERVING.md` lists all of it.

mod checkout;
mod statement;
mod transaction;

pub(crate) use checkout::Checkout;
pub(crate) use statement::Seen;
pub(crate) use transaction::TransactionSpan;

/// Where a session is connected to.
#[derive(Debug)]
pub(crate) struct Server {
    /// A name, an address, or the folder of a Unix socket.
    pub(crate) address: String,
    pub(crate) port: u16,
    pub(crate) database: String,
}

#[cfg(test)]
mod tests {
    use std::panic::Location;

    use super::*;
    use crate::error::Outcome;

    #[test]
    fn nothing_is_allocated_where_nobody_watches() {
        let server = Server {
            address: "db.example.com".to_owned(),
            port: 5432,
            database: "bank".to_owned(),
        };
        let allocated = allocation_counter::measure(|| {
            let checkout = Checkout::begin(Location::caller());
            let entered = checkout.span().entered();
            checkout.end(None);
            drop(entered);
            let transaction = TransactionSpan::begin(&server, "BEGIN", 1);
            let entered = transaction.span().entered();
            assert!(!Seen::is_wanted());
            transaction.end(Outcome::Committed, 3, 3);
            drop(entered);
        });
        assert_eq!(allocated.count_total, 0);
    }
}
