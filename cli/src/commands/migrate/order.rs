//! Migrations that run out of the order of their versions.

use super::history::History;
use crate::migrations::Migration;
use crate::ui;

/// Prints a note on pending migrations that are older than one that has run.
pub(super) fn note_late_migrations(pending: &[&Migration], history: &History) {
    let Some(latest) = history.versions().next_back() else {
        return;
    };
    let late: Vec<&str> = pending
        .iter()
        .filter(|migration| *migration.version < *latest)
        .map(|migration| migration.name.as_str())
        .collect();
    match late.as_slice() {
        [] => {}
        [name] => ui::note(format!(
            "{name} is older than {latest}, which has run already"
        )),
        [first, .., last] => ui::note(format!(
            "{} from {first} to {last} are older than {latest}, which has run already",
            ui::counted(late.len(), "migration")
        )),
    }
}
