//! The migrations that code was generated from.

use std::fmt;

/// The migrations that code was generated from: `bowline generate` writes them down as `MIGRATIONS`.
///
/// With [`Config::migrations`](crate::Config::migrations) a database that has not run them is noticed when it opens.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Migrations(&'static [(&'static str, &'static str, u64)]);

/// One of [`Migrations`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Migration {
    /// What stands before the first `_` of its name, without `-`; diesel's table has it when the migration has run.
    pub version: &'static str,
    /// The name of its folder.
    pub name: &'static str,
    /// The print of its up.sql: another one says something else, be it in comments and white space the same.
    pub print: u64,
}

impl Migrations {
    /// What `bowline::migrations!` makes.
    #[doc(hidden)]
    pub const fn generated(list: &'static [(&'static str, &'static str, u64)]) -> Self {
        Self(list)
    }

    /// Each of them, in the order in which they run.
    pub fn iter(self) -> impl ExactSizeIterator<Item = Migration> {
        self.0.iter().map(|(version, name, print)| Migration {
            version,
            name,
            print: *print,
        })
    }
}

impl fmt::Debug for Migrations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.iter().map(|one| one.name))
            .finish()
    }
}
