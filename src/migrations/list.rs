//! The migrations that code was generated from.

use std::fmt;

/// The migrations that code was generated from: `bowline generate` writes them as `MIGRATIONS`.
///
/// With [`Config::migrations`](crate::Config::migrations), opening a database checks whether it has
/// run them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Migrations(&'static [(&'static str, &'static str, u64)]);

/// One of [`Migrations`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Migration {
    /// The part of the name before the first `_`, without `-`. diesel's table has it when the
    /// migration has run.
    pub version: &'static str,
    /// The name of its directory.
    pub name: &'static str,
    /// The fingerprint of its up.sql, which ignores comments and white space.
    pub fingerprint: u64,
}

impl Migrations {
    /// Returns the list that `bowline::migrations!` generates.
    #[doc(hidden)]
    pub const fn generated(list: &'static [(&'static str, &'static str, u64)]) -> Self {
        Self(list)
    }

    /// Returns an iterator over the migrations, in the order in which they run.
    pub fn iter(self) -> impl ExactSizeIterator<Item = Migration> {
        self.0.iter().map(|(version, name, fingerprint)| Migration {
            version,
            name,
            fingerprint: *fingerprint,
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
