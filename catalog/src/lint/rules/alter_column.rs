//! `ALTER COLUMN`: NOT NULL, and types.

use bowline_sql::quote::identifier;
use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::not_null;
use crate::lint::history::is_not_null;
use crate::lint::rewrite::Step;
use crate::lint::rule::Rule;
use crate::lint::scope::Scope;
use crate::replay::syntax::clause::named_column;
use crate::replay::syntax::tree::{has, text};
use crate::replay::syntax::type_name::is_type;
use crate::{ConstraintKind, DataType};

pub(super) fn check(scope: &mut Scope<'_>, action: &SyntaxNode) {
    use SyntaxKind as K;
    let column = named_column(action);
    let option = action
        .children()
        .find(|child| [K::SET_NOT_NULL, K::DROP_NOT_NULL, K::SET_TYPE].contains(&child.kind()));
    match option.as_ref().map(|option| (option.kind(), option)) {
        Some((K::SET_NOT_NULL, _)) => set_not_null(scope, action, &column),
        Some((K::DROP_NOT_NULL, _)) => drop_not_null(scope, action, &column),
        Some((K::SET_TYPE, option)) => set_type(scope, action, option, &column),
        _ => {}
    }
}

fn set_not_null(scope: &mut Scope<'_>, action: &SyntaxNode, column: &str) {
    let is_not_null_already = scope
        .column_before(column)
        .is_some_and(|found| found.not_null);
    if is_not_null_already || is_proven(scope, column) {
        return;
    }
    let table = scope.table_sql();
    let plain = scope.before.first().map(|table| table.name.name.clone());
    let steps = not_null::steps(
        &table,
        plain.as_deref().unwrap_or(&table),
        column,
        scope.postgres,
    );
    scope
        .report(
            action,
            Rule::AddingNotNullableField,
            format!("{table} is read as a whole, and its readers and writers wait until then, since {column} may hold NULL"),
        )
        .steps(steps);
}

/// Returns true if a validated constraint forbids NULL, so that PostgreSQL does not read the table.
fn is_proven(scope: &Scope<'_>, column: &str) -> bool {
    let constraints = scope.before.first().map(|table| &table.constraints);
    let mut constraints = constraints.into_iter().flatten();
    constraints.any(|constraint| {
        let ConstraintKind::Check { expression, .. } = &constraint.kind else {
            return false;
        };
        constraint.validated && constraint.enforced && is_not_null(expression, column)
    })
}

fn drop_not_null(scope: &mut Scope<'_>, action: &SyntaxNode, column: &str) {
    if scope
        .column_before(column)
        .is_some_and(|found| !found.not_null)
    {
        return;
    }
    let table = scope.table_sql();
    scope
        .report(
            action,
            Rule::BanDropNotNull,
            format!("programs that are in use read {table}.{column} as a value that is never NULL, and fail on the first NULL"),
        )
        .help("release a program that reads NULL from it first");
}

fn set_type(scope: &mut Scope<'_>, action: &SyntaxNode, option: &SyntaxNode, column: &str) {
    let before = scope.column_before(column).map(|found| &found.data_type);
    let after = scope.column_after(column).map(|found| &found.data_type);
    let is_plain = !has(option, SyntaxKind::USING_EXPR)
        || option
            .children()
            .find(|child| child.kind() == SyntaxKind::USING_EXPR)
            .and_then(|using| using.children().last())
            .is_some_and(|value| value.kind() == SyntaxKind::NAME_REF && text(&value) == column);
    if let Some((before, after)) = before.zip(after)
        && is_plain
        && before.name.schema == after.name.schema
    {
        let (before, after) = (
            &scope.state.base_type(before),
            &scope.state.base_type(after),
        );
        let keeps_moments = scope.transaction.is_utc && keeps_moments(before, after);
        if keeps_rows(before, after) || (keeps_moments && !is_used_beside(scope, column)) {
            return;
        }
    }
    let table = scope.table_sql();
    let written = option
        .children()
        .find(|child| is_type(child.kind()))
        .map_or_else(String::new, |found| text(&found));
    let (quoted, new) = (identifier(column), identifier(&format!("{column}_new")));
    let steps = vec![
        Step::new(format!("ALTER TABLE {table} ADD COLUMN {new} {written};")),
        Step::new(format!(
            "-- Release a program that writes both columns, or a trigger that copies {quoted} to {new}."
        )),
        Step::new(format!(
            "-- In batches, each in a transaction of its own:\nUPDATE {table} SET {new} = {quoted}::{written} WHERE {new} IS DISTINCT FROM {quoted}::{written};"
        )),
        Step::new(format!(
            "-- When no program uses the old column:\nALTER TABLE {table} DROP COLUMN {quoted};\nALTER TABLE {table} RENAME COLUMN {new} TO {quoted};"
        )),
    ];
    let from = before.map_or_else(String::new, |before| format!(" from {}", shown(before)));
    scope
        .report(
            action,
            Rule::ChangingColumnType,
            format!("the change of {column}{from} to {written} writes all rows of {table} anew, or reads them all, while its readers and writers wait"),
        )
        .steps(steps);
}

fn shown(data_type: &DataType) -> String {
    let modifiers: Vec<String> = data_type.modifiers.iter().map(i32::to_string).collect();
    let brackets = "[]".repeat(usize::from(data_type.dimensions.min(1)));
    let name = &data_type.name.name;
    match modifiers.is_empty() {
        true => format!("{name}{brackets}"),
        false => format!("{name}({}){brackets}", modifiers.join(",")),
    }
}

/// Returns true for a change between `timestamp` and `timestamptz`, which are the same bytes if the
/// time zone of the session is UTC.
fn keeps_moments(before: &DataType, after: &DataType) -> bool {
    let names = (before.name.name.as_str(), after.name.name.as_str());
    let digits = after.modifiers.first();
    let [before, after] = [before, after].map(|data_type| data_type.dimensions);
    matches!(
        names,
        ("timestamp", "timestamptz") | ("timestamptz", "timestamp")
    ) && (before, after) == (0, 0)
        && digits.is_none_or(|digits| *digits >= 6)
}

/// Returns true if an index or a check may use the column. These two types have operators of their
/// own, so that an index is built anew, and a check is evaluated for each row.
fn is_used_beside(scope: &Scope<'_>, column: &str) -> bool {
    let Some(table) = scope.before.first() else {
        return true;
    };
    let names = |text: &str| bowline_sql::tokens(text).any(|token| token.is_name(column));
    let in_index = table.indexes.iter().any(|index| {
        index.predicate.as_deref().is_some_and(names)
            || index
                .plain_columns()
                .is_none_or(|keys| keys.iter().any(|key| *key == column))
    });
    let in_check = table.constraints.iter().any(|constraint| {
        matches!(&constraint.kind, ConstraintKind::Check { expression, .. } if names(expression))
    });
    in_index || in_check
}

/// Returns true if PostgreSQL keeps the rows as they are, and reads none of them.
///
/// These are the conversions that are binary coercible, and those of modifiers that the support
/// functions of the types remove (`varchar_support`, `numeric_support`, ..).
fn keeps_rows(before: &DataType, after: &DataType) -> bool {
    let names = (before.name.name.as_str(), after.name.name.as_str());
    if before.dimensions.min(1) != after.dimensions.min(1) {
        return false;
    }
    let limit = |data_type: &DataType| data_type.modifiers.first().copied();
    let grows = match (limit(before), limit(after)) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(before), Some(after)) => after >= before,
    };
    match names {
        ("varchar" | "text", "text") => true,
        ("varchar", "varchar") | ("varbit", "varbit") => grows,
        ("text", "varchar") => limit(after).is_none(),
        ("numeric", "numeric") => match (&*before.modifiers, &*after.modifiers) {
            (_, []) => true,
            ([], _) => false,
            (before, after) => {
                let scale = |modifiers: &[i32]| modifiers.get(1).copied().unwrap_or(0);
                scale(before) == scale(after) && after[0] >= before[0]
            }
        },
        ("timestamp", "timestamp")
        | ("timestamptz", "timestamptz")
        | ("time", "time")
        | ("timetz", "timetz") => grows || limit(after).is_some_and(|digits| digits >= 6),
        ("cidr", "inet") => true,
        (before_name, after_name) => {
            before_name == after_name
                && before.name == after.name
                && before.modifiers == after.modifiers
                && before.fields == after.fields
        }
    }
}
