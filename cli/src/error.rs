//! The error of a command: a message, and hints.

use std::fmt;

use bowline::SqlState;

use crate::interrupt;

/// The exit codes.
pub(crate) mod exit_code {
    /// The command succeeded.
    pub(crate) const DONE: u8 = 0;
    /// The command failed, or it found a difference.
    pub(crate) const FAILED: u8 = 1;
    /// The command line was invalid.
    pub(crate) const USAGE: u8 = 2;
}

/// The error of a command.
#[derive(Debug)]
pub(crate) struct CliError {
    pub message: String,
    pub hints: Vec<String>,
    /// Text that is shown above the message: diffs, underlined sources.
    pub report: String,
    /// The exit code of the command.
    pub exit_code: u8,
}

impl CliError {
    /// Returns an error with the exit code 1.
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hints: Vec::new(),
            report: String::new(),
            exit_code: exit_code::FAILED,
        }
    }

    /// Returns an error in the command line, with the exit code 2.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self {
            exit_code: exit_code::USAGE,
            ..Self::failed(message)
        }
    }

    /// Adds a hint.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Adds another report above that of the error.
    pub(crate) fn below(mut self, report: &str) -> Self {
        let reports = [report.trim_end(), &self.report];
        self.report = reports.join("\n\n").trim().to_owned();
        self
    }

    /// Returns the report and the message as one text.
    pub(crate) fn as_text(&self) -> String {
        format!("{}\n{}", self.report.trim_end(), self.message)
            .trim_start()
            .to_owned()
    }

    /// Sets the report.
    pub(crate) fn report(mut self, report: impl Into<String>) -> Self {
        self.report = report.into();
        self
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for CliError {}

impl From<bowline::Error> for CliError {
    fn from(error: bowline::Error) -> Self {
        // The library cannot distinguish a signal from a caller that gave up, so its hint would be
        // wrong.
        let is_interrupted = interrupt::signal().is_some();
        let hint = error.hint().or_else(|| read_only_hint(&error));
        let hint = hint.filter(|_| !is_interrupted).map(str::to_owned);
        let failed = Self::failed(error.to_string());
        match hint {
            Some(hint) => failed.hint(hint),
            None => failed,
        }
    }
}

/// Returns the hint for a statement that a read-only transaction refused.
pub(crate) fn read_only_hint(error: &bowline::Error) -> Option<&'static str> {
    let is_read_only = error.sqlstate() == Some(SqlState::READ_ONLY_SQL_TRANSACTION);
    is_read_only.then_some(
        "the server is a standby, or default_transaction_read_only is on for the role or the \
         database (\\drds in psql lists such settings); the URL can override it: \
         ?options=-cdefault_transaction_read_only%3Doff",
    )
}

/// Returns the error for an action that failed, with the messages of all its causes.
pub(crate) fn failed(what: &str, error: &(dyn std::error::Error + 'static)) -> CliError {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        if !text.contains(&cause.to_string()) {
            text = format!("{text}: {cause}");
        }
        source = cause.source();
    }
    CliError::failed(format!("failed to {what}: {text}"))
}
