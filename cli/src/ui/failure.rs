//! Failures of the settings, as errors of the command.

use bowline_plan::failure::Failure;

use super::snippet::underlined_all;
use crate::error::CliError;

impl From<Failure> for CliError {
    fn from(failure: Failure) -> Self {
        let reports = failure.reports.iter();
        let reports: Vec<String> = reports
            .map(|report| underlined_all(&report.title, report.excerpts(), None))
            .collect();
        let failed = Self::failed(failure.message).report(reports.join("\n\n"));
        failure.hints.into_iter().fold(failed, Self::hint)
    }
}
