//! What a command fails with: a sentence, and what to do.

use std::fmt;

use crate::interrupt;

/// Exit codes, for those who call the command from a script.
pub(crate) mod exit_code {
    /// Done.
    pub(crate) const DONE: u8 = 0;
    /// It failed, or `--check` found a difference.
    pub(crate) const FAILED: u8 = 1;
    /// The command line was wrong.
    pub(crate) const USAGE: u8 = 2;
}

/// Why a command failed.
#[derive(Debug)]
pub(crate) struct CliError {
    pub message: String,
    pub hints: Vec<String>,
    /// What is shown above the message as it is: diffs, underlined sources.
    pub report: String,
    /// What the command ends with.
    pub exit_code: u8,
}

impl CliError {
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hints: Vec::new(),
            report: String::new(),
            exit_code: exit_code::FAILED,
        }
    }

    /// What was asked for cannot be asked.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self {
            exit_code: exit_code::USAGE,
            ..Self::failed(message)
        }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// The same, and above its own report another.
    pub(crate) fn below(mut self, report: &str) -> Self {
        let reports = [report.trim_end(), &self.report];
        self.report = reports.join("\n\n").trim().to_owned();
        self
    }

    /// The report and the message in one text, for a list of failures.
    pub(crate) fn told(&self) -> String {
        format!("{}\n{}", self.report.trim_end(), self.message)
            .trim_start()
            .to_owned()
    }

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

impl From<crate::migrations::FolderError> for CliError {
    fn from(error: crate::migrations::FolderError) -> Self {
        Self::failed(error.to_string()).hint(error.hint())
    }
}

impl From<bowline::Error> for CliError {
    fn from(error: bowline::Error) -> Self {
        // What a signal has given up, the library takes for a caller that is gone.
        let is_interrupted = interrupt::happened().is_some();
        let hint = error.hint().filter(|_| !is_interrupted).map(str::to_owned);
        let failed = Self::failed(format!("failed to {error}"));
        match hint {
            Some(hint) => failed.hint(hint),
            None => failed,
        }
    }
}

/// What failed, with diesel's error and what bowline's session knows of it.
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
