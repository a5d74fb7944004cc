//! Types of columns that are hard to change later.

use bowline_sql::quote::identifier;
use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::lint::rule::Rule;
use crate::lint::scope::Scope;
use crate::replay::syntax::tree::{child, child_name, has, nodes_below, path, text};
use crate::replay::syntax::type_name::{Written, is_type};
use crate::{Column, ConstraintKind, Fill, Relation};

/// The columns of CREATE TABLE.
pub(super) fn create_table(scope: &mut Scope<'_>) {
    let node = scope.node;
    // Rows of a temporary table end with the session.
    if has(node, SyntaxKind::TEMP) {
        return;
    }
    let table = child(node, SyntaxKind::TABLE_NAME)
        .and_then(|name| scope.state.find_relation(&path(&name)))
        .and_then(|name| scope.state.catalog().relations.get(&name));
    for column in nodes_below(node).filter(|child| child.kind() == SyntaxKind::COLUMN) {
        check(scope, &column, table);
    }
}

/// The columns of ALTER TABLE.
pub(super) fn action(scope: &mut Scope<'_>, action: &SyntaxNode) {
    let table = scope.table_after();
    match action.kind() {
        SyntaxKind::ADD_COLUMN => check(scope, action, table),
        SyntaxKind::ALTER_COLUMN => {
            if let Some(option) = child(action, SyntaxKind::SET_TYPE) {
                check_type(scope, action, &option, table);
            }
        }
        _ => {}
    }
}

fn check(scope: &mut Scope<'_>, column: &SyntaxNode, table: Option<&Relation>) {
    check_type(scope, column, column, table);
}

fn check_type(
    scope: &mut Scope<'_>,
    column: &SyntaxNode,
    holder: &SyntaxNode,
    table: Option<&Relation>,
) {
    use SyntaxKind as K;
    let Some(data_type) = holder.children().find(|child| is_type(child.kind())) else {
        return;
    };
    let name = child_name(column, K::COLUMN_NAME)
        .or_else(|| child_name(column, K::COLUMN_NAME_REF))
        .unwrap_or_default();
    let quoted = identifier(&name);
    let found = table.and_then(|table| {
        let mut columns = table.columns.iter();
        Some((table, columns.find(|found| found.name == name)?))
    });
    let written = Written::new(&data_type);
    let words = written.words.join(" ");
    let shown = text(&data_type);
    match words.as_str() {
        "char" | "character" | "bpchar" | "nchar" | "national character" if !written.is_quoted => {
            scope
                .report(
                    &data_type,
                    Rule::BanCharField,
                    format!("values of {name} are padded with spaces to the length of {shown}"),
                )
                .help(match written.modifiers.first() {
                    Some(length) => format!("write `{quoted} text CHECK (char_length({quoted}) = {length})`, or varchar({length})"),
                    None => format!("write `{quoted} text`"),
                });
        }
        "varchar" | "character varying" if !written.modifiers.is_empty() => {
            let length = written.modifiers[0];
            scope
                .report(
                    &data_type,
                    Rule::PreferTextField,
                    format!("a smaller limit of {name} reads the whole table later"),
                )
                .help(format!("write `{quoted} text CHECK (char_length({quoted}) <= {length})`: a CHECK can be replaced without blocking"));
        }
        "timestamp" | "timestamp without time zone" => {
            scope
                .report(
                    &data_type,
                    Rule::PreferTimestampTz,
                    format!("{name} is a time of day on a calendar, and no moment: its meaning depends on the time zone of its writer"),
                )
                .help(format!("write `{quoted} timestamptz`"));
        }
        "int" | "integer" | "int4" | "serial" | "serial4" if is_key(found) => {
            scope
                .report(
                    &data_type,
                    Rule::PreferBigintOverInt,
                    format!("{name} {}, and ends at 2,147,483,647", role(found)),
                )
                .help(format!("write `{quoted} {}`", wide(&words)));
        }
        "smallint" | "int2" | "smallserial" | "serial2" if is_key(found) => {
            scope
                .report(
                    &data_type,
                    Rule::PreferBigintOverSmallint,
                    format!("{name} {}, and ends at 32,767", role(found)),
                )
                .help(format!("write `{quoted} {}`", wide(&words)));
        }
        _ => {}
    }
    if words.contains("serial") {
        let integer = match words.as_str() {
            "bigserial" | "serial8" => "bigint",
            "smallserial" | "serial2" => "smallint",
            _ => "integer",
        };
        scope
            .report(
                &data_type,
                Rule::PreferIdentity,
                format!("the sequence of {name} has privileges and an owner of its own"),
            )
            .help(format!(
                "write `{quoted} {integer} GENERATED BY DEFAULT AS IDENTITY`"
            ));
    }
}

fn wide(words: &str) -> &'static str {
    match words.contains("serial") {
        true => "bigserial",
        false => "bigint",
    }
}

/// Returns what makes the end of a column's numbers matter.
fn role(found: Option<(&Relation, &Column)>) -> &'static str {
    let is_in_key = found.is_some_and(|(table, column)| {
        let key = table.primary_key();
        key.is_some_and(|key| key.contains(&column.name))
    });
    match is_in_key {
        true => "is a key",
        false => "numbers rows",
    }
}

/// Returns true for a column that numbers the rows of its table: one that is the primary key by
/// itself, unless it refers to another table, or one with a sequence.
fn is_key(found: Option<(&Relation, &Column)>) -> bool {
    let Some((table, column)) = found else {
        return false;
    };
    let refers = table.constraints.iter().any(|constraint| {
        matches!(&constraint.kind, ConstraintKind::ForeignKey { columns, .. } if columns.contains(&column.name))
    });
    let is_numbered = matches!(column.fill, Fill::Serial { .. } | Fill::Identity { .. });
    let is_primary = table.primary_key() == Some(std::slice::from_ref(&column.name));
    is_numbered || (is_primary && !refers)
}
