//! The migrations that generated code names, so that a build can detect that it is stale.

use std::path::Path;

use crate::migrations::Migration;
use crate::paths::relative;

/// The migrations that the files are generated from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Origin {
    /// Their folder, relative to that of the package.
    pub folder: String,
    /// The name and the fingerprint of each, in order.
    pub migrations: Vec<(String, u64)>,
}

impl Origin {
    pub(crate) fn new(package: &Path, folder: &Path, migrations: &[Migration]) -> Self {
        Self {
            folder: relative(folder, package),
            migrations: migrations
                .iter()
                .map(|migration| {
                    let fingerprint = bowline_migrations::fingerprint(&migration.up.text);
                    (migration.name.clone(), fingerprint)
                })
                .collect(),
        }
    }
}
