//! Servers, databases and rows that the tests share.

use std::path::Path;

use bank::{AccountChanges, AccountValues};
use bowline::testing::{LocalServer, TestDatabase};
use testkit::recorder::keep_callsites_open;

/// The migrations of the sample.
pub(crate) const MIGRATIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");

/// SQL of a function that runs for 3 s and returns its row even if it is cancelled.
pub(crate) const STUBBORN: &str =
    "CREATE FUNCTION pg_temp.stubborn() RETURNS int LANGUAGE plpgsql AS $$
    BEGIN PERFORM pg_sleep(3); RETURN 1; EXCEPTION WHEN query_canceled THEN RETURN 1; END $$";

/// Creates a migrated database for one test.
pub(crate) fn test_database() -> TestDatabase {
    keep_callsites_open();
    TestDatabase::create(Path::new(MIGRATIONS)).unwrap_or_else(|error| panic!("{error}"))
}

/// Returns the server that all tests share.
pub(crate) fn server() -> LocalServer {
    keep_callsites_open();
    LocalServer::start().unwrap_or_else(|error| panic!("{error}"))
}

/// Returns an account to insert, with a balance of 100.
pub(crate) fn new_account(username: &str) -> AccountValues<'_> {
    AccountValues {
        username: username.into(),
        status: None,
        balance: Some(100),
        created_at: None,
        email: None,
        full_name: None,
    }
}

/// Returns a change of an account's balance.
pub(crate) fn balance(balance: i64) -> AccountChanges<'static> {
    AccountChanges {
        balance: Some(balance),
        ..Default::default()
    }
}

/// Returns the arguments that make this program run one test only; `module` is the caller's
/// `module_path!()`.
pub(crate) fn only(module: &str, test: &str) -> [String; 3] {
    let (_, module) = module.split_once("::").expect("a module of this program");
    [
        "--exact".into(),
        format!("{module}::{test}"),
        "--nocapture".into(),
    ]
}
