//! Names and strings in the notation of SQL.

mod keywords;

pub use keywords::{Category, category};

/// Returns a name as an SQL identifier, quoted if necessary, as `quote_ident` of PostgreSQL 18
/// does.
///
/// A name is not quoted if it consists of lower-case letters, digits and underscores, does not
/// begin with a digit, and is not a reserved keyword of any category.
pub fn identifier(name: &str) -> String {
    if is_plain(name) {
        name.to_owned()
    } else {
        format!("\"{}\"", name.replace('"', "\"\""))
    }
}

/// Returns true for a name that [`identifier`] writes without quotes.
pub fn is_plain(name: &str) -> bool {
    let starts_well = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_');
    let is_simple = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    starts_well && name.bytes().all(is_simple) && category(name).is_none()
}

/// Returns a string literal, as `quote_literal` does: `E''` if the text contains backslashes.
///
/// The literal does not depend on `standard_conforming_strings`.
pub fn literal(text: &str) -> String {
    let quoted = text.replace('\'', "''");
    if text.contains('\\') {
        format!("E'{}'", quoted.replace('\\', "\\\\"))
    } else {
        format!("'{quoted}'")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Kind, tokens};

    #[test]
    fn only_simple_names_stay_unquoted() {
        for bare in ["a", "_a1", "name", "id", "begin", "system"] {
            assert_eq!(identifier(bare), bare);
        }
        for quoted in [
            "",
            "A",
            "1a",
            "a$",
            "é",
            "a b",
            "user",
            "current_schema",
            "values",
            "time",
        ] {
            assert_eq!(identifier(quoted), format!("\"{quoted}\""));
        }
        assert_eq!(identifier("a\"b"), "\"a\"\"b\"");
    }

    #[test]
    fn a_backslash_makes_an_escape_string() {
        assert_eq!(literal("it's"), "'it''s'");
        assert_eq!(literal("\\'"), "E'\\\\'''");
    }

    #[test]
    fn keywords_are_in_order() {
        assert!(keywords::KEYWORDS.is_sorted_by(|a, b| a.0 < b.0));
    }

    proptest! {
        #[test]
        fn quoting_round_trips(text in "([a-c'\"\\\\$ \\nU&éX0]|--|user|/\\*){0,8}") {
            let name = identifier(&text);
            let found: Vec<_> = tokens(&name).collect();
            prop_assert_eq!(found.len(), 1);
            prop_assert_eq!(found[0].name().unwrap(), text.as_str());

            let literal = literal(&text);
            let found: Vec<_> = tokens(&literal).collect();
            prop_assert_eq!(found.len(), 1);
            prop_assert_eq!(found[0].kind(), Kind::String);
            prop_assert_eq!(found[0].value().unwrap(), text.as_str());
        }
    }
}
