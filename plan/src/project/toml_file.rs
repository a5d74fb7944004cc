//! Files of settings in TOML, and errors that point to the line.

use std::ops::Range;
use std::path::Path;

use serde::de::DeserializeOwned;

use crate::failure::{Excerpt, Failure, Report};
use crate::paths::{read_optional, shown_path};
use crate::suggestion::nearest;

/// The name of the file with Bowline's own settings.
pub const BOWLINE_TOML: &str = "bowline.toml";

/// The number of errors in one file after which no more are searched.
const MOST_ERRORS: usize = 20;

/// Reads and parses a file; returns `None` if it does not exist or cannot be parsed.
///
/// Adds an error for each invalid line, and ignores that line.
pub(super) fn read<T: DeserializeOwned>(path: &Path, errors: &mut Vec<Failure>) -> Option<T> {
    match read_optional(path) {
        Ok(text) => parse(path, &text?, errors),
        Err(error) => {
            errors.push(error);
            None
        }
    }
}

/// Parses the text of a file. Adds an error for each invalid line, and ignores that line.
pub(super) fn parse<T: DeserializeOwned>(
    path: &Path,
    text: &str,
    errors: &mut Vec<Failure>,
) -> Option<T> {
    let mut rest = text.to_owned();
    for number in 0..MOST_ERRORS {
        let error = match toml::from_str(&rest) {
            Ok(parsed) => return Some(parsed),
            Err(error) => error,
        };
        let is_toml = rest.parse::<toml::Table>().is_ok();
        let is_first = number == 0;
        // Errors that the removal of a line has caused are not reported.
        if !is_first && !is_toml {
            return None;
        }
        if is_first || !error.message().starts_with("missing field") {
            errors.push(invalid(path, text, &error));
        }
        let span = error.span().filter(|_| is_toml)?;
        rest = without_line(&rest, span.start)?;
    }
    None
}

/// Replaces the line at a byte with spaces; returns `None` if the line contains only spaces.
fn without_line(text: &str, at: usize) -> Option<String> {
    let start = text.get(..at)?.rfind('\n').map_or(0, |end| end + 1);
    let length = text.get(at..)?.find('\n');
    let end = length.map_or(text.len(), |length| at + length);
    let (before, line, after) = (&text[..start], &text[start..end], &text[end..]);
    let is_blank = line.trim().is_empty();
    (!is_blank).then(|| format!("{before}{}{after}", " ".repeat(line.len())))
}

/// Joins several errors to one; returns `None` if there are none.
pub(super) fn joined(errors: Vec<Failure>) -> Option<Failure> {
    let mut errors = errors.into_iter();
    let mut all = errors.next()?;
    for error in errors {
        if !all.message.contains(&error.message) {
            all.message = format!("{}; {}", all.message, error.message);
        }
        for report in error.reports {
            if !all.reports.contains(&report) {
                all.reports.push(report);
            }
        }
        for hint in error.hints {
            if !all.hints.contains(&hint) {
                all = all.hint(hint);
            }
        }
    }
    Some(all)
}

/// Returns the error for a file whose text does not have the expected form, with the line
/// underlined.
pub(super) fn invalid(path: &Path, text: &str, error: &toml::de::Error) -> Failure {
    let message = error.message().lines().next().unwrap_or_default();
    let key = message.split('`').nth(1).unwrap_or_default();
    let span = error
        .span()
        .and_then(|span| nonempty(text, span))
        .or_else(|| line_of_key(text, key));
    let (what, expected) = message.split_once(", expected").unwrap_or((message, ""));
    let failed = match span.clone() {
        // The message is the title of the underlined line.
        Some(span) => {
            Failure::new(format!("{} is not valid", path.display())).reports([Report::new(
                what,
                &[Excerpt {
                    path: shown_path(path),
                    source: text,
                    span,
                }],
            )])
        }
        None => Failure::new(format!("{} is not valid: {what}", path.display())),
    };
    let known: Vec<&str> = expected.split('`').skip(1).step_by(2).collect();
    let is_unknown = what.starts_with("unknown field") || what.starts_with("unknown variant");
    let failed = match nearest(key, known.iter().copied()) {
        Some(meant) if is_unknown => failed.hint(format!("did you mean {meant}?")),
        None if is_unknown && !known.is_empty() => {
            failed.hint(format!("the known keys are {}", known.join(", ")))
        }
        _ => failed,
    };
    failed.hint(reference(path, text, span))
}

/// Returns the span. If it is empty, it is at the end of an incomplete line, and this returns that
/// whole line.
fn nonempty(text: &str, span: Range<usize>) -> Option<Range<usize>> {
    let before = text.get(..span.start)?;
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    Some(if span.is_empty() {
        start..span.start
    } else {
        span
    })
}

/// Returns the span of a key at the beginning of a line.
///
/// An error about a table that was parsed before has no span, but its message names the key.
fn line_of_key(text: &str, key: &str) -> Option<Range<usize>> {
    if key.is_empty() {
        return None;
    }
    let start = text.find(&format!("\n{key} ")).map(|at| at + 1)?;
    Some(start..start + key.len())
}

/// Returns a hint that names the reference of a file.
fn reference(path: &Path, text: &str, span: Option<Range<usize>>) -> &'static str {
    const SETTINGS: &str = "the guide's page on settings lists the keys of bowline.toml";
    let before = span.and_then(|span| text.get(..span.start));
    let mut tables = before.unwrap_or_default().lines().rev();
    let table = tables.find(|line| line.starts_with('['));
    match path.file_name().and_then(std::ffi::OsStr::to_str) {
        Some(BOWLINE_TOML) => SETTINGS,
        Some("Cargo.toml") if table.is_some_and(|table| table.contains("metadata.bowline")) => {
            SETTINGS
        }
        Some("Cargo.toml") => "`cargo metadata` explains what is wrong with it",
        Some("rustfmt.toml" | ".rustfmt.toml") => "`cargo fmt` explains what is wrong with it",
        _ => "https://diesel.rs/guides/configuring-diesel-cli lists the keys of diesel.toml",
    }
}
