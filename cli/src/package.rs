//! The cargo package that generated code is compiled in.

mod build_script;
mod manifest;
mod module;

use std::path::{Path, PathBuf};

use crate::error::CliError;
use crate::plan::Need;

pub(crate) use build_script::{BuildScript, build_script, line as watching_line};
pub(crate) use manifest::{BowlineSource, Lack, Manifest};
pub(crate) use module::{Declaration, declare};

/// A cargo package.
#[derive(Debug)]
pub(crate) struct Package {
    /// The folder of its `Cargo.toml`.
    pub folder: PathBuf,
    pub manifest: Manifest,
}

impl Package {
    /// The package whose `Cargo.toml` is in this folder, if there is one.
    pub(crate) fn read(folder: &Path) -> Result<Option<Self>, CliError> {
        Ok(Manifest::read(folder)?.map(|manifest| Self {
            folder: folder.to_owned(),
            manifest,
        }))
    }

    /// What a person has to add, so that generated code compiles, and is found out when it is stale.
    pub(crate) fn notes(&self, needs: &[Need], migrations: &str) -> Result<Vec<String>, CliError> {
        let lacks = self.manifest.lacks(needs);
        let mut notes = Vec::new();
        if !lacks.is_empty() {
            let lines: String = lacks
                .iter()
                .map(|lack| format!("\n      {}", lack.line()))
                .collect();
            notes.push(format!(
                "Cargo.toml lacks what the generated code needs, and `bowline init` adds:{lines}"
            ));
        }
        // Of a script that names no files nobody can tell from outside what it has cargo look at.
        if matches!(
            build_script(self, migrations)?,
            BuildScript::Missing(_) | BuildScript::Add(..)
        ) {
            notes.push(format!(
                "cargo does not look whether a migration was added to {migrations}: build.rs lacks the line {}; \
                 `bowline init` adds it",
                watching_line(migrations)
            ));
        }
        Ok(notes)
    }
}
