//! The output of a generated query.

use super::table_row::{AnswerRow, Fields};
use crate::command::ExpectedRows;
use crate::command::columns::Columns;
use crate::command::row_count::wrong_count;
use crate::error::{Error, Result};
use crate::statement::Answers;
use crate::wire::answer::Answer;

/// The output of a [`Query`](super::Query): a row, an `Option` or a `Vec` of rows, or
/// [`WasWritten`].
pub trait QueryOutput {
    /// The type of the value that running the query returns.
    type Output;

    #[doc(hidden)]
    const ROWS: ExpectedRows;

    #[doc(hidden)]
    fn describe() -> Option<fn(&mut Columns)>;

    /// Reads the next answer.
    #[doc(hidden)]
    fn decode(answers: &mut Answers) -> Result<Self::Output>;

    /// Reverses the rows, if there can be several.
    #[doc(hidden)]
    fn reverse(_: &mut Self::Output) {}
}

/// The output of a query that returns whether it wrote a row.
#[derive(Debug)]
pub enum WasWritten {}

/// Returns the next answer, and the number of its command.
pub(super) fn next(answers: &mut Answers) -> Result<(Answer, usize)> {
    let answer = answers.next()?;
    Ok((answer, answers.taken()))
}

/// Returns the error for an answer with this number of rows, where one row is expected.
pub(super) fn wrong_rows(found: usize) -> Error {
    wrong_count(1, found)
}

fn read<R: AnswerRow>(answer: &Answer, row: usize, number: usize) -> Result<R> {
    R::read(&mut Fields::new(answer, row))
        .map_err(|error| Error::decode(error).with_statement(number, number))
}

impl<R: AnswerRow> QueryOutput for R {
    type Output = R;

    const ROWS: ExpectedRows = ExpectedRows::One;

    fn describe() -> Option<fn(&mut Columns)> {
        Some(R::describe)
    }

    fn decode(answers: &mut Answers) -> Result<R> {
        let (answer, number) = next(answers)?;
        match answer.row_count() {
            1 => read(&answer, 0, number),
            found => Err(wrong_rows(found)),
        }
    }
}

impl<R: AnswerRow> QueryOutput for Option<R> {
    type Output = Option<R>;

    const ROWS: ExpectedRows = ExpectedRows::AtMostOne;

    fn describe() -> Option<fn(&mut Columns)> {
        Some(R::describe)
    }

    fn decode(answers: &mut Answers) -> Result<Option<R>> {
        let (answer, number) = next(answers)?;
        match answer.row_count() {
            0 => Ok(None),
            1 => read(&answer, 0, number).map(Some),
            found => Err(wrong_rows(found)),
        }
    }
}

impl<R: AnswerRow> QueryOutput for Vec<R> {
    type Output = Vec<R>;

    const ROWS: ExpectedRows = ExpectedRows::Any;

    fn describe() -> Option<fn(&mut Columns)> {
        Some(R::describe)
    }

    fn decode(answers: &mut Answers) -> Result<Vec<R>> {
        let (answer, number) = next(answers)?;
        // Collecting results would not reserve the memory.
        let mut rows = Vec::with_capacity(answer.row_count());
        for row in 0..answer.row_count() {
            rows.push(read(&answer, row, number)?);
        }
        Ok(rows)
    }

    fn reverse(rows: &mut Vec<R>) {
        rows.reverse();
    }
}

impl QueryOutput for () {
    type Output = ();

    const ROWS: ExpectedRows = ExpectedRows::Any;

    fn describe() -> Option<fn(&mut Columns)> {
        None
    }

    fn decode(answers: &mut Answers) -> Result<()> {
        answers.next()?;
        Ok(())
    }
}

impl QueryOutput for WasWritten {
    type Output = bool;

    const ROWS: ExpectedRows = ExpectedRows::Any;

    fn describe() -> Option<fn(&mut Columns)> {
        None
    }

    fn decode(answers: &mut Answers) -> Result<bool> {
        Ok(answers.next()?.rows_affected() > 0)
    }
}

/// The output of a query that returns the number of rows that it affected.
#[derive(Debug)]
pub enum RowsAffected {}

impl QueryOutput for RowsAffected {
    type Output = usize;

    const ROWS: ExpectedRows = ExpectedRows::Any;

    fn describe() -> Option<fn(&mut Columns)> {
        None
    }

    fn decode(answers: &mut Answers) -> Result<usize> {
        Ok(answers.next()?.rows_affected())
    }
}

/// The output of a query that has to affect this number of rows. Another number is an error, and
/// nothing is committed.
#[derive(Debug)]
pub enum Exactly<const ROWS: u64> {}

impl<const ROWS: u64> QueryOutput for Exactly<ROWS> {
    type Output = ();

    const ROWS: ExpectedRows = ExpectedRows::Exactly(ROWS);

    fn describe() -> Option<fn(&mut Columns)> {
        None
    }

    fn decode(answers: &mut Answers) -> Result<()> {
        answers.next()?;
        Ok(())
    }
}
