//! Rows in the format of a binary COPY.
//!
//! diesel gives a value memory of its own when it encodes it. Only the elements of an array share
//! theirs, and they have the form that COPY wants: a length, and the bytes. So the values of some
//! rows are encoded as the elements of one array, and then separated into rows.

use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;

use diesel::pg::Pg;
use diesel::query_builder::BindCollector as _;
use diesel::query_builder::bind_collector::RawBytesBindCollector;
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types::{Array, Binary};

use super::CopyRow;
use crate::command::types::TypeLookup;
use crate::error::{Error, Result};

/// The most rows that are encoded together. They are in memory at the same time.
pub(super) const BATCH: usize = 32;

/// The bytes of an array before its first element (PostgreSQL's `array_send`): dimensions, flags,
/// type, length and lower bound.
const ARRAY_HEADER: usize = 20;

/// A value of a row, as the element of an array. Its type has no meaning: only the header of the
/// array contains it.
struct Element<'r, R, ST> {
    row: &'r R,
    column: usize,
    /// The number of the row, counted from 1. Encoding stores it in `encoded`.
    number: u64,
    encoded: &'r Cell<u64>,
    types: PhantomData<fn() -> ST>,
}

impl<R, ST> fmt::Debug for Element<'_, R, ST> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Element")
            .field("column", &self.column)
            .finish_non_exhaustive()
    }
}

impl<R: CopyRow<ST>, ST> ToSql<Binary, Pg> for Element<'_, R, ST> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        self.encoded.set(self.number);
        self.row.encode(self.column, out)
    }
}

/// Appends rows to `out`; an error comes with the number of the row, counted from 1.
pub(super) fn rows<ST, R: CopyRow<ST>>(
    rows: &[R],
    lookup: &mut TypeLookup,
    out: &mut Vec<u8>,
) -> Result<(), (u64, Error)> {
    let encoded = Cell::new(0);
    let mut elements = Vec::with_capacity(rows.len() * R::WIDTH);
    for (number, row) in (1..).zip(rows) {
        elements.extend((0..R::WIDTH).map(|column| Element {
            row,
            column,
            number,
            encoded: &encoded,
            types: PhantomData,
        }));
    }
    let mut collected = RawBytesBindCollector::<Pg>::new();
    collected
        .push_bound_value::<Array<Binary>, [Element<'_, R, ST>]>(&elements, lookup)
        .map_err(|error| (encoded.get(), error.into()))?;
    let array = collected.binds.pop().flatten().unwrap_or_default();
    separate::<ST, R>(
        array.get(ARRAY_HEADER..).unwrap_or_default(),
        rows.len(),
        out,
    )
    .ok_or_else(|| (encoded.get(), Error::query("a row cannot be encoded")))
}

/// Appends the elements of an array as rows, each preceded by the number of its columns. Returns
/// `None` if there are fewer elements.
fn separate<ST, R: CopyRow<ST>>(mut elements: &[u8], rows: usize, out: &mut Vec<u8>) -> Option<()> {
    let width = i16::try_from(R::WIDTH).ok()?.to_be_bytes();
    for _ in 0..rows {
        let mut end = 0;
        for _ in 0..R::WIDTH {
            let length = elements.get(end..end + 4)?.try_into().ok()?;
            // The length of NULL is -1.
            let length = usize::try_from(i32::from_be_bytes(length)).unwrap_or(0);
            end += 4 + length;
        }
        let (row, rest) = elements.split_at_checked(end)?;
        out.extend_from_slice(&width);
        out.extend_from_slice(row);
        elements = rest;
    }
    Some(())
}
