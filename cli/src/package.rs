//! The cargo package that generated code is compiled in.

mod build_script;
mod manifest;
mod module;

use std::path::{Path, PathBuf};

use crate::error::CliError;
use bowline_plan::plan::Need;

pub(crate) use build_script::{BuildScript, build_script};
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
    /// Reads the package of a folder; returns `None` if the folder has no `Cargo.toml`.
    pub(crate) fn read(folder: &Path) -> Result<Option<Self>, CliError> {
        Ok(Manifest::read(folder)?.map(|manifest| Self {
            folder: folder.to_owned(),
            manifest,
        }))
    }

    /// Returns notes on what the package lacks for generated code to compile, and to be rebuilt
    /// when a file is added to one of the folders.
    pub(crate) fn notes(
        &self,
        needs: &[Need],
        folders: &[String],
    ) -> Result<Vec<String>, CliError> {
        let lacks = self.manifest.lacks(needs);
        let mut notes = Vec::new();
        if !lacks.is_empty() {
            let lines: String = lacks
                .iter()
                .map(|lack| format!("\n      {}", lack.line()))
                .collect();
            notes.push(format!(
                "Cargo.toml lacks dependencies of the generated code, which `bowline init` adds:{lines}"
            ));
        }
        for folder in folders {
            // Other scripts may make cargo watch the folder in ways that cannot be detected.
            let (script, lines) = build_script(self, std::slice::from_ref(folder))?;
            if matches!(script, BuildScript::Missing(_) | BuildScript::Add(..)) {
                notes.push(format!(
                    "cargo does not notice a new file in {folder}: build.rs lacks the line {}, which `bowline init` adds",
                    lines.join(" ")
                ));
            }
        }
        Ok(notes)
    }
}
