//! The findings as SARIF 2.1.0, which services that show findings of many tools read.

use serde_json::{Value, json};

use super::Found;
use super::format::code;
use crate::error::CliError;
use crate::ui;
use bowline_catalog::lint::{Rule, Step};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";
const PAGE: &str = "https://github.com/bowline-rs/bowline/blob/main/docs/guide/lint.md";

/// Prints the findings as one run.
pub(super) fn print(found: &[Found<'_>]) -> Result<(), CliError> {
    let rules: Vec<Value> = Rule::all()
        .map(|rule| {
            json!({
                "id": rule.name(),
                "shortDescription": { "text": rule.summary() },
                "helpUri": format!("{PAGE}#{}", rule.name()),
            })
        })
        .collect();
    let results: Vec<Value> = found.iter().map(result).collect();
    ui::json(&json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "bowline lint",
                "version": env!("CARGO_PKG_VERSION"),
                "informationUri": PAGE,
                "rules": rules,
            } },
            // Columns are counted in characters.
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    }))
}

fn result(found: &Found<'_>) -> Value {
    let (line, column) = found.position();
    let (end_line, end_column) = found.end();
    let finding = &found.finding;
    let mut text = finding.message.clone();
    for line in code(found) {
        text.push_str(&format!("\n{line}"));
    }
    if !finding.steps.is_empty() {
        let steps: Vec<&str> = finding.steps.iter().map(Step::sql).collect();
        text.push_str("\n\nInstead, each in a migration of its own:\n\n");
        text.push_str(&steps.join("\n"));
    }
    if !finding.help.is_empty() {
        text.push_str(&format!("\n\nHint: {}", finding.help));
    }
    json!({
        "ruleId": finding.rule.name(),
        "ruleIndex": Rule::all().position(|rule| rule == finding.rule),
        "level": "error",
        "message": { "text": text },
        "locations": [{
            "physicalLocation": {
                "artifactLocation": { "uri": uri(&found.path), "uriBaseId": "%SRCROOT%" },
                "region": {
                    "startLine": line,
                    "startColumn": column,
                    "endLine": end_line,
                    "endColumn": end_column,
                },
            },
        }],
    })
}

/// Returns a path as a relative reference (RFC 3986).
fn uri(path: &str) -> String {
    let mut out = String::new();
    for byte in path.replace('\\', "/").bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_a_uri() {
        assert_eq!(
            uri("migrations/1_a b/ä.sql"),
            "migrations/1_a%20b/%C3%A4.sql"
        );
    }
}
