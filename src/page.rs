//! A part of an ordered list, from a place in it.

/// Up to `limit` rows of an ordered list, those after a key.
///
/// A page begins behind a row, not at a number, so it neither slows down with depth nor skips or repeats
/// rows when others come and go. The next page is `Page::after(last.id, limit)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page<K> {
    /// The key of the row before the first; `None` begins at the start.
    pub after: Option<K>,
    /// How many rows at most.
    pub limit: i64,
}

impl<K> Page<K> {
    /// The first rows.
    pub const fn first(limit: i64) -> Self {
        Self { after: None, limit }
    }

    /// The rows after the one with this key.
    pub const fn after(key: K, limit: i64) -> Self {
        Self {
            after: Some(key),
            limit,
        }
    }
}
