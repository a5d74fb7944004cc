//! The proof that a safe form ends at the schema of its statement: both are replayed.

use std::collections::BTreeMap;

use super::Finding;
use super::rewrite::Step;
use super::rule::Rule;
use crate::Catalog;
use crate::compare::compare;
use crate::replay::state::State;
use crate::replay::state_after;

/// The advice in place of a safe form that does not end at the schema of its statement.
pub(super) const NO_FORM: &str = "there is no safe form in steps that ends at the same schema: run it while little uses the table";

/// Removes the safe forms that do not end at the schema of the statement.
pub(super) fn keep_proven(findings: &mut [Finding], start: &State, end: &State) {
    let mut disproven: Option<Vec<Step>> = None;
    let mut proven: Option<Vec<Step>> = None;
    for finding in findings.iter_mut() {
        if finding.steps.is_empty() || proven.as_ref() == Some(&finding.steps) {
            continue;
        }
        if disproven.as_ref() != Some(&finding.steps) && holds(finding, start, end) {
            proven = Some(finding.steps.clone());
            continue;
        }
        disproven = Some(std::mem::take(&mut finding.steps));
        if finding.help.is_empty() {
            finding.help = NO_FORM.to_owned();
        }
    }
}

fn holds(finding: &Finding, start: &State, end: &State) -> bool {
    let mut state = start.clone();
    for step in &finding.steps {
        for statement in bowline_sql::statements(&step.sql) {
            // Rows are no part of the schema, and the value of some is the reader's to choose.
            if statement
                .tokens()
                .next()
                .is_none_or(|word| word.is_word("update"))
            {
                continue;
            }
            match state_after(state, statement.text()) {
                Some(next) => state = next,
                None => return false,
            }
        }
    }
    // The new column is the last one.
    let moves_columns = [Rule::ChangingColumnType, Rule::RenamingColumn].contains(&finding.rule);
    is_same(end.catalog(), state.catalog(), moves_columns)
}

fn is_same(expected: &Catalog, actual: &Catalog, in_any_order: bool) -> bool {
    if expected == actual {
        return true;
    }
    // Only what differs is compared: a database has hundreds of tables, and a form changes one.
    let (expected, actual) = (
        different(expected, actual, in_any_order),
        different(actual, expected, in_any_order),
    );
    compare(&expected, &actual).is_empty()
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
