//! Questions, for what cannot be undone.

use std::io::{self, BufRead as _, IsTerminal as _};

use super::escape::escaped;
use super::output;

/// What was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    Yes,
    No,
    /// There is nobody to ask: input or standard error is no terminal.
    Nobody,
}

/// Asks; anything but y or yes is a no.
pub(crate) fn ask(question: &str) -> Answer {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Answer::Nobody;
    }
    output::about(&format!("\x1b[1m{}\x1b[0m [y/N] ", escaped(question)));
    let mut line = String::new();
    let read = io::stdin().lock().read_line(&mut line);
    match (read, line.trim().to_lowercase().as_str()) {
        (Ok(_), "y" | "yes") => Answer::Yes,
        _ => Answer::No,
    }
}
