//! Whether a query returns as many rows, or more, without a condition of one of its subqueries.
//!
//! More rows of a subquery can mean fewer of the query: under NOT IN, behind a LEFT JOIN with IS
//! NULL, within a LIMIT, in a count that is compared. So a subquery is accepted only where it can
//! be seen that its rows are added to those of the query, or make a value of the result.

use std::ops::Range;

use bowline_sql::Token;

use super::place::{self, Place, before_of, bracket_around};
use super::{ENDS, end_of_where, is_keyword, split};
use crate::query::may_aggregate;

/// The keywords that begin a clause.
const CLAUSES: [&str; 10] = [
    "select",
    "from",
    "where",
    "with",
    "on",
    "using",
    "values",
    "returning",
    "set",
    "join",
];

const SETS: [&str; 3] = ["union", "intersect", "except"];

/// The reason why a condition cannot be left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Doubt {
    /// The token that shows it; `None` for the parameter itself.
    pub at: Option<usize>,
    pub why: Why,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    Nullable,
    Limited(&'static str),
    Having,
    Used,
    Locked,
}

impl Why {
    /// Returns the end of the message, and the hint.
    pub(super) fn texts(self) -> (String, &'static str) {
        match self {
            Self::Nullable => (
                "on the nullable side of an outer join".to_owned(),
                "with more rows there, IS NULL can find fewer: use JOIN, or move the condition to \
                 the WHERE of the whole query",
            ),
            Self::Limited(word) => (
                format!("in a part of the query with {word}"),
                "without the condition, that part can lack rows that it has with it: move the \
                 condition to the WHERE of the whole query, or write two queries",
            ),
            Self::Having => (
                "in a query with HAVING".to_owned(),
                "a group of more rows can fail it, unless it is HAVING count(..) >= a value: write \
                 two queries",
            ),
            Self::Used => (
                "in a subquery of which more rows could mean fewer of the query".to_owned(),
                "use the subquery in a FROM, or by EXISTS or IN between the ANDs of a WHERE, or \
                 write two queries",
            ),
            Self::Locked => (
                "in a query that locks rows".to_owned(),
                "without the condition it would lock all rows: write two queries",
            ),
        }
    }
}

fn doubt<T>(at: impl Into<Option<usize>>, why: Why) -> Result<T, Doubt> {
    Err(Doubt { at: at.into(), why })
}

/// Checks the WHERE with this number.
pub(super) fn check(all: &[Token<'_>], depths: &[usize], at: usize) -> Result<(), Doubt> {
    let lock = (1..all.len()).find(|at| {
        is_keyword(all, at - 1, "for") && all[*at].is_one_of(&["update", "share", "no", "key"])
    });
    if lock.is_some() {
        return doubt(lock, Why::Locked);
    }
    let mut reader = Reader {
        all,
        depths,
        seen: Vec::new(),
    };
    if reader.is_value(at) {
        return Ok(());
    }
    reader.query(at)
}

struct Reader<'a> {
    all: &'a [Token<'a>],
    depths: &'a [usize],
    /// The names of the WITH queries that were followed.
    seen: Vec<String>,
}

impl Reader<'_> {
    /// Follows the query in which a token is: that of a WHERE, or an item of a FROM.
    fn query(&mut self, at: usize) -> Result<(), Doubt> {
        let bracket = bracket_around(self.all, self.depths, at);
        if bracket.is_some_and(|bracket| !self.begins_query(bracket)) {
            return doubt(None, Why::Used);
        }
        let depth = self.depths[at];
        let level = self.level(bracket);
        let branch = self.branch(at);
        if bracket.is_some() {
            for (word, shown) in [
                ("limit", "LIMIT"),
                ("offset", "OFFSET"),
                ("fetch", "FETCH FIRST"),
            ] {
                if let Some(found) = self.find(level.clone(), depth, word) {
                    return doubt(found, Why::Limited(shown));
                }
            }
        }
        if bracket.is_some() || !self.only_adds(&level, depth) {
            self.check_plain(&branch, depth)?;
        } else if let Some(having) = self.find(branch.clone(), depth, "having")
            && !self.is_least_count(having, branch.end)
        {
            return doubt(having, Why::Having);
        }
        match bracket {
            Some(bracket) => self.bracket(bracket),
            None => Ok(()),
        }
    }

    /// Follows the bracket around a query.
    fn bracket(&mut self, bracket: usize) -> Result<(), Doubt> {
        let all = self.all;
        let before = before_of(all, self.depths, bracket);
        let clause = self.clause(bracket);
        let is_of = |word| clause.is_some_and(|at| all[at].is_word(word));
        let Some(previous) = before.first().copied() else {
            let next = all.get(self.close(bracket) + 1);
            let is_whole = next
                .is_none_or(|next| next.is(")") || next.is_one_of(&SETS) || next.is_one_of(&ENDS));
            return match is_whole {
                true => self.query(bracket),
                false if self.is_item(bracket) => self.item(bracket),
                false => doubt(None, Why::Used),
            };
        };
        let is = |at: usize, words: &[&str]| all[at].is_one_of(words);
        if is_of("with") && is(previous, &["as", "materialized"]) {
            return self.with_query(&before);
        }
        let is_of_set = is(previous, &SETS)
            || is(previous, &["all", "distinct"])
                && before.get(1).is_some_and(|before| is(*before, &SETS));
        if is_of_set || is_of("with") && all[previous].is(")") {
            return self.query(bracket);
        }
        if self.is_item(bracket) {
            return self.item(bracket);
        }
        match clause.filter(|_| is_of("where")) {
            Some(clause) if self.is_condition(bracket, clause) => self.query(clause),
            _ => doubt(None, Why::Used),
        }
    }

    /// Follows each use of a WITH query, whose bracket has these tokens before it.
    fn with_query(&mut self, before: &[usize]) -> Result<(), Doubt> {
        let all = self.all;
        let mut names = before.iter().skip_while(|at| !all[**at].is_word("as"));
        let name = names
            .find(|at| !all[**at].is_one_of(&["as"]) && !matches!(all[**at].text(), "(" | ")"));
        let Some(name) = name.and_then(|at| all[*at].name()) else {
            return doubt(None, Why::Used);
        };
        if self.seen.iter().any(|seen| *seen == *name) {
            return Ok(());
        }
        self.seen.push(name.clone().into_owned());
        for at in 0..all.len() {
            if !all[at].is_name(&name) || all.get(at + 1).is_some_and(|next| next.is(".")) {
                continue;
            }
            if at > 0 && all[at - 1].is_word("table") {
                return doubt(at, Why::Used);
            }
            if !self.is_item(at) {
                continue;
            }
            if place::of_where(all, self.depths, at) != Place::Rows {
                return doubt(at, Why::Used);
            }
            if !self.is_value(at) {
                let followed = self.item(at);
                followed.map_err(|Doubt { at: shown, why }| Doubt {
                    at: shown.or(Some(at)),
                    why,
                })?;
            }
        }
        Ok(())
    }

    /// Returns true for a relation, a query or a join in a FROM.
    fn is_item(&self, at: usize) -> bool {
        let Some(before) = at.checked_sub(1) else {
            return false;
        };
        let previous = &self.all[before];
        if previous.is_one_of(&["lateral", "only"]) {
            return self.is_item(before);
        }
        let is_from = previous.is_word("from") && !self.is_distinct_from(before);
        let is_next = || {
            let clause = self.clause(at);
            clause.is_some_and(|at| self.all[at].is_one_of(&["from", "on", "using", "join"]))
        };
        is_from
            || previous.is_word("join")
            || previous.is(",") && is_next()
            || previous.is("(") && self.is_item(before)
    }

    /// Follows an item of a FROM, unless an outer join can give NULL in its place.
    fn item(&mut self, at: usize) -> Result<(), Doubt> {
        let (all, depth) = (self.all, self.depths[at]);
        let before = before_of(all, self.depths, at);
        let is_start =
            |at: usize| all[at].is(",") || all[at].is_word("from") && !self.is_distinct_from(at);
        let is_in_brackets = !before.iter().any(|at| all[*at].is_word("from"));
        let of_item: Vec<usize> = before.into_iter().take_while(|at| !is_start(*at)).collect();
        let mut has_on = false;
        for found in of_item {
            if all[found].is_one_of(&["on", "using"]) {
                has_on = true;
            } else if all[found].is_word("join") {
                // Without ON after it, the item is within its right side.
                if !has_on && self.is_outer(found, &["left", "full"]) {
                    return doubt(None, Why::Nullable);
                }
                has_on = false;
            }
        }
        let bracket = bracket_around(all, self.depths, at);
        let level = at + 1..self.level(bracket).end;
        let ends = |at: &usize| {
            self.depths[*at] == depth
                && (all[*at].is(",")
                    || is_keyword(all, *at, "where")
                    || ENDS.iter().any(|word| is_keyword(all, *at, word)))
        };
        let mut after = level.take_while(|at| !ends(at));
        if after.any(|at| self.depths[at] == depth && self.is_outer(at, &["right", "full"])) {
            return doubt(None, Why::Nullable);
        }
        match bracket {
            Some(bracket) if is_in_brackets && all[bracket].is("(") && self.is_item(bracket) => {
                self.item(bracket)
            }
            _ => self.query(at),
        }
    }

    /// Returns true for the JOIN of an outer join of one of these kinds.
    fn is_outer(&self, join: usize, kinds: &[&str]) -> bool {
        let before = |count: usize| join.checked_sub(count).map(|at| &self.all[at]);
        let is_outer = before(1).is_some_and(|it| it.is_word("outer"));
        self.all[join].is_word("join")
            && before(1 + usize::from(is_outer)).is_some_and(|it| it.is_one_of(kinds))
    }

    /// Returns true if a query in brackets is a whole condition of this WHERE: EXISTS, IN or ANY.
    fn is_condition(&self, bracket: usize, of_where: usize) -> bool {
        let (all, depths) = (self.all, self.depths);
        let mut conjuncts = Vec::new();
        let range = of_where + 1..end_of_where(all, depths, of_where);
        split(all, depths, range, (of_where, None), &mut conjuncts);
        let whole = conjuncts.iter().find(|it| it.tokens.contains(&bracket));
        let Some(whole) = whole.filter(|it| !it.is_or && it.tokens.end == self.close(bracket) + 1)
        else {
            return false;
        };
        let head = whole.tokens.start..bracket;
        let mut head: Vec<&Token<'_>> = head
            .filter(|at| depths[*at] == depths[bracket])
            .map(|at| &all[at])
            .collect();
        match head.pop() {
            Some(word) if word.is_word("exists") => head.is_empty(),
            Some(word) if word.is_one_of(&["any", "some"]) => {
                head.pop().is_some() && is_operand(&head)
            }
            Some(word) => word.is_word("in") && is_operand(&head),
            None => false,
        }
    }

    /// Checks that more rows of a SELECT are rows beside the others, with the same values.
    fn check_plain(&self, branch: &Range<usize>, depth: usize) -> Result<(), Doubt> {
        for (word, shown) in [
            ("group", "GROUP BY"),
            ("having", "HAVING"),
            ("on", "DISTINCT ON"),
        ] {
            let found = self.find(branch.clone(), depth, word);
            let is_meant = |at: &usize| {
                word != "on"
                    || at
                        .checked_sub(1)
                        .is_some_and(|it| self.all[it].is_word("distinct"))
            };
            if let Some(found) = found.filter(is_meant) {
                return doubt(found, Why::Limited(shown));
            }
        }
        let Some(select) = self.find(branch.clone(), depth, "select") else {
            return Ok(()); // a query in brackets, which was followed
        };
        let from = self.find(select..branch.end, depth, "from");
        for at in select + 1..from.unwrap_or(branch.end) {
            let is_call = self.all.get(at + 1).is_some_and(|next| next.is("("));
            if is_call && self.all[at].is_word("over") {
                return doubt(at, Why::Limited("a window function"));
            }
            let name = self.all[at].name().filter(|_| is_call);
            if name.is_some_and(|name| may_aggregate(&name)) {
                return doubt(at, Why::Limited("an aggregate"));
            }
        }
        Ok(())
    }

    /// Returns true for `HAVING count(..) >= value`, which more rows can only fulfil.
    fn is_least_count(&self, having: usize, end: usize) -> bool {
        let depth = self.depths[having];
        let mut of: Vec<usize> = (having + 1..end)
            .take_while(|at| !ENDS.iter().any(|word| is_keyword(self.all, *at, word)))
            .collect();
        of.retain(|at| self.depths[*at] == depth);
        let [name, open, close, operator, _value] = of.as_slice() else {
            return false;
        };
        self.all[*name].is_word("count")
            && self.all[*open].is("(")
            && self.all[*close].is(")")
            && matches!(self.all[*operator].text(), ">" | ">=")
    }

    /// Returns true if a subquery is part of a value of the result, which leaves the rows alone.
    fn is_value(&self, at: usize) -> bool {
        let mut outermost = at;
        while let Some(bracket) = bracket_around(self.all, self.depths, outermost) {
            outermost = bracket;
        }
        let clause = self.clause(outermost);
        let is_of_result = clause.is_some_and(|at| self.all[at].is_one_of(&["select", "order"]));
        let branch = self.branch(outermost);
        let has = |word| self.find(branch.clone(), 0, word).is_some();
        let select = self.find(branch.clone(), 0, "select");
        let is_distinct = select.is_some_and(|at| {
            self.all
                .get(at + 1)
                .is_some_and(|next| next.is_word("distinct"))
        });
        outermost != at
            && is_of_result
            && !is_distinct
            && !has("group")
            && self.only_adds(&self.level(None), 0)
    }

    /// Returns true if all set operations are UNION ALL.
    fn only_adds(&self, level: &Range<usize>, depth: usize) -> bool {
        let mut sets = level.clone().filter(|at| {
            self.depths[*at] == depth && SETS.iter().any(|word| is_keyword(self.all, *at, word))
        });
        sets.all(|at| {
            self.all[at].is_word("union")
                && self.all.get(at + 1).is_some_and(|next| next.is_word("all"))
        })
    }

    /// Returns the keyword of the clause in which a token is.
    fn clause(&self, at: usize) -> Option<usize> {
        let before = before_of(self.all, self.depths, at);
        before.into_iter().find(|at| {
            let mut words = CLAUSES.iter().chain(&ENDS);
            words.any(|word| is_keyword(self.all, *at, word)) && !self.is_distinct_from(*at)
        })
    }

    fn is_distinct_from(&self, at: usize) -> bool {
        let before = at.checked_sub(1).map(|before| &self.all[before]);
        self.all[at].is_word("from") && before.is_some_and(|it| it.is_word("distinct"))
    }

    /// Returns true for a bracket around a query.
    fn begins_query(&self, bracket: usize) -> bool {
        let mut inner = bracket;
        while self.all[inner].is("(") && self.all.get(inner + 1).is_some_and(|it| it.is("(")) {
            inner += 1;
        }
        let words = ["select", "with", "values", "table"];
        self.all[inner].is("(")
            && self
                .all
                .get(inner + 1)
                .is_some_and(|it| it.is_one_of(&words))
    }

    /// Returns the tokens within a bracket, or all.
    fn level(&self, bracket: Option<usize>) -> Range<usize> {
        bracket.map_or(0..self.all.len(), |it| it + 1..self.close(it))
    }

    /// Returns the number of the token that closes a bracket.
    fn close(&self, bracket: usize) -> usize {
        let mut after = bracket + 1..self.all.len();
        let close = after.find(|at| self.depths[*at] <= self.depths[bracket]);
        close.unwrap_or(self.all.len())
    }

    /// Returns the SELECT of a set operation in which a token is.
    fn branch(&self, at: usize) -> Range<usize> {
        let level = self.level(bracket_around(self.all, self.depths, at));
        let is_set = |it: &usize| {
            self.depths[*it] == self.depths[at]
                && SETS.iter().any(|word| is_keyword(self.all, *it, word))
        };
        let start = (level.start..at).rev().find(is_set);
        let end = (at..level.end).find(is_set);
        start.map_or(level.start, |start| start + 1)..end.unwrap_or(level.end)
    }

    fn find(&self, mut of: Range<usize>, depth: usize, word: &str) -> Option<usize> {
        of.find(|at| self.depths[*at] == depth && is_keyword(self.all, *at, word))
    }
}

/// Returns true for an operand to which IN or an operator belongs as a whole.
fn is_operand(head: &[&Token<'_>]) -> bool {
    const LOOSER: [&str; 8] = [
        "not", "is", "isnull", "notnull", "between", "like", "ilike", "similar",
    ];
    let compares = |text| matches!(text, "=" | "<" | ">" | "<=" | ">=" | "<>" | "!=");
    !head
        .iter()
        .any(|it| compares(it.text()) || it.is_one_of(&LOOSER))
}
