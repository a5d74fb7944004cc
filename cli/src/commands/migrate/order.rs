//! Migrations that run out of the order of their versions.

use super::history::History;
use crate::error::CliError;
use crate::migrations::Migration;
use crate::ui;
use bowline_plan::project::Late;

/// Returns the names of the pending migrations that are older than one that has run.
pub(super) fn late<'m>(pending: &[&'m Migration], history: &History) -> Vec<&'m str> {
    let Some(latest) = history.versions().next_back() else {
        return Vec::new();
    };
    pending
        .iter()
        .filter(|migration| *migration.version < *latest)
        .map(|migration| migration.name.as_str())
        .collect()
}

/// Checks the pending migrations that are older than one that has run: prints a note, or fails.
pub(super) fn check_late_migrations(
    pending: &[&Migration],
    history: &History,
    policy: Late,
) -> Result<(), CliError> {
    let Some(latest) = history.versions().next_back() else {
        return Ok(());
    };
    let late = late(pending, history);
    let what = match late.as_slice() {
        [] => return Ok(()),
        [name] => format!("{name} is older than {latest}, which has run already"),
        [first, .., last] => format!(
            "{} from {first} to {last} are older than {latest}, which has run already",
            ui::counted(late.len(), "migration")
        ),
    };
    match policy {
        Late::Run => {}
        Late::Warn => ui::note(what),
        Late::Refuse => {
            return Err(CliError::failed(what).hint(
                "give it a later version by renaming its folder, or set late = \"warn\" under [migrate] in bowline.toml",
            ));
        }
    }
    Ok(())
}
