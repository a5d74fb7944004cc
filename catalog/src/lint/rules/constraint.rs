//! Constraints that are added to a table in use.

use bowline_sql::quote::identifier;
use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::not_null;
use super::replace::concurrent;
use crate::lint::rewrite::{self, Step, without};
use crate::lint::rule::Rule;
use crate::lint::scope::Scope;
use crate::replay::syntax::clause::{given_name, named_column};
use crate::replay::syntax::tree::{child, child_name, has_below, text};
use crate::{Constraint, ConstraintKind, RelationKind};

/// `ADD CONSTRAINT`.
pub(super) fn add(scope: &mut Scope<'_>, action: &SyntaxNode) {
    use SyntaxKind as K;
    let Some(clause) = action.children().find(|clause| {
        use SyntaxKind as K;
        matches!(
            clause.kind(),
            K::CHECK_CONSTRAINT
                | K::FOREIGN_KEY_CONSTRAINT
                | K::UNIQUE_CONSTRAINT
                | K::PRIMARY_KEY_CONSTRAINT
                | K::EXCLUDE_CONSTRAINT
                | K::NOT_NULL_CONSTRAINT
        )
    }) else {
        return;
    };
    if has_below(&clause, K::NOT_VALID) || has_below(&clause, K::NOT_ENFORCED) {
        return;
    }
    match clause.kind() {
        K::CHECK_CONSTRAINT => not_valid(scope, action, &clause, Rule::ConstraintMissingNotValid),
        K::FOREIGN_KEY_CONSTRAINT => {
            not_valid(scope, action, &clause, Rule::AddingForeignKeyConstraint);
        }
        K::UNIQUE_CONSTRAINT if child(&clause, K::USING_INDEX_NAME).is_none() => {
            let constraint = added(scope, |kind| matches!(kind, ConstraintKind::Unique { .. }));
            key(scope, action, constraint, Rule::DisallowedUniqueConstraint);
        }
        K::PRIMARY_KEY_CONSTRAINT => primary_key(scope, action, &clause),
        K::EXCLUDE_CONSTRAINT => {
            let table = scope.table_sql();
            scope
                .report(
                    action,
                    Rule::ConstraintMissingNotValid,
                    format!("the index of the constraint is built while readers and writers of {table} wait"),
                )
                .help("PostgreSQL has no other way to add an exclusion constraint: run it when the table is small or little used");
        }
        K::NOT_NULL_CONSTRAINT => {
            let column = named_column(&clause);
            let is_not_null = scope
                .column_before(&column)
                .is_some_and(|found| found.not_null);
            if !is_not_null {
                not_valid(scope, action, &clause, Rule::AddingNotNullableField);
            }
        }
        _ => {}
    }
}

/// `VALIDATE CONSTRAINT` in the transaction that added the constraint: its lock is held.
pub(super) fn validate(scope: &mut Scope<'_>, action: &SyntaxNode) {
    let name = child_name(action, SyntaxKind::CONSTRAINT_NAME_REF).unwrap_or_default();
    let Some(table) = scope.used_table() else {
        return;
    };
    let key = (table.name.clone(), name.clone());
    if !scope.transaction.is_open || !scope.transaction.not_valid.contains(&key) {
        return;
    }
    let table = scope.table_sql();
    let step = Step::new(format!(
        "ALTER TABLE {table} VALIDATE CONSTRAINT {};",
        identifier(&name)
    ));
    scope
        .report(
            action,
            Rule::ConstraintMissingNotValid,
            format!("the lock of ADD CONSTRAINT {name} is held while all rows of {table} are read: both are in one transaction"),
        )
        .steps(vec![step])
        .help("validate it in a migration of its own");
}

/// Reports a constraint that PostgreSQL can add without reading the rows.
fn not_valid(scope: &mut Scope<'_>, action: &SyntaxNode, clause: &SyntaxNode, rule: Rule) {
    let table = scope.table_sql();
    let name = name_of(scope, clause);
    let body = body(clause);
    let quoted = identifier(&name);
    let steps = match rule {
        Rule::AddingForeignKeyConstraint if !takes_not_valid_keys(scope) => Vec::new(),
        _ => vec![
            Step::new(format!(
                "ALTER TABLE {table} ADD CONSTRAINT {quoted} {body} NOT VALID;"
            )),
            Step::new(format!("ALTER TABLE {table} VALIDATE CONSTRAINT {quoted};")),
        ],
    };
    let waits = match rule {
        Rule::AddingForeignKeyConstraint => "writers of both tables wait",
        _ => "its readers and writers wait",
    };
    let finding = scope.report(
        action,
        rule,
        format!("all rows of {table} are read for {name} while {waits}"),
    );
    let has_form = !steps.is_empty();
    finding.steps(steps);
    if !has_form {
        finding.help("a foreign key of a partitioned table is NOT VALID only from PostgreSQL 18 on: add it to each partition first, NOT VALID, and validate it there");
    }
}

/// Returns true if PostgreSQL accepts NOT VALID for a foreign key of the table. Partitioned tables
/// have it from version 18 on.
fn takes_not_valid_keys(scope: &Scope<'_>) -> bool {
    let mut tables = scope.before.iter();
    scope.postgres >= 18 || !tables.any(|table| table.kind == RelationKind::PartitionedTable)
}

/// Returns the statement that adds a constraint without reading the rows; `None` if PostgreSQL has
/// none.
pub(super) fn not_valid_sql(scope: &Scope<'_>, constraint: &Constraint) -> Option<String> {
    let is_reference = matches!(constraint.kind, ConstraintKind::ForeignKey { .. });
    if is_reference && !takes_not_valid_keys(scope) {
        return None;
    }
    let added = Constraint {
        validated: false,
        ..constraint.clone()
    };
    Some(format!(
        "ALTER TABLE {} ADD CONSTRAINT {} {};",
        scope.table_sql(),
        identifier(&constraint.name),
        added.sql(&[])
    ))
}

fn primary_key(scope: &mut Scope<'_>, action: &SyntaxNode, clause: &SyntaxNode) {
    let constraint = added(scope, |kind| {
        matches!(kind, ConstraintKind::PrimaryKey { .. })
    });
    let table = scope.table_sql();
    let nullable: Vec<String> = match constraint.as_ref().map(|found| &found.kind) {
        Some(ConstraintKind::PrimaryKey { columns }) => columns
            .iter()
            .filter(|column| {
                scope
                    .column_before(column)
                    .is_some_and(|found| !found.not_null)
            })
            .cloned()
            .collect(),
        _ => Vec::new(),
    };
    let not_null: Vec<Step> = nullable
        .iter()
        .flat_map(|column| not_null::steps(scope, column))
        .collect();
    if child(clause, SyntaxKind::USING_INDEX_NAME).is_some() {
        // With the index at hand, only NOT NULL reads the table.
        if !nullable.is_empty() {
            let list = rewrite::columns(&nullable);
            let same = Step::new(format!("ALTER TABLE {table} {};", text(action)));
            scope
                .report(
                    action,
                    Rule::AddingSerialPrimaryKeyField,
                    format!("all rows of {table} are read while its readers and writers wait, since {list} may hold NULL"),
                )
                .steps([not_null, vec![same]].concat());
        }
        return;
    }
    let finding = key(scope, action, constraint, Rule::AddingSerialPrimaryKeyField);
    if !finding.steps.is_empty() {
        let steps = std::mem::take(&mut finding.steps);
        finding.steps = [not_null, steps].concat();
    }
}

/// Reports a key whose index is built while the table is locked.
fn key<'s>(
    scope: &'s mut Scope<'_>,
    action: &SyntaxNode,
    constraint: Option<Constraint>,
    rule: Rule,
) -> &'s mut crate::lint::Finding {
    let table = scope.table_sql();
    let steps = constraint
        .as_ref()
        .map(|constraint| key_steps(scope, constraint));
    let mut tables = scope.before.iter();
    let is_partitioned = tables.any(|table| table.kind == RelationKind::PartitionedTable);
    let finding = scope.report(
        action,
        rule,
        format!("the index of the key is built while readers and writers of {table} wait"),
    );
    finding.steps = steps.unwrap_or_default();
    if finding.steps.is_empty() && is_partitioned {
        finding.help("build a unique index on each partition with CONCURRENTLY, and make it a constraint of the partition with ADD CONSTRAINT .. USING INDEX; the key of the partitioned table then takes over these constraints, but no mere indexes");
    }
    finding
}

/// Returns the words and columns of a key.
pub(super) fn key_columns(kind: &ConstraintKind) -> Option<(&'static str, &[String])> {
    match kind {
        ConstraintKind::PrimaryKey { columns } => Some(("PRIMARY KEY", columns)),
        ConstraintKind::Unique { columns, .. } => Some(("UNIQUE", columns)),
        _ => None,
    }
}

/// Returns the deferral of a key, as it follows its index.
pub(super) fn deferral(constraint: &Constraint) -> &'static str {
    match (constraint.deferrable, constraint.initially_deferred) {
        (_, true) => " INITIALLY DEFERRED",
        (true, false) => " DEFERRABLE",
        (false, false) => "",
    }
}

/// Returns the steps that build the index first.
pub(super) fn key_steps(scope: &Scope<'_>, constraint: &Constraint) -> Vec<Step> {
    let Some((word, _)) = key_columns(&constraint.kind) else {
        return Vec::new();
    };
    let Some(table) = scope.table_after() else {
        return Vec::new();
    };
    // Neither a key with WITHOUT OVERLAPS nor one of a partitioned table can take over an index.
    if constraint.temporal || table.kind == RelationKind::PartitionedTable {
        return Vec::new();
    }
    let mut indexes = table.indexes.iter();
    let Some(index) = indexes.find(|index| index.name == constraint.name) else {
        return Vec::new();
    };
    let name = identifier(&constraint.name);
    vec![
        concurrent(index, &table.name),
        Step::new(format!(
            "ALTER TABLE {} ADD CONSTRAINT {name} {word} USING INDEX {name}{};",
            scope.table_sql(),
            deferral(constraint)
        )),
    ]
}

/// Returns the first constraint of a kind that the statement added.
fn added(scope: &Scope<'_>, is_it: impl Fn(&ConstraintKind) -> bool) -> Option<Constraint> {
    let mut constraints = scope.added_constraints().into_iter();
    constraints
        .find(|constraint| is_it(&constraint.kind))
        .cloned()
}

/// Returns the name that a constraint has, or gets from PostgreSQL.
fn name_of(scope: &Scope<'_>, clause: &SyntaxNode) -> String {
    use SyntaxKind as K;
    if let Some(name) = given_name(clause) {
        return name;
    }
    let constraints = scope.added_constraints();
    let found = constraints.iter().find(|constraint| match clause.kind() {
        K::CHECK_CONSTRAINT => matches!(constraint.kind, ConstraintKind::Check { .. }),
        _ => matches!(constraint.kind, ConstraintKind::ForeignKey { .. }),
    });
    let table = scope
        .before
        .first()
        .map_or("table", |table| &table.name.name);
    match (found, clause.kind()) {
        (Some(found), _) => found.name.clone(),
        (None, K::NOT_NULL_CONSTRAINT) => format!("{table}_{}_not_null", named_column(clause)),
        (None, K::CHECK_CONSTRAINT) => format!("{table}_check"),
        (None, _) => format!("{table}_fkey"),
    }
}

/// Returns a constraint without its name.
fn body(clause: &SyntaxNode) -> String {
    let names: Vec<SyntaxNode> = clause
        .children()
        .filter(|child| child.kind() == SyntaxKind::CONSTRAINT_NAME_CLAUSE)
        .collect();
    without(clause, &names)
}
