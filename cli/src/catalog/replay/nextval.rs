//! The sequences that an expression takes from.
//!
//! SQL names them in strings, `nextval('s')`, which PostgreSQL reads once and keeps as references. Here the string is
//! the reference: it names the schema, unless that is `public`, whatever the search path was, and follows renames.

use super::tree::{pieces, words};
use super::{PUBLIC, Replay};
use crate::catalog::{Fill, Name};

impl Replay {
    /// An expression as written, whose sequences are looked for in the search path now.
    pub(super) fn with_sequences_found(&self, mut expression: String) -> String {
        for place in arguments(&expression).into_iter().rev() {
            let named = words(&unquoted(&expression[place.clone()]));
            if let Some(found) = self.find_sequence(&named) {
                expression.replace_range(place, &literal(&found));
            }
        }
        expression
    }
}

impl Fill {
    /// What takes the next value of a sequence: `serial` where the column owns it.
    pub(super) fn from_sequence(sequence: &Name, is_owned: bool) -> Self {
        if is_owned {
            Self::Serial {
                sequence: sequence.clone(),
            }
        } else {
            Self::Default(format!("nextval({}::regclass)", literal(sequence)))
        }
    }

    /// The sequence of which this is the next value, and nothing else.
    pub(super) fn sequence(&self) -> Option<Name> {
        match self {
            Self::Serial { sequence } => Some(sequence.clone()),
            Self::Default(expression) => only_nextval(expression),
            _ => None,
        }
    }

    /// Whether this takes from a sequence, alone or in an expression.
    pub(super) fn uses_sequence(&self, sequence: &Name) -> bool {
        match self {
            Self::Serial { sequence: own } => own == sequence,
            Self::Default(expression) => uses_sequence(expression, sequence),
            _ => false,
        }
    }

    /// The same with a sequence under its new name.
    pub(super) fn rename_sequence(&mut self, from: &Name, to: &Name) {
        match self {
            Self::Serial { sequence } if sequence == from => sequence.clone_from(to),
            Self::Default(expression) => rename_sequence(expression, from, to),
            _ => {}
        }
    }
}

/// Whether an expression takes from a sequence.
pub(super) fn uses_sequence(expression: &str, sequence: &Name) -> bool {
    let places = arguments(expression).into_iter();
    places
        .map(|place| reference(&expression[place]))
        .any(|named| named.as_ref() == Some(sequence))
}

/// The same expression with a sequence under its new name.
pub(super) fn rename_sequence(expression: &mut String, from: &Name, to: &Name) {
    for place in arguments(expression).into_iter().rev() {
        if reference(&expression[place.clone()]).as_ref() == Some(from) {
            expression.replace_range(place, &literal(to));
        }
    }
}

/// `nextval('s')` or `nextval('s'::regclass)`, in parentheses or not.
fn only_nextval(expression: &str) -> Option<Name> {
    let place = arguments(expression).into_iter().next()?;
    let squeezed = |text: &str| {
        let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        text.to_ascii_lowercase()
    };
    let before = squeezed(&expression[..place.start]);
    let after = squeezed(&expression[place.end..]);
    let opened = before
        .strip_suffix("nextval(")
        .map(|rest| rest.strip_suffix("pg_catalog.").unwrap_or(rest))?;
    let closed = after
        .strip_prefix("::regclass")
        .unwrap_or(&after)
        .strip_prefix(')')?;
    let is_all = opened.chars().all(|c| c == '(') && closed.chars().all(|c| c == ')');
    is_all.then(|| reference(&expression[place])).flatten()
}

/// The literals that are first arguments of functions of sequences; a text, as in `nextval('s'::text)`, is none, as
/// PostgreSQL looks it up each time.
fn arguments(expression: &str) -> Vec<std::ops::Range<usize>> {
    let mut start = 0;
    let words: Vec<_> = pieces(expression)
        .map(|(word, is_name)| {
            start += word.len();
            (start - word.len()..start, word, is_name)
        })
        .filter(|(_, word, _)| !word.trim().is_empty())
        .collect();
    let mut found = Vec::new();
    for (at, window) in words.windows(3).enumerate() {
        let [(_, function, true), (_, "(", _), (place, argument, _)] = window else {
            continue;
        };
        let is_function = ["nextval", "currval", "setval"]
            .iter()
            .any(|name| function.eq_ignore_ascii_case(name));
        let cast = words.get(at + 5).map(|(_, word, _)| *word);
        let is_cast = words.get(at + 3).is_some_and(|(_, word, _)| *word == ":");
        let is_text = is_cast && !cast.is_some_and(|cast| cast.eq_ignore_ascii_case("regclass"));
        if is_function && argument.starts_with('\'') && !is_text {
            found.push(place.clone());
        }
    }
    found
}

fn unquoted(literal: &str) -> String {
    literal.trim_matches('\'').replace("''", "'")
}

/// What a literal of [`literal`]'s names.
fn reference(literal: &str) -> Option<Name> {
    let mut parts = words(&unquoted(literal));
    let name = parts.pop()?;
    let schema = parts.pop().unwrap_or_else(|| PUBLIC.to_owned());
    Some(Name { schema, name })
}

fn literal(sequence: &Name) -> String {
    format!("'{}'", sequence.quoted().replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(schema: &str, name: &str) -> Name {
        Name {
            schema: schema.to_owned(),
            name: name.to_owned(),
        }
    }

    #[test]
    fn a_sequence_is_found_in_a_string_that_is_read_once() {
        let s = name("public", "s");
        for expression in [
            "nextval('s')",
            "'n-' || nextval('public.s'::regclass)",
            "NEXTVAL ( 's' ) + 1",
            "pg_catalog.nextval('\"s\"')",
        ] {
            assert!(uses_sequence(expression, &s), "{expression}");
        }
        for expression in ["nextval('z.s')", "nextval('s'::text)", "lower('s')", "'s'"] {
            assert!(!uses_sequence(expression, &s), "{expression}");
        }
    }

    #[test]
    fn only_a_next_value_alone_can_be_what_serial_makes() {
        let of = |expression: &str| Fill::Default(expression.to_owned()).sequence();
        let s = Some(name("z", "S'1"));
        assert_eq!(of("nextval('z.\"S''1\"'::regclass)"), s);
        assert_eq!(of("((pg_catalog.nextval( 'z.\"S''1\"' )))"), s);
        assert_eq!(of("nextval('s') + 1"), None);
        assert_eq!(of("currval('s')"), None);
    }

    #[test]
    fn a_renamed_sequence_is_renamed_in_its_string_only() {
        let mut expression = "nextval('s') || 's' || nextval('ss')".to_owned();
        rename_sequence(&mut expression, &name("public", "s"), &name("z", "T"));
        assert_eq!(expression, "nextval('z.\"T\"') || 's' || nextval('ss')");
    }
}
