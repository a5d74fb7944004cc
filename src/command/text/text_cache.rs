//! The cache of the texts that a session has used.

use std::any::TypeId;
use std::sync::Arc;

use super::recent_map::RecentMap;
use super::{ColumnSet, Text, hash};
use crate::command::ExpectedRows;

/// The text of a query.
#[derive(Debug, Clone)]
pub(crate) struct QueryText {
    pub(crate) text: Arc<Text>,
    /// True if the session has used the text before.
    pub(crate) is_known: bool,
}

/// The way in which the SQL of a text is derived from that of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Derivation {
    /// The derived SQL fails if the query has a number of rows that is not expected.
    Checked(ExpectedRows),
    /// The derived SQL locks the rows that it reads: `FOR UPDATE` and the like, then `NOWAIT` or
    /// `SKIP LOCKED`.
    Locked(&'static str, &'static str),
}

/// The key of SQL that is a constant of the compiled program.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Constant {
    /// The address of the constant.
    pub(crate) address: usize,
    /// The columns that a call gives values for: those of a new row, and those that it changes.
    pub(crate) sets: Option<[ColumnSet; 2]>,
}

/// The texts that a session has used.
///
/// Each of its maps holds at most 512 texts. A text is not cached if its SQL, or the SQL from which
/// it is derived, is longer than [`MAX_LENGTH`] bytes. Constants are cached at any length, since the
/// program contains them anyway.
#[derive(Debug, Default)]
pub(crate) struct TextCache {
    by_sql: RecentMap<u64, Arc<Text>>,
    by_query: RecentMap<TypeId, Arc<Text>>,
    constant: RecentMap<Constant, Arc<Text>>,
    /// The original text and the derived text.
    derived: RecentMap<(u64, Derivation), (Arc<Text>, Arc<Text>)>,
}

const MAX_LENGTH: usize = 4 * 1024;

impl TextCache {
    /// Returns the text of this SQL, from the cache if it is there.
    pub(crate) fn of_sql(&mut self, sql: &str) -> QueryText {
        let hash = hash(sql);
        if let Some(known) = self.by_sql.get(&hash).filter(|known| **known.sql() == *sql) {
            return QueryText {
                text: Arc::clone(known),
                is_known: true,
            };
        }
        let text = Arc::new(Text::new(sql));
        if sql.len() <= MAX_LENGTH {
            self.by_sql.insert(hash, Arc::clone(&text));
        }
        QueryText {
            text,
            is_known: false,
        }
    }

    /// Returns the cached text of the query with this Rust type.
    pub(crate) fn of_query(&mut self, query: TypeId) -> Option<&Arc<Text>> {
        self.by_query.get(&query)
    }

    /// Caches the text of a query whose Rust type alone determines its SQL, if it is a SELECT.
    pub(crate) fn cache_query(&mut self, query: TypeId, text: &Arc<Text>) {
        if text.is_select() && text.sql().len() <= MAX_LENGTH {
            self.by_query.insert(query, Arc::clone(text));
        }
    }

    /// Returns the text of a constant. `make` returns its SQL, and is called if it is not cached.
    pub(crate) fn of_constant(
        &mut self,
        constant: Constant,
        make: impl FnOnce() -> String,
    ) -> QueryText {
        if let Some(known) = self.constant.get(&constant) {
            return QueryText {
                text: Arc::clone(known),
                is_known: true,
            };
        }
        let text = Arc::new(Text::new(make()));
        self.constant.insert(constant, Arc::clone(&text));
        QueryText {
            text,
            is_known: false,
        }
    }

    /// Returns the text that is derived from this one. `make` returns its SQL, and is called if it is
    /// not cached.
    pub(crate) fn derived(
        &mut self,
        text: &Arc<Text>,
        derivation: Derivation,
        make: impl FnOnce() -> Option<String>,
    ) -> Option<Arc<Text>> {
        let key = (text.hash(), derivation);
        if let Some((_, derived)) = self
            .derived
            .get(&key)
            .filter(|(known, _)| Arc::ptr_eq(known, text) || known.sql() == text.sql())
        {
            return Some(Arc::clone(derived));
        }
        let derived = Arc::new(Text::new(make()?));
        if text.sql().len() <= MAX_LENGTH {
            self.derived
                .insert(key, (Arc::clone(text), Arc::clone(&derived)));
        }
        Some(derived)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_known_when_it_comes_back() {
        let mut texts = TextCache::default();
        let first = texts.of_sql("SELECT 1");
        assert!(!first.is_known);
        let second = texts.of_sql("SELECT 1");
        assert!(second.is_known && Arc::ptr_eq(&first.text, &second.text));
    }

    #[test]
    fn a_constant_is_kept_however_long_it_is() {
        let mut texts = TextCache::default();
        let constant = || Constant {
            address: 1,
            sets: None,
        };
        texts.of_constant(constant(), || " ".repeat(MAX_LENGTH + 1));
        let again = texts.of_constant(constant(), || unreachable!("it is kept"));
        assert!(again.is_known);
    }

    #[test]
    fn long_texts_are_not_kept() {
        let mut texts = TextCache::default();
        texts.of_sql(&" ".repeat(MAX_LENGTH + 1));
        assert!(!texts.of_sql(&" ".repeat(MAX_LENGTH + 1)).is_known);
    }
}
