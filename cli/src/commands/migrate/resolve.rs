//! `bowline migrate resolve`.

use bowline::__generated::migrating::Origin;
use clap::Args;

use super::{Locked, Work};
use crate::error::CliError;
use crate::migrations::Migration;
use crate::source::up_to;
use crate::step::drops_of_invalid_indexes;
use crate::ui;

/// Say what became of a migration that stopped halfway, was edited, or was renamed.
///
/// Changes what is recorded, and nothing else in the database. A migration that runs without a
/// transaction stops halfway if it fails or is killed; `bowline migrate run` goes on when it is
/// known what became of it.
///
/// Example: bowline migrate resolve 2026-01-31-120000_index --rolled-back
#[derive(Debug, Args)]
pub(super) struct Resolve {
    /// The version, with or without -, or the name of the folder.
    version: String,
    #[command(flatten)]
    what: What,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct What {
    /// All its changes are there: it has run. Also for one that ran under another version, which
    /// is no longer recorded then.
    #[arg(long)]
    applied: bool,
    /// None of its changes is there: it has not run.
    #[arg(long)]
    rolled_back: bool,
    /// It was edited after it ran, and the edit leaves the schema as it is.
    #[arg(long)]
    accept_edit: bool,
}

pub(super) fn run(arguments: &Resolve, work: &mut Work<'_>) -> Result<(), CliError> {
    work.locked_in_any_state(|locked| {
        let kept = up_to(locked.migrations, Some(&arguments.version))?;
        let Some(migration) = kept.last() else {
            return Ok(());
        };
        if locked.table.lacks_history() {
            return Err(CliError::failed(
                "this role may not write to __bowline_migrations, which records what is to be resolved",
            )
            .hint("run it as the role that runs migrations"));
        }
        match &arguments.what {
            What { applied: true, .. } => applied(locked, migration),
            What {
                rolled_back: true, ..
            } => rolled_back(locked, migration),
            What { .. } => accept_edit(locked, migration),
        }
    })
}

fn applied(locked: &mut Locked<'_>, migration: &Migration) -> Result<(), CliError> {
    let name = &migration.name;
    match locked.history.get(&migration.version) {
        Some(ran) if !ran.has_failed && !ran.goes_on => {
            ui::status(format!("{name} is recorded as run already"));
            return Ok(());
        }
        _ => {}
    }
    let left = drops_of_invalid_indexes(locked.session, &migration.up.text)?;
    if !left.is_empty() {
        return Err(CliError::failed(format!(
            "{name} left an invalid index, which no query uses and each write maintains"
        ))
        .hint(format!(
            "REINDEX INDEX CONCURRENTLY makes it valid; or run {left}, and then `bowline migrate resolve {name} --rolled-back`"
        )));
    }
    let record = [(migration.record(), None)];
    locked
        .table
        .record(locked.session, &record, Origin::Resolved)?;
    let earlier = locked.history.earlier(migration, locked.migrations);
    match earlier {
        // The migration was renamed.
        Some(earlier) => {
            locked.table.remove(locked.session, &earlier.version)?;
            let earlier = earlier.name.as_ref().unwrap_or(&earlier.version);
            ui::status(format!(
                "{name} is recorded as run now, in place of {earlier}"
            ));
        }
        None => ui::status(format!("{name} is recorded as run now")),
    }
    Ok(())
}

fn rolled_back(locked: &mut Locked<'_>, migration: &Migration) -> Result<(), CliError> {
    let name = &migration.name;
    match locked.history.get(&migration.version) {
        Some(ran) if ran.has_failed || ran.goes_on => {}
        Some(_) => {
            return Err(CliError::failed(format!("{name} has run"))
                .hint("`bowline migrate revert` and `bowline migrate to` run its down.sql"));
        }
        None => {
            ui::status(format!("{name} is not recorded as run"));
            return Ok(());
        }
    }
    locked.table.forget(locked.session, &migration.version)?;
    ui::status(format!("{name} is not recorded as run any more"));
    Ok(())
}

fn accept_edit(locked: &mut Locked<'_>, migration: &Migration) -> Result<(), CliError> {
    let name = &migration.name;
    match locked.history.get(&migration.version) {
        Some(ran) if ran.is_edited => {}
        Some(ran) if ran.has_failed || ran.goes_on => {
            return Err(
                CliError::failed(format!("{name} has begun and not finished"))
                    .hint("say with --applied or --rolled-back what became of it"),
            );
        }
        Some(_) => {
            ui::status(format!("{name} is not known to be edited"));
            return Ok(());
        }
        None => return Err(CliError::failed(format!("{name} has not run"))),
    }
    locked.table.accept(locked.session, &migration.record())?;
    ui::status(format!("the present text of {name} is recorded now"));
    Ok(())
}
