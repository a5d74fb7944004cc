//! One migration, in whatever files its tool has it.

use std::path::PathBuf;

use crate::file::SqlFile;
use crate::sections;
use crate::tool::Tool;

/// One migration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migration {
    /// The part of the name before the first `_`, without `-`. Migrations run in the order of this
    /// text. Flat files have the number in their name.
    pub version: String,
    /// The name of the folder, or that of a flat file without its ending.
    pub name: String,
    /// The folder, or the flat file.
    pub path: PathBuf,
    /// The SQL that runs the migration.
    pub up: SqlFile,
    /// The SQL that reverts the migration, if there is any.
    pub down: Option<SqlFile>,
    /// The tool that the files are named for.
    pub tool: Tool,
}

impl Migration {
    /// Returns true for a catalog in JSON, in place of SQL.
    pub fn is_catalog(&self) -> bool {
        self.up.is_json()
    }

    /// Returns the fingerprint of `up.sql`. `down.sql` is not included, since it does not shape the
    /// schema.
    pub fn fingerprint(&self) -> u64 {
        self.up.fingerprint()
    }

    /// Returns true if the migration runs in a transaction: its file does not say otherwise, as
    /// its tool reads it. diesel's `metadata.toml` is not read here.
    pub fn runs_in_transaction(&self) -> bool {
        let text = &self.up.text;
        match self.tool {
            Tool::Sqlx => !text.starts_with("-- no-transaction"),
            Tool::Dbmate | Tool::Goose => sections::runs_in_transaction(text),
            Tool::Diesel | Tool::Flyway | Tool::Prisma | Tool::Schema => true,
        }
    }
}

/// Returns the version in the name of a migration, as diesel reads it.
pub fn version_of(name: &str) -> String {
    name.split('_').next().unwrap_or_default().replace('-', "")
}
