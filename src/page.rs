//! Pages: parts of an ordered list that begin after a row.

mod position;

pub use position::InvalidPosition;
#[doc(hidden)]
pub use position::{read, write};

/// A page of an ordered list: up to `limit` rows, those after a key.
///
/// A page begins after a row, not at a number. So it does not slow down with depth, and neither
/// skips nor repeats rows when others are inserted or deleted. The next page is
/// `Page::after(last.id, limit)`, or `Page::after(&last, limit)` in a list with an order of its
/// own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Page<K> {
    /// The key of the row before the first; `None` begins at the start.
    pub after: Option<K>,
    /// The largest number of rows, as the value of `LIMIT`; not negative.
    pub limit: i64,
}

impl<K> Page<K> {
    /// Returns the page of the first rows.
    pub const fn first(limit: u32) -> Self {
        Self {
            after: None,
            limit: limit as i64,
        }
    }

    /// Returns the page of the rows after the one with this key, or after this row.
    pub fn after(key: impl Into<K>, limit: u32) -> Self {
        Self {
            after: Some(key.into()),
            limit: i64::from(limit),
        }
    }

    /// Returns the page of the rows after a position, or of the first rows without one: the
    /// position is that of the last row which a client has.
    pub fn new(after: Option<K>, limit: u32) -> Self {
        Self {
            after,
            limit: i64::from(limit),
        }
    }
}
