//! Writes invoices. It knows no other table, so an order is a number here.

pub mod db;

use bowline::{Database, Result};
use db::{Invoice, NewInvoice};

/// Writes the invoice of an order.
pub fn bill(db: &Database, order: i64) -> Result<Invoice> {
    db.run(Invoice::insert(NewInvoice {
        order_id: order.into(),
        number: format!("{order:08}").into(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bowline::ErrorKind;
    use db::InvoiceConstraint;

    #[bowline::test]
    fn an_invoice_needs_its_order(db: Database) -> Result<()> {
        let refused = bill(&db, 7).expect_err("there is no order");
        assert_eq!(refused.kind(), ErrorKind::Constraint);
        let violated = refused.constraint::<InvoiceConstraint>();
        assert_eq!(violated, Some(InvoiceConstraint::OrderIdFkey));
        Ok(())
    }
}
