//! Statements of maintenance and data.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::lint::rule::Rule;
use crate::lint::scope::Scope;
use crate::replay::syntax::tree::{descendants, has_below, name};

/// `VACUUM FULL` and `CLUSTER`.
pub(super) fn repack(scope: &mut Scope<'_>) {
    let node = scope.node;
    if node.kind() == SyntaxKind::VACUUM && !is_full(&node.to_string()) {
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

/// Returns true for `VACUUM FULL` and `VACUUM (FULL)`, not for `VACUUM (FULL FALSE)`.
fn is_full(vacuum: &str) -> bool {
    let mut tokens = bowline_sql::tokens(vacuum).skip_while(|token| !token.is_word("full"));
    let Some(_) = tokens.next() else {
        return false;
    };
    let value = tokens.next();
    let is_off = |word: &str| value.as_ref().is_some_and(|token| token.is_word(word));
    !is_off("false") && !is_off("off") && value.is_none_or(|token| !token.is("0"))
}

/// A statement that gives a column two values: in SET, or in the columns of an INSERT.
pub(super) fn values(scope: &mut Scope<'_>) {
    let node = scope.node;
    let is_alone = |list: &SyntaxNode| {
        let mut above = list.ancestors();
        !above.any(|node| node.kind() == SyntaxKind::SET_CLAUSE)
    };
    let lists = descendants(node, SyntaxKind::COLUMN_TARGET_LIST).filter(is_alone);
    let lists: Vec<SyntaxNode> = descendants(node, SyntaxKind::SET_CLAUSE)
        .chain(lists)
        .collect();
    for list in lists {
        let mut seen: Vec<String> = Vec::new();
        for target in descendants(&list, SyntaxKind::COLUMN_TARGET) {
            // `a[1] = .., a[2] = ..` sets two elements.
            let column = name(&target);
            let is_plain = !has_below(&target, SyntaxKind::L_BRACK) && !column.is_empty();
            if is_plain && seen.contains(&column) {
                scope
                    .report(
                        &target,
                        Rule::BanDuplicateColumnAssignments,
                        format!("PostgreSQL refuses this statement: it sets {column} twice"),
                    )
                    .help("remove one of the two");
            }
            seen.push(column);
        }
    }
}
