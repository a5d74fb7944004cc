//! `bowline migrate revert` and `redo`.

use clap::Args;

use super::Work;
use super::history::History;
use crate::error::CliError;
use crate::migrations::Migration;
use crate::step::{self, Way};
use crate::ui;

/// Revert the migrations that ran last with their down.sql, the last one first.
///
/// Nothing is reverted if one of them has no down.sql or is not in the folder.
///
/// Example: bowline migrate revert -n 2
#[derive(Debug, Args)]
pub(super) struct Revert {
    /// The number of migrations.
    #[arg(short, long, default_value = "1", value_parser = clap::value_parser!(u32).range(1..))]
    number: u32,
}

/// Revert the migrations that ran last and run them again, for example while writing one.
///
/// Example: bowline migrate redo
#[derive(Debug, Args)]
pub(super) struct Redo {
    /// The number of migrations.
    #[arg(short, long, default_value = "1", value_parser = clap::value_parser!(u32).range(1..))]
    number: u32,
}

pub(super) fn revert(arguments: &Revert, work: &mut Work<'_>) -> Result<(), CliError> {
    work.locked(|locked| {
        locked.history.refuse_revert(locked.migrations)?;
        let last = last(locked.migrations, &locked.history, arguments.number)?;
        locked.each(&last, Way::Down)
    })
}

pub(super) fn redo(arguments: &Redo, work: &mut Work<'_>) -> Result<(), CliError> {
    work.locked(|locked| {
        locked.history.refuse_revert(locked.migrations)?;
        let mut last = last(locked.migrations, &locked.history, arguments.number)?;
        for migration in &last {
            step::sql(migration, Way::Up)?;
        }
        locked.each(&last, Way::Down)?;
        last.reverse();
        locked.each(&last, Way::Up)
    })
}

/// Returns the migrations that ran last, the last one first; fails if one cannot be reverted.
fn last<'m>(
    migrations: &'m [Migration],
    history: &History,
    number: u32,
) -> Result<Vec<&'m Migration>, CliError> {
    let number = usize::try_from(number).unwrap_or(usize::MAX);
    let versions: Vec<&str> = history.versions().rev().take(number).collect();
    if versions.is_empty() {
        ui::status("nothing has run, so there is nothing to revert");
    }
    reversible(migrations, &versions)
}

/// Returns the migrations of these versions; fails if one cannot be reverted.
pub(super) fn reversible<'m>(
    migrations: &'m [Migration],
    versions: &[&str],
) -> Result<Vec<&'m Migration>, CliError> {
    let find = |version: &&str| {
        let found = migrations
            .iter()
            .find(|migration| migration.version == *version);
        let migration = found.ok_or_else(|| {
            CliError::failed(format!(
                "{version} has run, but is not in the folder, so it cannot be reverted"
            ))
            .hint("check out the version of the code that has it")
        })?;
        step::file(migration, Way::Down).map(|_| migration)
    };
    versions.iter().map(find).collect()
}
