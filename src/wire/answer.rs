//! An answer of the server: libpq's result, packed rows, or only a count.
//!
//! libpq reserves 2 KiB for each answer that has rows: 200 MB for a hundred thousand answers. So
//! the answers of a long pipeline are packed. The rows of a COPY are packed too, because libpq
//! returns them as bytes (`PQgetCopyData`), not as results.

use std::num::NonZeroU32;
use std::ops::Range;
use std::sync::Arc;

use crate::wire::libpq::ResultSet;

/// The answer to one command.
#[derive(Debug)]
pub(crate) enum Answer {
    Libpq(ResultSet),
    Packed(Box<Packed>),
    /// The answer to a command without rows, of which only the count in its tag is kept.
    Done(usize),
}

/// Rows in one block of memory.
#[derive(Debug)]
pub(crate) struct Packed {
    columns: Arc<[ColumnDescription]>,
    bytes: Box<[u8]>,
    /// Row after row; `None` is NULL.
    values: Box<[Option<Range<u32>>]>,
    rows_affected: usize,
}

/// The description of a column (PostgreSQL manual, Message Formats, RowDescription).
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ColumnDescription {
    pub(crate) name: Box<str>,
    pub(crate) type_oid: Option<NonZeroU32>,
    /// Whether it is a column of a table, not an expression.
    pub(crate) of_a_table: bool,
}

impl Answer {
    /// Returns the answer to a command without rows. libpq's memory is freed at once if the tag has
    /// a count.
    pub(crate) fn of_command(result: ResultSet) -> Self {
        match result.count_in_tag() {
            Some(count) => Self::Done(count),
            None => Self::Libpq(result),
        }
    }

    /// Returns the answer in less memory, if it fits. `last_columns` are the columns of the
    /// previous answer: this one shares them if they are the same, and replaces them otherwise.
    pub(crate) fn packed(result: ResultSet, last_columns: &mut Arc<[ColumnDescription]>) -> Self {
        match Packed::of(&result, last_columns) {
            Some(packed) => Self::Packed(Box::new(packed)),
            None => Self::Libpq(result),
        }
    }

    /// Returns the command tag, such as `COMMIT`; a packed answer, and one with a count, do not
    /// keep it.
    pub(crate) fn command_tag(&self) -> Option<String> {
        match self {
            Self::Libpq(result) => Some(result.command_tag()),
            Self::Packed(_) | Self::Done(_) => None,
        }
    }

    /// Returns whether it answers a COMMIT that was done.
    pub(crate) fn is_commit(&self) -> bool {
        matches!(self, Self::Libpq(result) if result.tag() == b"COMMIT")
    }

    /// Returns the number in the command tag; 0 for a command that has none.
    pub(crate) fn rows_affected(&self) -> usize {
        match self {
            Self::Libpq(result) => result.rows_affected(),
            Self::Packed(packed) => packed.rows_affected,
            Self::Done(count) => *count,
        }
    }

    pub(crate) fn row_count(&self) -> usize {
        match self {
            Self::Libpq(result) => result.row_count(),
            Self::Packed(packed) => packed
                .values
                .len()
                .checked_div(packed.columns.len())
                .unwrap_or(0),
            Self::Done(_) => 0,
        }
    }

    pub(crate) fn column_count(&self) -> usize {
        match self {
            Self::Libpq(result) => result.column_count(),
            Self::Packed(packed) => packed.columns.len(),
            Self::Done(_) => 0,
        }
    }

    pub(crate) fn column_name(&self, column: usize) -> Option<&str> {
        match self {
            Self::Libpq(result) => result.column_name(column),
            Self::Packed(packed) => packed.columns.get(column).map(|column| &*column.name),
            Self::Done(_) => None,
        }
    }

    /// Returns the OID of the column's type.
    pub(crate) fn column_type(&self, column: usize) -> Option<NonZeroU32> {
        match self {
            Self::Libpq(result) => result.column_type(column),
            Self::Packed(packed) => packed.columns.get(column)?.type_oid,
            Self::Done(_) => None,
        }
    }

    /// Returns whether it is a column of a table or view, not an expression.
    pub(crate) fn is_of_a_table(&self, column: usize) -> bool {
        match self {
            Self::Libpq(result) => result.is_of_a_table(column),
            Self::Packed(packed) => packed
                .columns
                .get(column)
                .is_some_and(|column| column.of_a_table),
            Self::Done(_) => false,
        }
    }

    /// Returns the bytes of a value; `None` if it is NULL, or if the row or column does not exist.
    #[inline]
    pub(crate) fn value(&self, row: usize, column: usize) -> Option<&[u8]> {
        match self {
            Self::Libpq(result) => result.value(row, column),
            Self::Packed(packed) => packed.value(row, column),
            Self::Done(_) => None,
        }
    }

    /// Returns the number of bytes of all values.
    pub(crate) fn value_bytes(&self) -> usize {
        match self {
            Self::Libpq(result) => (0..result.row_count())
                .flat_map(|row| (0..result.column_count()).map(move |column| (row, column)))
                .filter_map(|(row, column)| result.value(row, column))
                .map(<[u8]>::len)
                .sum(),
            Self::Packed(packed) => packed.bytes.len(),
            Self::Done(_) => 0,
        }
    }
}

impl Packed {
    /// Returns the same answer in less memory, unless it is too large for that. For `last_columns`
    /// see [`Answer::packed`].
    fn of(result: &ResultSet, last_columns: &mut Arc<[ColumnDescription]>) -> Option<Self> {
        let (rows, width) = (result.row_count(), result.column_count());
        let is_same = last_columns.len() == width
            && last_columns.iter().enumerate().all(|(number, column)| {
                result.column_type(number) == column.type_oid
                    && result.is_of_a_table(number) == column.of_a_table
                    && result.column_name(number) == Some(&column.name)
            });
        if !is_same {
            *last_columns = (0..width)
                .map(|number| ColumnDescription {
                    name: result.column_name(number).unwrap_or_default().into(),
                    type_oid: result.column_type(number),
                    of_a_table: result.is_of_a_table(number),
                })
                .collect();
        }
        let mut packing = Packing::default();
        for row in 0..rows {
            for column in 0..width {
                packing.push(result.value(row, column))?;
            }
        }
        Some(Self {
            rows_affected: result.rows_affected(),
            ..packing.finish(Arc::clone(last_columns))
        })
    }

    fn value(&self, row: usize, column: usize) -> Option<&[u8]> {
        let width = self.columns.len();
        if column >= width {
            return None;
        }
        let range = self.values.get(row * width + column)?.as_ref()?;
        self.bytes.get(range.start as usize..range.end as usize)
    }
}

/// Rows that are being packed.
#[derive(Debug, Default)]
pub(crate) struct Packing {
    bytes: Vec<u8>,
    values: Vec<Option<Range<u32>>>,
}

impl Packing {
    /// Adds a value; returns `None` if the values would exceed 4 GiB.
    pub(crate) fn push(&mut self, value: Option<&[u8]>) -> Option<()> {
        let range = match value {
            None => None,
            Some(value) => {
                let start = u32::try_from(self.bytes.len()).ok()?;
                let end = u32::try_from(self.bytes.len() + value.len()).ok()?;
                self.bytes.extend_from_slice(value);
                Some(start..end)
            }
        };
        self.values.push(range);
        Some(())
    }

    pub(crate) fn finish(self, columns: Arc<[ColumnDescription]>) -> Packed {
        Packed {
            columns,
            bytes: self.bytes.into(),
            values: self.values.into(),
            rows_affected: 0,
        }
    }
}
