//! `error: ..`, `hint: ..`: a sentence after its label. A terminal shows it wrapped between words
//! and indented.

use std::io::{self, IsTerminal as _};

use rustix::termios::tcgetwinsize;
use unicode_width::UnicodeWidthStr as _;

use super::escape::escaped;
use super::output;
use super::style::Style;

/// A label and its style.
pub(super) struct Label {
    pub(super) word: &'static str,
    pub(super) style: Style,
}

/// Prints a sentence with its label on standard error.
pub(super) fn print(label: &Label, text: &str) {
    let Label { word, style } = label;
    let indent = word.len() + 2;
    let text = &*escaped(text);
    let text = match width() {
        Some(width) => wrapped(text, indent, width),
        None => text.to_owned(),
    };
    output::about(&format!("{}: {text}\n", style.paint(word)));
}

/// Returns the width of the terminal on standard error; `None` if it is not a terminal.
fn width() -> Option<usize> {
    let stderr = io::stderr();
    if !stderr.is_terminal() {
        return None;
    }
    tcgetwinsize(stderr)
        .ok()
        .map(|size| usize::from(size.ws_col))
}

/// Wraps a text between words; its own line breaks stay.
fn wrapped(text: &str, indent: usize, width: usize) -> String {
    // In a very narrow terminal wrapping is left to the terminal.
    const LEAST: usize = 30;
    let room = width.saturating_sub(indent);
    if room < LEAST {
        return text.to_owned();
    }
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines() {
        let mut current = String::new();
        for word in line.split(' ') {
            if !current.is_empty() && current.width() + 1 + word.width() > room {
                lines.push(std::mem::take(&mut current));
            } else if !current.is_empty() {
                current.push(' ');
            }
            current.push_str(word);
        }
        lines.push(current);
    }
    lines.join(&format!("\n{:indent$}", ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_is_wrapped_between_words() {
        let text = "the database is ahead of the folder: 20270101000000 has run and is not in it";
        assert_eq!(
            wrapped(text, 6, 50),
            "the database is ahead of the folder:\n      20270101000000 has run and is not in it"
        );
        assert_eq!(wrapped(text, 6, 200), text);
        assert_eq!(wrapped(text, 6, 20), text);
    }
}
