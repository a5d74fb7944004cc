//! What `query!` and `query_as!` return, before the caller says how many rows there are.

use std::marker::PhantomData;

use diesel::deserialize;

use super::output::{next, wrong_rows};
use super::{
    Answers, Encoder, Fields, Query, QueryOutput, RowReader, RowStatement, RowsAffected, Sealed,
    Statement,
};
use crate::command::ExpectedRows;
use crate::command::columns::Columns;
use crate::error::{Error, Result};

/// A checked query that returns rows, from `query!` or `query_as!`.
///
/// `A` is its access, [`Read`](super::Read) or [`Write`](super::Write).
#[derive(Debug)]
#[must_use = "a query does nothing until it is run"]
pub struct CheckedQuery<R, A> {
    query: Query<(), A>,
    row: PhantomData<fn() -> R>,
}

impl<R, A> CheckedQuery<R, A> {
    #[doc(hidden)]
    pub fn new(query: Query<(), A>) -> Self {
        Self {
            query,
            row: PhantomData,
        }
    }

    /// Returns all rows.
    pub fn all(self) -> Query<Vec<R>, A> {
        self.query.returning()
    }

    /// Returns one row. Another number of rows is an error, and nothing is committed.
    pub fn one(self) -> Query<R, A> {
        self.query.returning()
    }

    /// Returns one row or none. More rows are an error, and nothing is committed.
    pub fn optional(self) -> Query<Option<R>, A> {
        self.query.returning()
    }
}

/// A checked statement that returns no rows, from `query!`.
///
/// `A` is its access, [`Read`](super::Read) or [`Write`](super::Write).
#[derive(Debug)]
#[must_use = "a statement does nothing until it is run"]
pub struct CheckedStatement<A> {
    query: Query<(), A>,
}

impl<A> CheckedStatement<A> {
    #[doc(hidden)]
    pub fn new(query: Query<(), A>) -> Self {
        Self { query }
    }

    /// Returns the number of rows that the statement affects.
    pub fn affected(self) -> Query<RowsAffected, A> {
        self.query.returning()
    }

    /// Expects that the statement affects this number of rows. Another number is an error, and
    /// nothing is committed.
    pub fn exactly(self, rows: u32) -> ExactQuery<A> {
        ExactQuery {
            query: self.query.returning(),
            rows,
        }
    }
}

/// A checked statement that has to affect a number of rows, from [`CheckedStatement::exactly`].
#[derive(Debug)]
#[must_use = "a statement does nothing until it is run"]
pub struct ExactQuery<A> {
    query: Query<RowsAffected, A>,
    rows: u32,
}

impl<A> Sealed for ExactQuery<A> {}

impl<A> Statement for ExactQuery<A> {
    type Output = ();

    fn encode(&self, encoder: &mut Encoder<'_>) -> Result<()> {
        let rows = ExpectedRows::Exactly(self.rows.into());
        self.query.push_expecting(rows, encoder)
    }

    fn decode(&self, answers: &mut Answers) -> Result<()> {
        answers.next()?;
        Ok(())
    }
}

/// A struct that `query_as!` reads from the columns of a row. The macro implements it.
#[doc(hidden)]
pub trait StructRow {
    /// The struct.
    type Row;

    /// Adds the columns from which it is read.
    fn describe(columns: &mut Columns);

    /// Reads the columns.
    fn read(fields: &mut Fields<'_>) -> deserialize::Result<Self::Row>;
}

/// A row that is read by [`StructRow`].
#[doc(hidden)]
#[derive(Debug)]
pub struct As<M>(PhantomData<fn() -> M>);

impl<M: StructRow> QueryOutput for As<M> {
    type Output = M::Row;

    const ROWS: ExpectedRows = ExpectedRows::One;

    fn describe() -> Option<fn(&mut Columns)> {
        Some(M::describe)
    }

    fn decode(answers: &mut Answers) -> Result<M::Row> {
        let mut rows = rows::<M>(answers)?;
        match (rows.pop(), rows.len()) {
            (Some(row), 0) => Ok(row),
            (Some(_), more) => Err(wrong_rows(more + 1)),
            (None, _) => Err(wrong_rows(0)),
        }
    }
}

impl<M: StructRow> QueryOutput for Option<As<M>> {
    type Output = Option<M::Row>;

    const ROWS: ExpectedRows = ExpectedRows::AtMostOne;

    fn describe() -> Option<fn(&mut Columns)> {
        Some(M::describe)
    }

    fn decode(answers: &mut Answers) -> Result<Option<M::Row>> {
        let mut rows = rows::<M>(answers)?;
        match rows.len() {
            0 | 1 => Ok(rows.pop()),
            found => Err(wrong_rows(found)),
        }
    }
}

impl<M: StructRow> QueryOutput for Vec<As<M>> {
    type Output = Vec<M::Row>;

    const ROWS: ExpectedRows = ExpectedRows::Any;

    fn describe() -> Option<fn(&mut Columns)> {
        Some(M::describe)
    }

    fn decode(answers: &mut Answers) -> Result<Vec<M::Row>> {
        rows::<M>(answers)
    }
}

/// Reads the rows of the next answer.
fn rows<M: StructRow>(answers: &mut Answers) -> Result<Vec<M::Row>> {
    let (answer, number) = next(answers)?;
    (0..answer.row_count())
        .map(|row| {
            M::read(&mut Fields::new(&answer, row))
                .map_err(|error| Error::decode(error).with_statement(number, number))
        })
        .collect()
}

impl<M: StructRow, A> RowStatement for Query<Vec<As<M>>, A> {
    type Row = M::Row;

    fn reader() -> RowReader<M::Row> {
        |row| M::read(&mut Fields::of(row)).map_err(Error::decode)
    }

    fn describe(columns: &mut Columns) {
        M::describe(columns);
    }
}
