//! `ALTER COLUMN`: NOT NULL, and types.

use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::not_null;
use super::replace::{self, Replacement};
use crate::lint::null_test::implies_not_null;
use crate::lint::rule::Rule;
use crate::lint::scope::Scope;
use crate::replay::syntax::clause::named_column;
use crate::replay::syntax::tree::{name, text};
use crate::replay::syntax::type_name::is_type;
use crate::{ConstraintKind, DataType, IndexKey};

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
    let steps = not_null::steps(scope, column);
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
        constraint.validated && constraint.enforced && implies_not_null(expression, column)
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
    let using = option
        .children()
        .find(|child| child.kind() == SyntaxKind::USING_EXPR)
        .and_then(|using| using.children().last())
        // The column itself is the default.
        .filter(|value| {
            let is_column = value.kind() == SyntaxKind::NAME_REF && name(value) == column;
            !is_column
        });
    if let Some((before, after)) = before.zip(after)
        && using.is_none()
        && is_free(scope, column, before, after)
    {
        return;
    }
    let table = scope.table_sql();
    let written = option
        .children()
        .find(|child| is_type(child.kind()))
        .map_or_else(String::new, |found| text(&found));
    let replacement = Replacement {
        old: column,
        end: column,
        data_type: &written,
        value: using.as_ref().map(text),
    };
    let (steps, help) = replace::form(scope, &replacement);
    let from = before.map_or_else(String::new, |before| format!(" from {}", before.sql()));
    scope
        .report(
            action,
            Rule::ChangingColumnType,
            format!("the change of {column}{from} to {written} writes all rows of {table} anew, or reads them all, while its readers and writers wait"),
        )
        .steps(steps)
        .help(help);
}

/// Returns true if the change of a type neither writes nor reads the rows.
fn is_free(scope: &Scope<'_>, column: &str, before: &DataType, after: &DataType) -> bool {
    let is_same = before.is_same(after);
    let checks = scope.state.checking_domain(after).is_some() && !is_same;
    let (before, after) = (
        &scope.state.base_type(before),
        &scope.state.base_type(after),
    );
    let keeps_moments = scope.transaction.is_utc && keeps_moments(before, after);
    if checks {
        return false;
    }
    match keeps_rows(before, after) {
        true => is_same || !has_expression(scope, column),
        false => keeps_moments && !is_used_beside(scope, column),
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
    let indexes = scope.before.iter().flat_map(|table| &table.indexes);
    let mut keys = indexes.flat_map(|index| index.plain_columns().unwrap_or_default());
    has_expression(scope, column) || keys.any(|key| key == column)
}

/// Returns true if an expression uses the column: a check, which is evaluated for each row after a
/// change of the type, or that of an index, which is built anew.
fn has_expression(scope: &Scope<'_>, column: &str) -> bool {
    let names = |text: &str| bowline_sql::tokens(text).any(|token| token.is_name(column));
    scope.before.iter().any(|table| {
        let in_index = table.indexes.iter().any(|index| {
            let expressions = index.keys.iter().filter_map(|key| match key {
                IndexKey::Expression { text, .. } => Some(text),
                IndexKey::Column { .. } => None,
            });
            let is_key = |key: &IndexKey| matches!(key, IndexKey::Column { name, .. } if name == column);
            let has_expression = index.predicate.is_some() || index.plain_columns().is_none();
            // An index with an expression is built anew for any of its columns.
            expressions.chain(&index.predicate).any(|text| names(text))
                || (has_expression && index.keys.iter().any(is_key))
        });
        let in_check = table.constraints.iter().any(|constraint| {
            matches!(&constraint.kind, ConstraintKind::Check { expression, .. } if constraint.enforced && names(expression))
        });
        in_index || in_check
    })
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
    // The elements of an array are converted one by one. Only a limit can go.
    if before.dimensions > 0 {
        let has_no_limit = after.modifiers.is_empty() || before.modifiers == after.modifiers;
        return before.name == after.name && has_no_limit && before.fields == after.fields;
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
        ("interval", "interval") => {
            // Fields without seconds have no fraction of one.
            let has_seconds = before
                .fields
                .as_ref()
                .is_none_or(|fields| fields.contains("second"));
            let has_room = grows || !has_seconds || limit(after).is_some_and(|digits| digits >= 6);
            before.fields == after.fields && before.modifiers == after.modifiers
                || after.fields.is_none() && has_room
        }
        ("cidr", "inet") | ("oid", "int4") | ("int4", "oid") | ("xml", "text") => true,
        ("xml", "varchar") | ("bit", "varbit") => limit(after).is_none(),
        (before_name, after_name) => {
            before_name == after_name
                && before.name == after.name
                && before.modifiers == after.modifiers
                && before.fields == after.fields
        }
    }
}
