//! The choice whether to use colours: `--color`, else NO_COLOR, CLICOLOR_FORCE and CLICOLOR, else
//! whether the output is a terminal.

use std::ffi::{OsStr, OsString};
use std::io::IsTerminal;
use std::sync::OnceLock;

use anstream::AutoStream;
use anstream::stream::RawStream;
use clap::{ColorChoice, ValueEnum as _};

static CHOICE: OnceLock<ColorChoice> = OnceLock::new();

/// Applies `--color` to all output. Called before clap parses the command line, since clap's
/// errors have colours too.
pub(crate) fn choose(arguments: impl Iterator<Item = OsString>) {
    CHOICE.get_or_init(|| chosen(arguments));
}

/// Returns a stream that removes colours if it does not show them.
pub(super) fn stream<S: RawStream + IsTerminal>(stream: S) -> AutoStream<S> {
    let choice = if has_colours(&stream) {
        anstream::ColorChoice::Always
    } else {
        anstream::ColorChoice::Never
    };
    AutoStream::new(stream, choice)
}

/// Returns true if a stream shows colours.
pub(crate) fn has_colours(stream: &impl IsTerminal) -> bool {
    let choice = CHOICE.get().copied().unwrap_or(ColorChoice::Auto);
    by_choice(choice, |name| std::env::var_os(name), stream.is_terminal())
}

/// Returns true if output has colours. `anstream` itself would force colours even if
/// CLICOLOR_FORCE is 0.
fn by_choice(
    choice: ColorChoice,
    variable: impl Fn(&str) -> Option<OsString>,
    is_terminal: bool,
) -> bool {
    let value = |name| variable(name).filter(|value| !value.is_empty());
    let is_on = |value: OsString| value != OsStr::new("0");
    match choice {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto if value("NO_COLOR").is_some() => false,
        ColorChoice::Auto if value("CLICOLOR_FORCE").is_some_and(is_on) => true,
        ColorChoice::Auto => {
            let is_dumb = value("TERM").is_none_or(|term| term == OsStr::new("dumb"));
            is_terminal && !is_dumb && value("CLICOLOR").is_none_or(is_on)
        }
    }
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
    fn variables_choose_unless_the_command_line_does() {
        let auto = |variables: &[(&str, &str)], is_terminal| {
            let variable = |name: &str| {
                let mut found = variables.iter().filter(|(key, _)| *key == name);
                found.next().map(|(_, value)| OsString::from(value))
            };
            by_choice(ColorChoice::Auto, variable, is_terminal)
        };
        let term = ("TERM", "xterm");
        assert!(auto(&[term], true));
        assert!(!auto(&[term], false));
        assert!(!auto(&[("TERM", "dumb")], true));
        assert!(!auto(&[], true));
        assert!(!auto(&[term, ("CLICOLOR", "0")], true));
        for on in ["1", "always"] {
            assert!(auto(&[("CLICOLOR_FORCE", on)], false), "{on}");
            assert!(!auto(&[("NO_COLOR", "1"), ("CLICOLOR_FORCE", on)], false));
        }
        for off in ["0", ""] {
            assert!(!auto(&[term, ("CLICOLOR_FORCE", off)], false), "{off:?}");
            assert!(auto(&[term, ("CLICOLOR_FORCE", off)], true), "{off:?}");
        }
        assert!(auto(&[term, ("NO_COLOR", "")], true));
    }

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
