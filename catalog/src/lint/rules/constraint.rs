//! Constraints that are added to a table in use.

use bowline_sql::quote::identifier;
use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::not_null;
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

/// A CHECK of a new column.
pub(super) fn check_column(scope: &mut Scope<'_>, action: &SyntaxNode, clause: &SyntaxNode) {
    if !has_below(clause, SyntaxKind::NOT_ENFORCED) {
        of_column(scope, action, clause, Rule::ConstraintMissingNotValid, "");
    }
}

/// A REFERENCES of a new column.
pub(super) fn references_column(
    scope: &mut Scope<'_>,
    action: &SyntaxNode,
    clause: &SyntaxNode,
    column: &str,
) {
    let head = format!("FOREIGN KEY ({}) ", identifier(column));
    of_column(
        scope,
        action,
        clause,
        Rule::AddingForeignKeyConstraint,
        &head,
    );
}

/// UNIQUE of a new column.
pub(super) fn unique_column(
    scope: &mut Scope<'_>,
    action: &SyntaxNode,
    clause: &SyntaxNode,
    column: &str,
) {
    let constraint = of_one_column(scope, column);
    let plain = add_plain(scope, action, clause);
    if let Some(finding) = key(scope, action, constraint, Rule::DisallowedUniqueConstraint) {
        finding.steps.insert(0, plain);
    }
}

/// PRIMARY KEY of a new column.
pub(super) fn primary_column(
    scope: &mut Scope<'_>,
    action: &SyntaxNode,
    clause: &SyntaxNode,
    column: &str,
) {
    let constraint = of_one_column(scope, column);
    let table = scope.table_sql();
    let plain = scope.before.first().map_or("", |table| &table.name.name);
    let not_null = not_null::steps(&table, plain, column, scope.postgres);
    let first = add_plain(scope, action, clause);
    if let Some(finding) = key(scope, action, constraint, Rule::AddingSerialPrimaryKeyField) {
        let fill = Step::new(format!(
            "-- In batches, each in a transaction of its own:\nUPDATE {table} SET {} = .. WHERE {} IS NULL;",
            identifier(column),
            identifier(column)
        ));
        let steps = std::mem::take(&mut finding.steps);
        finding.steps = [vec![first, fill], not_null, steps].concat();
    }
}

fn of_one_column(scope: &Scope<'_>, column: &str) -> Option<Constraint> {
    added(scope, |kind| match kind {
        ConstraintKind::Unique { columns, .. } | ConstraintKind::PrimaryKey { columns } => {
            columns.as_slice() == [column.to_owned()]
        }
        _ => false,
    })
}

fn add_plain(scope: &Scope<'_>, action: &SyntaxNode, clause: &SyntaxNode) -> Step {
    let column = without(action, std::slice::from_ref(clause));
    Step::new(format!("ALTER TABLE {} {column};", scope.table_sql()))
}

/// Reports a constraint that PostgreSQL can add without reading the rows.
fn not_valid(scope: &mut Scope<'_>, action: &SyntaxNode, clause: &SyntaxNode, rule: Rule) {
    let table = scope.table_sql();
    let name = name_of(scope, clause);
    let body = body(clause);
    let quoted = identifier(&name);
    let is_partitioned = scope
        .before
        .first()
        .is_some_and(|table| table.kind == RelationKind::PartitionedTable);
    let steps = if is_partitioned && rule == Rule::AddingForeignKeyConstraint && scope.postgres < 18
    {
        // NOT VALID foreign keys of partitioned tables came with PostgreSQL 18.
        Vec::new()
    } else {
        vec![
            Step::new(format!(
                "ALTER TABLE {table} ADD CONSTRAINT {quoted} {body} NOT VALID;"
            )),
            Step::new(format!("ALTER TABLE {table} VALIDATE CONSTRAINT {quoted};")),
        ]
    };
    let waits = match rule {
        Rule::AddingForeignKeyConstraint => "writers of both tables wait",
        _ => "its readers and writers wait",
    };
    scope
        .report(
            action,
            rule,
            format!("all rows of {table} are read for {name} while {waits}"),
        )
        .steps(steps);
}

/// Reports a constraint in the definition of a new column.
fn of_column(
    scope: &mut Scope<'_>,
    action: &SyntaxNode,
    clause: &SyntaxNode,
    rule: Rule,
    head: &str,
) {
    let table = scope.table_sql();
    let name = name_of(scope, clause);
    let quoted = identifier(&name);
    let plain = add_plain(scope, action, clause);
    let steps = vec![
        Step::new(format!(
            "{}\nALTER TABLE {table} ADD CONSTRAINT {quoted} {head}{} NOT VALID;",
            plain.sql,
            body(clause)
        )),
        Step::new(format!("ALTER TABLE {table} VALIDATE CONSTRAINT {quoted};")),
    ];
    scope
        .report(
            action,
            rule,
            format!("all rows of {table} are read for {name} while its readers and writers wait"),
        )
        .steps(steps);
}

fn primary_key(scope: &mut Scope<'_>, action: &SyntaxNode, clause: &SyntaxNode) {
    let constraint = added(scope, |kind| {
        matches!(kind, ConstraintKind::PrimaryKey { .. })
    });
    let table = scope.table_sql();
    let plain = scope.before.first().map_or("", |table| &table.name.name);
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
        .flat_map(|column| not_null::steps(&table, plain, column, scope.postgres))
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
    if let Some(finding) = key(scope, action, constraint, Rule::AddingSerialPrimaryKeyField) {
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
) -> Option<&'s mut crate::lint::Finding> {
    let table = scope.table_sql();
    let steps = constraint
        .as_ref()
        .map(|constraint| key_steps(scope, constraint));
    let finding = scope.report(
        action,
        rule,
        format!("the index of the key is built while readers and writers of {table} wait"),
    );
    finding.steps = steps.unwrap_or_default();
    Some(finding)
}

/// Returns the steps that build the index first.
fn key_steps(scope: &Scope<'_>, constraint: &Constraint) -> Vec<Step> {
    let (word, columns) = match &constraint.kind {
        ConstraintKind::PrimaryKey { columns } => ("PRIMARY KEY", columns),
        ConstraintKind::Unique { columns, .. } => ("UNIQUE", columns),
        _ => return Vec::new(),
    };
    let table = scope.table_after();
    let is_partitioned = table.is_some_and(|table| table.kind == RelationKind::PartitionedTable);
    // Neither a key with WITHOUT OVERLAPS nor one of a partitioned table can take over an index.
    if constraint.temporal || is_partitioned {
        return Vec::new();
    }
    let index = table.and_then(|table| {
        let mut indexes = table.indexes.iter();
        indexes.find(|index| index.name == constraint.name)
    });
    let include = match index.map(|index| index.included.as_slice()) {
        Some(included) if !included.is_empty() => {
            format!(" INCLUDE ({})", rewrite::columns(included))
        }
        _ => String::new(),
    };
    let nulls = match index.is_some_and(|index| index.nulls_not_distinct) {
        true => " NULLS NOT DISTINCT",
        false => "",
    };
    let deferral = match (constraint.deferrable, constraint.initially_deferred) {
        (_, true) => " INITIALLY DEFERRED",
        (true, false) => " DEFERRABLE",
        (false, false) => "",
    };
    let (table, name) = (scope.table_sql(), identifier(&constraint.name));
    let list = rewrite::columns(columns);
    vec![
        Step::alone(format!(
            "CREATE UNIQUE INDEX CONCURRENTLY {name} ON {table} ({list}){include}{nulls};"
        )),
        Step::new(format!(
            "ALTER TABLE {table} ADD CONSTRAINT {name} {word} USING INDEX {name}{deferral};"
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
