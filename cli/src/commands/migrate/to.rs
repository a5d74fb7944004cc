//! `bowline migrate to`.

use clap::Args;

use super::{Work, order, revert};
use crate::error::CliError;
use crate::source::up_to;
use crate::step::{self, Way};
use crate::ui;

/// Run or revert migrations until VERSION is the last one that has run.
///
/// Reverts migrations with a greater version, the last one first, then runs the pending ones up to
/// VERSION. Nothing is reverted if one of them has no down.sql or is not in the folder.
///
/// Example: bowline migrate to 2026-01-31-120000
#[derive(Debug, Args)]
pub(super) struct To {
    /// The version, with or without -, or the name of the folder; 0 reverts everything.
    version: String,
}

pub(super) fn run(arguments: &To, work: &mut Work<'_>) -> Result<(), CliError> {
    let version = arguments.version.as_str();
    let kept = match up_to(work.migrations, Some(version)) {
        Ok(kept) => kept,
        Err(_) if version == "0" => &[],
        Err(error) => return Err(error),
    };
    let last = kept.last();
    work.locked(|locked| {
        let (migrations, history) = (locked.migrations, &locked.history);
        let is_after = |found: &&str| last.is_none_or(|last| **found > *last.version);
        let after: Vec<&str> = history.versions().rev().filter(is_after).collect();
        if !after.is_empty() {
            history.refuse_revert(migrations)?;
        }
        let after = revert::reversible(migrations, &after)?;
        let pending = history.pending(kept);
        for migration in &pending {
            step::sql(migration, Way::Up)?;
        }
        history.check_texts(migrations, &pending, locked.settings.edited)?;
        if after.is_empty() {
            order::check_late_migrations(&pending, history, locked.settings.late)?;
        }
        locked.each(&after, Way::Down)?;
        locked.each(&pending, Way::Up)?;
        let version = last.map_or("the empty database", |last| last.name.as_str());
        ui::status(format!(
            "at {version}: {} reverted, {} run now",
            after.len(),
            pending.len()
        ));
        Ok(())
    })
}
