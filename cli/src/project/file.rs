//! Reading a file of settings, with all that is wrong in it.

use std::ffi::OsStr;
use std::path::Path;

use crate::error::CliError;
use crate::suggestion::nearest;
use crate::ui;

/// More errors than anybody mends at once.
const MOST: usize = 20;

/// Reads a file; `None` where there is none. Adds an error for each line that is wrong, and leaves that line out.
pub(super) fn read<T: serde::de::DeserializeOwned>(
    path: &Path,
    errors: &mut Vec<CliError>,
) -> Option<T> {
    let mut text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
        Err(error) => {
            let failed = format!("cannot read {}: {error}", path.display());
            errors.push(CliError::failed(failed));
            return None;
        }
    };
    for number in 0..MOST {
        let error = match toml::from_str(&text) {
            Ok(parsed) => return Some(parsed),
            Err(error) => error,
        };
        // Without a line that was left out, the rest may be incomplete.
        let is_toml = text.parse::<toml::Table>().is_ok();
        let follows = number > 0 && error.message().starts_with("missing field");
        if number > 0 && !is_toml {
            return None;
        }
        if !follows {
            errors.push(wrong(path, &error));
        }
        let span = error.span().filter(|_| is_toml)?;
        text = without_line(&text, span.start)?;
    }
    None
}

/// The text with spaces in place of the line at this byte.
fn without_line(text: &str, at: usize) -> Option<String> {
    let start = text.get(..at)?.rfind('\n').map_or(0, |end| end + 1);
    let end = text
        .get(at..)?
        .find('\n')
        .map_or(text.len(), |end| at + end);
    let is_blank = text[start..end].trim().is_empty();
    (!is_blank).then(|| {
        format!(
            "{}{}{}",
            &text[..start],
            " ".repeat(end - start),
            &text[end..]
        )
    })
}

/// One error of several; `None` of none.
pub(super) fn together(errors: Vec<CliError>) -> Option<CliError> {
    let mut errors = errors.into_iter();
    let mut all = errors.next()?;
    for error in errors {
        if !all.message.contains(&error.message) {
            all.message = format!("{}; {}", all.message, error.message);
        }
        let above = std::mem::replace(&mut all.report, error.report);
        all = all.below(&above);
        for hint in error.hints {
            if !all.hints.contains(&hint) {
                all = all.hint(hint);
            }
        }
    }
    Some(all)
}

/// What a file of settings says that cannot be followed, with its line underlined.
pub(super) fn wrong(path: &Path, error: &toml::de::Error) -> CliError {
    let message = error.message().lines().next().unwrap_or_default();
    let source = std::fs::read_to_string(path).unwrap_or_default();
    // A table that was read before has no places any more, but the message names the key.
    let key = message.split('`').nth(1).unwrap_or_default();
    let of_key = || {
        let start = source.find(&format!("\n{key} ")).map(|at| at + 1)?;
        (!key.is_empty()).then_some(start..start + key.len())
    };
    // An empty place is the end of a line that is not complete.
    let of_line = |span: std::ops::Range<usize>| {
        let before = source.get(..span.start)?;
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        Some(if span.is_empty() {
            start..span.start
        } else {
            span
        })
    };
    let span = error.span().and_then(of_line).or_else(of_key);
    let (what, expected) = message.split_once(", expected").unwrap_or((message, ""));
    let failed = match span.clone() {
        // What is wrong stands above the line.
        Some(span) => CliError::failed(format!("{} cannot be followed", path.display()))
            .report(ui::underlined(what, &ui::shown_path(path), &source, span)),
        None => CliError::failed(format!("{} cannot be followed: {what}", path.display())),
    };
    let known: Vec<&str> = expected.split('`').skip(1).step_by(2).collect();
    let is_unknown = what.starts_with("unknown field");
    let failed = match nearest(key, known.iter().copied()) {
        Some(meant) if is_unknown => failed.hint(format!("did you mean {meant}?")),
        None if is_unknown && !known.is_empty() => {
            failed.hint(format!("it can say {}", known.join(", ")))
        }
        _ => failed,
    };
    let table = span.map_or("", |span| {
        let before = source.get(..span.start).unwrap_or_default().lines();
        before
            .rev()
            .find(|line| line.starts_with('['))
            .unwrap_or_default()
    });
    match path.file_name().and_then(OsStr::to_str) {
        Some("Cargo.toml") if table.contains("metadata.bowline") => failed
            .hint("the page Settings of the guide lists what [package.metadata.bowline] can say"),
        Some("Cargo.toml") => failed.hint("`cargo metadata` says what is wrong with it"),
        Some("rustfmt.toml" | ".rustfmt.toml") => {
            failed.hint("`cargo fmt` says what is wrong with it")
        }
        _ => failed
            .hint("https://diesel.rs/guides/configuring-diesel-cli lists what diesel.toml can say"),
    }
}
