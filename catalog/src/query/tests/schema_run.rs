//! A schema on a server and in the checker, and queries that are tried with both.

use super::choices::Choices;
use super::comparison::{Check, Failure, Verdict, judge};
use super::differential::number;
use super::query_names::QueryNames;
use super::rows;
use super::server::Server;
use super::statement::statement;
use super::values::Labels;
use crate::Catalog;

/// One schema on the server and in the checker.
pub(super) struct Trial<'s> {
    pub(super) server: &'s mut Server,
    pub(super) world: &'s QueryNames,
    pub(super) catalog: &'s Catalog,
    pub(super) check: &'s Check<'s>,
    pub(super) labels: &'s Labels,
    /// The choices of parameters.
    pub(super) rows: &'s [u16],
}

impl Trial<'_> {
    /// Tries the query that these choices determine.
    pub(super) fn try_query(&mut self, choices: &[u16]) -> (String, Verdict) {
        let sql = statement(self.world, choices);
        let verdict = self.try_sql(&sql);
        (sql, verdict)
    }

    /// Compares the answers of the checker and the server to a query. Runs it if both accept it.
    pub(super) fn try_sql(&mut self, sql: &str) -> Verdict {
        let query = match judge(self.catalog, self.check, self.server, sql) {
            Ok(query) => query,
            Err(verdict) => return verdict,
        };
        let mut choices = Choices::new(self.rows);
        let nullable = vec![true; query.parameters.len()];
        let with_null = (self.check)(sql, &nullable);
        let ran = rows::run(self.server, &query, self.labels, &[0, 0], &mut choices);
        let mut found = ran.contradiction;
        let mut rows = ran.rows;
        if found.is_none() && !nullable.is_empty() {
            match with_null {
                Ok(query) => {
                    let ran = rows::run(self.server, &query, self.labels, &[50, 100], &mut choices);
                    found = ran.contradiction;
                    rows += ran.rows;
                }
                Err(fault) => found = Some(format!("refused if a parameter can be NULL: {fault}")),
            }
        }
        match found {
            Some(words) => Verdict::wrong("rows", words),
            None => Verdict::Accepted { rows },
        }
    }

    /// Returns the shortest query that fails in the same way.
    pub(super) fn shortest(&mut self, choices: &[u16], failure: Failure) -> (String, Failure) {
        let mut best = (statement(self.world, choices), failure);
        let mut choices = choices.to_vec();
        let mut attempts = number("BOWLINE_SHRINKS", 1500);
        loop {
            let before = best.0.len();
            for attempt in shorter(&choices) {
                attempts = attempts.saturating_sub(1);
                if attempts == 0 {
                    return best;
                }
                let sql = statement(self.world, &attempt);
                if sql.len() > best.0.len() || sql == best.0 {
                    continue;
                }
                if let (sql, Verdict::Wrong(failure)) = self.try_query(&attempt)
                    && failure.class == best.1.class
                {
                    best = (sql, failure);
                    choices = attempt;
                    break;
                }
            }
            if best.0.len() == before {
                return best;
            }
        }
    }
}

/// Returns lists of choices that are simpler: shorter ones first, then with choices replaced.
fn shorter(choices: &[u16]) -> Vec<Vec<u16>> {
    let mut found = Vec::new();
    let mut length = choices.len() / 2;
    while length > 0 {
        for at in (0..choices.len()).step_by(length) {
            let end = (at + length).min(choices.len());
            let mut fewer = choices.to_vec();
            fewer.drain(at..end);
            found.push(fewer);
            let mut zeros = choices.to_vec();
            zeros[at..end].fill(0);
            found.push(zeros);
        }
        length /= 2;
    }
    found
}
