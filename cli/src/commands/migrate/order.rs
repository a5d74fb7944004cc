//! Whether migrations run in the order of their versions.

use super::history::History;
use crate::migrations::Migration;
use crate::ui;

/// Says which of those that are about to run are older than one that has run: it did not see what they do.
pub(super) fn note_late(pending: &[&Migration], history: &History) {
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
            "{name} is older than {latest}, and runs after it all the same"
        )),
        [first, .., last] => ui::note(format!(
            "{} from {first} to {last} are older than {latest}, and run after it all the same",
            ui::counted(late.len(), "migration")
        )),
    }
}
