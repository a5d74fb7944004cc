//! The columns of a table that a statement names.

/// A set of columns, by their numbers in a list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct ColumnSet {
    /// The first 64 columns.
    first: u64,
    /// The columns after them.
    more: Vec<u64>,
}

impl ColumnSet {
    #[inline]
    pub(crate) fn insert(&mut self, column: usize) {
        if column < 64 {
            self.first |= 1 << column;
        } else {
            self.insert_more(column);
        }
    }

    fn insert_more(&mut self, column: usize) {
        let word = column / 64 - 1;
        if self.more.len() <= word {
            self.more.resize(word + 1, 0);
        }
        self.more[word] |= 1 << (column % 64);
    }

    pub(crate) fn contains(&self, column: usize) -> bool {
        let word = match (column / 64).checked_sub(1) {
            None => self.first,
            Some(word) => self.more.get(word).copied().unwrap_or(0),
        };
        word & (1 << (column % 64)) != 0
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.first == 0 && self.more.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_holds_columns_of_wide_tables() {
        let mut set = ColumnSet::default();
        assert!(set.is_empty());
        for column in [0, 63, 64, 1_599] {
            assert!(!set.contains(column));
            set.insert(column);
            assert!(set.contains(column));
        }
        assert!(!set.contains(1) && !set.contains(65) && !set.contains(10_000));
    }
}
