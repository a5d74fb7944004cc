//! The macros of bowline, which reexports them.

mod graph;
mod migrations;
#[cfg(feature = "query")]
mod query;
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

/// Derives the trait `bowline::Graph`: the struct is a row with the rows that it is related to.
///
/// The first field is a row of a table. The other ones are named after relations of that table:
/// the field `comments` reads `Issue::COMMENTS`. Each holds a row or a graph, an `Option` or a
/// `Vec` of them, as the relation says. `query.load::<IssuePage>()` reads graphs in place of rows.
///
/// ```text
/// #[derive(Graph, Serialize)]
/// struct IssuePage {
///     #[serde(flatten)]
///     issue: Issue,
///     author: User,
///     #[graph(last = 10)]
///     comments: Vec<CommentWithAuthor>,
/// }
/// ```
///
/// | option of a field | means |
/// |---|---|
/// | `#[graph(first = 10)]` | the first ten related rows |
/// | `#[graph(last = 10)]` | the last ten, the last of all first |
/// | `#[graph(by = created_at)]` | ordered by that field, then by the key; otherwise by the key |
/// | `#[graph(relation = comments)]` | the relation, if the field has another name |
#[proc_macro_derive(Graph, attributes(graph))]
pub fn graph(input: TokenStream) -> TokenStream {
    graph::expand(input)
}

/// Checks SQL when the crate is compiled, and returns a query that is ready to run.
///
/// The SQL is checked against the package's migrations, by the engine that checks query files. No
/// server is asked, and no file has to be generated. The arguments are bound to `$1`, `$2`, .. and
/// have the types that a generated function would take: `AccountId` for an id, `&str` for a text,
/// a slice for an array. They are encoded at once, so the query borrows nothing.
///
/// ```text
/// let rich = db.run(
///     query!("SELECT id, username FROM accounts WHERE balance >= $1", least).all(),
/// )?;
/// println!("{}", rich[0].username);
/// db.run(query!("DELETE FROM account_labels WHERE account_id = $1", id).affected())?;
/// ```
///
/// SQL that returns rows has `.all()`, `.one()` and `.optional()`. Other SQL has `.affected()`,
/// which returns the number of rows, and `.exactly(1)`, which fails for another number. Each
/// returns a `bowline::Query`, as generated functions do. The rows are a struct of the call, with a
/// field for each column. `query_as!` reads them into a struct of yours.
///
/// | written | means |
/// |---|---|
/// | `AS "name!"` | the column is not NULL; reading a NULL is an error |
/// | `AS "name?"` | the column can be NULL: an `Option` |
/// | `AS "name: Type"` | the column is read as `Type`; `"name!: Type"` and `"name?: Type"` too |
/// | `value as Option<_>` | the argument is an `Option`; `None` is sent as NULL |
///
/// A mistake is a compile error with PostgreSQL's code and words, the line and column in the source
/// file, and the line of the SQL with the mistake underlined. The SQL is a string of any kind, or
/// `concat!` of strings.
#[cfg(feature = "query")]
#[proc_macro]
pub fn query(input: TokenStream) -> TokenStream {
    query::expand(input, false)
}

/// Checks SQL as [`query!`] does, and reads the rows into a struct, by the names of its fields.
///
/// ```text
/// struct Rich { id: AccountId, username: String }
///
/// let rich = db.run(
///     query_as!(Rich, "SELECT id, username FROM accounts WHERE balance >= $1", least).all(),
/// )?;
/// ```
///
/// The call writes the struct with a field for each column, as you would. So a field without a
/// column, a column without a field and a field of another type are compile errors. The struct
/// needs no derive. `AS "name: _"` reads a column as the type of the field.
#[cfg(feature = "query")]
#[proc_macro]
pub fn query_as(input: TokenStream) -> TokenStream {
    query::expand(input, true)
}

/// Turns a function that takes a `Database` into a test on a real PostgreSQL; so an `async fn` that
/// takes an `AsyncDatabase`, with bowline's feature `tokio`.
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
///
/// #[bowline::test]
/// async fn an_account_can_be_opened(db: AsyncDatabase) -> bowline::Result<()> { .. }
/// ```
#[cfg(feature = "test")]
#[proc_macro_attribute]
pub fn test(options: TokenStream, function: TokenStream) -> TokenStream {
    test::test(options, function)
}
