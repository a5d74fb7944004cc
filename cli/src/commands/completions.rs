//! `bowline completions`: completions of the command line for a shell.

use clap::{Args, Command};
use clap_complete::Shell;

use crate::ui;

/// Print the completions for a shell: bash, elvish, fish, powershell or zsh.
///
/// Save them for bash as ~/.local/share/bash-completion/completions/bowline, for zsh as _bowline in
/// a folder of $fpath, for fish as ~/.config/fish/completions/bowline.fish.
///
/// Example: bowline completions fish > ~/.config/fish/completions/bowline.fish
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell.
    shell: Shell,
}

pub(crate) fn run(arguments: &Completions, mut command: Command) {
    let mut text = Vec::new();
    clap_complete::generate(arguments.shell, &mut command, "bowline", &mut text);
    ui::text(&String::from_utf8_lossy(&text));
}
