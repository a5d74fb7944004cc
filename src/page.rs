//! Pages: parts of an ordered list that begin after a row.

mod floats;
mod position;

pub use position::InvalidPosition;
#[doc(hidden)]
pub use position::{read, write};

/// A page of an ordered list: up to `limit` rows, those after a key, or those before one.
///
/// A page begins at a row, not at a number. So it does not slow down with depth, and neither skips
/// nor repeats rows when others are inserted or deleted. The next page is
/// `Page::after(&last, limit)`, or `Page::after(last.id, limit)` in a list in the order of the
/// key. The page before is `Page::before(&first, limit)`, with its rows in the same order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Page<K> {
    /// The key after which the page begins; `None` for the first rows, or for those before a key.
    pub after: Option<K>,
    /// The key before which it ends.
    before: Option<K>,
    /// The largest number of rows, as the value of `LIMIT`; not negative.
    pub limit: i64,
}

impl<K> Page<K> {
    /// Returns the page of the first rows.
    pub const fn first(limit: u32) -> Self {
        Self {
            after: None,
            before: None,
            limit: limit as i64,
        }
    }

    /// Returns the page of the rows after the one with this key, or after this row.
    pub fn after(key: impl Into<K>, limit: u32) -> Self {
        Self {
            after: Some(key.into()),
            before: None,
            limit: i64::from(limit),
        }
    }

    /// Returns the page of the last rows before the one with this key, or before this row, in the
    /// order of the list.
    ///
    /// Fewer rows than `limit` are the first ones of the list. Where rows are read one by one, as
    /// by [`Session::stream`](crate::Session::stream), the nearest comes first.
    pub fn before(key: impl Into<K>, limit: u32) -> Self {
        Self {
            after: None,
            before: Some(key.into()),
            limit: i64::from(limit),
        }
    }

    /// Returns the page of the rows after a position, or of the first rows without one: the
    /// position is that of the last row which a client has.
    pub fn new(after: Option<K>, limit: u32) -> Self {
        Self {
            after,
            before: None,
            limit: i64::from(limit),
        }
    }

    /// Returns the key at which the page begins or ends.
    #[doc(hidden)]
    pub fn key(&self) -> Option<&K> {
        self.before.as_ref().or(self.after.as_ref())
    }

    /// Returns the constant of the page: of the first rows, of those after a key, or before one.
    #[doc(hidden)]
    pub fn choose<T>(&self, first: T, after: T, before: T) -> T {
        match (&self.before, &self.after) {
            (Some(_), _) => before,
            (None, Some(_)) => after,
            (None, None) => first,
        }
    }

    /// Returns true if the rows are read in the opposite order.
    pub(crate) fn is_backward(&self) -> bool {
        self.before.is_some()
    }
}
