//! The outermost clauses of a query, and the query with one condition more.

use std::ops::Range;

use bowline_sql::{Token, tokens};

use super::super::conditions::{depths, has_or, is_keyword};
use super::Why;

/// A query without brackets around it, with its outermost clauses.
pub(super) struct Text<'a> {
    sql: &'a str,
    pub(super) all: Vec<Token<'a>>,
    pub(super) depths: Vec<usize>,
    /// The results, by the numbers of their tokens.
    pub(super) items: Vec<Range<usize>>,
    /// The condition of WHERE.
    condition: Option<Range<usize>>,
    /// The ORDER.
    order: usize,
    pub(super) keys: Vec<Range<usize>>,
}

impl<'a> Text<'a> {
    pub(super) fn read(sql: &'a str) -> Result<Self, Why> {
        let mut all: Vec<Token<'_>> = tokens(sql).collect();
        while all.last().is_some_and(|last| last.is(";")) {
            all.pop();
        }
        let depths = depths(&all);
        let outer = |word: &str, from: usize| {
            (from..all.len()).find(|at| depths[*at] == 0 && is_keyword(&all, *at, word))
        };
        let why = |message: String, hint: &str| (message, hint.to_owned());
        let Some(select) = outer("select", 0) else {
            return Err(why(
                "only a SELECT without brackets around it has pages".to_owned(),
                "write :many, or the query as SELECT .. FROM (..)",
            ));
        };
        const REFUSED: [&str; 11] = [
            "union",
            "intersect",
            "except",
            "group",
            "having",
            "window",
            "limit",
            "offset",
            "fetch",
            "for",
            "into",
        ];
        let clause = REFUSED.iter().find(|word| outer(word, select).is_some());
        if let Some(clause) = clause {
            let clause = clause.to_uppercase();
            let hint = match clause.as_str() {
                "LIMIT" | "FETCH" => "remove it: the page has the limit",
                "OFFSET" => "remove it: a page begins after a row",
                "FOR" => "lock the rows that are changed, by their keys",
                _ => "write it within a subquery: SELECT .. FROM (..) list ORDER BY ..",
            };
            return Err(why(format!("a query with {clause} has no pages"), hint));
        }
        let Some(order) = outer("order", select) else {
            return Err(why(
                "a query with pages has an order".to_owned(),
                "write ORDER BY with columns that are unique together, such as created_at DESC, id",
            ));
        };
        let mut first = select + 1;
        if all.get(first).is_some_and(|it| it.is_word("all")) {
            first += 1;
        }
        let of_distinct = |at: usize| all[at - 1].is_word("distinct");
        let from = (first..order)
            .find(|at| depths[*at] == 0 && is_keyword(&all, *at, "from") && !of_distinct(*at));
        let end = from.or_else(|| outer("where", first)).unwrap_or(order);
        let computed = (first..end).find(|at| {
            is_keyword(&all, *at, "over") || *at == first && all[*at].is_word("distinct")
        });
        if let Some(at) = computed {
            return Err(why(
                format!(
                    "a query with {} has no pages",
                    all[at].text().to_uppercase()
                ),
                "write it within a subquery: SELECT .. FROM (..) list ORDER BY ..",
            ));
        }
        let condition = outer("where", first).map(|at| at + 1..order);
        let keys = order + 2..all.len();
        let split = |range: Range<usize>| -> Vec<Range<usize>> {
            let mut parts = Vec::new();
            let mut start = range.start;
            for at in range.clone() {
                if depths[at] == 0 && all[at].is(",") {
                    parts.push(start..at);
                    start = at + 1;
                }
            }
            parts.push(start..range.end);
            parts.retain(|part| !part.is_empty());
            parts
        };
        Ok(Self {
            items: split(first..end),
            keys: split(keys),
            sql,
            condition,
            order,
            all,
            depths,
        })
    }

    /// Returns the text of some tokens.
    pub(super) fn text(&self, range: &Range<usize>) -> &'a str {
        match (self.all.get(range.start), range.end.checked_sub(1)) {
            (Some(first), Some(last)) if last >= range.start => {
                &self.sql[first.start()..self.all[last].end()]
            }
            _ => "",
        }
    }

    pub(super) fn shown_order(&self) -> String {
        let first = self.keys.first().map_or(0, |key| key.start);
        bowline_sql::one_line(self.text(&(first..self.all.len())))
    }

    /// Returns the query with one condition more, with this parameter as its limit, and in another
    /// order.
    pub(super) fn with(
        &self,
        condition: Option<&str>,
        limit: Option<usize>,
        other_order: Option<&str>,
    ) -> String {
        let mut sql = String::with_capacity(self.sql.len() + 80);
        let order = self.all[self.order].start();
        match (condition, &self.condition) {
            (None, _) => sql.push_str(&self.sql[..order]),
            (Some(more), None) => sql.push_str(&format!("{}WHERE {more} ", &self.sql[..order])),
            (Some(more), Some(own)) => {
                let start = self.all[own.start].start();
                let end = self.all[own.end - 1].end();
                let (open, close) = if has_or(&self.all, &self.depths, own) {
                    ("(", ")")
                } else {
                    ("", "")
                };
                sql.push_str(&self.sql[..start]);
                sql.push_str(&format!(
                    "{open}{}{close} AND {more}{}",
                    &self.sql[start..end],
                    &self.sql[end..order]
                ));
            }
        }
        let end = self.all[self.all.len() - 1].end();
        match other_order {
            Some(other) => sql.push_str(&format!("ORDER BY {other}")),
            None => sql.push_str(&self.sql[order..end]),
        }
        if let Some(limit) = limit {
            sql.push_str(&format!(" LIMIT ${limit}"));
        }
        sql
    }
}
