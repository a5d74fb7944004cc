//! Renames, which no two versions of a program survive.

use bowline_sql::quote::identifier;
use squawk_syntax::{SyntaxKind, SyntaxNode};

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
    let (old, new) = (identifier(&from), identifier(&to));
    let data_type = scope.column_before(&from).map_or_else(
        || "..".to_owned(),
        |column| {
            let modifiers: Vec<String> = column
                .data_type
                .modifiers
                .iter()
                .map(i32::to_string)
                .collect();
            let name = match column.data_type.name.schema.as_str() {
                "pg_catalog" => column.data_type.name.name.clone(),
                _ => rewrite::relation(&column.data_type.name),
            };
            let modifiers = match modifiers.is_empty() {
                true => String::new(),
                false => format!("({})", modifiers.join(", ")),
            };
            format!(
                "{name}{modifiers}{}",
                "[]".repeat(usize::from(column.data_type.dimensions))
            )
        },
    );
    let steps = vec![
        Step::new(format!("ALTER TABLE {table} ADD COLUMN {new} {data_type};")),
        Step::new(format!(
            "-- Release a program that writes both columns, or a trigger that copies {old} to {new}. Then, in batches:\nUPDATE {table} SET {new} = {old} WHERE {new} IS DISTINCT FROM {old};"
        )),
        Step::new(format!(
            "-- When no program uses the old column:\nALTER TABLE {table} DROP COLUMN {old};"
        )),
    ];
    scope
        .report(
            action,
            Rule::RenamingColumn,
            format!("programs that name {table}.{from} fail from now on, and those that name {to} fail until then"),
        )
        .steps(steps);
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
    let steps = vec![
        Step::new(format!(
            "ALTER TABLE {old} {};\nCREATE VIEW {old} AS SELECT * FROM {new};",
            text(action)
        )),
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
