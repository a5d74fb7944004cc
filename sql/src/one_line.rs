//! SQL in one line.

use crate::lexer::tokens;

/// Replaces the white space and comments between two tokens with one space.
///
/// Text in quotes is not changed, including its line breaks. The line break before the
/// continuation of a string stays too.
///
/// ```
/// assert_eq!(bowline_sql::one_line("a -- first\n  AND b <> 'x  y'"), "a AND b <> 'x  y'");
/// ```
pub fn one_line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut end = None;
    for token in tokens(text) {
        match end {
            Some(end) if token.start() > end => {
                out.push(if token.continues() { '\n' } else { ' ' });
            }
            _ => {}
        }
        out.push_str(token.text());
        end = Some(token.end());
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_the_space_between_tokens_changes() {
        for (text, line) in [
            ("  a\n\tAND  b ", "a AND b"),
            ("a = 'x  y' -- z", "a = 'x  y'"),
            ("\"a  b\"/* c */>0", "\"a  b\" >0"),
            ("$$ -- \n  $$", "$$ -- \n  $$"),
            ("'a' -- x\n  'b'", "'a'\n'b'"),
            ("-- only\n", ""),
        ] {
            assert_eq!(one_line(text), line);
        }
    }

    proptest! {
        #[test]
        fn one_line_keeps_the_tokens(text in "([-a'\"$/*\\\\ \n.:e1&u;=+é(|]|U&|E'|--|/\\*|\\*/|'\n'){0,24}") {
            let texts = |text: &str| -> Vec<(String, bool)> {
                tokens(text).map(|token| (token.text().to_owned(), token.continues())).collect()
            };
            let line = one_line(&text);
            prop_assert_eq!(texts(&text), texts(&line));
        }
    }
}
