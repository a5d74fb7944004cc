//! Finds statements of migrations that are not safe for a database in use.
//!
//! The migrations are replayed, so that a rule sees the schema before and after each statement: it
//! is silent on a table that the same migration creates, on a column that cannot hold NULL anyway,
//! on a type change that writes nothing. Each finding has the safe form of its statement.
//!
//! - `rule`: the names. Those that squawk has too are squawk's.
//! - `rules`: a function for each rule, by the object that it is about.
//! - `scope`: a statement with what the rules may ask about it.
//! - `actions`: ALTER TABLE as one statement for each action.
//! - `proof`: a safe form ends at the schema of its statement, or it is not shown.
//! - `form`: the steps of one statement, for `bowline new --safe`.
//! - `moments`: the schema after each statement, for questions that are no rules.
//! - `history`: what is decided at the end, when all indexes are known.
//! - `statistics`: extended statistics, which the catalog does not have.
//! - `ignore`: comments that hide findings.

mod actions;
mod form;
mod history;
mod ignore;
mod moments;
mod null_test;
mod proof;
mod rewrite;
mod rule;
mod rules;
mod scope;
mod statistics;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use bowline_migrations::SqlFile;
use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::replay::state::State;
use crate::replay::watch::Watch;
use crate::replay::{Refusal, is_of_citus, replay_watched};
use crate::{Name, Relation};
use history::Origins;
use scope::Scope;
use statistics::Statistics;

pub use form::{SafeForm, safe_form};
pub use moments::{Moment, each_statement};
pub use rewrite::Step;
pub use rule::Rule;

/// A migration.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// The SQL that runs it.
    pub up: &'a SqlFile,
    /// True if it runs in a transaction.
    pub in_transaction: bool,
}

/// A statement that is not safe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The index of the migration.
    pub file: usize,
    /// The position in its text, in bytes.
    pub span: Range<usize>,
    /// The rule.
    pub rule: Rule,
    /// The reason, with the names of this statement.
    pub message: String,
    /// The safe form; empty if there is none in SQL.
    pub steps: Vec<Step>,
    /// What to do in words; may be empty.
    pub help: String,
}

impl Finding {
    /// Returns the line in a source, counted from 1.
    pub fn line(&self, source: &str) -> usize {
        ignore::line_of(source, self.span.start)
    }
}

/// The result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Linted {
    /// The findings, in the order of the files and positions.
    pub findings: Vec<Finding>,
    /// Statements that replay could not follow. Rules know less of the schema after them.
    pub refusals: Vec<Refusal>,
}

/// Settings of the rules.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The oldest version of PostgreSQL that the database can have; the oldest supported one if
    /// not given.
    pub postgres: Option<u32>,
    /// Rules that are left out.
    pub excluded: BTreeSet<Rule>,
    /// Rules that apply although they are opt-in.
    pub included: BTreeSet<Rule>,
}

impl Options {
    fn applies(&self, rule: Rule) -> bool {
        !self.excluded.contains(&rule) && (!rule.is_opt_in() || self.included.contains(&rule))
    }
}

/// Returns the findings on migrations.
pub fn lint(migrations: &[Input<'_>], options: &Options) -> Linted {
    lint_with(migrations, options, |_, _| Vec::new())
}

/// Returns the findings on migrations, with those of a caller who knows more than the migrations:
/// the code of a release, or what a server measured. `more` is called with all findings, and with
/// those that no setting and no comment hides. Both apply to what it returns.
pub fn lint_with(
    migrations: &[Input<'_>],
    options: &Options,
    more: impl FnOnce(&[Finding], &[Finding]) -> Vec<Finding>,
) -> Linted {
    let files: Vec<&SqlFile> = migrations.iter().map(|migration| migration.up).collect();
    let mut linter = Linter {
        migrations,
        postgres: options.postgres.unwrap_or(0),
        transaction: Transaction::default(),
        before: Vec::new(),
        findings: Vec::new(),
        origins: Origins::default(),
        statistics: Vec::new(),
    };
    let replayed = replay_watched(&files, &mut linter);
    let Linter {
        mut findings,
        origins,
        ..
    } = linter;
    findings.extend(origins.findings(&replayed.catalog));
    findings.extend(rules::refused(&replayed.refusals, &files));
    let all = findings.clone();
    findings.retain(|finding| options.applies(finding.rule));
    let mut shown = findings.clone();
    hide(&files, &mut shown);
    let more = more(&all, &shown);
    if more.is_empty() {
        findings = shown;
    } else {
        findings.extend(more);
        hide(&files, &mut findings);
    }
    findings.retain(|finding| options.applies(finding.rule));
    findings.sort_by_key(|finding| (finding.file, finding.span.start, finding.rule));
    findings.dedup_by(|a, b| (a.file, &a.span, a.rule) == (b.file, &b.span, b.rule));
    Linted {
        findings,
        refusals: replayed.refusals,
    }
}

/// Applies the comments of each file.
fn hide(files: &[&SqlFile], findings: &mut Vec<Finding>) {
    for (number, file) in files.iter().enumerate() {
        ignore::apply(number, &file.text, findings);
    }
}

/// The transaction that is open, or the statement that is one by itself.
#[derive(Default)]
struct Transaction {
    file: usize,
    /// The number of statements of the file.
    statements: usize,
    /// Whether a statement runs in a transaction with others.
    is_open: bool,
    /// The relations that existed when it began.
    existing: BTreeSet<Name>,
    /// The types that existed when it began.
    existing_types: BTreeSet<Name>,
    /// Constraints that it added as NOT VALID.
    not_valid: BTreeSet<(Name, String)>,
    /// Labels that it added to enums that existed before, with the enum.
    labels: BTreeMap<String, Name>,
    /// True if the file has set the time zone of the session to UTC.
    is_utc: bool,
    /// The names of tables in CREATE TABLE, for statements that replay refuses.
    created: BTreeSet<String>,
}

/// The findings so far.
struct Linter<'a> {
    migrations: &'a [Input<'a>],
    /// The oldest version of PostgreSQL that the database can have; 0 if not given.
    postgres: u32,
    transaction: Transaction,
    /// The relations that the statement names, before it.
    before: Vec<Relation>,
    findings: Vec<Finding>,
    origins: Origins,
    statistics: Vec<Statistics>,
}

impl Linter<'_> {
    /// Applies rules to a statement. The safe forms are shown if they are proven from `start` on.
    fn check(
        &mut self,
        node: &SyntaxNode,
        before: &[Relation],
        start: Option<&State>,
        state: &State,
        rules: impl FnOnce(&mut Scope<'_>),
    ) {
        let from = self.findings.len();
        rules(&mut Scope {
            node,
            before,
            start,
            state,
            transaction: &self.transaction,
            postgres: self.postgres,
            statistics: &self.statistics,
            findings: &mut self.findings,
        });
        if let Some(start) = start {
            proof::keep_proven(&mut self.findings[from..], start, state);
        }
    }

    fn begin_transaction(&mut self, state: &State, is_open: bool) {
        let (file, statements) = (self.transaction.file, self.transaction.statements);
        // A COMMIT ends a SET LOCAL.
        let is_utc = is_open && self.transaction.is_utc;
        self.transaction = Transaction {
            file,
            statements,
            is_utc,
            is_open,
            existing: state.catalog().relations.keys().cloned().collect(),
            existing_types: state.catalog().types.keys().cloned().collect(),
            ..Transaction::default()
        };
    }
}

impl Watch for Linter<'_> {
    fn begin(&mut self, number: usize, state: &State) {
        let migration = &self.migrations[number];
        self.transaction.file = number;
        self.transaction.is_utc = false;
        self.transaction.statements = bowline_sql::statements(&migration.up.text).count();
        // Several statements of one file without a transaction are one all the same: they are sent
        // together.
        let is_open = migration.in_transaction || self.transaction.statements > 1;
        self.begin_transaction(state, is_open);
    }

    fn before(&mut self, node: &SyntaxNode, state: &State) -> bool {
        self.before = scope::relations(node, state);
        let is_used = |table: &Relation| self.transaction.existing.contains(&table.name);
        match node.kind() {
            SyntaxKind::ALTER_TABLE | SyntaxKind::CREATE_INDEX | SyntaxKind::DROP_INDEX => {
                self.before.iter().any(is_used)
            }
            SyntaxKind::ALTER_DOMAIN => true,
            SyntaxKind::SELECT => is_of_citus(node),
            _ => false,
        }
    }

    fn after(&mut self, node: &SyntaxNode, start: Option<State>, state: &State) {
        match node.kind() {
            SyntaxKind::BEGIN => return self.begin_transaction(state, true),
            SyntaxKind::COMMIT_TRANSACTION | SyntaxKind::ROLLBACK_TRANSACTION => {
                return self.begin_transaction(state, false);
            }
            _ => {}
        }
        let before = std::mem::take(&mut self.before);
        // A statement that replay refused has changed nothing, so that nothing can be proven of it.
        let start = start.filter(|start| start.catalog() != state.catalog());
        let split = start.as_ref().and_then(|start| actions::split(node, start));
        match split {
            Some(actions) => {
                for action in &actions {
                    let before = scope::relations(node, &action.before);
                    let start = Some(&action.before);
                    self.check(node, &before, start, &action.after, |scope| {
                        rules::action(scope, &action.node);
                    });
                }
                self.check(node, &before, None, state, rules::statement);
            }
            None => self.check(node, &before, start.as_ref(), state, |scope| {
                for action in actions::of(node) {
                    rules::action(scope, &action);
                }
                rules::statement(scope);
            }),
        }
        self.origins
            .note(node, &before, state, self.transaction.file);
        self.transaction.note(node, &before, state);
        statistics::note(&mut self.statistics, node, &before, state);
    }
}

impl Transaction {
    /// Records what a statement did.
    fn note(&mut self, node: &SyntaxNode, before: &[Relation], state: &State) {
        if let Some(is_utc) = scope::sets_utc(node) {
            self.is_utc = is_utc;
        }
        match node.kind() {
            SyntaxKind::CREATE_TABLE | SyntaxKind::CREATE_TABLE_AS => {
                self.created.extend(scope::created_table(node));
            }
            SyntaxKind::ALTER_TABLE => {
                // A renamed table is no new one.
                if let [subject] = before
                    && self.existing.contains(&subject.name)
                    && let Some(new) = scope::renamed(node, subject, state)
                {
                    self.existing.insert(new);
                }
                self.not_valid.extend(scope::added_not_valid(before, state));
            }
            SyntaxKind::DROP_TABLE
            | SyntaxKind::DROP_VIEW
            | SyntaxKind::DROP_MATERIALIZED_VIEW
            | SyntaxKind::DROP_SCHEMA => {
                // A new one of the same name is a new one.
                let relations = &state.catalog().relations;
                self.existing.retain(|name| relations.contains_key(name));
            }
            SyntaxKind::ALTER_TYPE => {
                if let Some((label, name)) = rules::added_label(node, state)
                    && self.existing_types.contains(&name)
                {
                    self.labels.insert(label, name);
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
