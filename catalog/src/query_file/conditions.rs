//! The conditions of a query that a call can leave out: `-- optional: status, label`.
//!
//! A condition is a whole conjunct: what stands between the ANDs of a WHERE. That of a parameter is
//! a conjunct of the outermost WHERE around it, so an EXISTS is left out as a whole. The texts are
//! split by their tokens: AND, OR, NOT, CASE and WHERE are reserved words.

use std::ops::Range;

use bowline_sql::{Kind, Token, tokens, with_braces_twice};

use super::{Mistake, NamedQuery};

/// The limit of optional parameters. Each one doubles the number of texts.
pub(super) const MAX_CONDITIONS: usize = 12;

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
    /// True if an OR makes a whole of it.
    is_or: bool,
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
    let refused = template(&query.sql.text, &optional, |index| {
        query.parameter_name(index)
    });
    let refused = refused.err().map(
        |Refused {
             span,
             message,
             hint,
         }| { Mistake::new(query.sql.positions.in_file(&span), message).hint(hint) },
    );
    refused.into_iter().collect()
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
            if conjunct.is_or || inside.iter().any(|token| token.is_word("or")) {
                return refused(
                    *at,
                    format!("`{shown}` is optional, and under an OR"),
                    "leave the parameter out of the OR, or write two queries",
                );
            }
            if negates(inside) {
                return refused(
                    *at,
                    format!("`{shown}` is optional, and under a NOT"),
                    "write the condition without NOT: <>, NOT IN, IS DISTINCT FROM",
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
        let condition = &sql[all[conjunct.tokens.start].start()..end];
        // The first condition of a WHERE is left out by a constant in its place.
        let head = if conjunct.and.is_none() { "true" } else { "" };
        out.push_str(&format!(
            "{head}{{{number}: AND {}}}",
            with_braces_twice(condition)
        ));
    }
    out.push_str(&with_braces_twice(&sql[end..]));
    out
}

/// Returns the depth of each token in brackets and CASE. A bracket has the depth of what is around
/// it.
fn depths(all: &[Token<'_>]) -> Vec<usize> {
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
fn is_keyword(all: &[Token<'_>], at: usize, word: &str) -> bool {
    let before = at.checked_sub(1).map(|before| &all[before]);
    all[at].is_word(word) && !before.is_some_and(|it| it.is_word("as") || it.is("."))
}

/// Returns the conjuncts of each outermost WHERE.
fn conjuncts(all: &[Token<'_>], depths: &[usize]) -> Vec<Conjunct> {
    const ENDS: [&str; 10] = [
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
    ];
    let mut found = Vec::new();
    let mut at = 0;
    while at < all.len() {
        let of_filter = at > 1 && all[at - 1].is("(") && all[at - 2].is_word("filter");
        if !is_keyword(all, at, "where") || of_filter {
            at += 1;
            continue;
        }
        let start = at + 1;
        let depth = depths[at];
        let ends = |next: usize| {
            depths[next] < depth
                || depths[next] == depth
                    && (all[next].is(";")
                        || ENDS
                            .iter()
                            .chain(&["for"])
                            .any(|end| is_keyword(all, next, end)))
        };
        let end = (start..all.len())
            .find(|next| ends(*next))
            .unwrap_or(all.len());
        split(all, depths, start..end, None, &mut found);
        at = end.max(start);
    }
    found
}

/// Splits an expression at its ANDs, also within brackets around several conditions.
fn split(
    all: &[Token<'_>],
    depths: &[usize],
    of: Range<usize>,
    and: Option<usize>,
    found: &mut Vec<Conjunct>,
) {
    let Some(depth) = of.clone().map(|at| depths[at]).min() else {
        return;
    };
    let here = |at: &usize| depths[*at] == depth;
    if of.clone().filter(here).any(|at| is_keyword(all, at, "or")) {
        found.push(Conjunct {
            tokens: of,
            and,
            is_or: true,
        });
        return;
    }
    let mut of_between = 0_usize;
    let mut ands = Vec::new();
    for at in of.clone().filter(here) {
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
        match inner {
            Some(inner) => split(all, depths, inner, None, found),
            None => found.push(Conjunct {
                tokens: part,
                and: before,
                is_or: false,
            }),
        }
        (start, before) = (end + 1, Some(end));
    }
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
mod tests {
    use super::*;

    fn of(sql: &str, optional: &[usize]) -> String {
        match template(sql, optional, |number| format!(":p{}", number + 1)) {
            Ok(template) => template,
            Err(refused) => format!("{}: {}", &sql[refused.span.clone()], refused.message),
        }
    }

    #[test]
    fn a_condition_is_a_whole_conjunct() {
        for (sql, expected) in [
            (
                "SELECT 1 FROM t WHERE a = $1 AND b = $2 ORDER BY a",
                "SELECT 1 FROM t WHERE true{0: AND a = $1}{1: AND b = $2} ORDER BY a",
            ),
            (
                "SELECT 1 FROM t WHERE c AND a BETWEEN 1 AND $1 AND b = $2",
                "SELECT 1 FROM t WHERE c{0: AND a BETWEEN 1 AND $1}{1: AND b = $2}",
            ),
            (
                "SELECT 1 FROM t WHERE CASE WHEN x AND y THEN a ELSE b END = $1 AND ($2 = b AND c)",
                "SELECT 1 FROM t WHERE true{0: AND CASE WHEN x AND y THEN a ELSE b END = $1} AND (true{1: AND $2 = b} AND c)",
            ),
            (
                "SELECT '{}' FROM t WHERE d AND EXISTS (SELECT FROM u WHERE u.a = t.a AND u.b = ANY ($1)) AND b = coalesce($2, '{1}') LIMIT 1",
                "SELECT '{{}}' FROM t WHERE d{0: AND EXISTS (SELECT FROM u WHERE u.a = t.a AND u.b = ANY ($1))}{1: AND b = coalesce($2, '{{1}}')} LIMIT 1",
            ),
            (
                "SELECT ARRAY(SELECT u FROM u WHERE u.b = $1) AS where, count(*) FILTER (WHERE q) FROM t WHERE a NOT IN ($2, 5) AND b IS NOT NULL",
                "SELECT ARRAY(SELECT u FROM u WHERE true{0: AND u.b = $1}) AS where, count(*) FILTER (WHERE q) FROM t WHERE true{1: AND a NOT IN ($2, 5)} AND b IS NOT NULL",
            ),
            (
                "SELECT 1 FROM t WHERE between = 1 AND a < $1 + $1 GROUP BY a HAVING b > $2",
                "$2: `:p2` is optional, and used outside of a WHERE",
            ),
        ] {
            assert_eq!(of(sql, &[0, 1]), expected);
        }
    }

    #[test]
    fn a_part_of_a_condition_is_not_left_out() {
        for (sql, expected) in [
            (
                "SELECT 1 FROM t WHERE a = $1 OR b",
                "`:p1` is optional, and under an OR",
            ),
            (
                "SELECT 1 FROM t WHERE c AND (a = $1 OR b)",
                "`:p1` is optional, and under an OR",
            ),
            (
                "SELECT 1 FROM t WHERE NOT a = $1",
                "`:p1` is optional, and under a NOT",
            ),
            (
                "SELECT 1 FROM t WHERE c AND NOT EXISTS (SELECT FROM u WHERE u.b = $1)",
                "`:p1` is optional, and under a NOT",
            ),
            (
                "SELECT 1 FROM t WHERE a > $1 AND b < $1",
                "`:p1` is optional, and used in two conditions",
            ),
            (
                "SELECT $1 FROM t WHERE a > $1",
                "`:p1` is optional, and used outside of a WHERE",
            ),
            (
                "SELECT count(*) FILTER (WHERE a > $1) FROM t",
                "`:p1` is optional, and used outside of a WHERE",
            ),
            (
                "SELECT 1 FROM t WHERE a BETWEEN $1 AND $2",
                "the condition of `:p1`, which is optional, also has `:p2`",
            ),
        ] {
            assert_eq!(of(sql, &[0]), format!("$1: {expected}"), "{sql}");
        }
    }
}
