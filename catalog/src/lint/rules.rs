//! The rules, by the object that they are about. [`check`] says which statement each one is for.

mod add_column;
mod alter_column;
mod constraint;
mod domain;
mod drop;
mod enums;
mod index;
mod names;
mod not_null;
mod other;
mod rename;
mod types;

use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::scope::Scope;

pub(super) use enums::added_label;

/// Applies the rules to a statement.
pub(super) fn check(scope: &mut Scope<'_>) {
    use SyntaxKind as K;
    let node = scope.node;
    match node.kind() {
        K::ALTER_TABLE => alter_table(scope),
        K::CREATE_TABLE => types::create_table(scope),
        K::CREATE_INDEX => index::create(scope),
        K::DROP_INDEX => index::drop(scope),
        K::REINDEX => index::reindex(scope),
        K::DROP_TABLE => drop::tables(scope),
        K::DROP_DATABASE => drop::database(scope),
        K::TRUNCATE => drop::truncate(scope),
        K::CREATE_DOMAIN => domain::create(scope),
        K::ALTER_DOMAIN => domain::alter(scope),
        K::ALTER_TYPE => enums::add_value(scope),
        K::VACUUM | K::CLUSTER => other::repack(scope),
        K::UPDATE => other::update(scope),
        _ => {}
    }
    enums::used(scope);
    names::too_long(scope);
    names::without_schema(scope);
}

fn alter_table(scope: &mut Scope<'_>) {
    use SyntaxKind as K;
    let actions: Vec<SyntaxNode> = scope.node.children().collect();
    for action in &actions {
        types::action(scope, action);
        // Nothing that runs before others can see the table is dangerous.
        if !scope.may_be_used() {
            continue;
        }
        match action.kind() {
            K::ADD_COLUMN => add_column::check(scope, action),
            K::ADD_CONSTRAINT => constraint::add(scope, action),
            K::VALIDATE_CONSTRAINT => constraint::validate(scope, action),
            K::ALTER_COLUMN => alter_column::check(scope, action),
            K::DROP_COLUMN => drop::column(scope, action),
            K::RENAME_COLUMN => rename::column(scope, action),
            K::TABLE_RENAME_TO => rename::table(scope, action),
            K::DETACH_PARTITION => index::detach(scope, action),
            _ => {}
        }
    }
}
