//! Names that are cut, and tables without a schema.

use bowline_sql::Kind;
use squawk_syntax::SyntaxKind;

use crate::Name;
use crate::lint::rule::Rule;
use crate::lint::scope::Scope;
use crate::replay::state::TEMPORARY;
use crate::replay::syntax::tree::{child, has, path, text, truncate};

/// Names of more than 63 bytes.
pub(super) fn too_long(scope: &mut Scope<'_>) {
    let node = scope.node;
    let source = text(node);
    let is_long = |token: &bowline_sql::Token<'_>| {
        matches!(token.kind(), Kind::Word | Kind::QuotedName)
            && token
                .name()
                .is_some_and(|name| truncate(&name).len() < name.len())
    };
    let long = bowline_sql::tokens(&source).find(is_long);
    let Some(name) = long.and_then(|token| Some(token.name()?.into_owned())) else {
        return;
    };
    let cut = truncate(&name).to_owned();
    scope
        .report(
            node,
            Rule::IdentifierTooLong,
            format!("PostgreSQL cuts the name {name} after 63 bytes: {cut}"),
        )
        .help("write a shorter name");
}

/// Tables that are created or changed without their schema.
pub(super) fn without_schema(scope: &mut Scope<'_>) {
    use SyntaxKind as K;
    let node = scope.node;
    let is_temporary = |name: &Name| name.schema == TEMPORARY;
    if has(node, K::TEMP) || scope.before.iter().any(|table| is_temporary(&table.name)) {
        return;
    }
    let name = match node.kind() {
        K::CREATE_TABLE | K::CREATE_TABLE_AS => child(node, K::TABLE_NAME),
        K::ALTER_TABLE | K::DROP_TABLE | K::CREATE_INDEX => crate::lint::scope::subject(node),
        _ => None,
    };
    let Some(name) = name else { return };
    let parts = path(&name);
    if let [table] = parts.as_slice() {
        let message = format!("the schema of {table} depends on the search path");
        scope
            .report(&name, Rule::RequireTableSchema, message)
            .help(format!(
                "write public.{}",
                bowline_sql::quote::identifier(table)
            ));
    }
}
