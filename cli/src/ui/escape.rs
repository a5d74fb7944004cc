//! Escaping of text from servers, files and rows, so that a terminal does not act on it.
//!
//! Control characters and invisible characters are written as psql writes them: `\\x1B`, `\\u202E`.
//! Colour codes are escaped too, except those that the command itself writes.

use std::borrow::Cow;
use std::fmt::Write as _;

use bowline::__generated::is_hidden;

/// Returns the escape of a character; `None` for one that is shown unchanged.
pub(super) fn escape(c: char) -> Option<String> {
    let number = u32::from(c);
    match c {
        _ if !is_hidden(c) => None,
        '\r' => Some("\\r".to_owned()),
        '\n' => Some("\\n".to_owned()),
        '\t' => Some("\\t".to_owned()),
        _ if number < 0x80 => Some(format!("\\x{number:02X}")),
        _ if number < 0x1_0000 => Some(format!("\\u{number:04X}")),
        _ => Some(format!("\\U{number:08X}")),
    }
}

/// Escapes a text from outside; line breaks and tabs stay.
pub(crate) fn escaped(text: &str) -> Cow<'_, str> {
    filtered(text, false)
}

/// Escapes a text except its colour codes, which the command has written.
pub(super) fn coloured(text: &str) -> Cow<'_, str> {
    filtered(text, true)
}

/// Joins the words of a text to one line, and escapes it.
pub(crate) fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    escaped(&words.join(" ")).into_owned()
}

/// Escapes JSON with the escapes of JSON. Only strings contain non-ASCII characters in JSON.
pub(crate) fn json(text: &str) -> Cow<'_, str> {
    let is_kept = |c: char| !is_hidden(c) || matches!(c, '\n' | '\t');
    if text.chars().all(is_kept) {
        return text.into();
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            c if is_kept(c) => out.push(c),
            // Between values: within a string it is escaped already.
            '\r' => out.push(' '),
            c => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    // Writing to a String cannot fail.
                    write!(out, "\\u{unit:04x}").ok();
                }
            }
        }
    }
    out.into()
}

fn filtered(text: &str, has_colours: bool) -> Cow<'_, str> {
    let is_kept = |c: char| !is_hidden(c) || matches!(c, '\n' | '\t');
    if text.chars().all(is_kept) {
        return text.into();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let colour = if has_colours { colour(rest) } else { 0 };
        // A line break as on Windows.
        let length = if rest.starts_with("\r\n") { 2 } else { colour };
        if length > 0 {
            out.push_str(&rest[..length]);
            rest = &rest[length..];
            continue;
        }
        match escape(c).filter(|_| !is_kept(c)) {
            Some(escape) => out.push_str(&escape),
            None => out.push(c),
        }
        rest = &rest[c.len_utf8()..];
    }
    out.into()
}

/// Returns the length of the colour code at the beginning of a text (ESC [ numbers m), or 0.
fn colour(text: &str) -> usize {
    let Some(numbers) = text.strip_prefix("\u{1b}[") else {
        return 0;
    };
    let end = numbers.find(|c: char| !c.is_ascii_digit() && c != ';');
    match end {
        Some(end) if numbers[end..].starts_with('m') => "\u{1b}[".len() + end + 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HOSTILE: &str =
        "a\u{1b}[2J\u{1b}]0;b\u{7}\u{9b}c\r\u{8}\u{7f}\u{202e}\u{200b}\u{e0041}d\n\te";

    #[test]
    fn control_characters_are_escaped() {
        assert_eq!(
            escaped(HOSTILE),
            "a\\x1B[2J\\x1B]0;b\\x07\\u009Bc\\r\\x08\\x7F\\u202E\\u200B\\U000E0041d\n\te"
        );
        assert_eq!(
            escaped("größer 日本 e\u{301}\r\n"),
            "größer 日本 e\u{301}\r\n"
        );
    }

    #[test]
    fn only_colours_pass_in_coloured_text() {
        let text = "\u{1b}[1;32mok\u{1b}[0m \u{1b}[2J\u{1b}[3\u{1b}[;H";
        assert_eq!(
            coloured(text),
            "\u{1b}[1;32mok\u{1b}[0m \\x1B[2J\\x1B[3\\x1B[;H"
        );
        assert_eq!(escaped("\u{1b}[0m"), "\\x1B[0m");
    }

    #[test]
    fn json_output_stays_valid_json() {
        let value = serde_json::Value::from(HOSTILE);
        let text = value.to_string();
        let shown = json(&text);
        assert!(!shown.contains(is_hidden), "{shown}");
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&shown).expect("JSON"),
            value
        );
    }

    proptest! {
        #[test]
        fn no_hidden_character_is_left_in_any_text(text in any::<String>()) {
            let left = |text: &str| text.replace("\r\n", "").contains(|c| is_hidden(c) && c != '\n' && c != '\t');
            prop_assert!(!left(&escaped(&text)));
            let coloured = coloured(&text).into_owned();
            let mut rest = coloured.as_str();
            while let Some(start) = rest.find('\u{1b}') {
                let length = colour(&rest[start..]);
                prop_assert!(length > 0, "{rest:?}");
                prop_assert!(!left(&rest[..start]));
                rest = &rest[start + length..];
            }
            prop_assert!(!left(rest));
        }
    }
}
