//! Rows of generated queries, read by position.

use diesel::deserialize::{self, FromSql};
use diesel::pg::Pg;
use diesel::row::Field as _;
use diesel::sql_types::{BigInt, Bool, HasSqlType};
use diesel::{Column, Expression};

use super::record::Record;
use super::row_of::RowOf;
use crate::command::columns::Columns;
use crate::wire::answer::Answer;
use crate::wire::row::{AnswerField, SessionRow};

/// A value that is read from the columns of a row, in their order.
#[doc(hidden)]
pub trait AnswerRow: Sized {
    /// Adds the columns from which it is read.
    fn describe(columns: &mut Columns);

    /// Reads the next columns.
    fn read(fields: &mut Fields<'_>) -> deserialize::Result<Self>;
}

/// A row of one table, which a query can lock. `table_row!` implements it.
#[doc(hidden)]
pub trait TableRow: AnswerRow + FromSql<RowOf<Self>, Pg> + 'static {
    /// The table.
    type Table;

    /// The row with all columns, which declares the relations.
    type Whole;

    /// The fields, in the order of the columns.
    const FIELDS: &'static [&'static str];

    /// The names of the columns.
    const COLUMNS: &'static [&'static str];

    /// The casts by which they are read, such as `::text`; empty if there are none.
    const CASTS: &'static [&'static str] = &[];
}

/// The columns of a row that are not read yet.
#[doc(hidden)]
#[derive(Debug)]
pub struct Fields<'a>(Source<'a>);

/// The row that is read.
#[derive(Debug)]
enum Source<'a> {
    Answer {
        answer: &'a Answer,
        row: usize,
        column: usize,
    },
    /// A row within a row.
    Record(Record<'a>),
}

impl<'a> Fields<'a> {
    pub(super) fn new(answer: &'a Answer, row: usize) -> Self {
        Self(Source::Answer {
            answer,
            row,
            column: 0,
        })
    }

    pub(super) fn of_record(record: Record<'a>) -> Self {
        Self(Source::Record(record))
    }

    /// Returns the number of columns of a record that are not read yet.
    pub(super) fn unread(&self) -> u32 {
        match &self.0 {
            Source::Answer { .. } => 0,
            Source::Record(record) => record.columns,
        }
    }

    pub(super) fn of(row: &'a SessionRow) -> Self {
        let (answer, row) = row.parts();
        Self::new(answer, row)
    }

    /// Reads the next column, as the type of a column of the schema module.
    pub fn read<C, T>(&mut self) -> deserialize::Result<T>
    where
        C: Column,
        T: FromSql<<C as Expression>::SqlType, Pg>,
        Pg: HasSqlType<<C as Expression>::SqlType>,
    {
        self.read_named::<C::SqlType, T>(C::NAME)
    }

    /// Reads the next column, as an SQL type. The name is for errors.
    pub fn read_named<ST, T>(&mut self, name: &str) -> deserialize::Result<T>
    where
        T: FromSql<ST, Pg>,
        Pg: HasSqlType<ST>,
    {
        self.read_as::<ST, T>()
            .map_err(|error| format!("column {name:?}: {error}").into())
    }

    fn read_as<ST, T>(&mut self) -> deserialize::Result<T>
    where
        T: FromSql<ST, Pg>,
        Pg: HasSqlType<ST>,
    {
        match &mut self.0 {
            Source::Answer {
                answer,
                row,
                column,
            } => {
                let field = AnswerField::new(answer, *row, *column);
                *column += 1;
                T::from_nullable_sql(field.value())
            }
            Source::Record(record) => record.read::<ST, T>(),
        }
    }
}

impl Columns {
    /// Adds the next column, as the type of a column of the schema module.
    pub fn column<C>(&mut self)
    where
        C: Column,
        Pg: HasSqlType<<C as Expression>::SqlType>,
    {
        self.positional::<C::SqlType>();
    }
}

macro_rules! single_values {
    ($($T:ty: $ST:ty),+) => {
        $(impl AnswerRow for $T {
            fn describe(columns: &mut Columns) {
                columns.positional::<$ST>();
            }

            fn read(fields: &mut Fields<'_>) -> deserialize::Result<Self> {
                fields.read_as::<$ST, Self>()
            }
        })+
    };
}

single_values!(bool: Bool, i64: BigInt);
