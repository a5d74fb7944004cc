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

/// One value of a row.
#[derive(Debug)]
pub struct SessionField<'a> {
    row: &'a SessionRow,
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

impl RowSealed for SessionRow {}

impl<'a> Row<'a, Pg> for SessionRow {
    type Field<'f>
        = SessionField<'f>
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
        Some(SessionField {
            row: self,
            column: self.idx(index)?,
        })
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

impl<'a> Field<'a, Pg> for SessionField<'a> {
    fn field_name(&self) -> Option<&str> {
        self.row.answer.column_name(self.column)
    }

    fn value(&self) -> Option<<Pg as Backend>::RawValue<'_>> {
        let bytes = self.row.answer.value(self.row.number, self.column)?;
        Some(PgValue::new(bytes, self))
    }
}

impl TypeOidLookup for SessionField<'_> {
    fn lookup(&self) -> NonZeroU32 {
        // 705 is `unknown`, for a column without a type, which the server does not send.
        const UNKNOWN: NonZeroU32 = NonZeroU32::new(705).expect("705 is not 0");
        self.row.answer.column_type(self.column).unwrap_or(UNKNOWN)
    }
}
