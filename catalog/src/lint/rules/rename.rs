//! Renames, which no two versions of a program survive.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::replace::{self, Replacement};
use crate::lint::rewrite::{self, Step};
use crate::lint::rule::Rule;
use crate::lint::scope::Scope;
use crate::replay::syntax::clause::named_column;
use crate::replay::syntax::tree::{child_name, text};
use crate::{Name, RelationKind};

/// `RENAME COLUMN`.
pub(super) fn column(scope: &mut Scope<'_>, action: &SyntaxNode) {
    let from = named_column(action);
    let to = child_name(action, SyntaxKind::COLUMN_NAME).unwrap_or_default();
    let table = scope.table_sql();
    let data_type = scope.column_before(&from);
    let data_type = data_type.map_or_else(String::new, |column| column.data_type.sql());
    let replacement = Replacement {
        old: &from,
        end: &to,
        data_type: &data_type,
        value: None,
    };
    let (steps, help) = replace::form(scope, &replacement);
    scope
        .report(
            action,
            Rule::RenamingColumn,
            format!("programs that name {table}.{from} fail from now on, and those that name {to} fail until then"),
        )
        .steps(steps)
        .help(help);
}

/// `RENAME TO` of a table.
pub(super) fn table(scope: &mut Scope<'_>, action: &SyntaxNode) {
    // ALTER TABLE renames views and sequences too.
    let kinds = [RelationKind::Table, RelationKind::PartitionedTable];
    let Some(before) = scope.before.first() else {
        return;
    };
    if !kinds.contains(&before.kind) {
        return;
    }
    let old = rewrite::relation(&before.name);
    let to = Name {
        schema: before.name.schema.clone(),
        name: child_name(action, SyntaxKind::TABLE_NAME).unwrap_or_default(),
    };
    let new = rewrite::relation(&to);
    let is_kept = scope.state.catalog().relations.contains_key(&before.name);
    if is_kept {
        return;
    }
    // The view has the rights of its reader, and of the table's grants.
    let renamed = rewrite::accepted(
        Rule::RenamingTable,
        "the view below has the old name",
        &format!("ALTER TABLE {old} {};", text(action)),
    );
    let mut view = format!(
        "{renamed}\nCREATE VIEW {old} WITH (security_invoker = true) AS SELECT * FROM {new};"
    );
    for privilege in &before.attached.privileges.granted {
        view.push_str(&format!("\n{};", privilege.sql(&format!("TABLE {old}"))));
    }
    let steps = vec![
        Step::new(view),
        Step::new(format!(
            "-- When no program uses the old name:\nDROP VIEW {old};"
        )),
    ];
    scope
        .report(
            action,
            Rule::RenamingTable,
            format!("programs that name {old} fail from now on, and those that name {new} fail until then"),
        )
        .steps(steps);
}
