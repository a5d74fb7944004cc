//! SQLSTATEs: the codes of PostgreSQL's errors.
//!
//! The messages of errors change with the server's language and version, but the codes do not. So
//! every decision in this crate is based on codes (PostgreSQL manual, Appendix A).

mod codes;

use std::fmt;

/// A five character SQLSTATE, as the server sent it.
///
/// The constants are all codes of PostgreSQL 18, named as the server names the condition. Any other
/// code, such as one from `RAISE`, is kept unchanged.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SqlState([u8; 5]);

/// The first two characters of a SQLSTATE, which group related codes.
///
/// The constants are all classes of PostgreSQL 18. Any other class is kept unchanged.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SqlStateClass([u8; 2]);

impl SqlState {
    /// Returns the code of five ASCII letters and digits; `None` for any other text.
    pub fn new(code: &str) -> Option<Self> {
        let bytes: [u8; 5] = code.as_bytes().try_into().ok()?;
        bytes
            .iter()
            .all(u8::is_ascii_alphanumeric)
            .then_some(Self(bytes))
    }

    /// Returns every code that has a constant, in the order of the codes.
    pub fn all() -> impl ExactSizeIterator<Item = Self> {
        codes::CONDITIONS.iter().map(|(code, _)| *code)
    }

    /// Returns the five characters.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("XX000")
    }

    /// Returns the class of related codes that it belongs to.
    pub fn class(self) -> SqlStateClass {
        let [first, second, ..] = self.0;
        SqlStateClass([first, second])
    }

    /// Returns PostgreSQL's name of the condition, such as `unique_violation`; `None` for a code
    /// that has no constant.
    ///
    /// A few codes of different classes share a name, as they do in PL/pgSQL.
    pub fn condition(self) -> Option<&'static str> {
        let found = codes::CONDITIONS.binary_search_by_key(&self, |(code, _)| *code);
        found.ok().map(|index| codes::CONDITIONS[index].1)
    }
}

impl SqlStateClass {
    /// Returns the two characters.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("XX")
    }

    /// Returns PostgreSQL's title of the class, such as `Integrity Constraint Violation`; `None`
    /// for a class that has no constant.
    pub fn title(self) -> Option<&'static str> {
        let found = codes::TITLES.binary_search_by_key(&self, |(class, _)| *class);
        found.ok().map(|index| codes::TITLES[index].1)
    }
}

/// Defines the constants and the tables of their names; `script/sqlstates` generates the list.
macro_rules! sqlstates {
    ($($class:ident = $class_code:literal, $title:literal {
        $($name:ident = $code:literal, $condition:literal;)*
    })*) => {
        use super::{SqlState, SqlStateClass};

        impl SqlState {
            $($(
                #[doc = concat!("`", $condition, "`, of the class *", $title, "*.")]
                pub const $name: Self = Self(*$code);
            )*)*
        }

        impl SqlStateClass {
            $(
                #[doc = concat!("*", $title, "*.")]
                pub const $class: Self = Self(*$class_code);
            )*
        }

        /// The names of conditions, by code.
        pub(super) static CONDITIONS: &[(SqlState, &str)] =
            &[$($((SqlState(*$code), $condition),)*)*];

        /// The titles of classes, by code.
        pub(super) static TITLES: &[(SqlStateClass, &str)] =
            &[$((SqlStateClass(*$class_code), $title),)*];
    };
}
use sqlstates;

impl fmt::Display for SqlState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for SqlState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SqlState({self})")
    }
}

impl fmt::Display for SqlStateClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for SqlStateClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SqlStateClass({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_a_class_and_a_condition() {
        let code = SqlState::new("40001").expect("five characters");
        assert_eq!(code, SqlState::SERIALIZATION_FAILURE);
        assert_eq!(code.class(), SqlStateClass::TRANSACTION_ROLLBACK);
        assert_eq!(code.class().title(), Some("Transaction Rollback"));
        assert_eq!(code.condition(), Some("serialization_failure"));
    }

    #[test]
    fn every_code_and_class_is_found_in_its_table() {
        assert!(codes::CONDITIONS.is_sorted_by(|one, next| one.0 < next.0));
        assert!(codes::TITLES.is_sorted_by(|one, next| one.0 < next.0));
        for code in SqlState::all() {
            assert!(code.condition().is_some() && code.class().title().is_some());
        }
    }

    #[test]
    fn an_unknown_code_is_kept_unchanged() {
        let code = SqlState::new("ZY123").expect("five characters");
        assert_eq!((code.code(), code.condition()), ("ZY123", None));
        assert_eq!((code.class().code(), code.class().title()), ("ZY", None));
    }

    #[test]
    fn text_that_is_not_a_code_is_refused() {
        assert_eq!(SqlState::new("4000"), None);
        assert_eq!(SqlState::new("40 01"), None);
        assert_eq!(SqlState::new("4000é"), None);
    }
}
