//! What is dropped or emptied.

use bowline_sql::quote::identifier;
use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::lint::rewrite::{self, Step};
use crate::lint::rule::Rule;
use crate::lint::scope::Scope;
use crate::replay::syntax::clause::{cascades, named_column};
use crate::replay::syntax::tree::{children, has, name, text};
use crate::{ConstraintKind, Fill, Relation};

/// `DROP COLUMN`.
pub(super) fn column(scope: &mut Scope<'_>, action: &SyntaxNode) {
    let column = named_column(action);
    let table = scope.table_sql();
    let found = scope.column_before(&column);
    if found.is_none() && !scope.before.is_empty() && has(action, SyntaxKind::IF_EXISTS) {
        return;
    }
    let is_required = found.is_some_and(|found| found.not_null && found.fill == Fill::Nothing);
    let quoted = identifier(&column);
    let mut steps = vec![Step::new(format!(
        "-- Release a program that does not name {quoted}."
    ))];
    if is_required {
        // The new program leaves the column out of its INSERTs, while the old one is in use.
        steps.insert(
            0,
            Step::new(format!(
                "-- The next program leaves {quoted} out. Where this one still reads it, give it a default instead.\n{}",
                rewrite::accepted(
                    Rule::BanDropNotNull,
                    "the column is to be dropped",
                    &format!("ALTER TABLE {table} ALTER COLUMN {quoted} DROP NOT NULL;")
                )
            )),
        );
    }
    steps.push(Step::new(last(
        Rule::BanDropColumn,
        &format!("ALTER TABLE {table} {};", text(action)),
    )));
    scope
        .report(
            action,
            Rule::BanDropColumn,
            format!("programs that name {table}.{column} fail from now on"),
        )
        .steps(steps);
}

/// Returns the statement that drops what no program uses any more.
fn last(rule: Rule, statement: &str) -> String {
    let accepted = rewrite::accepted(rule, "no program names it any more", statement);
    format!("-- When no older program is in use:\n{accepted}")
}

/// `DROP TABLE`.
pub(super) fn tables(scope: &mut Scope<'_>) {
    let node = scope.node;
    let used: Vec<&Relation> = scope
        .before
        .iter()
        .filter(|table| scope.is_used(&table.name))
        .collect();
    let is_unknown = scope.before.is_empty()
        && !has(node, SyntaxKind::IF_EXISTS)
        && children(node, SyntaxKind::TABLE_NAME_REF)
            .all(|table| !scope.transaction.created.contains(&name(&table)));
    if used.is_empty() && !is_unknown {
        return;
    }
    let names: Vec<String> = match used.as_slice() {
        [] => children(node, SyntaxKind::TABLE_NAME_REF)
            .map(|table| text(&table))
            .collect(),
        used => used
            .iter()
            .map(|table| rewrite::relation(&table.name))
            .collect(),
    };
    let cascade = match cascades(node) {
        true => ", and CASCADE drops what depends on it",
        false => "",
    };
    let steps = vec![
        Step::new(format!(
            "-- Release a program that does not name {}.",
            names.join(", ")
        )),
        Step::new(last(Rule::BanDropTable, &rewrite::whole(node))),
    ];
    scope
        .report(
            node,
            Rule::BanDropTable,
            format!(
                "programs that name {} fail from now on{cascade}",
                names.join(", ")
            ),
        )
        .steps(steps);
}

/// `DROP DATABASE`.
pub(super) fn database(scope: &mut Scope<'_>) {
    let node = scope.node;
    scope.report(
        node,
        Rule::BanDropDatabase,
        "a migration should not drop a database",
    );
}

/// `TRUNCATE .. CASCADE`.
pub(super) fn truncate(scope: &mut Scope<'_>) {
    let node = scope.node;
    if !cascades(node) {
        return;
    }
    let named: Vec<_> = node
        .descendants()
        .filter(|child| {
            [SyntaxKind::TABLE_NAME_REF, SyntaxKind::RELATION_NAME].contains(&child.kind())
        })
        .filter_map(|table| {
            scope
                .state
                .find_relation(&crate::replay::syntax::tree::path(&table))
        })
        .collect();
    let mut emptied = named.clone();
    let mut next = 0;
    while let Some(table) = emptied.get(next).cloned() {
        next += 1;
        for relation in scope.state.catalog().relations.values() {
            let refers = relation.constraints.iter().any(|constraint| {
                matches!(&constraint.kind, ConstraintKind::ForeignKey { references, .. } if *references == table)
            });
            if refers && !emptied.contains(&relation.name) {
                emptied.push(relation.name.clone());
            }
        }
    }
    let further: Vec<String> = emptied[named.len().min(emptied.len())..]
        .iter()
        .map(rewrite::relation)
        .collect();
    if !named.is_empty() && further.is_empty() {
        return;
    }
    let message = match further.is_empty() {
        true => "CASCADE empties each table that refers to this one".to_owned(),
        false => format!("CASCADE also empties {}", further.join(", ")),
    };
    scope
        .report(node, Rule::BanTruncateCascade, message)
        .help("name the tables that are to be empty, without CASCADE");
}
