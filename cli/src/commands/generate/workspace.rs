//! `bowline generate --workspace`: the code of each member of the cargo workspace.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Generate, run};
use crate::error::CliError;
use crate::package::Manifest;
use crate::project::{Project, ProjectArgs};
use crate::ui;
use bowline_plan::paths::relative;
use bowline_plan::project::BOWLINE_TOML;

/// Generates the code of each member, or compares it. A failure of one does not stop the others.
pub(crate) fn run_workspace(
    arguments: &Generate,
    from: &Path,
    options: &ProjectArgs,
) -> Result<(), CliError> {
    let root = root(from)?;
    let members = members(&root)?;
    let mut done: Vec<PathBuf> = Vec::new();
    let mut failed: Vec<(String, CliError)> = Vec::new();
    for folder in members.iter().filter(|folder| has_settings(folder)) {
        let name = match relative(folder, &root) {
            name if name.is_empty() => ".".to_owned(),
            name => name,
        };
        let result = Project::find(folder, options).and_then(|project| {
            // A diesel.toml at the root can be that of a member.
            let written = project.settings.folder.clone();
            if done.contains(&written) {
                return Ok(());
            }
            done.push(written);
            ui::status(format!("{name}:"));
            run(arguments, &project)
        });
        if let Err(error) = result {
            failed.push((name, error));
        }
    }
    if done.is_empty() && failed.is_empty() {
        return Err(CliError::failed(format!(
            "no member of the workspace {} has a diesel.toml, a {BOWLINE_TOML} or migrations",
            root.display()
        ))
        .hint("`bowline init` in the folder of a member sets it up"));
    }
    joined(failed)
}

/// Returns one error for the failures of several members, each with its name.
fn joined(failed: Vec<(String, CliError)>) -> Result<(), CliError> {
    let names: Vec<String> = failed.iter().map(|(name, _)| name.clone()).collect();
    let mut failures = failed.into_iter();
    let Some((name, first)) = failures.next() else {
        return Ok(());
    };
    if names.len() == 1 {
        return Err(CliError {
            message: format!("{name}: {}", first.message),
            ..first
        });
    }
    let mut all = CliError {
        message: format!("{} members failed: {}", names.len(), names.join(", ")),
        report: format!("{name}: {}", first.as_text()),
        ..first
    };
    let mut reports = vec![std::mem::take(&mut all.report)];
    for (name, error) in failures {
        reports.push(format!("{name}: {}", error.as_text()));
        let hints = error.hints.into_iter();
        let new: Vec<String> = hints.filter(|hint| !all.hints.contains(hint)).collect();
        all.hints.extend(new);
    }
    Err(all.report(reports.join("\n\n")))
}

/// Returns the folder of the workspace that a folder is in.
fn root(from: &Path) -> Result<PathBuf, CliError> {
    for folder in from.ancestors() {
        let manifest = Manifest::read(folder)?;
        if manifest.is_some_and(|manifest| manifest.is_workspace()) {
            return Ok(folder.to_owned());
        }
    }
    Err(
        CliError::failed(format!("{} is in no cargo workspace", from.display()))
            .hint("run this without --workspace"),
    )
}

/// Returns the folders of the members, sorted; the root is one if it has a package.
fn members(root: &Path) -> Result<Vec<PathBuf>, CliError> {
    let Some(manifest) = Manifest::read(root)? else {
        return Ok(Vec::new());
    };
    let excluded: Vec<PathBuf> = manifest.excluded().iter().map(|it| root.join(it)).collect();
    let mut folders = Vec::new();
    if !manifest.is_virtual() {
        folders.push(root.to_owned());
    }
    for member in manifest.members() {
        match member.strip_suffix('*') {
            Some(parent) => {
                let entries = fs::read_dir(root.join(parent)).into_iter().flatten();
                let entries = entries.filter_map(|entry| Some(entry.ok()?.path()));
                folders.extend(entries.filter(|folder| folder.join("Cargo.toml").is_file()));
            }
            None => folders.push(root.join(member)),
        }
    }
    folders.retain(|folder| !excluded.contains(folder));
    folders.sort();
    folders.dedup();
    Ok(folders)
}

/// Returns true for a folder with the settings or the migrations of a project of its own.
fn has_settings(folder: &Path) -> bool {
    ["diesel.toml", BOWLINE_TOML, "migrations"]
        .iter()
        .any(|name| folder.join(name).exists())
}
