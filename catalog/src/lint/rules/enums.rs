//! Labels of enums.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::Name;
use crate::lint::rewrite::{self, Step};
use crate::lint::rule::Rule;
use crate::lint::scope::Scope;
use crate::replay::state::State;
use crate::replay::syntax::tree::{child, path, string};

/// Returns the label of ALTER TYPE ADD VALUE, and the enum.
pub(in crate::lint) fn added_label(node: &SyntaxNode, state: &State) -> Option<(String, Name)> {
    let action = child(node, SyntaxKind::ADD_VALUE)?;
    let label = string(&child(&action, SyntaxKind::LITERAL)?)?;
    let name = child(node, SyntaxKind::TYPE_NAME_REF)?;
    Some((label, state.find_own_type(&path(&name))?))
}

/// `ALTER TYPE .. ADD VALUE`.
pub(super) fn add_value(scope: &mut Scope<'_>) {
    use SyntaxKind as K;
    let node = scope.node;
    let Some(action) = child(node, K::ADD_VALUE) else {
        return;
    };
    if [K::BEFORE_VALUE, K::AFTER_VALUE]
        .into_iter()
        .any(|kind| child(&action, kind).is_some())
    {
        return;
    }
    scope
        .report(
            &action,
            Rule::RequireEnumValueOrdering,
            "the label becomes the last one, and the order of labels decides comparisons and ORDER BY",
        )
        .help("add BEFORE or AFTER another label");
}

/// A label that is used in the transaction that added it.
pub(super) fn used(scope: &mut Scope<'_>) {
    if scope.transaction.labels.is_empty() || !scope.transaction.is_open {
        return;
    }
    let node = scope.node;
    let is_text = [SyntaxKind::ALTER_TYPE, SyntaxKind::COMMENT_ON];
    if is_text.contains(&node.kind()) {
        return;
    }
    let literals = node
        .descendants()
        .filter(|child| child.kind() == SyntaxKind::LITERAL);
    for literal in literals {
        let Some(label) = string(&literal) else {
            continue;
        };
        let Some(name) = scope.transaction.labels.get(&label) else {
            continue;
        };
        if !names_enum(scope, name) {
            continue;
        }
        let name = rewrite::relation(name);
        let step = Step::new(rewrite::whole(node));
        scope
            .report(
                &literal,
                Rule::EnumValueUsedInTransaction,
                format!("the label {label} of {name} cannot be used before the transaction that adds it is committed"),
            )
            .steps(vec![step])
            .help("use it in the next migration");
    }
}

/// Returns true if a statement may mean a label by its text: it names the enum, or a relation with
/// a column of it.
fn names_enum(scope: &Scope<'_>, name: &Name) -> bool {
    let text = scope.node.to_string();
    let names = |name: &str| bowline_sql::tokens(&text).any(|token| token.is_name(name));
    let mut relations = scope.state.catalog().relations.values();
    names(&name.name)
        || relations.any(|relation| {
            let mut columns = relation.columns.iter();
            columns.any(|column| scope.state.base_type(&column.data_type).name == *name)
                && names(&relation.name.name)
        })
}
