//! The conditions of a query that a call can leave out: `-- optional: status, label`.
//!
//! A condition is a whole conjunct: what stands between the ANDs of a WHERE. That of a parameter is
//! a conjunct of the outermost WHERE around it, so an EXISTS is left out as a whole. The texts are
//! split by their tokens: AND, OR, NOT, CASE and WHERE are reserved words.

use std::ops::Range;

use bowline_sql::{Kind, Token, tokens, with_braces_twice};

use super::{Mistake, NamedQuery};

mod place;
mod rows;

use place::Place;

/// The limit of optional parameters. Each one doubles the number of texts.
pub(super) const MAX_CONDITIONS: usize = 12;

/// The keywords after a WHERE.
const ENDS: [&str; 11] = [
    "group",
    "having",
    "window",
    "union",
    "intersect",
    "except",
    "order",
    "limit",
    "offset",
    "fetch",
    "for",
];

/// The keywords before and after an expression that no operator joins to it.
const BOUNDS: [&str; 8] = [
    "where", "on", "when", "then", "else", "select", "from", "by",
];

/// A part of a text that cannot be left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refused {
    pub span: Range<usize>,
    pub message: String,
    pub hint: &'static str,
}

/// A conjunct.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Conjunct {
    /// The tokens, by their numbers.
    tokens: Range<usize>,
    /// The AND before it; `None` for the first one in its brackets.
    and: Option<usize>,
    /// True if an OR without brackets makes a whole of it.
    is_or: bool,
    /// The number of its WHERE among the tokens.
    of: usize,
}

/// Returns the mistakes of the optional parameters of a query, as far as the text shows them.
pub(super) fn mistakes(query: &NamedQuery) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    if let Some(more) = query.optional.get(MAX_CONDITIONS) {
        mistakes.push(
            Mistake::new(
                more.span.clone(),
                format!("a query has up to {MAX_CONDITIONS} optional parameters"),
            )
            .hint("write a second query for some of them"),
        );
    }
    for (index, word) in query.optional.iter().enumerate() {
        let before = &query.optional[..index];
        let (message, hint) = if before.iter().any(|other| other.text == word.text) {
            ("is named twice", "remove one of the names")
        } else if query.nullable.iter().any(|other| other.text == word.text) {
            (
                "cannot be nullable and optional",
                "None leaves an optional condition out, and is NULL for a nullable parameter",
            )
        } else {
            continue;
        };
        let message = format!("`{}` {message}", word.text);
        mistakes.push(Mistake::new(word.span.clone(), message).hint(hint));
    }
    if !mistakes.is_empty() {
        return mistakes;
    }
    let optional = query.optional_parameters();
    let name = |index| query.parameter_name(index);
    let refused = template(&query.sql.text, &optional, name);
    let refused = refused.and_then(|_| check_rows(&query.sql.text, &optional, name));
    let refused = refused.err().map(
        |Refused {
             span,
             message,
             hint,
         }| { Mistake::new(query.sql.positions.in_file(&span), message).hint(hint) },
    );
    refused.into_iter().collect()
}

/// Checks that the query returns as many rows, or more, without the condition of each of these
/// parameters.
fn check_rows(
    sql: &str,
    optional: &[usize],
    name: impl Fn(usize) -> String,
) -> Result<(), Refused> {
    let all: Vec<Token<'_>> = tokens(sql).collect();
    let depths = depths(&all);
    let conjuncts = conjuncts(&all, &depths);
    for parameter in optional {
        let text = format!("${}", parameter + 1);
        let used = (0..all.len()).find(|at| all[*at].text() == text);
        let Some((at, conjunct)) = used.and_then(|at| {
            let of = conjuncts.iter().find(|it| it.tokens.contains(&at))?;
            Some((at, of))
        }) else {
            continue;
        };
        if let Err(doubt) = rows::check(&all, &depths, conjunct.of) {
            let shown = &all[doubt.at.unwrap_or(at)];
            let (place, hint) = doubt.why.texts();
            return Err(Refused {
                span: shown.start()..shown.end(),
                message: format!("`{}` is optional, and {place}", name(*parameter)),
                hint,
            });
        }
    }
    Ok(())
}

/// Returns SQL with a gap for the condition of each of these parameters, which are counted from 0.
/// The gaps are those of [`bowline_sql::compose`], numbered in the order of the parameters.
pub(super) fn template(
    sql: &str,
    optional: &[usize],
    name: impl Fn(usize) -> String,
) -> Result<String, Refused> {
    let all: Vec<Token<'_>> = tokens(sql).collect();
    let depths = depths(&all);
    let conjuncts = conjuncts(&all, &depths);
    let mut gaps: Vec<(usize, &Conjunct)> = Vec::new();
    for (number, parameter) in optional.iter().enumerate() {
        let shown = name(*parameter);
        let refused = |at: usize, message: String, hint| {
            Err(Refused {
                span: all[at].start()..all[at].end(),
                message,
                hint,
            })
        };
        let text = format!("${}", parameter + 1);
        let uses: Vec<usize> = (0..all.len())
            .filter(|at| all[*at].text() == text)
            .collect();
        let mut of: Option<&Conjunct> = None;
        for at in &uses {
            let Some(conjunct) = conjuncts.iter().find(|it| it.tokens.contains(at)) else {
                return refused(
                    *at,
                    format!("`{shown}` is optional, and used outside of a WHERE"),
                    "only a condition can be left out: use another parameter here",
                );
            };
            if of.is_some_and(|other| other != conjunct) {
                return refused(
                    *at,
                    format!("`{shown}` is optional, and used in two conditions"),
                    "use the parameter in one condition, or give each condition a parameter",
                );
            }
            of = Some(conjunct);
            let inside = &all[conjunct.tokens.clone()];
            if has_other_branch(&all, &depths, &conjunct.tokens, &text) {
                return refused(
                    *at,
                    format!("`{shown}` is optional, and under an OR"),
                    "use the parameter on both sides of the OR, or write two queries",
                );
            }
            let place = place::of_where(&all, &depths, conjunct.of);
            if place == Place::Scalar {
                return refused(
                    *at,
                    format!("`{shown}` is optional, and in a subquery that returns one value"),
                    "without the condition it could return several rows: use an aggregate, \
                     ARRAY(..), EXISTS (..) or a join",
                );
            }
            if negates(inside) || place == Place::Negated {
                return refused(
                    *at,
                    format!("`{shown}` is optional, and under a NOT"),
                    "write the condition without NOT: <>, NOT IN, IS DISTINCT FROM; for NOT EXISTS \
                     write two queries, since without the condition the subquery finds every row",
                );
            }
            let other = inside
                .iter()
                .find(|token| token.kind() == Kind::Parameter && token.text() != text);
            if let Some(other) = other {
                let other = other.text()[1..].parse::<usize>().ok();
                let other = other.and_then(|number| number.checked_sub(1)).map(&name);
                return refused(
                    *at,
                    format!(
                        "the condition of `{shown}`, which is optional, also has `{}`",
                        other.unwrap_or_default()
                    ),
                    "a condition that can be left out has one parameter: write two conditions",
                );
            }
        }
        gaps.extend(of.map(|conjunct| (number, conjunct)));
    }
    Ok(with_gaps(sql, &all, gaps))
}

/// Writes the gaps.
fn with_gaps(sql: &str, all: &[Token<'_>], mut gaps: Vec<(usize, &Conjunct)>) -> String {
    gaps.sort_by_key(|(_, conjunct)| conjunct.tokens.start);
    let mut out = String::with_capacity(sql.len() + 8 * gaps.len());
    let mut end = 0;
    for (number, conjunct) in gaps {
        let start = match conjunct.and {
            // The space before AND is a part of the gap.
            Some(and) => all[and - 1].end(),
            None => all[conjunct.tokens.start].start(),
        };
        out.push_str(&with_braces_twice(&sql[end..start]));
        end = all[conjunct.tokens.end - 1].end();
        let condition = with_braces_twice(&sql[all[conjunct.tokens.start].start()..end]);
        let condition = if conjunct.is_or {
            format!("({condition})")
        } else {
            condition
        };
        // The first condition of a WHERE is left out by a constant in its place.
        let head = if conjunct.and.is_none() { "true" } else { "" };
        out.push_str(&format!("{head}{{{number}: AND {condition}}}"));
    }
    out.push_str(&with_braces_twice(&sql[end..]));
    out
}

/// Returns the depth of each token in brackets and CASE. A bracket has the depth of what is around
/// it.
pub(super) fn depths(all: &[Token<'_>]) -> Vec<usize> {
    let mut depth = 0_usize;
    let mut depths = Vec::with_capacity(all.len());
    for at in 0..all.len() {
        let closes = matches!(all[at].text(), ")" | "]") || is_keyword(all, at, "end");
        if closes {
            depth = depth.saturating_sub(1);
        }
        depths.push(depth);
        if matches!(all[at].text(), "(" | "[") || is_keyword(all, at, "case") {
            depth += 1;
        }
    }
    depths
}

/// Returns true for a keyword that is no label and no field.
pub(super) fn is_keyword(all: &[Token<'_>], at: usize, word: &str) -> bool {
    let before = at.checked_sub(1).map(|before| &all[before]);
    all[at].is_word(word) && !before.is_some_and(|it| it.is_word("as") || it.is("."))
}

/// Returns the conjuncts of each outermost WHERE.
fn conjuncts(all: &[Token<'_>], depths: &[usize]) -> Vec<Conjunct> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < all.len() {
        let of_filter = at > 1 && all[at - 1].is("(") && all[at - 2].is_word("filter");
        if !is_keyword(all, at, "where") || of_filter {
            at += 1;
            continue;
        }
        let start = at + 1;
        let end = end_of_where(all, depths, at);
        split(all, depths, start..end, (at, None), &mut found);
        at = end.max(start);
    }
    found
}

/// Returns the end of the condition of a WHERE.
fn end_of_where(all: &[Token<'_>], depths: &[usize], at: usize) -> usize {
    let depth = depths[at];
    let ends = |next: usize| {
        depths[next] < depth
            || depths[next] == depth
                && (all[next].is(";") || ENDS.iter().any(|end| is_keyword(all, next, end)))
    };
    let mut after = at + 1..all.len();
    after.find(|next| ends(*next)).unwrap_or(all.len())
}

/// Splits an expression of a WHERE at its ANDs, also within brackets around several conditions. It
/// can have an AND before it.
fn split(
    all: &[Token<'_>],
    depths: &[usize],
    of: Range<usize>,
    (of_where, and): (usize, Option<usize>),
    found: &mut Vec<Conjunct>,
) {
    if has_or(all, depths, &of) {
        found.push(Conjunct {
            tokens: of,
            and,
            is_or: true,
            of: of_where,
        });
        return;
    }
    let Some(depth) = of.clone().map(|at| depths[at]).min() else {
        return;
    };
    let mut of_between = 0_usize;
    let mut ands = Vec::new();
    for at in of.clone().filter(|at| depths[*at] == depth) {
        if is_keyword(all, at, "between") && follows_value(all, at, of.start) {
            of_between += 1;
        } else if is_keyword(all, at, "and") {
            if of_between > 0 {
                of_between -= 1;
            } else {
                ands.push(at);
            }
        }
    }
    let mut start = of.start;
    let mut before = and;
    for end in ands.iter().copied().chain([of.end]) {
        let part = start..end;
        let inner = brackets_around(all, depths, &part);
        match inner.filter(|inner| !has_or(all, depths, inner)) {
            Some(inner) => split(all, depths, inner, (of_where, None), found),
            None => found.push(Conjunct {
                tokens: part,
                and: before,
                is_or: false,
                of: of_where,
            }),
        }
        (start, before) = (end + 1, Some(end));
    }
}

/// Returns true if an OR outside of brackets makes a whole of an expression.
pub(super) fn has_or(all: &[Token<'_>], depths: &[usize], of: &Range<usize>) -> bool {
    let depth = of.clone().map(|at| depths[at]).min();
    let mut of = of.clone().filter(|at| Some(depths[*at]) == depth);
    of.any(|at| is_keyword(all, at, "or"))
}

/// Returns true if there is an OR with the parameter on one side only.
fn has_other_branch(
    all: &[Token<'_>],
    depths: &[usize],
    of: &Range<usize>,
    parameter: &str,
) -> bool {
    let ors = of.clone().filter(|at| is_keyword(all, *at, "or"));
    ors.into_iter().any(|or| {
        let depth = depths[or];
        let bounds = |at: usize| {
            depths[at] < depth
                || depths[at] == depth
                    && (all[at].is(",")
                        || BOUNDS.iter().chain(&ENDS).any(|it| is_keyword(all, at, it)))
        };
        // A bracket that opens the group has the depth of what is around it.
        let start = (of.start..or).rev().find(|at| bounds(*at));
        let end = (or..of.end).find(|at| bounds(*at)).unwrap_or(of.end);
        let group = start.map_or(of.start, |start| start + 1)..end;
        let tokens: Vec<usize> = group.collect();
        let branches = tokens.split(|at| depths[*at] == depth && is_keyword(all, *at, "or"));
        let uses = |branch: &[usize]| branch.iter().any(|at| all[*at].text() == parameter);
        let used: Vec<bool> = branches.map(uses).collect();
        used.contains(&true) && used.contains(&false)
    })
}

/// Returns true if the word before is one after which an operator can stand, so that BETWEEN is no
/// name of a column.
fn follows_value(all: &[Token<'_>], at: usize, start: usize) -> bool {
    at > start && {
        let before = &all[at - 1];
        let is_operator =
            before.kind() == Kind::Operator || matches!(before.text(), "(" | "," | "[");
        !is_operator && !before.is_one_of(&["and", "or"])
    }
}

/// Returns what is within the brackets around a whole part, unless that is a query.
fn brackets_around(
    all: &[Token<'_>],
    depths: &[usize],
    part: &Range<usize>,
) -> Option<Range<usize>> {
    let inner = part.start + 1..part.end.checked_sub(1)?;
    let (first, last) = (all.get(part.start)?, all.get(inner.end)?);
    let is_whole = first.is("(")
        && last.is(")")
        && !inner.is_empty()
        && inner.clone().all(|at| depths[at] > depths[part.start]);
    let words = ["select", "with", "values", "table"];
    let is_query = all.get(inner.start).is_some_and(|it| it.is_one_of(&words));
    (is_whole && !is_query).then_some(inner)
}

/// Returns true if there is a NOT that is no part of an operator, as in `NOT IN` and `IS NOT`.
fn negates(inside: &[Token<'_>]) -> bool {
    const AFTER: [&str; 5] = ["in", "like", "ilike", "similar", "between"];
    (0..inside.len()).any(|at| {
        let before = at
            .checked_sub(1)
            .is_some_and(|before| inside[before].is_word("is"));
        let after = inside
            .get(at + 1)
            .is_some_and(|after| after.is_one_of(&AFTER));
        inside[at].is_word("not") && !before && !after
    })
}

#[cfg(test)]
mod tests;
