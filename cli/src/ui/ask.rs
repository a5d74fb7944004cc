//! Questions before an action that cannot be undone.

use std::io::{self, BufRead as _, IsTerminal as _};

use super::escape::escaped;
use super::output;
use super::style::Style;

/// The answer to a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    Yes,
    No,
    /// Standard input or standard error is not a terminal, so nothing was asked.
    NoTerminal,
}

/// Asks a question. Any answer other than y or yes is a no.
pub(crate) fn ask(question: &str) -> Answer {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Answer::NoTerminal;
    }
    let question = Style::Bold.paint(escaped(question));
    output::about(&format!("{question} [y/N] "));
    let mut line = String::new();
    let read = io::stdin().lock().read_line(&mut line);
    match (read, line.trim().to_lowercase().as_str()) {
        (Ok(_), "y" | "yes") => Answer::Yes,
        _ => Answer::No,
    }
}
