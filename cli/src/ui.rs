//! The only place that prints: results on standard output, everything about the run on standard error.

pub(crate) mod screen;

use std::io::{IsTerminal as _, Write as _};

use crate::error::CliError;

/// Results.
pub(crate) fn result(line: impl AsRef<str>) {
    anstream::println!("{}", line.as_ref());
}

/// A result of many lines, as it is.
pub(crate) fn text(text: &str) {
    // A closed output is nobody's failure: there is nobody left to tell.
    std::io::stdout().write_all(text.as_bytes()).ok();
}

/// What a command did or noticed.
pub(crate) fn status(line: impl AsRef<str>) {
    to_stderr(&format!("{}\n", line.as_ref()));
}

/// Something to know that is no failure.
pub(crate) fn note(line: impl AsRef<str>) {
    to_stderr(&format!("\x1b[1;36mnote\x1b[0m: {}\n", line.as_ref()));
}

/// Why the command failed, and what to do.
pub(crate) fn failure(error: &CliError) {
    if !error.report.is_empty() {
        to_stderr(&format!("{}\n", error.report.trim_end()));
    }
    to_stderr(&format!("\x1b[1;31merror\x1b[0m: {}\n", error.message));
    for hint in &error.hints {
        to_stderr(&format!("\x1b[1;32mhint\x1b[0m: {hint}\n"));
    }
}

/// The differences between two texts, with removed lines in red and added ones in green.
pub(crate) fn diff(name: &str, old: &str, new: &str) -> String {
    let mut out = format!("\x1b[1m{name}\x1b[0m\n");
    let diff = similar::TextDiff::from_lines(old, new);
    for line in diff.unified_diff().context_radius(2).to_string().lines() {
        let coloured = match line.as_bytes().first() {
            Some(b'+') => format!("\x1b[32m{line}\x1b[0m\n"),
            Some(b'-') => format!("\x1b[31m{line}\x1b[0m\n"),
            Some(b'@') => format!("\x1b[36m{line}\x1b[0m\n"),
            _ => format!("{line}\n"),
        };
        out.push_str(&coloured);
    }
    out
}

/// A number of things: `1 file`, `2 files`.
pub(crate) fn counted(number: usize, thing: &str) -> String {
    let end = if number == 1 { "" } else { "s" };
    format!("{number} {thing}{end}")
}

/// Whether standard error takes colours.
pub(crate) fn is_coloured() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none()
}

/// `anstream` leaves colours out where they are not wanted.
fn to_stderr(text: &str) {
    // A closed standard error is nobody's failure: there is nobody left to tell.
    anstream::stderr().write_all(text.as_bytes()).ok();
}
