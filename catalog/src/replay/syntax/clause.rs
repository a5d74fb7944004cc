//! Clauses that several statements share: names, lists of columns, INCLUDE, COLLATE, DEFERRABLE,
//! CASCADE, ONLY.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::replay::syntax::tree::{
    self, below, child, child_name, children, has, has_below, is_arm_enabled, name, path, text,
};
use crate::{Constraint, ConstraintKind};

/// Returns the name in a COLUMN_NAME_REF child.
pub(crate) fn named_column(node: &SyntaxNode) -> String {
    child(node, SyntaxKind::COLUMN_NAME_REF)
        .map(|column| tree::name(&column))
        .unwrap_or_default()
}

/// Returns the name of a constraint clause.
pub(crate) fn given_name(clause: &SyntaxNode) -> Option<String> {
    child(clause, SyntaxKind::CONSTRAINT_NAME_CLAUSE)
        .and_then(|given| child_name(&given, SyntaxKind::CONSTRAINT_NAME))
}

pub(crate) fn nulls_not_distinct(clause: &SyntaxNode) -> bool {
    has_below(clause, SyntaxKind::NULLS_NOT_DISTINCT)
}

/// Returns whether a constraint is DEFERRABLE and INITIALLY DEFERRED. The second alone implies the
/// first.
pub(crate) fn deferral(clause: &SyntaxNode) -> (bool, bool) {
    use SyntaxKind as K;
    let has_below = |kind| has_below(clause, kind);
    let deferred = has_below(K::INITIALLY_DEFERRED_CONSTRAINT_OPTION);
    (
        deferred || has_below(K::DEFERRABLE_CONSTRAINT_OPTION),
        deferred,
    )
}

/// Returns true if the last column is a period: WITHOUT OVERLAPS for a key, PERIOD for a foreign
/// key.
pub(crate) fn is_temporal(clause: &SyntaxNode) -> bool {
    use SyntaxKind as K;
    has_below(clause, K::WITHOUT_OVERLAPS) || has_below(clause, K::PERIOD_COLUMN)
}

/// Returns true if a change also applies to the partitions, as without ONLY.
pub(crate) fn recurses(clause: &SyntaxNode) -> bool {
    let statement = clause
        .ancestors()
        .find_map(|node| child(&node, SyntaxKind::TABLE_RELATION_NAME));
    !statement.is_some_and(|table| has(&table, SyntaxKind::ONLY_KW))
}

/// Returns true if the statement contains CASCADE.
pub(crate) fn cascades(node: &SyntaxNode) -> bool {
    has(node, SyntaxKind::CASCADE)
}

/// Returns the tables whose columns this table inherits.
pub(crate) fn parents(node: &SyntaxNode) -> Vec<SyntaxNode> {
    [SyntaxKind::PARTITION_OF, SyntaxKind::INHERITS]
        .into_iter()
        .filter_map(|kind| child(node, kind))
        .flat_map(|clause| children(&clause, SyntaxKind::TABLE_NAME_REF).collect::<Vec<_>>())
        .collect()
}

/// Returns the text after PARTITION BY, such as `range (a, lower(b))`.
pub(crate) fn partition_key(clause: &SyntaxNode) -> String {
    let whole = text(clause);
    let key = bowline_sql::tokens(&whole).nth(2);
    key.map_or_else(String::new, |key| {
        bowline_sql::one_line(&whole[key.start()..])
    })
}

/// Returns the bound of a partition, if this is one.
pub(crate) fn bound(node: &SyntaxNode) -> Option<String> {
    use SyntaxKind as K;
    let is_bound = matches!(
        node.kind(),
        K::PARTITION_FOR_VALUES_IN
            | K::PARTITION_FOR_VALUES_FROM
            | K::PARTITION_FOR_VALUES_WITH
            | K::PARTITION_DEFAULT
    );
    (is_bound && is_arm_enabled(node.kind())).then(|| text(node))
}

/// Returns the columns in the INCLUDE clause of a constraint.
pub(crate) fn child_include(clause: &SyntaxNode) -> Vec<String> {
    below(clause, SyntaxKind::CONSTRAINT_INCLUDE_CLAUSE)
        .next()
        .map(|include| column_list(&include, SyntaxKind::COLUMN_REF_LIST))
        .unwrap_or_default()
}

/// Returns the names in a parenthesised list of columns.
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

/// Returns the parts of the collation's name in a COLLATE clause, or `None` for the default
/// collation.
pub(crate) fn collation(node: &SyntaxNode) -> Option<Vec<String>> {
    collation_of(&child(node, SyntaxKind::COLLATE)?)
}

/// Returns the parts of the collation's name, given the COLLATE clause itself.
pub(crate) fn collation_of(clause: &SyntaxNode) -> Option<Vec<String>> {
    let reference = child(clause, SyntaxKind::COLLATION_REF)?;
    let parts = path(&reference);
    (parts.last()? != "default").then_some(parts)
}

/// Returns a constraint of this kind, with the deferral and enforcement that its clause gives.
pub(crate) fn constraint(node: &SyntaxNode, name: String, kind: ConstraintKind) -> Constraint {
    let (deferrable, initially_deferred) = deferral(node);
    let has_below = |kind| has_below(node, kind);
    let enforced = !has_below(SyntaxKind::NOT_ENFORCED);
    Constraint {
        name,
        kind,
        deferrable,
        initially_deferred,
        validated: enforced && !has_below(SyntaxKind::NOT_VALID),
        enforced,
        temporal: is_temporal(node),
        comment: None,
    }
}
