//! The rules, by the object that they are about. [`statement`] and [`action`] say which statement
//! each one is for.

mod add_column;
mod alter_column;
mod citus;
mod constraint;
mod domain;
mod drop;
mod enums;
mod index;
mod names;
mod not_null;
mod other;
mod rename;
mod replace;
mod types;

use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::scope::Scope;

pub(super) use citus::refused;
pub(super) use enums::added_label;
pub(super) use index::partitioned_index;

/// Applies the rules to a statement, except those for the actions of ALTER TABLE.
pub(super) fn statement(scope: &mut Scope<'_>) {
    use SyntaxKind as K;
    let node = scope.node;
    match node.kind() {
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
        K::SELECT => citus::distribute(scope),
        K::INSERT | K::MERGE | K::UPDATE => other::values(scope),
        _ => {}
    }
    citus::rows(scope);
    enums::used(scope);
    names::too_long(scope);
    names::without_schema(scope);
}

/// Applies the rules to an action of ALTER TABLE.
pub(super) fn action(scope: &mut Scope<'_>, action: &SyntaxNode) {
    use SyntaxKind as K;
    types::action(scope, action);
    // Nothing that runs before others can see the table is dangerous.
    if !scope.may_be_used() {
        return;
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
