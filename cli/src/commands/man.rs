//! `bowline man`: the help as man pages.

use std::fs;
use std::path::PathBuf;

use clap::{Args, Command};
use clap_mangen::Man as Page;

use crate::error::CliError;
use crate::ui;

/// Print the man page of the command, or write those of all commands to a folder.
///
/// In the folder there is bowline.1, and a page for each command, such as bowline-migrate-run.1.
///
/// Example: bowline man ~/.local/share/man/man1
#[derive(Debug, Args)]
pub(crate) struct Man {
    /// The folder, which is created if it is missing; without one, the page of bowline itself is
    /// printed.
    folder: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Man, command: Command) -> Result<(), CliError> {
    let Some(folder) = &arguments.folder else {
        let mut page = Vec::new();
        // Writing to a Vec cannot fail.
        Page::new(command).render(&mut page).ok();
        ui::text(&String::from_utf8_lossy(&page));
        return Ok(());
    };
    fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(command, folder))
        .map_err(|error| {
            CliError::failed(format!("cannot write to {}: {error}", folder.display()))
        })?;
    ui::status(format!("wrote the man pages to {}", folder.display()));
    Ok(())
}
