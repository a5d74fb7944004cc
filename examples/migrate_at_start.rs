//! Embeds the migrations in the program, and runs them when it starts.
//!
//! Run it with `cargo run --example migrate_at_start`. It starts its own PostgreSQL.

#![expect(clippy::print_stdout, reason = "an example shows its results")]

use bowline::testing::LocalServer;
use bowline::{Config, Database};
use diesel_migrations::{EmbeddedMigrations, embed_migrations};

type Result<T = (), E = Box<dyn std::error::Error>> = std::result::Result<T, E>;

/// The files of `migrations/`, as of when the program was compiled.
const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations");

pub(crate) fn main() -> Result {
    // An application has `Config::from_env()?` here.
    let server = LocalServer::private(&[])?;
    let config = || server.config("postgres");

    let ran = start(config())?;
    println!("the first start ran {ran} migrations");
    assert!(ran > 0);

    let ran = start(config())?;
    println!("the second start ran {ran}");
    assert_eq!(ran, 0);
    Ok(())
}

/// Opens the database after its migrations have run. Processes that start at the same time wait for
/// one another.
fn start(config: Config) -> Result<usize> {
    let db: Database = config.migrations(bank::MIGRATIONS).open()?;
    let ran = db.migrate(MIGRATIONS)?;
    Ok(ran.len())
}
