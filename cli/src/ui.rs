//! All printing: results on standard output, everything about the run on standard error.

mod aligned;
mod ask;
mod colour;
mod escape;
mod failure;
mod labelled;
pub(crate) mod notices;
mod output;
mod progress;
mod snippet;
mod style;

use serde::Serialize;

use crate::error::CliError;

pub(crate) use aligned::{Heading, Side, aligned, row_count};
use labelled::Label;

pub(crate) use ask::{Answer, ask};
pub(crate) use colour::choose;
pub(crate) use escape::{escaped, json as json_text, one_line};
pub(crate) use output::{finish, is_read};
pub(crate) use progress::Progress;
pub(crate) use snippet::{Excerpt, rendered, underlined, underlined_all, word_at};
pub(crate) use style::Style;

/// Prints a line of a result, escaped.
pub(crate) fn result(line: impl AsRef<str>) {
    output::result(&format!("{}\n", escaped(line.as_ref())));
}

/// Prints a line of a result that has colours. Text from outside has to be escaped in it.
pub(crate) fn coloured_result(line: impl AsRef<str>) {
    output::result(&format!("{}\n", line.as_ref()));
}

/// Prints what clap renders: help to standard output, errors to standard error.
pub(crate) fn clap(error: &clap::Error) {
    let text = error.render().ansi().to_string();
    if error.use_stderr() {
        output::about(&text);
    } else {
        output::result(&text);
    }
}

/// Prints a result of many lines; escaped if the output is a terminal.
pub(crate) fn text(text: &str) {
    output::bytes(text.as_bytes());
}

/// Prints bytes of a result; escaped if the output is a terminal.
pub(crate) fn bytes(bytes: &[u8]) {
    output::bytes(bytes);
}

/// Prints a result as JSON.
pub(crate) fn json<T: Serialize + ?Sized>(value: &T) -> Result<(), CliError> {
    let json = serde_json::to_string_pretty(value);
    let json = json.map_err(|error| CliError::failed(format!("cannot write JSON: {error}")))?;
    result(json_text(&json));
    Ok(())
}

/// Prints what a command did, on standard error.
pub(crate) fn status(line: impl AsRef<str>) {
    output::about(&format!("{}\n", escaped(line.as_ref())));
}

/// Prints a report with colours, such as a diff or an underlined source, on standard error.
pub(crate) fn report(report: &str) {
    output::about(&format!("{}\n", report.trim_end()));
}

/// Prints a note: information that is not a failure.
pub(crate) fn note(line: impl AsRef<str>) {
    labelled::print(&NOTE, line.as_ref());
}

/// Prints the reason why the command failed, and its hints.
pub(crate) fn failure(error: &CliError) {
    if !error.report.is_empty() {
        report(&error.report);
        status("");
    }
    labelled::print(&ERROR, &error.message);
    for hint in &error.hints {
        labelled::print(&HINT, hint);
    }
}

const ERROR: Label<'_> = Label {
    word: "error",
    style: Style::BoldRed,
};
const HINT: Label<'_> = Label {
    word: "hint",
    style: Style::BoldGreen,
};
const NOTE: Label<'_> = Label {
    word: "note",
    style: Style::BoldCyan,
};

/// Returns the differences between two texts, with removed lines in red and added ones in green.
pub(crate) fn diff(name: &str, old: &str, new: &str) -> String {
    let mut out = format!("{}\n", Style::Bold.paint(escaped(name)));
    let (old, new) = (escaped(old), escaped(new));
    let diff = similar::TextDiff::from_lines(&*old, &*new);
    for line in diff.unified_diff().context_radius(2).to_string().lines() {
        let line = match line.as_bytes().first() {
            Some(b'+') => Style::Green.paint(line),
            Some(b'-') => Style::Red.paint(line),
            Some(b'@') => Style::Cyan.paint(line),
            _ => line.to_owned(),
        };
        out.push_str(&format!("{line}\n"));
    }
    out
}

/// Returns a number with a noun: `1 file`, `2 files`.
pub(crate) fn counted(number: usize, thing: &str) -> String {
    match (number, thing.strip_suffix('y')) {
        (1, _) => format!("{number} {thing}"),
        (_, Some(stem)) => format!("{number} {stem}ies"),
        (_, None) => format!("{number} {thing}s"),
    }
}
