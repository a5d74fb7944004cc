//! Takes orders.

pub mod db;

use bowline::{Database, Result};
use db::{Customer, NewCustomer, NewOrder, Order};

/// Stores a customer and the first order: all or nothing.
pub fn welcome(db: &Database, name: &str, email: &str, cents: i64) -> Result<Order> {
    db.transaction(|tx| {
        let (name, email) = (name.into(), email.into());
        let customer = tx.run(Customer::insert(NewCustomer { name, email }))?;
        tx.run(Order::insert(NewOrder {
            customer_id: customer.id,
            cents,
        }))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::OrderStatus;

    #[bowline::test]
    fn a_customer_has_an_open_order(db: Database) -> Result<()> {
        let order = welcome(&db, "Ann", "ann@example.com", 500)?;
        assert_eq!(order.status, OrderStatus::Open);
        assert_eq!(db.run(Order::count_by_customer(order.customer_id))?, 1);
        Ok(())
    }
}
