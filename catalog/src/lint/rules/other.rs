//! Statements of maintenance and data.

use squawk_syntax::SyntaxKind;

use crate::lint::rule::Rule;
use crate::lint::scope::Scope;
use crate::replay::syntax::tree::{descendants, has_below, name};

/// `VACUUM FULL` and `CLUSTER`.
pub(super) fn repack(scope: &mut Scope<'_>) {
    let node = scope.node;
    let is_full = has_below(node, SyntaxKind::FULL_KW)
        || bowline_sql::tokens(&node.to_string()).any(|token| token.is_word("full"));
    if node.kind() == SyntaxKind::VACUUM && !is_full {
        return;
    }
    scope
        .report(
            node,
            Rule::PreferRepack,
            "the table is written anew while its readers and writers wait",
        )
        .help("use pg_repack or pg_squeeze, outside of migrations");
}

/// An UPDATE that sets a column twice.
pub(super) fn update(scope: &mut Scope<'_>) {
    let node = scope.node;
    let Some(clause) = descendants(node, SyntaxKind::SET_CLAUSE).next() else {
        return;
    };
    let mut seen: Vec<String> = Vec::new();
    for target in descendants(&clause, SyntaxKind::COLUMN_TARGET) {
        // `a[1] = .., a[2] = ..` sets two elements.
        let column = name(&target);
        let is_plain = !has_below(&target, SyntaxKind::L_BRACK) && !column.is_empty();
        if is_plain && seen.contains(&column) {
            scope
                .report(
                    &target,
                    Rule::BanDuplicateColumnAssignments,
                    format!("PostgreSQL refuses this UPDATE: it sets {column} twice"),
                )
                .help("remove one of the assignments");
        }
        seen.push(column);
    }
}
