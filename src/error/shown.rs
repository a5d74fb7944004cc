//! Texts of others, fit to be shown.

use std::fmt::{self, Write as _};

/// A text that a server wrote, or whoever plays one, without what a terminal or a log would obey: control
/// characters, line breaks and changes of direction are written as escapes.
pub(super) struct Shown<'a>(pub(super) &'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| {
            if c.is_control() || changes_direction(c) {
                write!(f, "{}", c.escape_default())
            } else {
                f.write_char(c)
            }
        })
    }
}

/// The bidirectional formatting characters of Unicode.
fn changes_direction(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_escaped_and_the_rest_is_as_it_was() {
        let shown = Shown("größer\u{1b}[2J\r\n\u{202e}").to_string();
        assert_eq!(shown, "größer\\u{1b}[2J\\r\\n\\u{202e}");
    }
}
