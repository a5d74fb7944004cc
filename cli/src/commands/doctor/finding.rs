//! The result of one check, and how it is printed.

use serde::Serialize;

use crate::error::CliError;
use crate::ui::{self, Style};

/// The result of one check.
#[derive(Debug, Serialize)]
pub(super) struct Finding {
    /// The area that the check belongs to.
    pub area: &'static str,
    pub level: Level,
    /// The result, in one line.
    pub found: String,
    /// Hints for the user.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub remedies: Vec<String>,
}

/// The severity of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Level {
    /// Everything is in order.
    Ok,
    /// The configuration works, but perhaps not as intended.
    Warning,
    /// The check has found an error.
    Problem,
}

impl Finding {
    fn new(area: &'static str, level: Level, found: impl Into<String>) -> Self {
        Self {
            area,
            level,
            found: found.into(),
            remedies: Vec::new(),
        }
    }

    pub(super) fn ok(area: &'static str, found: impl Into<String>) -> Self {
        Self::new(area, Level::Ok, found)
    }

    pub(super) fn warning(
        area: &'static str,
        found: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            remedies: vec![remedy.into()],
            ..Self::new(area, Level::Warning, found)
        }
    }

    /// Returns a problem from the error of a command.
    pub(super) fn problem(area: &'static str, error: CliError) -> Self {
        Self {
            remedies: error.hints,
            ..Self::new(area, Level::Problem, error.message)
        }
    }
}

/// Prints findings, each area under its name; `before` is the last finding printed before.
pub(super) fn print(findings: &[Finding], before: Option<&Finding>) {
    let mut area = before.map(|found| found.area);
    for found in findings {
        if area != Some(found.area) {
            ui::coloured_result(Style::Bold.paint(found.area));
            area = Some(found.area);
        }
        let level = match found.level {
            Level::Ok => format!("{}     ", Style::Green.paint("ok")),
            Level::Warning => Style::BoldYellow.paint("warning"),
            Level::Problem => Style::BoldRed.paint("problem"),
        };
        ui::coloured_result(format!("  {level}  {}", ui::escaped(&found.found)));
        for remedy in &found.remedies {
            let hint = Style::BoldGreen.paint("hint");
            ui::coloured_result(format!("           {hint}: {}", ui::escaped(remedy)));
        }
    }
}

/// Returns the findings as JSON.
pub(super) fn json(findings: &[Finding]) -> String {
    let text = serde_json::to_string_pretty(findings);
    format!("{}\n", text.expect("texts and names are always JSON"))
}
