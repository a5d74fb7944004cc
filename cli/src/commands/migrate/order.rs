//! Whether migrations run in the order of their versions.

use super::history::History;
use crate::migrations::Migration;
use crate::ui;

/// Says which of those that are about to run are older than one that has run: it did not see what they do.
pub(super) fn note_late(pending: &[&Migration], history: &History) {
    let Some(latest) = history.versions().next_back() else {
        return;
    };
    for migration in pending
        .iter()
        .filter(|migration| *migration.version < *latest)
    {
        ui::note(format!(
            "{} is older than {latest}, which has run before it; where that matters, give it a newer version",
            migration.name
        ));
    }
}
