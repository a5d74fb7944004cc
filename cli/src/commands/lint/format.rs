//! The findings as text, as JSON, and as annotations of a workflow of GitHub.

use bowline_catalog::lint::Step;
use bowline_catalog::replay::Refusal;
use serde::Serialize;

use super::Found;
use super::code::Broken;
use crate::error::CliError;
use crate::ui::{self, Style, counted, one_line};
use bowline_plan::paths::shown_path;

/// The number of characters of a statement that are shown.
const SHOWN: usize = 120;

/// The number of breaks that are listed.
const LISTED: usize = 12;

/// Prints the findings for people.
pub(super) fn text(found: &[Found<'_>]) {
    for (index, found) in found.iter().enumerate() {
        if index > 0 {
            ui::result("");
        }
        let (line, column) = found.position();
        let at = format!("{}:{line}:{column}", one_line(&found.path));
        let rule = Style::Bold.paint(found.finding.rule.name());
        let message = one_line(&found.finding.message);
        ui::coloured_result(format!("{at}: {rule}: {message}"));
        ui::result(format!("    {}", shortened(&found.statement())));
        for line in code(found).into_iter().chain(safe_form(found)) {
            ui::result(format!("  {line}"));
        }
    }
}

/// Returns what breaks of the code that runs, in words.
pub(super) fn code(found: &Found<'_>) -> Vec<String> {
    let Some(code) = &found.code else {
        return Vec::new();
    };
    let release = code.release;
    let mut functions: Vec<_> = code.breaks.iter().map(|it| &it.function).collect();
    functions.dedup();
    if functions.is_empty() {
        return vec![format!(
            "none of the {} of {release} breaks, so only other programs matter",
            counted(code.statements, "statement")
        )];
    }
    let verb = if functions.len() == 1 {
        "breaks"
    } else {
        "break"
    };
    let mut lines = vec![format!(
        "of {release}, {} {verb}:",
        counted(functions.len(), "function")
    )];
    lines.extend(
        code.breaks
            .iter()
            .take(LISTED)
            .map(|found| format!("    {}: {}", found.function, found.why)),
    );
    if code.breaks.len() > LISTED {
        lines.push(format!(
            "    and {} more: --json has them all",
            code.breaks.len() - LISTED
        ));
    }
    lines
}

/// Returns the beginning of a long statement.
fn shortened(statement: &str) -> String {
    match statement.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{} ..", statement[..end].trim_end()),
        None => statement.to_owned(),
    }
}

/// Returns the safe form and the help in words.
fn safe_form(found: &Found<'_>) -> Vec<String> {
    let finding = &found.finding;
    let mut lines = Vec::new();
    match finding.steps.as_slice() {
        [] => {}
        [only] => {
            lines.push(format!("instead{}:", alone(only)));
            lines.extend(only.sql.lines().map(|line| format!("    {line}")));
        }
        steps => {
            lines.push(format!("instead, in {} migrations:", steps.len()));
            for (index, step) in steps.iter().enumerate() {
                let mut head = format!("  {}. ", index + 1);
                if !step.in_transaction {
                    lines.push(format!("{head}{}:", alone(step).trim_start_matches(", ")));
                    head = "     ".to_owned();
                }
                for line in step.sql.lines() {
                    lines.push(format!("{head}{line}"));
                    head = "     ".to_owned();
                }
            }
        }
    }
    if !finding.help.is_empty() {
        lines.push(format!("hint: {}", finding.help));
    }
    lines
}

fn alone(step: &Step) -> &'static str {
    match step.in_transaction {
        true => "",
        false => ", without a transaction (run_in_transaction = false in metadata.toml)",
    }
}

/// The findings, as JSON.
#[derive(Serialize)]
struct Report<'r> {
    findings: Vec<Entry<'r>>,
    not_followed: Vec<NotFollowed<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    measured_on: Option<&'r str>,
}

#[derive(Serialize)]
struct Entry<'r> {
    file: &'r str,
    line: usize,
    column: usize,
    rule: &'static str,
    message: &'r str,
    statement: String,
    steps: &'r [Step],
    help: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<Broken<'r>>,
}

#[derive(Serialize)]
struct NotFollowed<'r> {
    file: String,
    line: usize,
    why: &'r str,
}

/// Prints the findings as JSON.
pub(super) fn json(
    found: &[Found<'_>],
    refusals: &[Refusal],
    measured_on: Option<&str>,
) -> Result<(), CliError> {
    let findings = found.iter().map(|found| {
        let (line, column) = found.position();
        Entry {
            file: &found.path,
            line,
            column,
            rule: found.finding.rule.name(),
            message: &found.finding.message,
            statement: found.statement(),
            steps: &found.finding.steps,
            help: &found.finding.help,
            code: found.code,
        }
    });
    ui::json(&Report {
        findings: findings.collect(),
        not_followed: refusals
            .iter()
            .map(|refusal| NotFollowed {
                file: shown_path(&refusal.file),
                line: refusal.line(),
                why: &refusal.why,
            })
            .collect(),
        measured_on,
    })
}

/// Prints the findings as workflow commands of GitHub Actions, which shows them at their lines.
pub(super) fn github(found: &[Found<'_>]) {
    for found in found {
        let (line, column) = found.position();
        let (end_line, _) = found.end();
        let mut message = found.finding.message.clone();
        for line in code(found).into_iter().chain(safe_form(found)) {
            message.push('\n');
            message.push_str(&line);
        }
        ui::result(format!(
            "::error file={},line={line},endLine={end_line},col={column},title={}::{}",
            property(&found.path),
            property(found.finding.rule.name()),
            data(&message)
        ));
    }
}

/// Escapes the text of a workflow command, as GitHub's toolkit does.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// Escapes a property of a workflow command.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

impl Found<'_> {
    /// Returns the line and the column in characters, both counted from 1.
    pub(super) fn position(&self) -> (usize, usize) {
        place(self.source, self.finding.span.start)
    }

    /// Returns the position after the last character.
    pub(super) fn end(&self) -> (usize, usize) {
        place(self.source, self.finding.span.end)
    }

    /// Returns the statement, or the part of it that the finding is about, in one line.
    fn statement(&self) -> String {
        bowline_sql::one_line(&self.source[self.finding.span.clone()])
    }
}

fn place(source: &str, position: usize) -> (usize, usize) {
    let before = &source[..position];
    let line = before.matches('\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    (line, before[start..].chars().count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workflow_commands_are_escaped() {
        assert_eq!(data("100 %\r\na:b,c"), "100 %25%0D%0Aa:b,c");
        assert_eq!(property("a:b,c"), "a%3Ab%2Cc");
    }

    #[test]
    fn columns_count_characters() {
        assert_eq!(place("a\näb", 4), (2, 2));
        assert_eq!(place("", 0), (1, 1));
    }
}
