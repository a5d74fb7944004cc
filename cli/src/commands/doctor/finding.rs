//! One thing that was looked at, and how it is shown.

use serde::Serialize;

use crate::error::CliError;
use crate::ui;

/// One thing that was looked at.
#[derive(Debug, Serialize)]
pub(super) struct Finding {
    /// What it is a part of.
    pub area: &'static str,
    pub level: Level,
    /// What was found, in one line.
    pub found: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub remedies: Vec<String>,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Level {
    /// As it should be.
    Ok,
    /// It works, but may not do what is wanted.
    Warning,
    /// It does not work.
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

    /// What a command would fail with.
    pub(super) fn problem(area: &'static str, error: CliError) -> Self {
        Self {
            remedies: error.hints,
            ..Self::new(area, Level::Problem, error.message)
        }
    }
}

/// Prints them, each area under its name; `before` is the one that was printed last.
pub(super) fn print(findings: &[Finding], before: Option<&Finding>) {
    let mut area = before.map(|found| found.area);
    for found in findings {
        if area != Some(found.area) {
            ui::coloured_result(format!("\x1b[1m{}\x1b[0m", found.area));
            area = Some(found.area);
        }
        let level = match found.level {
            Level::Ok => "\x1b[32mok\x1b[0m     ",
            Level::Warning => "\x1b[1;33mwarning\x1b[0m",
            Level::Problem => "\x1b[1;31mproblem\x1b[0m",
        };
        ui::coloured_result(format!("  {level}  {}", ui::escaped(&found.found)));
        for remedy in &found.remedies {
            ui::coloured_result(format!(
                "           \x1b[1;32mhint\x1b[0m: {}",
                ui::escaped(remedy)
            ));
        }
    }
}

/// All of them, for a program.
pub(super) fn json(findings: &[Finding]) -> String {
    let text = serde_json::to_string_pretty(findings);
    format!("{}\n", text.expect("texts and names are always JSON"))
}
