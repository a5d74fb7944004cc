//! Arrays in which no element is NULL.

use bowline_catalog::{Column, Constraint, ConstraintKind, Relation};
use bowline_sql::{Token, tokens};

use crate::project::{Settings, is_named};

/// Returns true if no element of an array is NULL: a setting says so, or a CHECK ensures it.
pub(super) fn has_whole_elements(
    settings: &Settings,
    relation: &Relation,
    column: &Column,
) -> bool {
    let names_it = |setting: &String| {
        let named = setting.rsplit_once('.');
        named.is_some_and(|(table, name)| name == column.name && is_named(&relation.name, table))
    };
    settings.not_null_elements.iter().any(names_it)
        || relation
            .constraints
            .iter()
            .any(|constraint| excludes_null(constraint, &column.name))
}

/// Returns true for a valid and enforced CHECK with `array_position(column, NULL) IS NULL`, alone
/// or joined to other conditions by AND.
fn excludes_null(constraint: &Constraint, column: &str) -> bool {
    let ConstraintKind::Check { expression, .. } = &constraint.kind else {
        return false;
    };
    if !constraint.validated || !constraint.enforced {
        return false;
    }
    let all: Vec<Token<'_>> = tokens(expression).collect();
    conditions(&all)
        .iter()
        .any(|condition| is_position_of_null(condition, column))
}

/// Splits an expression at each AND outside of brackets, without brackets around the parts.
fn conditions<'t, 's>(all: &'t [Token<'s>]) -> Vec<&'t [Token<'s>]> {
    let all = unbracketed(all);
    let mut parts = Vec::new();
    let (mut depth, mut start) = (0usize, 0);
    for (index, token) in all.iter().enumerate() {
        match token.text() {
            "(" | "[" => depth += 1,
            ")" | "]" => depth = depth.saturating_sub(1),
            // A condition joined by OR need not hold; after BETWEEN or CASE, AND is another word.
            _ if depth == 0 && token.is_one_of(&["or", "between", "case", "not"]) => {
                return Vec::new();
            }
            _ if depth == 0 && token.is_word("and") => {
                parts.push(&all[start..index]);
                start = index + 1;
            }
            _ => {}
        }
    }
    parts.push(&all[start..]);
    if parts.len() == 1 {
        return parts;
    }
    parts.into_iter().flat_map(conditions).collect()
}

/// Returns the tokens between brackets that enclose all of them.
fn unbracketed<'t, 's>(all: &'t [Token<'s>]) -> &'t [Token<'s>] {
    let mut depth = 0usize;
    for (index, token) in all.iter().enumerate() {
        match token.text() {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 && (index + 1 < all.len() || index == 0) {
            return all;
        }
    }
    match all {
        [_, inner @ .., _] => unbracketed(inner),
        _ => all,
    }
}

/// Returns true for `array_position(column, NULL) IS NULL`; the NULL may have a cast.
fn is_position_of_null(condition: &[Token<'_>], column: &str) -> bool {
    let [function, open, name, comma, null, rest @ ..] = unbracketed(condition) else {
        return false;
    };
    let end = rest.iter().position(|token| token.is(")"));
    let is_cast = |cast: &[Token<'_>]| cast.is_empty() || cast[0].text().starts_with(':');
    function.is_word("array_position")
        && open.is("(")
        && name.name().is_some_and(|name| name == column)
        && comma.is(",")
        && null.is_word("null") && end.is_some_and(|end| {
        is_cast(&rest[..end])
            && matches!(&rest[end + 1..], [is, null] if is.is_word("is") && null.is_word("null"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_can_exclude_null() {
        let excludes = |text: &str| {
            let all: Vec<Token<'_>> = tokens(text).collect();
            conditions(&all)
                .iter()
                .any(|condition| is_position_of_null(condition, "tags"))
        };
        for text in [
            "array_position(tags, NULL) IS NULL",
            "((array_position(tags, NULL::text) IS NULL))",
            "cardinality(tags) > 0 AND array_position(tags, null) is null",
            "((cardinality(tags) > 0) AND (array_position(\"tags\", NULL::character varying) IS NULL))",
        ] {
            assert!(excludes(text), "{text}");
        }
        for text in [
            "array_position(other, NULL) IS NULL",
            "array_position(tags, 'a') IS NULL",
            "array_position(tags, NULL) IS NOT NULL",
            "array_position(tags, NULL) IS NULL OR cardinality(tags) > 0",
            "NOT array_position(tags, NULL) IS NULL",
            "(cardinality(tags) > 0 OR array_position(tags, NULL) IS NULL) AND id > 0",
            "array_position(tags, NULL, 2) IS NULL",
        ] {
            assert!(!excludes(text), "{text}");
        }
    }
}
