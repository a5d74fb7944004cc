//! `-- squawk-ignore RULE, ..` and `-- squawk-ignore-file RULE, ..`, as squawk reads them.
//!
//! The first kind hides findings of its line and of the next one. Without a rule, the second kind
//! hides all findings of the file. Further text after another `--` is the author's reason.

use std::ops::Range;

use bowline_sql::{Kind, tokens_and_comments};

use super::Finding;
use super::rule::{OTHERS, Rule};

/// A comment of this kind.
struct Ignore {
    span: Range<usize>,
    /// The line, counted from 1.
    line: usize,
    is_of_file: bool,
    names: Vec<String>,
}

/// Removes the hidden findings of a file, and adds those on comments that hide nothing.
pub(crate) fn apply(file: usize, source: &str, findings: &mut Vec<Finding>) {
    let ignores = ignores(source);
    if ignores.is_empty() {
        return;
    }
    let mut used = vec![false; ignores.len()];
    findings.retain(|finding| {
        if finding.file != file {
            return true;
        }
        let line = line_of(source, finding.span.start);
        let hiding = ignores.iter().position(|ignore| {
            let is_near = ignore.is_of_file || line == ignore.line || line == ignore.line + 1;
            is_near && ignore.hides(finding.rule)
        });
        if let Some(hiding) = hiding {
            used[hiding] = true;
        }
        hiding.is_none()
    });
    for (ignore, is_used) in ignores.iter().zip(used) {
        let unknown = ignore
            .names
            .iter()
            .find(|name| Rule::of_name(name).is_none() && !OTHERS.contains(&name.as_str()));
        // Whether it hides a finding of squawk's, or one that needs more than the migrations, is
        // not known.
        let is_unknown = ignore.names.iter().any(|name| {
            let needs_more = Rule::of_name(name).is_some_and(Rule::needs_more);
            needs_more || OTHERS.contains(&name.as_str())
        });
        let message = match unknown {
            Some(name) => format!("there is no rule {name}"),
            None if !is_used && !is_unknown => "this comment hides no finding".to_owned(),
            None => continue,
        };
        findings.push(Finding {
            file,
            span: ignore.span.clone(),
            rule: Rule::UnusedIgnore,
            message,
            steps: Vec::new(),
            help: "correct the name, or remove the comment".to_owned(),
        });
    }
}

impl Ignore {
    fn hides(&self, rule: Rule) -> bool {
        (self.is_of_file && self.names.is_empty())
            || self
                .names
                .iter()
                .any(|name| Rule::of_name(name) == Some(rule))
    }
}

fn ignores(source: &str) -> Vec<Ignore> {
    let comments = tokens_and_comments(source).filter(|token| token.kind() == Kind::Comment);
    comments
        .filter_map(|token| {
            let text = token.text();
            let inner = text
                .strip_prefix("--")
                .or_else(|| text.strip_prefix("/*")?.strip_suffix("*/"))?
                .trim();
            let inner = inner.split("--").next().unwrap_or_default().trim();
            let (is_of_file, names) = match inner.strip_prefix("squawk-ignore-file") {
                Some(names) => (true, names),
                None => (false, inner.strip_prefix("squawk-ignore")?),
            };
            if !names.is_empty() && !names.starts_with(char::is_whitespace) {
                return None;
            }
            let names = names
                .split(',')
                .map(str::trim)
                .filter(|name| !name.is_empty());
            Some(Ignore {
                span: token.start()..token.end(),
                line: line_of(source, token.start()),
                is_of_file,
                names: names.map(str::to_owned).collect(),
            })
        })
        .collect()
}

/// Returns the line of a position, counted from 1.
pub(crate) fn line_of(source: &str, position: usize) -> usize {
    source[..position].matches('\n').count() + 1
}
