//! `bowline generate`: migrations to files, without a database.

use std::fs;
use std::path::Path;

use clap::Args;

use crate::catalog::replay::{Refusal, replay};
use crate::emit::{self, Files, HEADER};
use crate::error::CliError;
use crate::migrations::read_folder;
use crate::plan;
use crate::project::Project;
use crate::ui;

/// Write the schema module, models and repository functions that the migrations ask for.
///
/// Reads the migrations and nothing else: no database, no network. A statement that cannot be followed is
/// named, and nothing is written.
///
/// Example: bowline generate --check
#[derive(Debug, Args)]
pub(crate) struct Generate {
    /// Compare instead of writing; exit with 1 and show the difference if anything would change.
    #[arg(long)]
    check: bool,
}

pub(crate) fn run(arguments: &Generate, project: &Project) -> Result<(), CliError> {
    let migrations = read_folder(&project.migrations)?;
    let replayed = replay(&migrations);
    if !replayed.refusals.is_empty() {
        return Err(refused(&replayed.refusals));
    }
    let plan = plan::plan(&replayed.catalog, &project.settings).map_err(|collision| {
        CliError::failed(collision.to_string()).hint(
            "name one of the rows in Cargo.toml: [package.metadata.bowline.names] table = \"Row\"",
        )
    })?;
    plan.notes.iter().for_each(ui::note);
    let mut files = emit::files(&plan, &project.settings.folder);
    for output in plan
        .schemas
        .iter()
        .filter_map(|schema| schema.patch_file.as_ref().map(|patch| (schema, patch)))
    {
        patch(&mut files, &output.0.file, output.1)?;
    }
    let current = current(&files, &project.settings.folder)?;
    if arguments.check {
        check(&files, &current, &project.root)
    } else {
        write(&files, &current, &project.root)
    }
}

fn refused(refusals: &[Refusal]) -> CliError {
    let coloured = ui::is_coloured();
    let reports: Vec<_> = refusals
        .iter()
        .map(|refusal| refusal.render(coloured))
        .collect();
    let statements = if refusals.len() == 1 {
        "1 statement".to_owned()
    } else {
        format!("{} statements", refusals.len())
    };
    CliError::failed(format!(
        "{statements} of the migrations cannot be followed, so nothing was written"
    ))
    .report(reports.join("\n\n"))
}

fn patch(files: &mut Files, file: &Path, patch_file: &Path) -> Result<(), CliError> {
    let failed = |why: String| {
        CliError::failed(format!("{} cannot be applied: {why}", patch_file.display()))
            .hint("make the patch anew, from what is generated without it")
    };
    let text = fs::read_to_string(patch_file).map_err(|error| failed(error.to_string()))?;
    let patch = diffy::Patch::from_str(&text).map_err(|error| failed(error.to_string()))?;
    let Some(schema) = files.get_mut(file) else {
        return Ok(());
    };
    *schema = diffy::apply(schema, &patch).map_err(|error| failed(error.to_string()))?;
    Ok(())
}

/// What is there now: the files to be written, and those written earlier that have no table any more.
fn current(files: &Files, folder: &Path) -> Result<Files, CliError> {
    let mut current = Files::new();
    let in_folder = fs::read_dir(folder).map(|entries| {
        entries
            .filter_map(Result::ok)
            .map(|entry| entry.path())
            .collect::<Vec<_>>()
    });
    let candidates = in_folder
        .unwrap_or_default()
        .into_iter()
        .filter(|path| path.extension().is_some_and(|end| end == "rs"));
    for path in files.keys().cloned().chain(candidates) {
        match fs::read_to_string(&path) {
            Ok(text) if files.contains_key(&path) || text.starts_with(HEADER) => {
                drop(current.insert(path, text));
            }
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => {
                return Err(CliError::failed(format!(
                    "cannot read {}: {error}",
                    path.display()
                )));
            }
        }
    }
    Ok(current)
}

fn check(files: &Files, current: &Files, root: &Path) -> Result<(), CliError> {
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
            report.push_str(&ui::diff(&shown(path, root), old, new));
        }
    }
    if report.is_empty() {
        ui::status(format!("{} files are up to date", files.len()));
        return Ok(());
    }
    Err(
        CliError::failed("the generated code does not match the migrations")
            .report(report)
            .hint("run `bowline generate` and commit the result"),
    )
}

fn write(files: &Files, current: &Files, root: &Path) -> Result<(), CliError> {
    let failed = |path: &Path, error: &std::io::Error| {
        CliError::failed(format!("cannot write {}: {error}", path.display()))
    };
    let mut changed = 0;
    for (path, text) in files
        .iter()
        .filter(|(path, text)| current.get(*path) != Some(*text))
    {
        if current.get(path).is_some_and(|earlier| !is_ours(earlier)) {
            return Err(CliError::failed(format!(
                "{} was not generated, so it is not overwritten",
                shown(path, root)
            ))
            .hint("move it away, or name another folder in [package.metadata.bowline]"));
        }
        let folder = path.parent().unwrap_or(root);
        fs::create_dir_all(folder).map_err(|error| failed(folder, &error))?;
        // A file is there whole or not at all, whatever happens meanwhile.
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
    }
    ui::status(format!("{} files, {changed} changed", files.len()));
    Ok(())
}

/// Whether a file was written by this command, or is a schema that diesel's CLI writes.
fn is_ours(text: &str) -> bool {
    text.starts_with("// @generated")
}

fn shown(path: &Path, root: &Path) -> String {
    path.strip_prefix(root)
        .unwrap_or(path)
        .display()
        .to_string()
}
