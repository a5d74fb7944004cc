//! The cache of the texts that a session has used.

use std::any::TypeId;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::recent_map::RecentMap;
use super::{ColumnSet, Text, hash};
use crate::command::ExpectedRows;
use crate::error::{Error, Result};

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

/// The number of a constant of the compiled program, assigned when it is first used.
#[doc(hidden)]
#[derive(Debug)]
pub struct ConstantNumber(AtomicUsize);

/// A constant with gaps: its number, and the columns that a call gives values for, those of a new
/// row and those to change.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Composition {
    pub(crate) constant: usize,
    pub(crate) sets: [ColumnSet; 2],
    pub(crate) form: Form,
}

/// What decides about the text of a constant besides the columns that are given.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Form {
    /// The graph that is read in place of each row.
    pub(crate) graph: Option<TypeId>,
    /// The number of rows that are given.
    pub(crate) rows: usize,
}

/// The texts that a session has used.
///
/// Each of its maps holds at most 512 texts. A text is not cached if its SQL, or the SQL from which
/// it is derived, is longer than [`MAX_LENGTH`] bytes. All constants are cached, at any length,
/// since the program contains them anyway.
#[derive(Debug, Default)]
pub(crate) struct TextCache {
    by_sql: RecentMap<u64, Arc<Text>>,
    by_query: RecentMap<TypeId, Arc<Text>>,
    /// By the number of the constant.
    constants: Vec<Option<Arc<Text>>>,
    composed: RecentMap<Composition, Arc<Text>>,
    /// The original text and the derived text.
    derived: RecentMap<(u64, Derivation), (Arc<Text>, Arc<Text>)>,
    /// The name of the database, if [`Config::serves`](crate::Config::serves) says it.
    database: Option<Arc<str>>,
}

const MAX_LENGTH: usize = 4 * 1024;

impl ConstantNumber {
    /// The number of a constant that was not used yet.
    #[expect(
        clippy::declare_interior_mutable_const,
        reason = "each static gets a copy, which is numbered by itself"
    )]
    pub const UNASSIGNED: Self = Self(AtomicUsize::new(0));

    fn get(&self) -> usize {
        static NEXT: AtomicUsize = AtomicUsize::new(1);
        match self.0.load(Ordering::Relaxed) {
            0 => {
                let new = NEXT.fetch_add(1, Ordering::Relaxed);
                let set = self
                    .0
                    .compare_exchange(0, new, Ordering::Relaxed, Ordering::Relaxed);
                // Another thread may have been first.
                set.map_or_else(|other| other, |_| new)
            }
            number => number,
        }
    }
}

impl TextCache {
    /// Returns a cache for the sessions of a database of this name.
    pub(crate) fn of_database(database: Option<Arc<str>>) -> Self {
        Self {
            database,
            ..Self::default()
        }
    }

    /// Fails if the session is of a database with another name.
    pub(crate) fn check_database(&self, name: &str) -> Result<()> {
        match self.database.as_deref() {
            Some(own) if own != name => Err(Error::query(format!(
                "the statement belongs to the database {name}, and this handle serves {own}"
            ))
            .with_hint("run it on the handle of its database; `Config::serves` names a handle")),
            _ => Ok(()),
        }
    }

    /// Returns the text of this SQL, from the cache if it is there.
    pub(crate) fn of_sql(&mut self, sql: &str) -> QueryText {
        let hash = hash(sql);
        if let Some(text) = self.by_sql.get(&hash).filter(|known| **known.sql() == *sql) {
            return QueryText {
                text,
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
    pub(crate) fn of_query(&mut self, query: TypeId) -> Option<Arc<Text>> {
        self.by_query.get(&query)
    }

    /// Caches the text of a query whose Rust type alone determines its SQL, if it is a SELECT.
    pub(crate) fn cache_query(&mut self, query: TypeId, text: &Arc<Text>) {
        if text.is_select() && text.sql().len() <= MAX_LENGTH {
            self.by_query.insert(query, Arc::clone(text));
        }
    }

    /// Returns the text of a constant.
    pub(crate) fn of_constant(
        &mut self,
        constant: &ConstantNumber,
        sql: &'static str,
    ) -> Arc<Text> {
        let number = constant.get();
        if let Some(Some(known)) = self.constants.get(number) {
            return Arc::clone(known);
        }
        if self.constants.len() <= number {
            self.constants.resize(number + 1, None);
        }
        let text = self.constants[number].insert(Arc::new(Text::new(sql)));
        Arc::clone(text)
    }

    /// Returns the text of a constant whose gaps are filled. `make` returns its SQL, and is called
    /// if it is not cached.
    pub(crate) fn of_composition(
        &mut self,
        constant: &ConstantNumber,
        sets: [ColumnSet; 2],
        form: Form,
        make: impl FnOnce() -> String,
    ) -> QueryText {
        let composition = Composition {
            constant: constant.get(),
            sets,
            form,
        };
        if let Some(text) = self.composed.get(&composition) {
            return QueryText {
                text,
                is_known: true,
            };
        }
        let text = Arc::new(Text::new(make()));
        self.composed.insert(composition, Arc::clone(&text));
        QueryText {
            text,
            is_known: false,
        }
    }

    /// Returns the text that is derived from this one. `make` returns its SQL, and is called if it
    /// is not cached.
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
            return Some(derived);
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
    use crate::error::ErrorKind;

    #[test]
    fn a_repeated_text_is_found() {
        let mut texts = TextCache::default();
        let first = texts.of_sql("SELECT 1");
        assert!(!first.is_known);
        let second = texts.of_sql("SELECT 1");
        assert!(second.is_known && Arc::ptr_eq(&first.text, &second.text));
    }

    #[test]
    fn a_constant_of_any_length_is_kept() {
        static LONG: &str = match std::str::from_utf8(&[b' '; MAX_LENGTH + 1]) {
            Ok(spaces) => spaces,
            Err(_) => "",
        };
        let mut texts = TextCache::default();
        let (number, other) = (ConstantNumber::UNASSIGNED, ConstantNumber::UNASSIGNED);
        let first = texts.of_constant(&number, LONG);
        assert_eq!(**texts.of_constant(&other, "SELECT 1").sql(), *"SELECT 1");
        assert!(Arc::ptr_eq(&first, &texts.of_constant(&number, LONG)));
        assert_eq!(first.sql().len(), MAX_LENGTH + 1);
        let sets = || [ColumnSet::default(), ColumnSet::default()];
        let composed = || " ".repeat(MAX_LENGTH + 1);
        assert!(
            !texts
                .of_composition(&number, sets(), Form::default(), composed)
                .is_known
        );
        assert!(
            texts
                .of_composition(&number, sets(), Form::default(), composed)
                .is_known
        );
        assert!(
            !texts
                .of_composition(&other, sets(), Form::default(), composed)
                .is_known
        );
    }

    #[test]
    fn long_texts_are_not_kept() {
        let mut texts = TextCache::default();
        texts.of_sql(&" ".repeat(MAX_LENGTH + 1));
        assert!(!texts.of_sql(&" ".repeat(MAX_LENGTH + 1)).is_known);
    }

    #[test]
    fn a_statement_of_another_database_is_refused() {
        let texts = TextCache::of_database(Some("ledger".into()));
        assert!(texts.check_database("ledger").is_ok());
        let error = texts.check_database("shop").expect_err("another database");
        assert_eq!(error.kind(), ErrorKind::Query);
        assert!(TextCache::default().check_database("shop").is_ok());
    }
}
