//! `error: ..`, `hint: ..`: a sentence behind its label, on a terminal broken between words and set in below it.

use std::io::{self, IsTerminal as _};

use rustix::termios::tcgetwinsize;
use unicode_width::UnicodeWidthStr as _;

use super::escape::escaped;
use super::output;

/// What a label is and how it is coloured.
pub(super) struct Label {
    pub(super) word: &'static str,
    pub(super) colour: &'static str,
}

/// Prints a sentence on standard error.
pub(super) fn say(label: &Label, text: &str) {
    let Label { word, colour } = label;
    let indent = word.len() + 2;
    let text = &*escaped(text);
    let text = match width() {
        Some(width) => broken(text, indent, width),
        None => text.to_owned(),
    };
    output::about(&format!("\x1b[1;{colour}m{word}\x1b[0m: {text}\n"));
}

/// How wide the terminal of standard error is, if it is one.
fn width() -> Option<usize> {
    let stderr = io::stderr();
    if !stderr.is_terminal() {
        return None;
    }
    tcgetwinsize(stderr)
        .ok()
        .map(|size| usize::from(size.ws_col))
}

/// The text in lines of this width at most, where words allow it; lines of its own stay.
fn broken(text: &str, indent: usize, width: usize) -> String {
    // Where hardly anything fits, the terminal breaks as well as we would.
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
    fn a_sentence_is_broken_between_words_and_set_in() {
        let text = "the database is ahead of the folder: 20270101000000 has run and is not in it";
        assert_eq!(
            broken(text, 6, 50),
            "the database is ahead of the folder:\n      20270101000000 has run and is not in it"
        );
        assert_eq!(broken(text, 6, 200), text);
        assert_eq!(broken(text, 6, 20), text);
    }
}
