//! Keys that a write of many rows gives twice.
//!
//! PostgreSQL would apply the changes of one row in no certain order, or fail, by which rows happen
//! to be in one command. So they are refused before anything is sent.

use std::collections::HashMap;

use smallvec::SmallVec;

use super::ahead::EncodedAhead;
use crate::error::Error;

/// The keys of the rows of one call, each by its bytes.
///
/// Values that only PostgreSQL takes for equal, as citext's `'a'` and `'A'`, are not the same.
#[derive(Debug, Default)]
pub(super) struct GivenKeys {
    /// The row that was the first to have a key.
    first: HashMap<SmallVec<[u8; 24]>, usize>,
    repeated: Option<Repeated>,
}

/// Two rows with one key, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Repeated {
    first: usize,
    second: usize,
}

impl GivenKeys {
    /// Adds the keys of rows whose columns are arrays, by the numbers of these parameters.
    pub(super) fn add_arrays(
        &mut self,
        values: &EncodedAhead,
        columns: impl IntoIterator<Item = usize>,
        rows: &[usize],
    ) {
        let values = values.encoded();
        let arrays: Vec<Vec<Option<&[u8]>>> = columns
            .into_iter()
            .map(|column| elements(values.get(column).copied().flatten()))
            .collect();
        for (index, row) in rows.iter().enumerate() {
            self.add(arrays.iter().map(|array| array.get(index).copied()?), *row);
        }
    }

    /// Adds the keys of rows whose values are parameters, one row after the other.
    pub(super) fn add_rows(
        &mut self,
        values: &EncodedAhead,
        columns: &[usize],
        width: usize,
        rows: &[usize],
    ) {
        let values = values.encoded();
        for (index, row) in rows.iter().enumerate() {
            let of_row = columns.iter().map(|column| index * width + column);
            self.add(of_row.map(|value| values.get(value).copied()?), *row);
        }
    }

    /// Adds the key of a row, by the bytes of its columns. One with a NULL is like no other.
    fn add<'v>(&mut self, columns: impl Iterator<Item = Option<&'v [u8]>>, row: usize) {
        let mut key = SmallVec::new();
        for column in columns {
            let Some(bytes) = column else { return };
            key.extend_from_slice(&bytes.len().to_be_bytes());
            key.extend_from_slice(bytes);
        }
        let other = *self.first.entry(key).or_insert(row);
        if other == row {
            return;
        }
        let found = Repeated {
            first: other.min(row),
            second: other.max(row),
        };
        let is_earlier = |known: Repeated| found.second < known.second;
        if self.repeated.is_none_or(is_earlier) {
            self.repeated = Some(found);
        }
    }

    pub(super) fn repeated(self) -> Option<Repeated> {
        self.repeated
    }
}

impl Repeated {
    /// Returns the error; `what` names the columns that are the same.
    pub(super) fn error(self, function: &str, what: &str) -> Error {
        let (first, second) = (self.first + 1, self.second + 1);
        Error::query(format!(
            "rows {first} and {second} of `{function}` have the same {what}"
        ))
        .with_hint("give each row once in a call; the first row is row 1")
    }
}

/// Returns the elements of an array of one dimension in binary (PostgreSQL's `array_send`).
fn elements(array: Option<&[u8]>) -> Vec<Option<&[u8]>> {
    let mut elements = Vec::new();
    // The dimensions, the flags, the type; then the number of elements and the first number.
    let Some((_, mut rest)) = array.and_then(|array| array.split_at_checked(20)) else {
        return elements;
    };
    while let Some((length, after)) = rest.split_first_chunk() {
        // NULL has the length -1.
        let length = usize::try_from(i32::from_be_bytes(*length)).ok();
        let Some((element, after)) = after.split_at_checked(length.unwrap_or(0)) else {
            break;
        };
        elements.push(length.map(|_| element));
        rest = after;
    }
    elements
}

#[cfg(test)]
mod tests {
    use diesel::sql_types::{Array, Integer, Nullable, Text};

    use super::*;

    #[test]
    fn a_key_is_found_again_in_another_command() {
        let mut keys = GivenKeys::default();
        let mut arrays = EncodedAhead::default();
        arrays.push::<Array<Text>, [&str]>(&["x", "ab", "a"][..]);
        arrays.push::<Array<Nullable<Text>>, [Option<&str>]>(&[Some("y"), None, Some("b")][..]);
        arrays.push::<Array<Integer>, [i32]>(&[1, 2, 3][..]);
        keys.add_arrays(&arrays, [0, 1], &[0, 3, 4]);
        assert_eq!(keys.repeated, None);
        let mut rows = EncodedAhead::default();
        for (first, second) in [("", "ab"), ("ab", ""), ("a", "b"), ("x", "y")] {
            rows.push::<Integer, _>(&1);
            rows.push::<Text, _>(first);
            rows.push::<Text, _>(second);
        }
        keys.add_rows(&rows, &[1, 2], 3, &[5, 6, 2, 7]);
        let repeated = keys.repeated().expect("two rows");
        assert_eq!(
            repeated,
            Repeated {
                first: 2,
                second: 4
            }
        );
        let error = repeated.error("Person::update_many", "key");
        assert_eq!(
            error.to_string(),
            "rows 3 and 5 of `Person::update_many` have the same key"
        );
    }

    #[test]
    fn arrays_end_where_their_bytes_do() {
        for bytes in [&[][..], &[0; 12], &[0; 20], &[1; 25]] {
            assert!(elements(Some(bytes)).is_empty(), "{bytes:?}");
        }
        assert!(elements(None).is_empty());
    }
}
