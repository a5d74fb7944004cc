//! The CHECK that `DETACH PARTITION .. CONCURRENTLY` leaves on the former partition.
//!
//! It is the partition's bound, so that the table can be attached again without a scan.

use bowline_sql::{Token, tokens};
use squawk_syntax::SyntaxNode;

use crate::replay::refusal::{Refused, Result};
use crate::replay::state::State;
use crate::{Column, Constraint, ConstraintKind, Name, Relation};

/// Returns the CHECK; `None` if the partition has no bound that is known.
///
/// Fails for a bound whose CHECK is not written here.
pub(super) fn check(
    state: &State,
    action: &SyntaxNode,
    partition: &Name,
) -> Result<Option<Constraint>> {
    let relations = &state.catalog().relations;
    let Some(relation) = relations.get(partition) else {
        return Ok(None);
    };
    let parent = relation
        .parents
        .first()
        .and_then(|name| relations.get(name));
    let (Some(parent), Some(bound)) = (parent, relation.partition_bound.as_deref()) else {
        return Ok(None);
    };
    let refused = |why: &str| {
        let why = format!(
            "PostgreSQL adds a CHECK of the bound to {}, and {why}",
            partition.name
        );
        Refused::new(action, why).hint(
            "drop that constraint in the next migration, and write `-- bowline: ALTER TABLE .. DETACH PARTITION ..;` before this statement",
        )
    };
    if !parent.parents.is_empty() {
        return Err(refused(
            "replay does not write that of a partition's partition",
        ));
    }
    let (kind, column) = key(parent).ok_or_else(|| {
        refused("replay writes only that of a key of one column, by RANGE or LIST")
    })?;
    let expression = match kind {
        Kind::Range => range(bound, column),
        Kind::List => list(bound, column),
    };
    let expression = expression.ok_or_else(|| refused("replay does not read the bound"))?;
    let is_used = |constraint: &Constraint| matches!(&constraint.kind, ConstraintKind::Check { columns, .. } if columns.contains(&column.name));
    if relation.constraints.iter().any(is_used) {
        return Err(refused(
            "leaves it out if other constraints imply it, which replay does not decide",
        ));
    }
    Ok(Some(Constraint {
        name: state.free_constraint_name(partition, &column.name, "check"),
        kind: ConstraintKind::Check {
            expression,
            columns: vec![column.name.clone()],
            no_inherit: false,
        },
        deferrable: false,
        initially_deferred: false,
        validated: true,
        enforced: true,
        temporal: false,
        comment: None,
    }))
}

enum Kind {
    Range,
    List,
}

/// Returns the kind and the column of a partition key of one column.
fn key(parent: &Relation) -> Option<(Kind, &Column)> {
    let by = parent.partition_by.as_deref()?;
    let tokens: Vec<Token<'_>> = tokens(by).collect();
    let [kind, open, name, close] = tokens.as_slice() else {
        return None;
    };
    let kind = match kind {
        kind if kind.is_word("range") => Kind::Range,
        kind if kind.is_word("list") => Kind::List,
        _ => return None,
    };
    let mut columns = parent.columns.iter();
    let column = columns.find(|column| name.is_name(&column.name))?;
    (open.is("(") && close.is(")")).then_some((kind, column))
}

fn range(bound: &str, column: &Column) -> Option<String> {
    let name = bowline_sql::quote::identifier(&column.name);
    let mut parts = vec![format!("({name} IS NOT NULL)")];
    let tokens: Vec<Token<'_>> = tokens(bound).collect();
    for (word, operator) in [("from", ">="), ("to", "<")] {
        let at = tokens.iter().position(|token| token.is_word(word))?;
        let values = values(&tokens[at + 1..])?;
        let [value] = values.as_slice() else {
            return None;
        };
        if !["minvalue", "maxvalue"].contains(&&*value.to_ascii_lowercase()) {
            parts.push(format!("({name} {operator} {})", typed(value, column)));
        }
    }
    Some(parts.join(" AND "))
}

fn list(bound: &str, column: &Column) -> Option<String> {
    let name = bowline_sql::quote::identifier(&column.name);
    let tokens: Vec<Token<'_>> = tokens(bound).collect();
    let at = tokens.iter().position(|token| token.is_word("in"))?;
    let all = values(&tokens[at + 1..])?;
    let has_null = all.iter().any(|value| value.eq_ignore_ascii_case("null"));
    let given = all
        .iter()
        .filter(|value| !value.eq_ignore_ascii_case("null"));
    let given: Vec<String> = given.map(|value| typed(value, column)).collect();
    let is_one = match given.as_slice() {
        [] => return Some(format!("{name} IS NULL")),
        [only] => format!("({name} = {only})"),
        several => format!("({name} = ANY (ARRAY[{}]))", several.join(", ")),
    };
    Some(match has_null {
        true => format!("({name} IS NULL) OR {is_one}"),
        false => format!("({name} IS NOT NULL) AND {is_one}"),
    })
}

/// Returns the values in parentheses, each as it is written; `None` for expressions.
fn values(tokens: &[Token<'_>]) -> Option<Vec<String>> {
    let (open, rest) = tokens.split_first()?;
    let close = rest.iter().position(|token| token.is(")"))?;
    let mut values = Vec::new();
    for value in rest[..close].split(|token| token.is(",")) {
        values.push(match value {
            [only] => only.text().to_owned(),
            [sign, number] if sign.is("-") => format!("-{}", number.text()),
            _ => return None,
        });
    }
    open.is("(").then_some(values)
}

/// Returns a value as a constant of the column's type.
fn typed(value: &str, column: &Column) -> String {
    let quoted = match value.starts_with('\'') {
        true => value.to_owned(),
        false => format!("'{value}'"),
    };
    format!("{quoted}::{}", column.data_type.sql())
}
