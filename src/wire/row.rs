//! A row of an answer, as diesel reads it.

use std::num::NonZeroU32;
use std::ops::Range;
use std::sync::Arc;

use diesel::backend::Backend;
use diesel::pg::{Pg, PgValue, TypeOidLookup};
use diesel::row::{Field, PartialRow, Row, RowIndex, RowSealed};

use crate::wire::answer::Answer;

/// One row. It shares the answer with the other rows, and values are read in place.
#[derive(Debug, Clone)]
pub struct SessionRow {
    answer: Arc<Answer>,
    number: usize,
}

/// One value of an answer.
#[derive(Debug)]
pub struct AnswerField<'a> {
    answer: &'a Answer,
    row: usize,
    column: usize,
}

impl SessionRow {
    /// Returns the rows of an answer, in order.
    pub(crate) fn all(answer: Answer) -> impl ExactSizeIterator<Item = Self> {
        let answer = Arc::new(answer);
        (0..answer.row_count()).map(move |number| Self {
            answer: Arc::clone(&answer),
            number,
        })
    }
}

impl SessionRow {
    /// Returns the answer, and the number of the row in it.
    pub(crate) fn parts(&self) -> (&Answer, usize) {
        (&self.answer, self.number)
    }
}

impl RowSealed for SessionRow {}

impl<'a> Row<'a, Pg> for SessionRow {
    type Field<'f>
        = AnswerField<'f>
    where
        'a: 'f,
        Self: 'f;
    type InnerPartialRow = Self;

    fn field_count(&self) -> usize {
        self.answer.column_count()
    }

    fn get<'b, I>(&'b self, index: I) -> Option<Self::Field<'b>>
    where
        'a: 'b,
        Self: RowIndex<I>,
    {
        let column = self.idx(index)?;
        Some(AnswerField::new(&self.answer, self.number, column))
    }

    fn partial_row(&self, range: Range<usize>) -> PartialRow<'_, Self> {
        PartialRow::new(self, range)
    }
}

impl RowIndex<usize> for SessionRow {
    fn idx(&self, index: usize) -> Option<usize> {
        (index < self.answer.column_count()).then_some(index)
    }
}

impl<'a> RowIndex<&'a str> for SessionRow {
    fn idx(&self, name: &'a str) -> Option<usize> {
        (0..self.answer.column_count())
            .find(|column| self.answer.column_name(*column) == Some(name))
    }
}

impl<'a> AnswerField<'a> {
    #[inline]
    pub(crate) fn new(answer: &'a Answer, row: usize, column: usize) -> Self {
        Self {
            answer,
            row,
            column,
        }
    }
}

impl<'a> Field<'a, Pg> for AnswerField<'a> {
    fn field_name(&self) -> Option<&str> {
        self.answer.column_name(self.column)
    }

    #[inline]
    fn value(&self) -> Option<<Pg as Backend>::RawValue<'_>> {
        let bytes = self.answer.value(self.row, self.column)?;
        Some(PgValue::new(bytes, self))
    }
}

impl TypeOidLookup for AnswerField<'_> {
    fn lookup(&self) -> NonZeroU32 {
        // 705 is `unknown`, for a column without a type, which the server does not send.
        const UNKNOWN: NonZeroU32 = NonZeroU32::new(705).expect("705 is not 0");
        self.answer.column_type(self.column).unwrap_or(UNKNOWN)
    }
}
