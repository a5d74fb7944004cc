//! Whether there are colours: `--color`, else NO_COLOR and CLICOLOR_FORCE, else whether it is a terminal.

use std::ffi::OsString;

use anstream::AutoStream;
use clap::{ColorChoice, ValueEnum as _};

/// Makes all output follow what the command line says, before the command line is read: its own errors have colours too.
pub(crate) fn choose(arguments: impl Iterator<Item = OsString>) -> ColorChoice {
    let choice = said(arguments);
    match choice {
        ColorChoice::Auto => anstream::ColorChoice::Auto,
        ColorChoice::Always => anstream::ColorChoice::Always,
        ColorChoice::Never => anstream::ColorChoice::Never,
    }
    .write_global();
    choice
}

/// Whether standard error takes colours.
pub(crate) fn is_coloured() -> bool {
    AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never
}

/// What stands behind the last `--color`; what is wrong with it, clap says.
fn said(arguments: impl Iterator<Item = OsString>) -> ColorChoice {
    let mut arguments = arguments.take_while(|argument| argument != "--");
    let mut said = None;
    while let Some(argument) = arguments.next() {
        let argument = argument.to_string_lossy();
        if argument == "--color" {
            said = arguments
                .next()
                .map(|value| value.to_string_lossy().into_owned());
        } else if let Some(value) = argument.strip_prefix("--color=") {
            said = Some(value.to_owned());
        }
    }
    said.and_then(|value| ColorChoice::from_str(&value, false).ok())
        .unwrap_or(ColorChoice::Auto)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_choice_that_is_one_counts() {
        let said = |arguments: &[&str]| said(arguments.iter().map(OsString::from));
        assert_eq!(said(&["bowline", "drift"]), ColorChoice::Auto);
        assert_eq!(
            said(&["bowline", "--color", "never", "drift"]),
            ColorChoice::Never
        );
        assert_eq!(
            said(&["bowline", "--color=never", "drift", "--color", "always"]),
            ColorChoice::Always
        );
        assert_eq!(said(&["bowline", "--color", "red"]), ColorChoice::Auto);
        assert_eq!(
            said(&["bowline", "sql", "--", "--color=never"]),
            ColorChoice::Auto
        );
    }
}
