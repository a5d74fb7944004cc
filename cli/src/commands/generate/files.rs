//! The generated files on disk: reading, comparing and writing them.

use std::fs;
use std::path::Path;

use bowline_migrations::FORMAT;

use crate::emit::{Files, HEADER, QUERIES};
use crate::error::CliError;
use crate::ui;
use bowline_plan::paths::read_optional;

/// Reads the current text of the files to write, and generated files whose table no longer exists.
///
/// Without a folder it reads only the files to write, and the committed catalog, which may not be
/// needed any more.
pub(super) fn current(
    files: &Files,
    folder: Option<&Path>,
    catalog: &Path,
) -> Result<Files, CliError> {
    let mut current = Files::new();
    let folders = folder.map(|folder| [folder.to_owned(), folder.join(QUERIES)]);
    let entries = folders
        .into_iter()
        .flatten()
        .filter_map(|folder| fs::read_dir(folder).ok());
    let candidates = entries
        .flatten()
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|end| end == "rs"));
    let candidates = candidates.chain([catalog.to_owned()]);
    for path in files.keys().cloned().chain(candidates) {
        if let Some(text) = read_optional(&path)?
            && (files.contains_key(&path) || text.starts_with(HEADER))
        {
            drop(current.insert(path, text));
        }
    }
    Ok(current)
}

/// Fails if existing code has a newer format than this command writes. The newer code would be
/// lost.
pub(super) fn refuse_newer(current: &Files, root: &Path) -> Result<(), CliError> {
    let formats = current
        .iter()
        .filter_map(|(path, text)| Some((path, format_of(text)?)));
    match formats.into_iter().find(|(_, format)| *format > FORMAT) {
        Some((path, format)) => Err(CliError::failed(format!(
            "{} was generated in format {format}, and this command writes format {FORMAT}",
            shown(path, root)
        ))
        .hint("update the command: `cargo install bowline-cli`")),
        None => Ok(()),
    }
}

/// Returns the format that a generated `mod.rs` names.
fn format_of(text: &str) -> Option<u32> {
    let (_, after) = text.split_once("\n::bowline::migrations! {\n    format = ")?;
    after.split_once(',')?.0.parse().ok()
}

/// Compares the files with those on disk; fails with the differences.
pub(super) fn check(files: &Files, current: &Files, root: &Path) -> Result<(), CliError> {
    let mut report = String::new();
    for path in files
        .keys()
        .chain(current.keys().filter(|path| !files.contains_key(*path)))
    {
        let (old, new) = (
            current.get(path).map_or("", String::as_str),
            files.get(path).map_or("", String::as_str),
        );
        if old != new {
            if !report.is_empty() {
                report.push('\n');
            }
            report.push_str(&ui::diff(&shown(path, root), old, new));
        }
    }
    if report.is_empty() {
        let verb = if files.len() == 1 { "is" } else { "are" };
        ui::status(format!(
            "{} {verb} up to date",
            ui::counted(files.len(), "file")
        ));
        return Ok(());
    }
    let mut paths = files.keys().chain(current.keys());
    let has_queries = paths.any(|path| {
        let folder = path.parent();
        folder.is_some_and(|folder| folder.ends_with(QUERIES))
    });
    let sources = if has_queries {
        "the migrations and query files"
    } else {
        "the migrations"
    };
    Err(
        CliError::failed(format!("the generated code does not match {sources}"))
            .report(report)
            .hint("run `bowline generate` and commit the result"),
    )
}

/// Writes the files that changed, and removes those whose table no longer exists.
pub(super) fn write(files: &Files, current: &Files, root: &Path) -> Result<(), CliError> {
    let failed = |path: &Path, error: &std::io::Error| {
        CliError::failed(format!("cannot write {}: {error}", path.display()))
    };
    let mut changed = 0;
    for (path, text) in files
        .iter()
        .filter(|(path, text)| current.get(*path) != Some(*text))
    {
        let folder = path.parent().unwrap_or(root);
        fs::create_dir_all(folder).map_err(|error| failed(folder, &error))?;
        // Renaming is atomic, so a file is never incomplete.
        let temporary = path.with_extension("rs.bowline");
        fs::write(&temporary, text).map_err(|error| failed(&temporary, &error))?;
        fs::rename(&temporary, path).map_err(|error| failed(path, &error))?;
        ui::status(format!("wrote   {}", shown(path, root)));
        changed += 1;
    }
    for path in current.keys().filter(|path| !files.contains_key(*path)) {
        fs::remove_file(path).map_err(|error| failed(path, &error))?;
        ui::status(format!("removed {}", shown(path, root)));
        changed += 1;
        // The folder of the queries goes with its last file. Any other folder is not empty.
        if let Some(folder) = path.parent().filter(|folder| folder.ends_with(QUERIES)) {
            fs::remove_dir(folder).ok();
        }
    }
    ui::status(format!(
        "{}, {changed} changed",
        ui::counted(files.len(), "file")
    ));
    Ok(())
}

/// Returns true if this command or diesel's command has written the file.
///
/// When two branches meet, git leaves both versions in the file, from its first line on.
pub(super) fn is_ours(text: &str) -> bool {
    let first = text.lines().find(|line| !line.starts_with("<<<<<<< "));
    first.is_some_and(|line| line.starts_with("// @generated"))
}

/// Returns a path relative to the project's folder.
pub(super) fn shown(path: &Path, root: &Path) -> String {
    path.strip_prefix(root)
        .unwrap_or(path)
        .display()
        .to_string()
}
