//! `.gitattributes`: what is generated is folded in reviews, and left out of statistics.

use std::path::Path;

use super::changes::Changes;
use super::{repository, with_line};
use crate::error::CliError;
use crate::package::Package;
use crate::project::Project;
use bowline_plan::paths::{read_optional, relative};

/// Adds the generated files to `.gitattributes`, in a repository of git.
pub(super) fn add(
    changes: &mut Changes,
    package: &Package,
    project: &Project,
    folder: &Path,
) -> Result<(), CliError> {
    if repository(&package.folder).is_none() {
        return Ok(());
    }
    // Without a diesel.toml the one that is written names a file of the folder.
    let outputs = project
        .settings
        .outputs
        .iter()
        .filter(|_| project.has_diesel_toml);
    let schemas = outputs.filter_map(|output| output.file.as_deref());
    let outside =
        schemas.filter(|file| file.starts_with(&package.folder) && !file.starts_with(folder));
    let mut patterns = vec![format!("{}/**", relative(folder, &package.folder))];
    patterns.extend(outside.map(|file| relative(file, &package.folder)));
    let path = package.folder.join(".gitattributes");
    let before = read_optional(&path)?;
    let mut text = before.clone().unwrap_or_default();
    let mut added = Vec::new();
    for pattern in patterns {
        let is_known = |line: &str| {
            let mut words = line.split_whitespace();
            words.next() == Some(pattern.as_str())
                && words.any(|word| {
                    word.trim_start_matches('-')
                        .starts_with("linguist-generated")
                })
        };
        if text.lines().any(is_known) {
            continue;
        }
        let line = format!("{pattern} linguist-generated");
        text = with_line(&text, &line);
        added.push(line);
    }
    match before {
        _ if added.is_empty() => {}
        None => changes.make(path, text),
        Some(_) => changes.extend(path, text, &added.join(", ")),
    }
    Ok(())
}
