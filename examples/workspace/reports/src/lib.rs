//! Reads the shop's database, and writes a ledger in another one.

pub mod db;

use bowline::{Database, Page, Result};
use db::{Entry, NewEntry};
use schema::db::Order;

/// The two databases. Each function takes both by name, so that they cannot be swapped.
#[derive(Debug, Clone)]
pub struct Databases {
    /// The database of the package `schema`.
    pub shop: Database,
    /// The database of this package's own code.
    pub ledger: Database,
}

/// Writes an entry for each of the first orders; returns their number.
pub fn book(databases: &Databases) -> Result<usize> {
    let orders = databases.shop.run(Order::list(Page::first(100)))?;
    let entries = orders.iter().map(|order| NewEntry {
        account: format!("customer {}", order.customer_id).into(),
        cents: order.cents,
    });
    let entries: Vec<_> = entries.map(Into::into).collect();
    Ok(databases.ledger.run(Entry::insert_many(entries))?.len())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use bowline::{Config, ErrorKind};
    use bowline::testing::TestDatabase;
    use schema::db::{Customer, NewCustomer, NewOrder};

    use super::*;

    #[test]
    fn orders_of_one_database_are_entries_of_the_other() {
        let package = Path::new(env!("CARGO_MANIFEST_DIR"));
        let create = |folder: &str| TestDatabase::create(&package.join(folder)).expect("a server");
        let (shop, ledger) = (create("../migrations"), create("../ledger/migrations"));
        let open = |config: Config| config.open().expect("a database");
        let databases = Databases {
            shop: open(shop.config().serves(schema::db::DATABASE)),
            ledger: open(ledger.config().serves(db::DATABASE)),
        };
        let customer = databases.shop.run(Customer::insert(NewCustomer {
            name: "Ann".into(),
            email: "ann@example.com".into(),
        }));
        let customer_id = customer.expect("a row").id;
        let order = NewOrder {
            customer_id,
            cents: 500,
        };
        databases.shop.run(Order::insert(order)).expect("a row");
        assert_eq!(book(&databases).expect("entries"), 1);
        let entries = databases.ledger.run(Entry::list(Page::first(10)));
        assert_eq!(entries.expect("entries")[0].cents, 500);
        // A statement of the other database is refused before it is sent.
        let wrong = databases.ledger.run(Order::count()).expect_err("no orders");
        assert_eq!(wrong.kind(), ErrorKind::Query);
        assert!(wrong.server().is_none());
        let message = "belongs to the database shop, and this handle serves ledger";
        assert!(wrong.to_string().contains(message), "{wrong}");
    }
}
