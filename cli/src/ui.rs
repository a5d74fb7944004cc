//! The only place that prints: results on standard output, everything about the run on standard error.

mod aligned;
mod ask;
mod colour;
mod escape;
mod labelled;
pub(crate) mod notices;
mod output;
mod progress;
mod snippet;

use serde::Serialize;

use crate::error::CliError;

pub(crate) use aligned::{Heading, Side, aligned, row_count};
use labelled::Label;

pub(crate) use ask::{Answer, ask};
pub(crate) use colour::choose;
pub(crate) use escape::{escaped, json as json_text, one_line};
pub(crate) use output::{finish, wanted};
pub(crate) use progress::Progress;
pub(crate) use snippet::{refused, rendered, shown_path, underlined, word_at};

/// Results; what others wrote may be part of it.
pub(crate) fn result(line: impl AsRef<str>) {
    output::result(&format!("{}\n", escaped(line.as_ref())));
}

/// A result with colours; what others wrote has to be escaped in it.
pub(crate) fn coloured_result(line: impl AsRef<str>) {
    output::result(&format!("{}\n", line.as_ref()));
}

/// A result of many lines, as it is; on a terminal without what that would obey.
pub(crate) fn text(text: &str) {
    output::bytes(text.as_bytes());
}

/// A part of a result, byte for byte; on a terminal without what that would obey.
pub(crate) fn bytes(bytes: &[u8]) {
    output::bytes(bytes);
}

/// A result for a program.
pub(crate) fn json<T: Serialize + ?Sized>(value: &T) -> Result<(), CliError> {
    let json = serde_json::to_string_pretty(value);
    let json = json.map_err(|error| CliError::failed(format!("cannot write JSON: {error}")))?;
    result(json_text(&json));
    Ok(())
}

/// What a command did or noticed.
pub(crate) fn status(line: impl AsRef<str>) {
    output::about(&format!("{}\n", escaped(line.as_ref())));
}

/// A report about the run, with its colours: diffs, underlined sources.
pub(crate) fn report(report: &str) {
    output::about(&format!("{}\n", report.trim_end()));
}

/// Something to know that is no failure.
pub(crate) fn note(line: impl AsRef<str>) {
    labelled::say(&NOTE, line.as_ref());
}

/// Why the command failed, and what to do.
pub(crate) fn failure(error: &CliError) {
    if !error.report.is_empty() {
        report(&error.report);
        status("");
    }
    labelled::say(&ERROR, &error.message);
    for hint in &error.hints {
        labelled::say(&HINT, hint);
    }
}

const ERROR: Label = Label {
    word: "error",
    colour: "31",
};
const HINT: Label = Label {
    word: "hint",
    colour: "32",
};
const NOTE: Label = Label {
    word: "note",
    colour: "36",
};

/// The differences between two texts, with removed lines in red and added ones in green.
pub(crate) fn diff(name: &str, old: &str, new: &str) -> String {
    let mut out = format!("\x1b[1m{}\x1b[0m\n", escaped(name));
    let (old, new) = (escaped(old), escaped(new));
    let diff = similar::TextDiff::from_lines(&*old, &*new);
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
