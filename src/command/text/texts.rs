//! The texts that a session keeps.

use std::any::TypeId;
use std::sync::Arc;

use super::kept::Kept;
use super::{ColumnSet, Text, hash};
use crate::command::ExpectedRows;

/// The text of a query.
#[derive(Debug, Clone)]
pub(crate) struct QueryText {
    pub(crate) text: Arc<Text>,
    /// Whether the session has used the text before.
    pub(crate) is_known: bool,
}

/// The way a text is made from another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Derivation {
    /// The derived SQL fails if the query has a number of rows that is not expected.
    Checked(ExpectedRows),
    /// It locks the rows it reads: the strength of the lock, and what is done about locked rows.
    Locked(&'static str, &'static str),
}

/// SQL that is a constant of the compiled program: the address of the constant, and the columns
/// that a call gives values for, those of a new row and those to change.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Constant {
    pub(crate) address: usize,
    pub(crate) sets: Option<[ColumnSet; 2]>,
}

/// The texts that a session has used.
///
/// Holds at most 512 texts in each of its maps. A text is not kept if its SQL, or the SQL that it
/// is derived from, is longer than [`LONGEST`] bytes. Constants are kept however long they are,
/// since the program contains them anyway.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    by_sql: Kept<u64, Arc<Text>>,
    by_query: Kept<TypeId, Arc<Text>>,
    constant: Kept<Constant, Arc<Text>>,
    /// The text that each one is derived from, and the derived text.
    derived: Kept<(u64, Derivation), (Arc<Text>, Arc<Text>)>,
}

const LONGEST: usize = 4 * 1024;

impl Texts {
    /// Returns the text of this SQL.
    pub(crate) fn of_sql(&mut self, sql: &str) -> QueryText {
        let hash = hash(sql);
        if let Some(known) = self.by_sql.get(&hash).filter(|known| **known.sql() == *sql) {
            return QueryText {
                text: Arc::clone(known),
                is_known: true,
            };
        }
        let text = Arc::new(Text::new(sql));
        if sql.len() <= LONGEST {
            self.by_sql.insert(hash, Arc::clone(&text));
        }
        QueryText {
            text,
            is_known: false,
        }
    }

    /// Returns the text of the query with this type.
    pub(crate) fn of_query(&mut self, query: TypeId) -> Option<&Arc<Text>> {
        self.by_query.get(&query)
    }

    /// Keeps the text of a SELECT whose Rust type alone determines its SQL.
    pub(crate) fn keep_query(&mut self, query: TypeId, text: &Arc<Text>) {
        if text.is_select() && text.sql().len() <= LONGEST {
            self.by_query.insert(query, Arc::clone(text));
        }
    }

    /// Returns the text of SQL of the program, made by `make` the first time.
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

    /// Returns the text that is derived from this one, made by `make` the first time.
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
        if text.sql().len() <= LONGEST {
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
        let mut texts = Texts::default();
        let first = texts.of_sql("SELECT 1");
        assert!(!first.is_known);
        let second = texts.of_sql("SELECT 1");
        assert!(second.is_known && Arc::ptr_eq(&first.text, &second.text));
    }

    #[test]
    fn a_constant_is_kept_however_long_it_is() {
        let mut texts = Texts::default();
        let constant = || Constant {
            address: 1,
            sets: None,
        };
        texts.of_constant(constant(), || " ".repeat(LONGEST + 1));
        let again = texts.of_constant(constant(), || unreachable!("it is kept"));
        assert!(again.is_known);
    }

    #[test]
    fn long_texts_are_not_kept() {
        let mut texts = Texts::default();
        texts.of_sql(&" ".repeat(LONGEST + 1));
        assert!(!texts.of_sql(&" ".repeat(LONGEST + 1)).is_known);
    }
}
