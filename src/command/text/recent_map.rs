//! A bounded map that drops the entries that were not used for longest.

use std::collections::HashMap;
use std::hash::Hash;

use foldhash::fast::RandomState;

/// The limit of entries in each of the two inner maps.
const ENTRIES: usize = 256;

/// A map of at most twice [`ENTRIES`] entries.
///
/// When the map is full, the entries that were not used since it was last full are dropped.
#[derive(Debug)]
pub(crate) struct RecentMap<K, V> {
    /// Entries that were added or used since this map was last full.
    recent: HashMap<K, V, RandomState>,
    /// The entries of `recent` when it was last full, without those used since.
    earlier: HashMap<K, V, RandomState>,
}

impl<K, V> Default for RecentMap<K, V> {
    fn default() -> Self {
        Self {
            recent: HashMap::default(),
            earlier: HashMap::default(),
        }
    }
}

impl<K: Hash + Eq, V: Clone> RecentMap<K, V> {
    /// Returns a copy of an entry, and marks it as used.
    pub(crate) fn get(&mut self, key: &K) -> Option<V> {
        if let Some(value) = self.recent.get(key) {
            return Some(value.clone());
        }
        let (key, value) = self.earlier.remove_entry(key)?;
        self.insert(key, value.clone());
        Some(value)
    }

    /// Adds or replaces an entry.
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
    fn entries_are_bounded_and_used_ones_are_kept() {
        let mut map = RecentMap::default();
        map.insert(0, ());
        for number in 1..10_000 {
            map.insert(number, ());
            if number % 100 == 0 {
                assert!(map.get(&0).is_some(), "{number}");
            }
        }
        assert!(map.recent.len() + map.earlier.len() <= 2 * ENTRIES);
    }
}
