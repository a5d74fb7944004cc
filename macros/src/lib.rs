//! The macros of bowline, which reexports them.

mod migrations;
mod row;
#[cfg(feature = "test")]
mod test;

use proc_macro::TokenStream;

/// Declares the modules of generated code, and the constant `MIGRATIONS` with its migrations.
///
/// `bowline generate` writes the call. The arguments are the format of the code, the folder of the
/// migrations relative to the package, and the name and fingerprint of each migration.
///
/// The code does not compile if the library does not support its format, or if the migrations have
/// changed. The error names the part to update. With a build script cargo also detects a migration
/// that was added:
///
/// ```text
/// fn main() {
///     println!("cargo::rerun-if-changed=migrations");
/// }
/// ```
#[proc_macro]
pub fn migrations(input: TokenStream) -> TokenStream {
    migrations::expand(input)
}

/// Derives the trait `bowline::Row`: the struct is read from a row by the names of the columns.
#[proc_macro_derive(Row, attributes(row, diesel))]
pub fn row(input: TokenStream) -> TokenStream {
    row::expand(input)
}

/// Turns a function that takes a `Database` into a test on a real PostgreSQL.
///
/// The migrations of the package's `migrations/`, or of `migrations = "folder"`, run on the
/// database. The test runs in a transaction that is rolled back.
///
/// With `database` the test gets a separate database instead, for tests that commit or that use
/// two sessions.
///
/// ```text
/// #[bowline::test]
/// fn an_account_can_be_found_by_its_username(db: Database) -> bowline::Result<()> { .. }
///
/// #[bowline::test(database, migrations = "db/migrations")]
/// fn two_sessions_see_each_other(db: Database) { .. }
/// ```
#[cfg(feature = "test")]
#[proc_macro_attribute]
pub fn test(options: TokenStream, function: TokenStream) -> TokenStream {
    test::test(options, function)
}
