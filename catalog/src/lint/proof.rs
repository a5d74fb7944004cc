//! The proof that a safe form ends at the schema of its statement: both are replayed.

use std::collections::BTreeMap;

use super::Finding;
use super::rewrite::Step;
use super::rule::Rule;
use crate::Catalog;
use crate::compare::compare;
use crate::replay::state::State;
use crate::replay::state_or_reason;

/// Returns the text of a finding for which there is no safe form, with the reason.
pub(super) fn no_form(why: &str) -> String {
    format!("there is no safe form in steps: {why}")
}

/// Removes the safe forms that do not end at the schema of the statement.
pub(super) fn keep_proven(findings: &mut [Finding], start: &State, end: &State) {
    let mut disproven: Option<(Vec<Step>, String)> = None;
    let mut proven: Option<Vec<Step>> = None;
    for finding in findings.iter_mut() {
        if finding.steps.is_empty() || proven.as_ref() == Some(&finding.steps) {
            continue;
        }
        let known = disproven.take();
        let known = known.filter(|(steps, _)| *steps == finding.steps);
        let why = match known {
            Some((_, why)) => why,
            None => match prove(finding, start, end) {
                Ok(()) => {
                    proven = Some(finding.steps.clone());
                    continue;
                }
                Err(why) => why,
            },
        };
        if finding.help.is_empty() {
            finding.help = no_form(&why);
        }
        disproven = Some((std::mem::take(&mut finding.steps), why));
    }
}

/// Fails with the reason unless the steps end at the schema of the statement.
fn prove(finding: &Finding, start: &State, end: &State) -> Result<(), String> {
    let mut state = start.clone();
    for (number, step) in finding.steps.iter().enumerate() {
        for statement in bowline_sql::statements(&step.sql) {
            // Rows are no part of the schema, and the value of some is the reader's to choose.
            if statement
                .tokens()
                .next()
                .is_none_or(|word| word.is_word("update"))
            {
                continue;
            }
            state = state_or_reason(state, statement.text()).map_err(|why| {
                let (number, total) = (number + 1, finding.steps.len());
                format!("step {number} of {total} fails, since {why}")
            })?;
        }
    }
    // The new column is the last one.
    let moves_columns = [Rule::ChangingColumnType, Rule::RenamingColumn].contains(&finding.rule);
    match difference(end.catalog(), state.catalog(), moves_columns) {
        None => Ok(()),
        Some(difference) => Err(format!("they would end at another schema: {difference}")),
    }
}

/// Returns the first difference of two catalogs in words.
fn difference(expected: &Catalog, actual: &Catalog, in_any_order: bool) -> Option<String> {
    if expected == actual {
        return None;
    }
    // Only what differs is compared: a database has hundreds of tables, and a form changes one.
    let (expected, actual) = (
        different(expected, actual, in_any_order),
        different(actual, expected, in_any_order),
    );
    let differences = compare(&expected, &actual);
    let first = differences.first()?;
    Some(first.sentence("the schema of the statement", "that of the steps"))
}

fn different(catalog: &Catalog, other: &Catalog, in_any_order: bool) -> Catalog {
    let mut relations = rest(&catalog.relations, &other.relations);
    if in_any_order {
        for relation in relations.values_mut() {
            relation.columns.sort_by(|a, b| a.name.cmp(&b.name));
        }
    }
    let is_other = |routine: &&crate::routine::Routine| !other.routines.contains(routine);
    Catalog {
        relations,
        sequences: rest(&catalog.sequences, &other.sequences),
        types: rest(&catalog.types, &other.types),
        routines: catalog.routines.iter().filter(is_other).cloned().collect(),
        gaps: catalog.gaps.clone(),
        ..Catalog::default()
    }
}

fn rest<K: Ord + Clone, V: PartialEq + Clone>(
    all: &BTreeMap<K, V>,
    other: &BTreeMap<K, V>,
) -> BTreeMap<K, V> {
    let rest = all
        .iter()
        .filter(|(key, value)| other.get(key) != Some(value));
    rest.map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}
