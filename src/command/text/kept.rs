//! A map with a bound that keeps what is used.

use std::collections::HashMap;
use std::hash::Hash;

use foldhash::fast::RandomState;

/// The number of entries in each of the two maps.
const ENTRIES: usize = 256;

/// A map of at most twice [`ENTRIES`] entries.
///
/// When the map is full, the entries that were not used since it was last full are dropped.
#[derive(Debug)]
pub(crate) struct Kept<K, V> {
    recent: HashMap<K, V, RandomState>,
    earlier: HashMap<K, V, RandomState>,
}

impl<K, V> Default for Kept<K, V> {
    fn default() -> Self {
        Self {
            recent: HashMap::default(),
            earlier: HashMap::default(),
        }
    }
}

impl<K: Hash + Eq, V> Kept<K, V> {
    /// Returns a kept entry.
    pub(crate) fn get(&mut self, key: &K) -> Option<&V> {
        if !self.recent.contains_key(key)
            && let Some((key, value)) = self.earlier.remove_entry(key)
        {
            self.insert(key, value);
        }
        self.recent.get(key)
    }

    pub(crate) fn insert(&mut self, key: K, value: V) {
        if self.recent.len() >= ENTRIES {
            self.earlier = std::mem::take(&mut self.recent);
        }
        self.recent.insert(key, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_bounded_and_those_in_use_stay() {
        let mut kept = Kept::default();
        kept.insert(0, ());
        for number in 1..10_000 {
            kept.insert(number, ());
            if number % 100 == 0 {
                assert!(kept.get(&0).is_some(), "{number}");
            }
        }
        assert!(kept.recent.len() + kept.earlier.len() <= 2 * ENTRIES);
    }
}
