//! Clauses that several statements have: names, lists of columns, INCLUDE, COLLATE, DEFERRABLE, CASCADE, ONLY.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::replay::syntax::tree::{
    self, below, child, child_name, children, has, is_seen, name, path, says, text,
};
use crate::{Constraint, ConstraintKind};

/// The name that a COLUMN_NAME_REF child gives.
pub(crate) fn named_column(node: &SyntaxNode) -> String {
    child(node, SyntaxKind::COLUMN_NAME_REF)
        .map(|column| tree::name(&column))
        .unwrap_or_default()
}

/// The name that a clause gives.
pub(crate) fn given_name(clause: &SyntaxNode) -> Option<String> {
    child(clause, SyntaxKind::CONSTRAINT_NAME_CLAUSE)
        .and_then(|given| child_name(&given, SyntaxKind::CONSTRAINT_NAME))
}

pub(crate) fn nulls_not_distinct(clause: &SyntaxNode) -> bool {
    says(clause, SyntaxKind::NULLS_NOT_DISTINCT)
}

/// DEFERRABLE and INITIALLY DEFERRED; the second alone implies the first.
pub(crate) fn deferral(clause: &SyntaxNode) -> (bool, bool) {
    use SyntaxKind as K;
    let says = |kind| says(clause, kind);
    let deferred = says(K::INITIALLY_DEFERRED_CONSTRAINT_OPTION);
    (deferred || says(K::DEFERRABLE_CONSTRAINT_OPTION), deferred)
}

/// Whether the last column is a period: of a key the rows must not overlap, of a reference they must cover it.
pub(crate) fn is_temporal(clause: &SyntaxNode) -> bool {
    use SyntaxKind as K;
    says(clause, K::WITHOUT_OVERLAPS) || says(clause, K::PERIOD_COLUMN)
}

/// Whether a change is for the partitions too: not with ONLY.
pub(crate) fn recurses(clause: &SyntaxNode) -> bool {
    let statement = clause
        .ancestors()
        .find_map(|node| child(&node, SyntaxKind::TABLE_RELATION_NAME));
    !statement.is_some_and(|table| has(&table, SyntaxKind::ONLY_KW))
}

/// Whether CASCADE is said.
pub(crate) fn cascades(node: &SyntaxNode) -> bool {
    has(node, SyntaxKind::CASCADE)
}

/// The tables whose columns this one has too.
pub(crate) fn parents(node: &SyntaxNode) -> Vec<SyntaxNode> {
    [SyntaxKind::PARTITION_OF, SyntaxKind::INHERITS]
        .into_iter()
        .filter_map(|kind| child(node, kind))
        .flat_map(|clause| children(&clause, SyntaxKind::TABLE_NAME_REF).collect::<Vec<_>>())
        .collect()
}

/// What stands behind PARTITION BY: `range (a, lower(b))`.
pub(crate) fn partition_key(clause: &SyntaxNode) -> String {
    let whole = text(clause);
    let key = bowline_sql::tokens(&whole).nth(2);
    key.map_or_else(String::new, |key| {
        bowline_sql::one_line(&whole[key.start()..])
    })
}

/// The bound of a partition, if this is one.
pub(crate) fn bound(node: &SyntaxNode) -> Option<String> {
    use SyntaxKind as K;
    let is_bound = matches!(
        node.kind(),
        K::PARTITION_FOR_VALUES_IN
            | K::PARTITION_FOR_VALUES_FROM
            | K::PARTITION_FOR_VALUES_WITH
            | K::PARTITION_DEFAULT
    );
    (is_bound && is_seen(node.kind())).then(|| text(node))
}

/// The columns of INCLUDE of a constraint.
pub(crate) fn child_include(clause: &SyntaxNode) -> Vec<String> {
    below(clause, SyntaxKind::CONSTRAINT_INCLUDE_CLAUSE)
        .next()
        .map(|include| column_list(&include, SyntaxKind::COLUMN_REF_LIST))
        .unwrap_or_default()
}

/// The names in a parenthesised list of columns.
pub(crate) fn column_list(node: &SyntaxNode, list: SyntaxKind) -> Vec<String> {
    below(node, list)
        .take(1)
        .flat_map(|list| {
            children(&list, SyntaxKind::COLUMN_NAME_REF)
                .map(|column| name(&column))
                .collect::<Vec<_>>()
        })
        .collect()
}

/// Returns the name of the collation in a COLLATE clause, in parts; the default one is none.
pub(crate) fn collation(node: &SyntaxNode) -> Option<Vec<String>> {
    collation_of(&child(node, SyntaxKind::COLLATE)?)
}

/// The same of the COLLATE clause itself.
pub(crate) fn collation_of(clause: &SyntaxNode) -> Option<Vec<String>> {
    let reference = child(clause, SyntaxKind::COLLATION_REF)?;
    let parts = path(&reference);
    (parts.last()? != "default").then_some(parts)
}

/// Reads a constraint of this kind, with what its clause says of deferring and checking.
pub(crate) fn constraint(node: &SyntaxNode, name: String, kind: ConstraintKind) -> Constraint {
    let (deferrable, initially_deferred) = deferral(node);
    let says = |kind| says(node, kind);
    let enforced = !says(SyntaxKind::NOT_ENFORCED);
    Constraint {
        name,
        kind,
        deferrable,
        initially_deferred,
        validated: enforced && !says(SyntaxKind::NOT_VALID),
        enforced,
        temporal: is_temporal(node),
        comment: None,
    }
}
