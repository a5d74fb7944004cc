//! The orders of a query: `-- order: richest = balance DESC, id | newest = created_at DESC, id`.

use std::ops::Range;

use bowline_sql::{Kind, Token, tokens};

use super::header::is_identifier;
use super::{Mistake, NamedQuery, Word};

/// The limit of the orders of a query. Each is a text of its own.
pub(super) const MAX_ORDERS: usize = 12;

/// Reads the orders: the name and the SQL of each.
pub(super) fn read(
    text: &str,
    start: usize,
    key: Range<usize>,
) -> (Vec<(Word, Word)>, Vec<Mistake>) {
    let all: Vec<Token<'_>> = tokens(text).collect();
    let (mut orders, mut mistakes) = (Vec::new(), Vec::new());
    for part in all.split(|token| token.is("|")) {
        match order(text, start, part) {
            Ok(order) => orders.push(order),
            Err(span) => mistakes.push(
                Mistake::new(span.unwrap_or_else(|| key.clone()), "this is no order").hint(
                    "write a name and what stands after ORDER BY, without parameters: -- order: \
                     richest = balance DESC, id | newest = created_at DESC, id",
                ),
            ),
        }
    }
    (orders, mistakes)
}

fn order(
    text: &str,
    start: usize,
    part: &[Token<'_>],
) -> Result<(Word, Word), Option<Range<usize>>> {
    let [first, .., last] = part else {
        return Err(None);
    };
    let span = start + first.start()..start + last.end();
    let has_parameter = part
        .iter()
        .any(|token| token.kind() == Kind::Parameter || matches!(token.text(), ":" | ";"));
    match part {
        [name, equals, sql, ..]
            if equals.is("=") && is_identifier(name.text()) && !has_parameter =>
        {
            let word = |from: usize, to: usize| Word {
                text: text[from..to].to_owned(),
                span: start + from..start + to,
            };
            Ok((
                word(name.start(), name.end()),
                word(sql.start(), last.end()),
            ))
        }
        _ => Err(Some(span)),
    }
}

/// Returns the mistakes of the orders of a query.
pub(super) fn mistakes(query: &NamedQuery) -> Vec<Mistake> {
    let names: Vec<&Word> = query.orders.iter().map(|order| &order.name).collect();
    let mut mistakes = Vec::new();
    if let [first, ..] = names.as_slice()
        && query.sql.order.is_empty()
    {
        mistakes.push(
            Mistake::new(first.span.clone(), "the statement has no `ORDER BY :order`")
                .hint("write it in the statement, or remove the line"),
        );
    }
    if let Some(more) = names.get(MAX_ORDERS) {
        mistakes.push(
            Mistake::new(
                more.span.clone(),
                format!("a query has up to {MAX_ORDERS} orders"),
            )
            .hint("write a second query"),
        );
    }
    for (index, name) in names.iter().enumerate() {
        if names[..index].iter().any(|other| other.text == name.text) {
            mistakes.push(
                Mistake::new(
                    name.span.clone(),
                    format!("two orders have the name `{}`", name.text),
                )
                .hint("give each order a name of its own"),
            );
        }
    }
    mistakes
}
