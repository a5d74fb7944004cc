//! `bowline migrate run`.

use clap::Args;

use super::{Work, each, order};
use crate::error::CliError;
use crate::step::Way;
use crate::ui;

/// Run what has not run yet, in order.
///
/// Stops at the first that fails: what ran before it stays, and of itself nothing is done, unless it runs in no
/// transaction. A migration that is older than one that has run is run too, and a note says so. Exits with 0 also when
/// there is nothing to run.
///
/// Example: bowline migrate run --database-url postgres://app@db.example.com/app
#[derive(Debug, Args)]
pub(super) struct Run {}

pub(super) fn run(work: &mut Work<'_>) -> Result<(), CliError> {
    work.alone(|alone| {
        let (migrations, history) = (alone.migrations, &alone.history);
        history.note_unknown(migrations);
        let pending = history.pending(migrations);
        order::note_late(&pending, history);
        each(alone.session, &alone.table, &pending, Way::Up)?;
        let all = ui::counted(migrations.len(), "migration");
        ui::status(format!("{all}, {} run now", pending.len()));
        Ok(())
    })
}
