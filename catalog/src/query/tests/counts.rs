//! The number of queries for each verdict.

use std::collections::BTreeMap;

use super::comparison::{Failure, Verdict};
use super::differential::number;
use super::schema_run::Trial;
use super::wire::Refusal;

/// The number of queries for each verdict.
#[derive(Default)]
pub(super) struct Counts {
    pub(super) queries: usize,
    pub(super) valid: usize,
    pub(super) accepted: usize,
    /// The number of accepted queries that returned rows when they ran.
    with_rows: usize,
    pub(super) errors: usize,
    pub(super) refused: usize,
    /// The reasons of the checker, each with its number and its shortest query.
    reasons: Found,
    /// The errors of the server, with the same facts.
    invalid: Found,
    /// The failures by kind and by message without numbers, each with its number and its shortest
    /// report.
    pub(super) failures: Found,
}

impl Counts {
    /// Tries the query that these choices determine, and counts the verdict.
    pub(super) fn add(&mut self, trial: &mut Trial<'_>, schema: &str, choices: &[u16]) {
        let (sql, verdict) = trial.try_query(choices);
        let Some(failure) = self.count(trial, &sql, verdict) else {
            return;
        };
        let (sql, failure) = trial.shortest(choices, failure);
        let named = named(schema, &sql).join("\n");
        let report = format!("{}: {sql}\n{}\n{named}\n", failure.class, failure.words);
        self.fail(&failure, &report);
    }

    /// Counts the verdict of a query. Returns its failure, if it has one.
    pub(super) fn count(
        &mut self,
        trial: &mut Trial<'_>,
        sql: &str,
        verdict: Verdict,
    ) -> Option<Failure> {
        self.queries += 1;
        match trial.server.describe(sql) {
            Ok(_) => self.valid += 1,
            Err(Refusal { code, message }) => {
                let message = message.split('"').step_by(2).collect::<String>();
                let key = without_digits(&message);
                add(&mut self.invalid, format!("{code} {key}"), sql);
            }
        }
        match verdict {
            Verdict::Accepted { rows } => {
                self.accepted += 1;
                self.with_rows += usize::from(rows > 0);
            }
            Verdict::Error => self.errors += 1,
            Verdict::Refused(fault) => self.refuse(&fault.to_string(), sql),
            Verdict::Wrong(failure) => return Some(failure),
        }
        None
    }

    fn refuse(&mut self, reason: &str, sql: &str) {
        self.refused += 1;
        add(&mut self.reasons, without_digits(reason), sql);
    }

    pub(super) fn fail(&mut self, failure: &Failure, report: &str) {
        // Messages contain names and types. So errors are grouped by their SQLSTATEs and by
        // PostgreSQL's words.
        let words = failure.words.rsplit("the server reports ").next();
        let words = words.unwrap_or_default().split('"').step_by(2);
        let words = without_digits(&words.collect::<String>());
        let words: String = words.chars().take(18).collect();
        let ours: String = failure.words.chars().take(5).collect();
        let ours = if failure.class == "value" { "" } else { &ours };
        let key = format!("{} {ours} {words}", failure.class);
        add(&mut self.failures, key, report);
    }

    pub(super) fn print(&self) {
        print("refused by the server", &self.invalid);
        print("refused", &self.reasons);
        let Self {
            queries,
            valid,
            accepted,
            with_rows,
            errors,
            refused,
            ..
        } = self;
        eprintln!(
            "{queries} queries, {valid} valid on the server; {accepted} accepted with the same types ({with_rows} returned rows), \
             {errors} errors with the same SQLSTATE, {refused} refused"
        );
    }
}

type Found = BTreeMap<String, (usize, String)>;

/// Counts a text under a key, and keeps the shortest.
fn add(found: &mut Found, key: String, text: &str) {
    let (count, shortest) = found.entry(key).or_insert((0, text.to_owned()));
    *count += 1;
    if text.len() < shortest.len() {
        *shortest = text.to_owned();
    }
}

fn without_digits(text: &str) -> String {
    text.chars().filter(|c| !c.is_ascii_digit()).collect()
}

/// Prints the most frequent ones.
fn print(title: &str, found: &Found) {
    let mut found: Vec<_> = found.iter().collect();
    found.sort_by_key(|(_, (count, _))| std::cmp::Reverse(*count));
    let most = number("BOWLINE_REASONS", 25) as usize;
    for (reason, (count, sql)) in found.into_iter().take(most) {
        eprintln!("{count:6} {title}: {reason}\n       {sql}");
    }
}

/// Returns the statements of a schema that a query names.
fn named<'s>(schema: &'s str, sql: &str) -> Vec<&'s str> {
    let lines = schema.lines().filter(|line| {
        let name = line.split(['(', ' ']).nth(2).unwrap_or_default();
        let name = name.rsplit('.').next().unwrap_or_default();
        !name.is_empty() && sql.contains(name)
    });
    lines.collect()
}
