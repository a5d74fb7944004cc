//! The place of a condition in its statement: what becomes of the whole if the condition is left
//! out.
//!
//! Each condition less must not mean fewer rows, and no error. So the brackets around its WHERE are
//! read, from the inside to the outside.

use bowline_sql::Token;

use super::{BOUNDS, ENDS, is_keyword, negates};

/// The place of a WHERE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Without one of its conditions there are as many rows, or more.
    Rows,
    /// In a subquery of which one row is expected.
    Scalar,
    /// Under NOT, ALL or EXCEPT, so that more rows of the subquery mean less.
    Negated,
}

/// The aggregates that return one row, whatever they read.
const AGGREGATES: [&str; 13] = [
    "count",
    "sum",
    "min",
    "max",
    "avg",
    "array_agg",
    "string_agg",
    "json_agg",
    "jsonb_agg",
    "bool_and",
    "bool_or",
    "every",
    "any_value",
];

/// The operators of sets.
const SETS: [&str; 3] = ["union", "intersect", "except"];

/// Returns the place of the WHERE with this number.
pub(super) fn of_where(all: &[Token<'_>], depths: &[usize], at: usize) -> Place {
    let mut inner = at;
    loop {
        if is_subtracted(all, depths, inner) {
            return Place::Negated;
        }
        let Some(bracket) = bracket_around(all, depths, inner) else {
            return Place::Rows;
        };
        let place = of_bracket(all, depths, bracket);
        if place != Place::Rows {
            return place;
        }
        inner = bracket;
    }
}

/// Returns the bracket, or the CASE, within which a token is.
pub(super) fn bracket_around(all: &[Token<'_>], depths: &[usize], at: usize) -> Option<usize> {
    let outside = depths[at].checked_sub(1)?;
    (0..at).rev().find(|before| {
        depths[*before] == outside
            && (matches!(all[*before].text(), "(" | "[") || is_keyword(all, *before, "case"))
    })
}

/// Returns what more rows within a bracket mean for what is around it.
fn of_bracket(all: &[Token<'_>], depths: &[usize], bracket: usize) -> Place {
    let words = ["select", "with", "values", "table"];
    let next = all.get(bracket + 1);
    let is_query = all[bracket].is("(") && next.is_some_and(|it| it.is_one_of(&words));
    let mut around = bracket;
    let mut before = before_of(all, depths, bracket);
    // Further brackets can be around a query.
    while is_query && before.is_empty() {
        let Some(outer) = bracket_around(all, depths, around) else {
            return Place::Rows;
        };
        around = outer;
        before = before_of(all, depths, outer);
    }
    let is_at = |place: usize, words: &[&str]| {
        let at = before.get(place);
        at.is_some_and(|at| words.iter().any(|word| is_keyword(all, *at, word)))
    };
    let of_with = ["as", "materialized"];
    if before
        .first()
        .is_some_and(|at| all[*at].is_one_of(&of_with))
    {
        return Place::Rows;
    }
    // The expression in front of the bracket, as far as the keyword before it.
    let is_bound = |at: usize| {
        let words = BOUNDS.iter().chain(&ENDS).chain(&["and", "or"]);
        all[at].is(",") || words.into_iter().any(|word| is_keyword(all, at, word))
    };
    let expression = before.iter().take_while(|at| !is_bound(**at));
    let mut expression: Vec<Token<'_>> = expression.map(|at| all[*at]).collect();
    expression.reverse();
    let is_negated = negates(&expression)
        || is_query && is_at(0, &["in"]) && is_at(1, &["not"])
        || is_query && is_at(0, &["all"]) && !is_at(1, &SETS);
    if is_negated {
        return Place::Negated;
    }
    let keeps_rows = [
        "array", "exists", "in", "any", "some", "all", "lateral", "distinct",
    ];
    let clause = before.iter().find(|at| {
        let words = ["select", "from", "on", "where", "with"];
        words
            .iter()
            .chain(&ENDS)
            .any(|word| is_keyword(all, **at, word))
    });
    let is_of_from = clause.is_some_and(|at| {
        all[*at].is_word("from")
            && !at
                .checked_sub(1)
                .is_some_and(|at| all[at].is_word("distinct"))
    });
    let is_main = clause.is_some_and(|at| all[*at].is_word("with"))
        && before.first().is_some_and(|at| all[*at].is(")"));
    let is_rows = !is_query
        || is_main
        || all[around].is("(") && is_at(0, &keeps_rows) && !is_at(1, &["is"])
        || is_at(0, &SETS)
        || is_at(0, &["join"])
        || is_of_from
        || aggregates(all, depths, bracket);
    if is_rows { Place::Rows } else { Place::Scalar }
}

/// Returns the tokens before another one in the same brackets, the last one first.
pub(super) fn before_of(all: &[Token<'_>], depths: &[usize], at: usize) -> Vec<usize> {
    let depth = depths[at];
    let inside = (0..at)
        .rev()
        .take_while(|before| depths[*before] >= depth && !all[*before].is(";"));
    let inside = inside.filter(|before| depths[*before] == depth);
    inside.collect()
}

/// Returns true if a query in brackets is one aggregate without GROUP BY.
fn aggregates(all: &[Token<'_>], depths: &[usize], bracket: usize) -> bool {
    let depth = depths[bracket] + 1;
    let inside = (bracket + 1..all.len()).take_while(|at| depths[*at] >= depth);
    let mut direct = inside.filter(|at| depths[*at] == depth);
    let mut next = || direct.next();
    let (Some(select), Some(name), Some(open), Some(close)) = (next(), next(), next(), next())
    else {
        return false;
    };
    all[select].is_word("select")
        && all[name].is_one_of(&AGGREGATES)
        && all[open].is("(")
        && all[close].is(")")
        && direct.all(|at| {
            let words = ["group", "over"];
            !words
                .iter()
                .chain(&SETS)
                .any(|word| is_keyword(all, at, word))
                && (!all[at].is(",") || is_after_from(all, depths, at, close))
        })
}

/// Returns true if a comma separates tables.
fn is_after_from(all: &[Token<'_>], depths: &[usize], at: usize, start: usize) -> bool {
    (start..at).any(|before| depths[before] == depths[at] && is_keyword(all, before, "from"))
}

/// Returns true if a token is in a query after EXCEPT.
fn is_subtracted(all: &[Token<'_>], depths: &[usize], at: usize) -> bool {
    let before = before_of(all, depths, at);
    let mut of_set = before
        .iter()
        .filter(|at| SETS.iter().any(|word| is_keyword(all, **at, word)));
    of_set.next().is_some_and(|at| all[*at].is_word("except"))
}
