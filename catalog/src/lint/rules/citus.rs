//! Tables that Citus distributes: what it refuses, and what copies rows while programs wait.

use std::collections::BTreeSet;

use bowline_migrations::SqlFile;
use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::index;
use crate::Relation;
use crate::lint::Finding;
use crate::lint::rewrite::{self, Step};
use crate::lint::rule::Rule;
use crate::lint::scope::Scope;
use crate::query::{Checker, Shards};
use crate::replay::Refusal;
use crate::replay::syntax::routine::{callee, calls_in};
use crate::replay::syntax::tree::text;

const CONCURRENTLY: &str = "create_distributed_table_concurrently";

/// Returns the findings on statements that replay does not follow, since Citus refuses them.
pub(in crate::lint) fn refused(refusals: &[Refusal], files: &[&SqlFile]) -> Vec<Finding> {
    let of_citus = refusals.iter().filter(|refusal| refusal.is_by_citus());
    let found = of_citus.filter_map(|refusal| {
        Some(Finding {
            file: files.iter().position(|file| file.path == refusal.file)?,
            span: refusal.span.clone(),
            rule: Rule::RefusedByCitus,
            message: refusal.why.clone(),
            steps: Vec::new(),
            help: refusal.hint.clone(),
        })
    });
    found.collect()
}

/// A statement on rows that Citus refuses: a change of the distribution column, a volatile function
/// in an UPDATE, a join that is not on it.
pub(super) fn rows(scope: &mut Scope<'_>) {
    use SyntaxKind as K;
    let node = scope.node;
    let catalog = scope.state.catalog();
    let is_on_rows = matches!(node.kind(), K::UPDATE | K::DELETE | K::INSERT | K::MERGE);
    if !is_on_rows || !catalog.is_distributed() {
        return;
    }
    let Ok(query) = Checker::new(catalog).check(&text(node)) else {
        return;
    };
    if let Some(Shards::Refused(why)) = query.shards {
        scope.report(
            node,
            Rule::RefusedByCitus,
            format!("Citus refuses this: {why}"),
        );
    }
}

/// A call that copies the rows of a table in use.
pub(super) fn distribute(scope: &mut Scope<'_>) {
    let node = scope.node;
    let calls: Vec<(SyntaxNode, String)> = calls_in(node)
        .filter_map(|call| Some((call.clone(), callee(&call).pop()?)))
        .collect();
    if calls.iter().any(|(_, name)| name == CONCURRENTLY) {
        return index::in_transaction(scope, CONCURRENTLY);
    }
    let waiting: BTreeSet<&str> = calls.iter().filter_map(|(_, name)| waiting(name)).collect();
    // Readers wait for the stronger lock, and it comes first in the alphabet.
    let Some(waiting) = waiting.first() else {
        return;
    };
    let tables = changed(scope);
    if tables.is_empty() {
        return;
    }
    let steps = concurrent(&calls);
    let help = match steps.is_empty() {
        true => {
            "Citus has no form of it that lets programs go on: run it while little uses the table"
        }
        false => "it needs wal_level = logical on each server, and a primary key of each table",
    };
    scope
        .report(
            node,
            Rule::DistributingUsedTable,
            format!(
                "{waiting} of {} wait while all rows are copied",
                tables.join(", ")
            ),
        )
        .steps(steps)
        .help(help);
}

/// Returns who waits for a function that copies rows: it holds EXCLUSIVE or ACCESS EXCLUSIVE.
fn waiting(function: &str) -> Option<&'static str> {
    match function {
        "create_distributed_table" | "create_reference_table" | "citus_schema_distribute" => {
            Some("writers")
        }
        "undistribute_table" | "alter_distributed_table" | "citus_schema_undistribute" => {
            Some("readers and writers")
        }
        _ => None,
    }
}

/// Returns the tables in use that are distributed in another way after the statement.
fn changed(scope: &Scope<'_>) -> Vec<String> {
    let Some(start) = scope.start else {
        return Vec::new();
    };
    let old = &start.catalog().relations;
    let is_changed = |relation: &&Relation| {
        let before = old.get(&relation.name);
        scope.is_used(&relation.name)
            && relation.partition_bound.is_none()
            && before.is_some_and(|before| before.distribution != relation.distribution)
    };
    let relations = scope.state.catalog().relations.values();
    let changed = relations.filter(is_changed);
    changed
        .map(|relation| rewrite::relation(&relation.name))
        .collect()
}

/// Returns the calls of `create_distributed_table` as those of the function that lets writers go
/// on; none if another function is called.
fn concurrent(calls: &[(SyntaxNode, String)]) -> Vec<Step> {
    let steps = calls.iter().map(|(call, name)| {
        let sql = text(call);
        let rest = sql.strip_prefix(name.as_str())?;
        let is_it = name == "create_distributed_table";
        is_it.then(|| Step::alone(format!("SELECT {CONCURRENTLY}{rest};")))
    });
    steps.collect::<Option<Vec<Step>>>().unwrap_or_default()
}
