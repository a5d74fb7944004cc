//! Texts of the server, made safe to show.

use std::fmt::{self, Write as _};

/// A text of the server, formatted without characters that a terminal or a log would interpret or
/// hide. Control characters, line breaks, changes of direction and characters without width are
/// escaped.
pub(super) struct Shown<'a>(pub(super) &'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| {
            if is_hidden(c) {
                write!(f, "{}", c.escape_default())
            } else {
                f.write_char(c)
            }
        })
    }
}

/// Returns true for a character that a terminal interprets or does not show. These are controls
/// (C0, C1, DEL), line and paragraph separators, and format characters: changes of direction,
/// joiners, marks without width, tags.
#[doc(hidden)]
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
                | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
                | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_escaped_and_no_others() {
        let shown = Shown("größer\u{1b}[2J\r\n\u{9b}\u{202e}\u{200b}\u{7f}\u{85}\u{2066}\u{feff}")
            .to_string();
        assert_eq!(
            shown,
            "größer\\u{1b}[2J\\r\\n\\u{9b}\\u{202e}\\u{200b}\\u{7f}\\u{85}\\u{2066}\\u{feff}"
        );
    }
}
