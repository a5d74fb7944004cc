//! The choice whether to use colours: `--color`, else NO_COLOR and CLICOLOR_FORCE, else whether the
//! output is a terminal.

use std::ffi::OsString;

use anstream::AutoStream;
use clap::{ColorChoice, ValueEnum as _};

/// Applies `--color` to all output. Called before clap parses the command line, since clap's own
/// errors have colours too.
pub(crate) fn choose(arguments: impl Iterator<Item = OsString>) -> ColorChoice {
    let choice = chosen(arguments);
    match choice {
        ColorChoice::Auto => anstream::ColorChoice::Auto,
        ColorChoice::Always => anstream::ColorChoice::Always,
        ColorChoice::Never => anstream::ColorChoice::Never,
    }
    .write_global();
    choice
}

/// Returns true if standard error shows colours.
pub(crate) fn is_coloured() -> bool {
    AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never
}

/// Returns the value of the last `--color`. An invalid one is left to clap to report.
fn chosen(arguments: impl Iterator<Item = OsString>) -> ColorChoice {
    let mut arguments = arguments.take_while(|argument| argument != "--");
    let mut chosen = None;
    while let Some(argument) = arguments.next() {
        let argument = argument.to_string_lossy();
        if argument == "--color" {
            chosen = arguments
                .next()
                .map(|value| value.to_string_lossy().into_owned());
        } else if let Some(value) = argument.strip_prefix("--color=") {
            chosen = Some(value.to_owned());
        }
    }
    chosen
        .and_then(|value| ColorChoice::from_str(&value, false).ok())
        .unwrap_or(ColorChoice::Auto)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_valid_choice_applies() {
        let chosen = |arguments: &[&str]| chosen(arguments.iter().map(OsString::from));
        assert_eq!(chosen(&["bowline", "drift"]), ColorChoice::Auto);
        assert_eq!(
            chosen(&["bowline", "--color", "never", "drift"]),
            ColorChoice::Never
        );
        assert_eq!(
            chosen(&["bowline", "--color=never", "drift", "--color", "always"]),
            ColorChoice::Always
        );
        assert_eq!(chosen(&["bowline", "--color", "red"]), ColorChoice::Auto);
        assert_eq!(
            chosen(&["bowline", "sql", "--", "--color=never"]),
            ColorChoice::Auto
        );
    }
}
