//! Files of queries: SQL statements, each under a header of comments.
//!
//! ```sql
//! -- name: received_since :many
//! -- What an account received, the newest first.
//! SELECT * FROM transfers WHERE receiver_id = :account AND created_at >= :since;
//! ```
//!
//! The file stays plain SQL: editors and formatters pass over the header, and psql runs the
//! statement after `\set account 1`.
//!
//! - `header` reads the comments, `annotation` the kind of the result (`:many`).
//! - `parameters` writes `:name` as `$1`, and `positions` maps the text that is sent to the file.
//! - `conditions` finds what a call can leave out (`-- optional:`), `order` reads `-- order:`.
//! - `page` makes the texts of a query with pages (`:page`).
//! - `check` compares a query with what a [`Checker`](crate::query::Checker) infers, and `shapes`
//!   the texts that it can have.

mod annotation;
mod check;
mod conditions;
mod header;
mod order;
mod page;
mod parameters;
mod positions;
mod shapes;

use std::ops::Range;

use bowline_sql::{Kind, Token, statements, tokens_and_comments};

pub use annotation::{Annotated, Annotation};
pub use check::Checked;
pub use page::{PageHalves, PageQuery, Paged, PositionColumn};
pub use parameters::Parameterized;
pub use positions::{Positions, line_and_column};

/// The queries of a file, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QueryFile {
    /// The statements that have a name, also those with mistakes in their headers.
    pub queries: Vec<NamedQuery>,
    /// The mistakes of the file that belong to no query.
    pub mistakes: Vec<Mistake>,
}

/// A statement with its header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedQuery {
    /// The name.
    pub name: Word,
    /// `:many` and so on, if it is written.
    pub annotation: Option<Annotated>,
    /// The lines of documentation, as Markdown.
    pub docs: String,
    /// The name of the row type, from `-- row:`.
    pub row: Option<Word>,
    /// The parameters that can be NULL, from `-- nullable:`.
    pub nullable: Vec<Word>,
    /// The parameters whose conditions are left out if they are not given, from `-- optional:`.
    pub optional: Vec<Word>,
    /// The orders, from `-- order:`.
    pub orders: Vec<Order>,
    /// The statement in the file, without its semicolon, in bytes.
    pub span: Range<usize>,
    /// The statement with `$1`, `$2`, .. for its parameters, in its first order.
    pub sql: Parameterized,
    /// The mistakes in the header and in the notation of the parameters.
    pub mistakes: Vec<Mistake>,
}

/// An order of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// The name.
    pub name: Word,
    /// The statement in this order.
    pub sql: Parameterized,
}

/// A word of a file, with its position in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// The text.
    pub text: String,
    /// The position in the file.
    pub span: Range<usize>,
}

/// A mistake at a position of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The SQLSTATE of the error, if PostgreSQL raises one.
    pub code: Option<&'static str>,
    /// The message.
    pub message: String,
    /// The position in the file, in bytes.
    pub span: Range<usize>,
    /// A hint.
    pub hint: Option<String>,
}

impl Mistake {
    fn new(span: Range<usize>, message: impl Into<String>) -> Self {
        Self {
            code: None,
            message: message.into(),
            span,
            hint: None,
        }
    }

    fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl NamedQuery {
    /// Returns the name of a parameter, which is given by its number, counted from 0: that of
    /// `:name`, or `$1`.
    pub fn parameter_name(&self, index: usize) -> String {
        match self.sql.names.get(index) {
            Some(name) => name.clone(),
            None => format!("${}", index + 1),
        }
    }

    /// Returns true if the header says that a parameter can be NULL.
    pub fn is_nullable(&self, index: usize) -> bool {
        let name = self.parameter_name(index);
        self.nullable.iter().any(|word| word.text == name)
    }

    /// Returns the number of the condition that is left out if a parameter is not given.
    pub fn condition(&self, index: usize) -> Option<usize> {
        let name = self.parameter_name(index);
        self.optional.iter().position(|word| word.text == name)
    }

    /// Returns the parameters that can be left out, in the order of their conditions.
    fn optional_parameters(&self) -> Vec<usize> {
        let all = 0..self.sql.parameters();
        let of = |word: &Word| {
            all.clone()
                .find(|index| self.parameter_name(*index) == word.text)
        };
        self.optional.iter().filter_map(of).collect()
    }

    /// Returns the number of different texts that calls can send. Those of a query with pages are
    /// known when it is checked, by [`Checked::texts`]; here they are at least two.
    pub fn shapes(&self) -> usize {
        let pages = if self.has_pages() { 2 } else { 1 };
        pages * (self.orders.len().max(1) << self.optional.len())
    }

    /// Returns true for a query with pages, `:page`.
    pub fn has_pages(&self) -> bool {
        let annotated = self.annotation.as_ref();
        annotated.is_some_and(|annotated| annotated.annotation == Annotation::Page)
    }
}

/// Reads the text of a file.
pub fn read(text: &str) -> QueryFile {
    let mut file = QueryFile::default();
    let mut end = 0;
    for statement in statements(text) {
        let span = statement.start()..statement.start() + statement.text().len();
        let comments = comments(text, end..span.start);
        end = span.end;
        match header::read(&comments) {
            Some(header) => {
                let last = file.queries.len();
                file.queries.push(query(text, header, span));
                repeated(&mut file.queries, last);
            }
            None => file.mistakes.push(
                Mistake::new(first_line(text, &span), "the statement has no name")
                    .hint("write a comment above it: -- name: list_accounts :many"),
            ),
        }
    }
    if let Some(header) = header::read(&comments(text, end..text.len())) {
        let name = &header.name;
        file.mistakes.push(
            Mistake::new(
                name.span.clone(),
                format!("`{}` has no statement", name.text),
            )
            .hint("write the statement below the header, or remove the header"),
        );
    }
    file
}

fn query(text: &str, header: header::Header, span: Range<usize>) -> NamedQuery {
    let mut mistakes = header.mistakes;
    let statement = &text[span.clone()];
    let first = header.orders.first().map(|(_, sql)| sql);
    let sql = parameters::number(statement, span.start, first, &mut mistakes);
    let orders = header.orders.into_iter().map(|(name, order)| Order {
        name,
        // The mistakes are those of the first order.
        sql: parameters::number(statement, span.start, Some(&order), &mut Vec::new()),
    });
    let orders = orders.collect();
    for comment in comments(text, span.clone()) {
        if header::is_name(comment.text()) {
            let start = comment.start();
            mistakes.push(
                Mistake::new(
                    start..comment.end(),
                    format!(
                        "the statement of `{}` does not end before this header",
                        header.name.text
                    ),
                )
                .hint("end the statement with a semicolon"),
            );
        }
    }
    let query = NamedQuery {
        name: header.name,
        annotation: header.annotation,
        docs: header.docs,
        row: header.row,
        nullable: header.nullable,
        optional: header.optional,
        orders,
        span,
        sql,
        mistakes: Vec::new(),
    };
    mistakes.extend(unknown_parameters(&query));
    mistakes.extend(order::mistakes(&query));
    mistakes.extend(conditions::mistakes(&query));
    NamedQuery { mistakes, ..query }
}

/// Returns a mistake for each parameter that `-- nullable:` or `-- optional:` names but the
/// statement does not have.
fn unknown_parameters(query: &NamedQuery) -> Vec<Mistake> {
    let names: Vec<String> = (0..query.sql.parameters())
        .map(|index| query.parameter_name(index))
        .collect();
    let unknown = query
        .nullable
        .iter()
        .chain(&query.optional)
        .filter(|word| !names.contains(&word.text));
    unknown
        .map(|word| {
            let mistake = Mistake::new(
                word.span.clone(),
                format!("the statement has no parameter `{}`", word.text),
            );
            match names.as_slice() {
                [] => mistake.hint("it has no parameters: remove the line"),
                names => mistake.hint(format!("its parameters are {}", names.join(", "))),
            }
        })
        .collect()
}

/// Adds a mistake to the last query if an earlier one has its name.
fn repeated(queries: &mut [NamedQuery], last: usize) {
    let (before, [query, ..]) = queries.split_at_mut(last) else {
        return;
    };
    if before
        .iter()
        .any(|other| other.name.text == query.name.text)
    {
        query.mistakes.push(
            Mistake::new(
                query.name.span.clone(),
                format!(
                    "another query of this file has the name `{}`",
                    query.name.text
                ),
            )
            .hint("give each query a name of its own"),
        );
    }
}

/// Returns the comments within a part of a text.
fn comments(text: &str, range: Range<usize>) -> Vec<Comment<'_>> {
    let part = &text[range.clone()];
    tokens_and_comments(part)
        .filter(|token| token.kind() == Kind::Comment)
        .map(|token| Comment::new(token, range.start))
        .collect()
}

/// A comment, with its position in the file.
#[derive(Debug, Clone, Copy)]
struct Comment<'a> {
    text: &'a str,
    start: usize,
}

impl<'a> Comment<'a> {
    fn new(token: Token<'a>, offset: usize) -> Self {
        Self {
            text: token.text(),
            start: offset + token.start(),
        }
    }

    fn text(&self) -> &'a str {
        self.text
    }

    fn start(&self) -> usize {
        self.start
    }

    fn end(&self) -> usize {
        self.start + self.text.len()
    }
}

/// Returns the first line of a part of a text.
fn first_line(text: &str, span: &Range<usize>) -> Range<usize> {
    let line = text[span.clone()].lines().next().unwrap_or_default();
    span.start..span.start + line.trim_end().len()
}

#[cfg(test)]
mod tests;
