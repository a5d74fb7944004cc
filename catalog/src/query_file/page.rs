//! The pages of a query: `-- name: open :page`.
//!
//! A page begins after a row, whose position is the values of the columns that the query is ordered
//! by. So the order has to be unique: with a value for each of these columns there can be at most
//! one row. The texts are made from that of the file, and each is checked as any other query.

use std::ops::Range;

use bowline_sql::Kind;

use super::{Mistake, NamedQuery, Parameterized};
use crate::query::{Checker, Column, Query, Rows};

mod text;

use text::Text;

/// The texts of a query with pages, in one of its orders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paged {
    /// The first rows.
    pub first: Query,
    /// The rows after a position.
    pub after: PageQuery,
    /// The rows after a position whose nullable column is NULL, which is not sent; `None` if there
    /// is no such column.
    pub after_null: Option<PageQuery>,
    /// The rows before a position, in the opposite order.
    pub before: PageQuery,
    /// The rows before a position whose nullable column is NULL.
    pub before_null: Option<PageQuery>,
    /// The columns of a position.
    pub position: Vec<PositionColumn>,
    /// What stands after ORDER BY.
    pub order: String,
}

/// The query of the rows at one side of a position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageQuery {
    /// The query.
    pub query: Query,
    /// The same as two queries, if its rows are values of the first column and NULLs: each is one
    /// range of an index, while the condition of both is a filter.
    pub halves: Option<PageHalves>,
}

/// The rows at one side of a position, as two queries whose texts end with their limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageHalves {
    /// The rows that are next to the position.
    pub near: Query,
    /// Those behind them.
    pub far: Query,
    /// The ends of both texts: ` LIMIT $3`.
    pub limits: [String; 2],
    /// The order of the results of both, by their numbers.
    pub order: String,
}

/// A column of the order, and where the rows of the query have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PositionColumn {
    /// The number of the column of the result, from 0.
    pub column: usize,
    /// The number of the field, if the column of the result is a row.
    pub field: Option<usize>,
    /// The column, or the field.
    pub of: Column,
}

/// The limit of the columns of an order.
const MOST_COLUMNS: usize = 8;

/// Says why a query has no pages, with a hint.
type Why = (String, String);

/// A column of the order.
#[derive(Clone)]
struct Key {
    column: usize,
    field: Option<usize>,
    /// The value as the order has it.
    written: String,
    /// The SQL of its value, which a condition can have.
    sql: String,
    descending: bool,
    nulls_first: bool,
    nullable: bool,
}

impl Key {
    /// Returns the column of the opposite order.
    fn reversed(&self) -> Self {
        Self {
            descending: !self.descending,
            nulls_first: !self.nulls_first,
            ..self.clone()
        }
    }

    /// Returns the column as ORDER BY has it.
    fn direction(&self) -> String {
        self.direction_of(&self.written)
    }

    fn direction_of(&self, value: &str) -> String {
        let direction = if self.descending { " DESC" } else { "" };
        let nulls = match (self.descending, self.nulls_first) {
            (true, false) => " NULLS LAST",
            (false, true) => " NULLS FIRST",
            _ => "",
        };
        format!("{value}{direction}{nulls}")
    }
}

impl NamedQuery {
    /// Checks the pages of a query in one of its orders, which was checked.
    pub(super) fn check_pages(
        &self,
        checker: &Checker<'_>,
        sql: &Parameterized,
        query: &Query,
    ) -> Result<Paged, Mistake> {
        let span = self.annotation.as_ref().map(|it| it.span.clone());
        let span = span.unwrap_or_else(|| self.name.span.clone());
        let refused = |(message, hint): Why| Mistake::new(span.clone(), message).hint(hint);
        if !query.writes.is_empty() {
            return Err(refused((
                "a statement that writes has no pages".to_owned(),
                "write :many".to_owned(),
            )));
        }
        let sent = Text::read(&query.sql).map_err(refused)?;
        let keys = keys(&sent, query).map_err(refused)?;
        let text = Text::read(&sql.text).map_err(refused)?;
        let parameters = query.parameters.len();
        let check = |condition: Option<&str>, limit: Option<usize>, order: Option<&str>| {
            self.check_text(checker, sql, text.with(condition, limit, order), &span)
        };
        // A NULL equals nothing, so its column does not make a row unique.
        let with_value: Vec<&Key> = keys.iter().filter(|key| !key.nullable).collect();
        let equal = with_value.iter().zip(parameters + 1..);
        let equal: Vec<String> = equal
            .map(|(key, number)| format!("{} = ${number}", key.sql))
            .collect();
        let is_unique = !equal.is_empty()
            && check(Some(&equal.join(" AND ")), None, None)?.rows <= Rows::Optional;
        if !is_unique {
            return Err(refused((
                format!("the order `{}` is not unique", text.shown_order()),
                "rows that are equal in it would be lost between pages: add the columns of a key \
                 to the order, such as id"
                    .to_owned(),
            )));
        }
        let after = |is_null: bool| page_query(&check, &keys, (parameters, is_null), None);
        let backward: Vec<Key> = keys.iter().map(Key::reversed).collect();
        let order: Vec<String> = backward.iter().map(Key::direction).collect();
        let order = order.join(", ");
        let before =
            |is_null: bool| page_query(&check, &backward, (parameters, is_null), Some(&order));
        let has_null = keys.iter().any(|key| key.nullable);
        let position = keys.iter().map(|key| {
            let column = &query.columns[key.column];
            let fields = column.row.as_ref().map(|row| &row.fields);
            let field = key.field.and_then(|field| fields?.get(field));
            PositionColumn {
                column: key.column,
                field: key.field,
                of: field.unwrap_or(column).clone(),
            }
        });
        Ok(Paged {
            first: check(None, Some(parameters + 1), None)?,
            after: after(false)?,
            after_null: has_null.then(|| after(true)).transpose()?,
            before: before(false)?,
            before_null: has_null.then(|| before(true)).transpose()?,
            position: position.collect(),
            order: text.shown_order(),
        })
    }

    fn check_text(
        &self,
        checker: &Checker<'_>,
        sql: &Parameterized,
        text: String,
        span: &Range<usize>,
    ) -> Result<Query, Mistake> {
        let mut sql = sql.clone();
        sql.text = text;
        let nullable: Vec<bool> = (0..self.sql.parameters())
            .map(|index| self.is_nullable(index))
            .collect();
        let checked = checker.check_with(&sql.text, &nullable);
        let mut query = checked.map_err(|fault| Mistake {
            code: fault.code,
            message: format!("a page of it is refused: {}", fault.message),
            span: span.clone(),
            hint: fault.hint.map(|hint| self.sql.with_names(hint)),
        })?;
        self.check_shapes(checker, &sql, &mut query)?;
        Ok(query)
    }
}

/// Checks the query with a condition, a number of parameters and an order in place of its own.
type Check<'c> = dyn Fn(Option<&str>, Option<usize>, Option<&str>) -> Result<Query, Mistake> + 'c;

/// Checks the query of the rows after a position.
fn page_query(
    check: &Check<'_>,
    keys: &[Key],
    (parameters, is_null): (usize, bool),
    order: Option<&str>,
) -> Result<PageQuery, Mistake> {
    let (all, last) = condition(keys, parameters, is_null);
    let query = check(Some(&all), Some(last + 1), order)?;
    let first = &keys[0];
    // The order of a UNION can only name its results.
    let has_halves = first.nullable
        && is_null == first.nulls_first
        && keys.iter().all(|key| key.field.is_none());
    let halves = || {
        let (near, _) = condition_within(keys, parameters, is_null);
        let far = if is_null { "IS NOT NULL" } else { "IS NULL" };
        let far = format!("{} {far}", first.sql);
        let order_by = keys
            .iter()
            .map(|key| key.direction_of(&(key.column + 1).to_string()));
        Ok(PageHalves {
            near: check(Some(&near), Some(last + 1), order)?,
            far: check(Some(&far), Some(parameters + 1), order)?,
            limits: [last, parameters].map(|before| format!(" LIMIT ${}", before + 1)),
            order: order_by.collect::<Vec<_>>().join(", "),
        })
    };
    let halves = has_halves.then(halves).transpose()?;
    Ok(PageQuery { query, halves })
}

/// Returns the columns of the order of a text that was checked.
fn keys(text: &Text<'_>, query: &Query) -> Result<Vec<Key>, Why> {
    if text.keys.len() > MOST_COLUMNS {
        return Err((
            format!("an order of pages has up to {MOST_COLUMNS} columns"),
            "leave out those after the columns of a key".to_owned(),
        ));
    }
    let keys = text.keys.iter().map(|range| key(text, query, range));
    let keys: Vec<Key> = keys.collect::<Result<_, _>>()?;
    if keys.iter().filter(|key| key.nullable).count() > 1 {
        return Err((
            format!(
                "two columns of the order `{}` can be NULL",
                text.shown_order()
            ),
            "an order of pages has at most one: write coalesce(..) as a column, and order by it"
                .to_owned(),
        ));
    }
    Ok(keys)
}

fn key(text: &Text<'_>, query: &Query, range: &Range<usize>) -> Result<Key, Why> {
    let word = |at: usize, word: &str| text.all[at].is_word(word);
    let mut value = range.clone();
    let mut nulls = None;
    if value.len() > 2 && word(value.end - 2, "nulls") {
        nulls = Some(word(value.end - 1, "first"));
        value.end -= 2;
    }
    let mut descending = false;
    if value.len() > 1 && (word(value.end - 1, "asc") || word(value.end - 1, "desc")) {
        descending = word(value.end - 1, "desc");
        value.end -= 1;
    }
    let shown = text.text(&value).to_owned();
    let Some((column, field, sql)) = found(text, query, &value) else {
        return Err((
            format!("the rows do not have `{shown}`, by which they are ordered"),
            "return it as a column, by the same name or expression: a position has its value"
                .to_owned(),
        ));
    };
    let of = &query.columns[column];
    let field_of = field.and_then(|field| of.row.as_ref()?.fields.get(field));
    Ok(Key {
        column,
        field,
        written: shown,
        sql,
        descending,
        nulls_first: nulls.unwrap_or(descending),
        nullable: field_of.unwrap_or(of).nullable,
    })
}

/// Returns where the rows have a value that they are ordered by, and its SQL in a condition.
fn found(
    text: &Text<'_>,
    query: &Query,
    value: &Range<usize>,
) -> Option<(usize, Option<usize>, String)> {
    if text.items.len() != query.columns.len() {
        return None;
    }
    let items: Vec<Range<usize>> = text
        .items
        .iter()
        .map(|item| without_alias(text, item))
        .collect();
    let of_item = |number: usize| Some((number, None, text.text(items.get(number)?).to_owned()));
    if let [only] = &text.all[value.clone()] {
        // The name of a result comes before that of a column.
        let name = only.name();
        let mut columns = query.columns.iter();
        let number = columns.position(|it| Some(it.name.as_str()) == name.as_deref());
        if let Some(number) = number {
            return of_item(number);
        }
        if let Ok(number) = only.text().parse::<usize>() {
            return of_item(number.checked_sub(1)?);
        }
    }
    if let Some(number) = items.iter().position(|item| is_same(text, item, value)) {
        return of_item(number);
    }
    // A whole row is sent as ROW(t.id, t.name).
    items.iter().enumerate().find_map(|(number, item)| {
        let is_row = item.len() > 3
            && text.all[item.start].is_word("row")
            && text.all[item.start + 1].is("(")
            && query.columns[number].data_type.dimensions == 0;
        let fields = is_row.then(|| fields(text, item))?;
        let field = fields
            .iter()
            .position(|field| is_same(text, field, value))?;
        Some((number, Some(field), text.text(value).to_owned()))
    })
}

/// Returns the fields of `ROW(a, b::text)`, without their casts.
fn fields(text: &Text<'_>, item: &Range<usize>) -> Vec<Range<usize>> {
    let depth = text.depths[item.start + 1] + 1;
    let inside = item.start + 2..item.end - 1;
    let mut fields = Vec::new();
    let mut start = inside.start;
    for at in inside.clone().chain([inside.end]) {
        if at == inside.end || text.depths[at] == depth && text.all[at].is(",") {
            let cast = (start..at).find(|at| text.all[*at].is("::"));
            fields.push(start..cast.unwrap_or(at));
            start = at + 1;
        }
    }
    fields
}

/// Returns a result without `AS name`.
fn without_alias(text: &Text<'_>, item: &Range<usize>) -> Range<usize> {
    let mut item = item.clone();
    if item.len() > 2 && text.all[item.end - 2].is_word("as") {
        item.end -= 2;
    } else if item.len() > 1 {
        let last = &text.all[item.end - 1];
        let before = &text.all[item.end - 2];
        let is_name = matches!(last.kind(), Kind::Word | Kind::QuotedName);
        let ends_value = matches!(before.kind(), Kind::Word | Kind::QuotedName)
            || matches!(before.text(), ")" | "]");
        if is_name && ends_value && !last.is_word("end") {
            item.end -= 1;
        }
    }
    item
}

fn is_same(text: &Text<'_>, one: &Range<usize>, other: &Range<usize>) -> bool {
    let (one, other) = (&text.all[one.clone()], &text.all[other.clone()]);
    one.len() == other.len()
        && one
            .iter()
            .zip(other)
            .all(|(one, other)| match (one.name(), other.name()) {
                (Some(one), Some(other)) => one == other,
                _ => one.text() == other.text(),
            })
}

/// Returns the condition of the rows after a position, and the number of its last parameter. The
/// value of the nullable column is NULL, or not.
fn condition(keys: &[Key], parameters: usize, is_null: bool) -> (String, usize) {
    condition_of(keys, parameters, is_null, true)
}

/// Returns the condition of those whose first column is NULL or not, as that of the position.
fn condition_within(keys: &[Key], parameters: usize, is_null: bool) -> (String, usize) {
    condition_of(keys, parameters, is_null, false)
}

fn condition_of(keys: &[Key], parameters: usize, is_null: bool, crosses: bool) -> (String, usize) {
    let mut number = parameters;
    let values: Vec<Option<usize>> = keys
        .iter()
        .map(|key| {
            let is_sent = !(key.nullable && is_null);
            number += usize::from(is_sent);
            is_sent.then_some(number)
        })
        .collect();
    let sign = |key: &Key| if key.descending { "<" } else { ">" };
    let one_direction = keys
        .windows(2)
        .all(|two| two[0].descending == two[1].descending);
    let first = &keys[0];
    if one_direction && keys.iter().all(|key| !key.nullable) {
        let names: Vec<&str> = keys.iter().map(|key| key.sql.as_str()).collect();
        let values: Vec<String> = values.iter().flatten().map(|it| format!("${it}")).collect();
        let (open, close) = if keys.len() > 1 { ("(", ")") } else { ("", "") };
        let condition = format!(
            "{open}{}{close} {} {open}{}{close}",
            names.join(", "),
            sign(first),
            values.join(", ")
        );
        return (condition, number);
    }
    let mut parts = Vec::new();
    for last in 0..keys.len() {
        let equal = keys[..last]
            .iter()
            .zip(&values)
            .map(|(key, value)| match value {
                Some(value) => format!("{} = ${value}", key.sql),
                None => format!("{} IS NULL", key.sql),
            });
        let key = &keys[last];
        let behind = match values[last] {
            None if last == 0 && !crosses => continue,
            Some(value) if key.nullable && !key.nulls_first && (crosses || last > 0) => {
                format!("({0} {1} ${value} OR {0} IS NULL)", key.sql, sign(key))
            }
            Some(value) => format!("{} {} ${value}", key.sql, sign(key)),
            None if key.nulls_first => format!("{} IS NOT NULL", key.sql),
            None => continue,
        };
        let all: Vec<String> = equal.chain([behind]).collect();
        parts.push(all.join(" AND "));
    }
    let parts = match parts.as_slice() {
        [only] => only.clone(),
        several => format!("({})", several.join(" OR ")),
    };
    let condition = match values[0] {
        // An index is read from the first value on; the OR alone would read it from its start.
        Some(value) if !first.nullable || first.nulls_first || !crosses => {
            format!("{} {}= ${value} AND {parts}", first.sql, sign(first))
        }
        _ => parts,
    };
    (condition, number)
}
