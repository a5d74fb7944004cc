//! The macros of bowline, which it exports as its own.

mod migrations;
mod row;
#[cfg(feature = "test")]
mod test;

use proc_macro::TokenStream;

/// The modules of generated code, and their migrations as the constant `MIGRATIONS`; written by `bowline generate`.
///
/// Names the format of the code, the folder of the migrations from the package's own, and the name and print of each
/// migration. Code of a format that the library does not read, or of other migrations, does not compile: one error
/// names what to update. With a build script cargo also notices a migration that was added:
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

/// Reads a struct from a row of SQL written by hand, by the names of the columns; see the trait `bowline::Row`.
#[proc_macro_derive(Row, attributes(row, diesel))]
pub fn row(input: TokenStream) -> TokenStream {
    row::expand(input)
}

/// Turns a function that takes a `Database` into a test on a real PostgreSQL.
///
/// The database is migrated by the package's `migrations/`, or by `migrations = "folder"`, and the test
/// runs in a transaction that is rolled back; with `database` it has a database of its own, for what must
/// be committed or takes two sessions.
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
