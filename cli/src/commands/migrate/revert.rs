//! `bowline migrate revert` and `redo`.

use clap::Args;

use super::history::History;
use super::{Work, each};
use crate::error::CliError;
use crate::migrations::Migration;
use crate::step::{self, Way};
use crate::ui;

/// Revert the migrations that ran last, by their down.sql, the last one first.
///
/// Nothing is reverted if one of them has no down.sql or is not in the folder.
///
/// Example: bowline migrate revert -n 2
#[derive(Debug, Args)]
pub(super) struct Revert {
    /// How many.
    #[arg(short, long, default_value = "1", value_parser = clap::value_parser!(u32).range(1..))]
    number: u32,
}

/// Revert the migrations that ran last, and run them again: for one that is still being written.
///
/// Example: bowline migrate redo
#[derive(Debug, Args)]
pub(super) struct Redo {
    /// How many.
    #[arg(short, long, default_value = "1", value_parser = clap::value_parser!(u32).range(1..))]
    number: u32,
}

pub(super) fn revert(arguments: &Revert, work: &mut Work<'_>) -> Result<(), CliError> {
    work.alone(|alone| {
        let last = last(alone.migrations, &alone.history, arguments.number)?;
        each(alone.session, &alone.table, &last, Way::Down)
    })
}

pub(super) fn redo(arguments: &Redo, work: &mut Work<'_>) -> Result<(), CliError> {
    work.alone(|alone| {
        let mut last = last(alone.migrations, &alone.history, arguments.number)?;
        for migration in &last {
            step::sql(migration, Way::Up)?;
        }
        each(alone.session, &alone.table, &last, Way::Down)?;
        last.reverse();
        each(alone.session, &alone.table, &last, Way::Up)
    })
}

/// The migrations that ran last, the last one first, all of which can be reverted.
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

/// The migrations of these versions, if all of them can be reverted.
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
            .hint("get the version of the code that has it")
        })?;
        step::file(migration, Way::Down).map(|_| migration)
    };
    versions.iter().map(find).collect()
}
