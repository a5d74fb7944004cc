//! `bowline migrate run`.

use clap::Args;

use super::{Work, order};
use crate::error::CliError;
use crate::step::Way;
use crate::ui;

/// Run the pending migrations in order.
///
/// Stops at the first one that fails. Migrations before it stay applied; the failed one is rolled
/// back, unless it runs without a transaction. Nothing runs if an earlier one has stopped halfway,
/// or was edited after it ran. A migration that is older than one that has run is run too, with a
/// note. The settings `edited` and `late` of bowline.toml decide otherwise. With nothing to run the
/// exit code is 0.
///
/// Example: bowline migrate run --database-url postgres://app@db.example.com/app
#[derive(Debug, Args)]
pub(super) struct Run {
    /// Run nothing if the code of this release would break on the new schema: a commit, tag or
    /// branch of git, the folder of a checkout, or a file with the output of `bowline queries
    /// --json`.
    #[arg(long, value_name = "REF|DIR|FILE")]
    pub(super) against: Option<String>,
}

pub(super) fn run(work: &mut Work<'_>) -> Result<(), CliError> {
    work.locked(|locked| {
        let (migrations, history) = (locked.migrations, &locked.history);
        history.note_unknown(migrations);
        let pending = history.pending(migrations);
        history.check_texts(migrations, &pending, locked.settings.edited)?;
        order::check_late_migrations(&pending, history, locked.settings.late)?;
        locked.each(&pending, Way::Up)?;
        let all = ui::counted(migrations.len(), "migration");
        ui::status(format!("{all}, {} run now", pending.len()));
        Ok(())
    })
}
