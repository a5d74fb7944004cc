//! `bowline migrate import-sqlx`.

use std::path::{Path, PathBuf};
use std::{fs, io};

use bowline::__generated::migrating::{Bookkeeping, Origin, Record};
use bowline_migrations::{MOVING, version_of};
use clap::Args;

use super::history::{History, counted_versions};
use super::sqlx::SqlxTable;
use super::{Work, lock};
use crate::error::CliError;
use crate::migrations::Migration;
use crate::ui;
use bowline_plan::paths::shown_path;

/// Take over the history of sqlx, so that `bowline migrate` goes on where sqlx stopped.
///
/// Writes the versions and times of _sqlx_migrations into diesel's table and __bowline_migrations.
/// _sqlx_migrations stays as it is, so that a program with sqlx's migrator still starts. Nothing is
/// taken over if a migration has failed, was edited after it ran, or is not in the folder. Once for
/// each database; running it again changes nothing.
///
/// Example: bowline migrate import-sqlx --move-files
#[derive(Debug, Args)]
pub(super) struct ImportSqlx {
    /// Also move each flat file into a folder of its own, as `bowline migrate run` needs them:
    /// 1_a.sql becomes 1_a/up.sql.
    #[arg(long)]
    move_files: bool,
}

pub(super) fn run(arguments: &ImportSqlx, work: &mut Work<'_>) -> Result<(), CliError> {
    let folders: Vec<Folder> = folders(work.migrations);
    let migrations = work.migrations;
    lock::locked(&mut work.connected, work.patience, |session| {
        let table = SqlxTable::find(session)?.ok_or_else(|| {
            CliError::failed("the database has no table _sqlx_migrations in its search path")
                .hint("check the database and its search_path; for a new database, run `bowline migrate run`")
        })?;
        let history = table.history(session, migrations)?;
        check(&history, migrations)?;
        let ran: Vec<(Record<'_>, Option<String>)> = migrations
            .iter()
            .zip(&folders)
            .filter_map(|(migration, folder)| {
                let run_on = history.ran(&migration.version)?;
                let record = Record {
                    version: &folder.version,
                    name: folder.name()?,
                    ..migration.record()
                };
                Some((record, Some(run_on.to_owned())))
            })
            .collect();
        let table = Bookkeeping::prepare(session)?;
        let taken = table.record(session, &ran, Origin::Sqlx)?;
        let all = ui::counted(ran.len(), "migration");
        ui::status(format!("{all} of sqlx, {taken} taken over now"));
        Ok(())
    })?;
    if !migrations.iter().any(Migration::is_sqlxs) {
        return Ok(());
    }
    if !arguments.move_files {
        ui::note(
            "the files are still flat: with --move-files each is moved into a folder of its own",
        );
        return Ok(());
    }
    move_files(migrations, &folders)
}

/// Fails if the history is not one that `bowline migrate` can go on from.
fn check(history: &History, migrations: &[Migration]) -> Result<(), CliError> {
    let failed: Vec<&str> = history.failed().collect();
    if !failed.is_empty() {
        return Err(CliError::failed(format!(
            "sqlx began migrations and did not finish them: {}",
            failed.join(", ")
        ))
        .hint("check what it has changed; then either finish it with sqlx, or delete its row of _sqlx_migrations"));
    }
    let edited: Vec<&str> = history.edited().collect();
    if !edited.is_empty() {
        return Err(CliError::failed(format!(
            "{} after running: the checksum in _sqlx_migrations is of another text",
            counted_versions(&edited, "was edited", "were edited")
        ))
        .hint("restore the text that ran, and write a new migration for the change"));
    }
    let unknown: Vec<&str> = history.unknown(migrations).collect();
    if !unknown.is_empty() {
        return Err(CliError::failed(format!(
            "{} not in the folder",
            counted_versions(&unknown, "has run, but is", "have run, but are")
        ))
        .hint("check out the version of the code that has them"));
    }
    Ok(())
}

/// The folder that a migration gets.
struct Folder {
    /// The version in diesel's table.
    version: String,
    path: PathBuf,
}

impl Folder {
    fn name(&self) -> Option<&str> {
        self.path.file_name()?.to_str()
    }
}

/// Returns the folder of each migration. Numbers are filled up with zeros to one length, because
/// diesel orders versions as text.
fn folders(migrations: &[Migration]) -> Vec<Folder> {
    let flat = migrations.iter().filter(|migration| migration.is_sqlxs());
    let length = flat.map(|migration| migration.version.len()).max();
    let folder = |migration: &Migration| {
        let Some(length) = length else {
            return Folder {
                version: migration.version.clone(),
                path: migration.path.clone(),
            };
        };
        let version = format!("{:0>length$}", migration.version);
        let rest = migration.name.split_once('_').map_or("", |(_, rest)| rest);
        Folder {
            path: migration.path.with_file_name(format!("{version}_{rest}")),
            version,
        }
    };
    migrations.iter().map(folder).collect()
}

/// Moves each flat file into its folder.
///
/// All folders are written aside first: from the moment that the first one is in its place, flat
/// files are not read any more.
fn move_files(migrations: &[Migration], folders: &[Folder]) -> Result<(), CliError> {
    let Some(parent) = folders.first().and_then(|folder| folder.path.parent()) else {
        return Ok(());
    };
    let aside = parent.join(MOVING);
    let failed = |error| cannot_move(parent, &error);
    for (migration, folder) in migrations.iter().zip(folders) {
        let name = folder.path.file_name().unwrap_or_default();
        copy(migration, &aside.join(name)).map_err(failed)?;
    }
    put_in_place(parent).map_err(failed)
}

fn cannot_move(parent: &Path, error: &io::Error) -> CliError {
    CliError::failed(format!(
        "cannot move the files of {}: {error}",
        shown_path(parent)
    ))
    .hint("no file is lost: run the command again, which moves the rest")
}

impl ImportSqlx {
    /// Finishes a move of flat files that was interrupted.
    pub(super) fn finish_move(&self, parent: &Path) -> Result<(), CliError> {
        let aside = parent.join(MOVING);
        if !self.move_files || !aside.is_dir() {
            return Ok(());
        }
        let finish = || {
            // Folders get to their places only when all of them are written.
            if folders_in(parent)?.is_empty() {
                fs::remove_dir_all(&aside)
            } else {
                put_in_place(parent)
            }
        };
        finish().map_err(|error| cannot_move(parent, &error))
    }
}

/// Puts the folders that were written aside in their places, and deletes the flat files whose text
/// is in a folder.
fn put_in_place(parent: &Path) -> io::Result<()> {
    let aside = parent.join(MOVING);
    for folder in folders_in(&aside)? {
        let name = folder.file_name().unwrap_or_default();
        fs::rename(&folder, parent.join(name))?;
    }
    for folder in folders_in(parent)? {
        for (flat, part) in flat_files_of(parent, &folder)? {
            if fs::read(&flat)? == fs::read(folder.join(part))? {
                fs::remove_file(&flat)?;
                if part == "up.sql" {
                    let (from, to) = (shown_path(&flat), shown_path(&folder));
                    ui::status(format!("moved {from} to {to}"));
                }
            }
        }
    }
    fs::remove_dir(&aside)?;
    ui::note("run `bowline generate` next");
    Ok(())
}

/// Returns the folders in a folder, sorted by name. Hidden ones are not among them.
fn folders_in(parent: &Path) -> io::Result<Vec<PathBuf>> {
    let mut folders = Vec::new();
    for entry in fs::read_dir(parent)? {
        let entry = entry?;
        let is_hidden = entry.file_name().to_string_lossy().starts_with('.');
        if !is_hidden && entry.path().is_dir() {
            folders.push(entry.path());
        }
    }
    folders.sort();
    Ok(folders)
}

/// Returns the flat files with the number of a folder, each with the name of its copy.
fn flat_files_of(parent: &Path, folder: &Path) -> io::Result<Vec<(PathBuf, &'static str)>> {
    let number = |path: &Path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        version_of(&name).trim_start_matches('0').to_owned()
    };
    let mut files = Vec::new();
    for entry in fs::read_dir(parent)? {
        let path = entry?.path();
        let is_sql = path.extension().is_some_and(|end| end == "sql");
        if is_sql && path.is_file() && number(&path) == number(folder) {
            let is_down = path.to_string_lossy().ends_with(".down.sql");
            let part = if is_down { "down.sql" } else { "up.sql" };
            if folder.join(part).is_file() {
                files.push((path, part));
            }
        }
    }
    Ok(files)
}

/// Writes a flat migration as a folder.
fn copy(migration: &Migration, folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    fs::copy(&migration.up.path, folder.join("up.sql"))?;
    if let Some(down) = &migration.down {
        fs::copy(&down.path, folder.join("down.sql"))?;
    }
    if !migration.run_in_transaction {
        let metadata = "run_in_transaction = false\n";
        fs::write(folder.join("metadata.toml"), metadata)?;
    }
    Ok(())
}
