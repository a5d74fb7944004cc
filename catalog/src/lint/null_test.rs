//! Conditions by which a column is not NULL.

use bowline_sql::Token;

/// Returns true for a predicate that only leaves out rows in which the column is NULL.
pub(super) fn is_not_null(predicate: &str, column: &str) -> bool {
    is_test(&tokens(predicate), column)
}

/// Returns true for a check that no row passes in which the column is NULL, as PostgreSQL finds it
/// out for SET NOT NULL: one of its conditions says so.
pub(super) fn implies_not_null(check: &str, column: &str) -> bool {
    has_test(&tokens(check), column)
}

fn tokens(text: &str) -> Vec<Token<'_>> {
    bowline_sql::tokens(text).collect()
}

fn has_test(condition: &[Token<'_>], column: &str) -> bool {
    let condition = without_brackets(condition);
    let parts = conjuncts(condition);
    match parts.len() {
        1 => is_test(condition, column),
        _ => parts.into_iter().any(|part| has_test(part, column)),
    }
}

/// Returns true for `column IS NOT NULL`, and for `NOT (column IS NULL)`.
fn is_test(condition: &[Token<'_>], column: &str) -> bool {
    let is_column =
        |name: &[Token<'_>]| matches!(without_brackets(name), [name] if name.is_name(column));
    match without_brackets(condition) {
        [not, rest @ ..] if not.is_word("not") => match without_brackets(rest) {
            [name @ .., is, null] => is_column(name) && is.is_word("is") && null.is_word("null"),
            _ => false,
        },
        [name @ .., is, not, null] => {
            is_column(name) && is.is_word("is") && not.is_word("not") && null.is_word("null")
        }
        _ => false,
    }
}

/// Returns the parts between the ANDs outside all brackets; the whole if there is an OR too, or a
/// BETWEEN, whose AND is another one.
fn conjuncts<'a, 'b>(condition: &'a [Token<'b>]) -> Vec<&'a [Token<'b>]> {
    let (mut depth, mut ends) = (0_usize, Vec::new());
    for (at, token) in condition.iter().enumerate() {
        if token.is("(") {
            depth += 1;
        } else if token.is(")") {
            depth = depth.saturating_sub(1);
        } else if depth > 0 {
            // A part of a condition in brackets.
        } else if token.is_word("or") || token.is_word("between") {
            return vec![condition];
        } else if token.is_word("and") {
            ends.push(at);
        }
    }
    let mut parts = Vec::new();
    let mut start = 0;
    for end in ends {
        parts.push(&condition[start..end]);
        start = end + 1;
    }
    parts.push(&condition[start..]);
    parts
}

/// Returns an expression without the brackets around all of it.
fn without_brackets<'a, 'b>(mut expression: &'a [Token<'b>]) -> &'a [Token<'b>] {
    while let [first, inner @ .., last] = expression {
        let mut depth = 0_usize;
        let closes_early = inner.iter().any(|token| {
            let closes = token.is(")") && depth == 0;
            if token.is("(") {
                depth += 1;
            } else if token.is(")") {
                depth = depth.saturating_sub(1);
            }
            closes
        });
        if !first.is("(") || !last.is(")") || closes_early {
            break;
        }
        expression = inner;
    }
    expression
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_is_found_in_each_of_its_forms() {
        for check in [
            "n IS NOT NULL",
            "((n) IS NOT NULL)",
            "NOT (n IS NULL)",
            "not n is null",
            "n IS NOT NULL AND n > 0",
            "(m > 0) AND ((n > 0) AND (n IS NOT NULL))",
        ] {
            assert!(implies_not_null(check, "n"), "{check}");
        }
        for check in [
            "n IS NOT NULL OR m > 0",
            "m IS NOT NULL",
            "n > 0",
            "NOT (n IS NOT NULL)",
            "n IS NULL",
            "(n IS NOT NULL) IS NULL",
            "NOT (n IS NULL AND m > 0)",
            "m BETWEEN 1 AND n IS NOT NULL",
        ] {
            assert!(!implies_not_null(check, "n"), "{check}");
        }
        assert!(!is_not_null("n IS NOT NULL AND n > 0", "n"));
    }
}
