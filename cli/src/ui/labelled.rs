//! `error: ..`, `hint: ..`: a text after its label.
//!
//! Further lines of the text are indented, so that a line break in text from outside cannot imitate
//! a label. A terminal shows the text wrapped between words.

use std::io::{self, IsTerminal as _};

use rustix::termios::tcgetwinsize;
use unicode_width::UnicodeWidthStr as _;

use super::escape::{escaped, one_line};
use super::output;
use super::style::Style;

/// A label and its style.
pub(super) struct Label<'a> {
    pub(super) word: &'a str,
    pub(super) style: Style,
}

/// Prints a text with its label on standard error.
pub(super) fn print(label: &Label<'_>, text: &str) {
    let Label { word, style } = label;
    let word = one_line(word);
    let indent = word.width() + 2;
    let text = &*escaped(text);
    let text = match width() {
        Some(width) => wrapped(text, indent, width),
        None => indented(text, indent),
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

/// Indents all lines but the first. A line that is indented already is not changed.
fn indented(text: &str, indent: usize) -> String {
    let lines = text.split('\n').enumerate().map(|(index, line)| {
        let is_label = index > 0 && !line.is_empty() && !line.starts_with(' ');
        let indent = if is_label { indent } else { 0 };
        format!("{:indent$}{line}", "")
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Wraps a text between words; existing line breaks stay.
fn wrapped(text: &str, indent: usize, width: usize) -> String {
    // In a very narrow terminal wrapping is left to the terminal.
    const LEAST: usize = 30;
    let room = width.saturating_sub(indent);
    if room < LEAST {
        return indented(text, indent);
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
    fn no_continued_line_begins_like_a_label() {
        let text = "a\nerror: b\n\n  c\r\nd";
        assert_eq!(indented(text, 6), "a\n      error: b\n\n  c\r\n      d");
        assert_eq!(wrapped("a\nerror: b", 6, 20), "a\n      error: b");
    }

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
