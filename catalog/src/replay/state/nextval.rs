//! The sequences that an expression uses.
//!
//! SQL names them in strings, `nextval('s')`, which PostgreSQL reads once and stores as references.
//! Here the string itself is the reference. It names the schema, unless that is `public`, and it
//! follows renames.

use std::ops::Range;

use bowline_sql::{Kind, Token, quote, string_value, tokens};

use crate::replay::state::{PUBLIC, State};
use crate::replay::syntax::expression::words;
use crate::{Fill, Name};

impl State {
    /// Returns the expression with its sequences resolved by the current search path.
    pub(crate) fn with_sequences_found(&self, mut expression: String) -> String {
        for range in arguments(&expression).into_iter().rev() {
            let named = parts(&expression[range.clone()]);
            if let Some(found) = self.find_sequence(&named) {
                expression.replace_range(range, &literal(&found));
            }
        }
        expression
    }
}

impl Fill {
    /// Returns the fill that takes the next value of a sequence. It is `serial` if the column owns
    /// the sequence.
    pub(crate) fn from_sequence(sequence: &Name, is_owned: bool) -> Self {
        if is_owned {
            Self::Serial {
                sequence: sequence.clone(),
            }
        } else {
            Self::Default(format!("nextval({}::regclass)", literal(sequence)))
        }
    }

    /// Returns the sequence if this fill is only its next value.
    pub(crate) fn sequence(&self) -> Option<Name> {
        match self {
            Self::Serial { sequence } => Some(sequence.clone()),
            Self::Default(expression) => only_nextval(expression),
            _ => None,
        }
    }

    /// Returns true if this fill uses a sequence, alone or in an expression.
    pub(crate) fn uses_sequence(&self, sequence: &Name) -> bool {
        match self {
            Self::Serial {
                sequence: of_column,
            } => of_column == sequence,
            Self::Default(expression) => uses_sequence(expression, sequence),
            _ => false,
        }
    }

    /// Renames a sequence in this fill.
    pub(crate) fn rename_sequence(&mut self, from: &Name, to: &Name) {
        match self {
            Self::Serial { sequence } if sequence == from => sequence.clone_from(to),
            Self::Default(expression) => rename_sequence(expression, from, to),
            _ => {}
        }
    }
}

/// Returns true if an expression uses a sequence.
pub(crate) fn uses_sequence(expression: &str, sequence: &Name) -> bool {
    let ranges = arguments(expression).into_iter();
    ranges
        .map(|range| reference(&expression[range]))
        .any(|named| named.as_ref() == Some(sequence))
}

/// Renames a sequence in an expression.
pub(crate) fn rename_sequence(expression: &mut String, from: &Name, to: &Name) {
    for range in arguments(expression).into_iter().rev() {
        if reference(&expression[range.clone()]).as_ref() == Some(from) {
            expression.replace_range(range, &literal(to));
        }
    }
}

/// Returns the sequence of `nextval('s')` or `nextval('s'::regclass)`, in parentheses or not.
fn only_nextval(expression: &str) -> Option<Name> {
    let range = arguments(expression).into_iter().next()?;
    let is_bracket = |token: &&Token<'_>| token.is("(") || token.is(")");
    let all: Vec<Token<'_>> = tokens(expression).collect();
    let argument = all.iter().position(|token| token.start() == range.start)?;
    let (before, after) = (&all[..argument], &all[argument + 1..]);
    let before: Vec<_> = before.iter().filter(|token| !is_bracket(token)).collect();
    let after: Vec<_> = after.iter().filter(|token| !is_bracket(token)).collect();
    let is_call = match before.as_slice() {
        [function] => function.is_name("nextval"),
        [schema, dot, function] => {
            schema.is_name("pg_catalog") && dot.is(".") && function.is_name("nextval")
        }
        _ => false,
    };
    let is_cast = match after.as_slice() {
        [] => true,
        [cast, name] => cast.is("::") && name.is_name("regclass"),
        _ => false,
    };
    (is_call && is_cast).then(|| reference(&expression[range]))?
}

/// Returns the literals that are first arguments of sequence functions. A text, as in
/// `nextval('s'::text)`, is left out, because PostgreSQL resolves it at each call.
fn arguments(expression: &str) -> Vec<Range<usize>> {
    let all: Vec<Token<'_>> = tokens(expression).collect();
    let mut found = Vec::new();
    for (at, window) in all.windows(3).enumerate() {
        let [function, open, argument] = window else {
            continue;
        };
        let is_function = ["nextval", "currval", "setval"]
            .iter()
            .any(|name| function.is_name(name));
        let mut after = all[at + 3..].iter();
        let is_text = after.next().is_some_and(|token| token.is("::"))
            && !after.next().is_some_and(|token| token.is_name("regclass"));
        if is_function && open.is("(") && argument.kind() == Kind::String && !is_text {
            found.push(argument.start()..argument.end());
        }
    }
    found
}

/// Returns the parts of the name in a literal.
fn parts(literal: &str) -> Vec<String> {
    words(&string_value(literal).unwrap_or_default())
}

/// Returns the sequence that a literal written by [`literal`] names.
fn reference(literal: &str) -> Option<Name> {
    let mut parts = parts(literal);
    let name = parts.pop()?;
    let schema = parts.pop().unwrap_or_else(|| PUBLIC.to_owned());
    Some(Name { schema, name })
}

fn literal(sequence: &Name) -> String {
    quote::literal(&sequence.quoted())
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(crate) fn name(schema: &str, name: &str) -> Name {
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
    fn only_a_bare_nextval_can_be_the_default_of_a_serial() {
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
