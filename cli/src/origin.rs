//! The migrations that generated code names, so that a build can detect that it is stale.

use std::path::Path;

use crate::migrations::Migration;
use bowline_plan::paths::relative;

/// The migrations that the files are generated from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Origin {
    /// Their folder, relative to that of the package.
    pub folder: String,
    /// The name and the fingerprint of each, in order.
    pub migrations: Vec<(String, u64)>,
    /// The folder of the query files relative to that of the package, and the name and the
    /// fingerprint of each file. `None` if there are no query files.
    pub queries: Option<(String, Vec<(String, u64)>)>,
}

impl Origin {
    pub(crate) fn new(package: &Path, folder: &Path, migrations: &[Migration]) -> Self {
        Self {
            folder: relative(folder, package),
            migrations: migrations
                .iter()
                .map(|migration| (migration.name.clone(), migration.up.fingerprint()))
                .collect(),
            queries: None,
        }
    }

    /// Adds query files, by name and text.
    pub(crate) fn with_queries(
        mut self,
        package: &Path,
        folder: &Path,
        files: &[(&str, &str)],
    ) -> Self {
        if !files.is_empty() {
            let files = files.iter().map(|(name, text)| {
                let fingerprint = bowline_migrations::query_fingerprint(text);
                ((*name).to_owned(), fingerprint)
            });
            self.queries = Some((relative(folder, package), files.collect()));
        }
        self
    }
}
