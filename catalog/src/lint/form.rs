//! The steps in which one statement is safe for a database in use.

mod rows;

use bowline_migrations::SqlFile;

use super::rewrite::Step;
use super::{Finding, Input, Linted, Options, lint};
use crate::replay::Refusal;

/// How a statement is run while programs use the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SafeForm {
    /// As it is: no rule has found anything. The findings are advice that says nothing of programs
    /// in use.
    AsItIs(Vec<Finding>),
    /// In steps, each of which is a migration. They end at the schema of the statement.
    Steps {
        /// The reasons not to run it as it is.
        why: Vec<Finding>,
        /// The steps.
        steps: Vec<Step>,
        /// Advice that says nothing of programs in use.
        advice: Vec<Finding>,
    },
    /// There are no such steps; the findings say why it is not safe, and what to do.
    Unsafe(Vec<Finding>),
    /// Several actions have steps of their own, so that each needs a statement of its own.
    Several(Vec<Finding>),
    /// It changes rows, and cannot do it in batches, for this reason.
    NoBatches(String),
    /// Replay cannot follow it, so that nothing is known of it.
    Refused(Box<Refusal>),
}

/// Returns how a statement is run after these migrations. All rules apply, also those that the
/// settings exclude for `lint`.
pub fn safe_form(migrations: &[Input<'_>], statement: &SqlFile, postgres: Option<u32>) -> SafeForm {
    let mut all = migrations.to_vec();
    all.push(Input {
        up: statement,
        in_transaction: true,
    });
    let options = Options {
        postgres,
        ..Options::default()
    };
    let Linted { findings, refusals } = lint(&all, &options);
    let of_it = |refusal: &Refusal| refusal.file == statement.path;
    if let Some(refusal) = refusals.into_iter().find(of_it) {
        return SafeForm::Refused(Box::new(refusal));
    }
    if let Some(form) = rows::form(migrations, statement) {
        return form;
    }
    let last = migrations.len();
    let findings = findings.into_iter().filter(|finding| finding.file == last);
    let (why, advice): (Vec<Finding>, Vec<Finding>) =
        findings.partition(|finding| finding.rule.is_about_use());
    let mut forms: Vec<&Vec<Step>> = Vec::new();
    for finding in why.iter().filter(|finding| !finding.steps.is_empty()) {
        if !forms.contains(&&finding.steps) {
            forms.push(&finding.steps);
        }
    }
    let has_other = why.iter().any(|finding| finding.steps.is_empty());
    match forms.as_slice() {
        [] if why.is_empty() => SafeForm::AsItIs(advice),
        [] => SafeForm::Unsafe(why),
        [steps] if !has_other => SafeForm::Steps {
            steps: (*steps).clone(),
            why,
            advice,
        },
        _ => SafeForm::Several(why),
    }
}
