//! The SQL of a macro call, with the position of each character in the source file.

use std::ops::Range;

/// SQL that is written as one or more literals.
#[derive(Debug, Default)]
pub(crate) struct Sql {
    /// The SQL, without the quotes and escapes of Rust.
    pub(crate) text: String,
    /// For each part, the byte of `text` at which it begins and its line and column.
    locations: Vec<(usize, Location)>,
}

/// A line and a column of a source file, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Location {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

impl Location {
    fn after(self, c: char) -> Self {
        match c {
            '\n' => Self {
                line: self.line + 1,
                column: 1,
            },
            _ => Self {
                column: self.column + 1,
                ..self
            },
        }
    }
}

impl Sql {
    /// Adds a literal as it is written in the source, with its position. Fails with a message.
    pub(crate) fn push(&mut self, literal: &str, at: Location) -> Result<(), &'static str> {
        const NO_STRING: &str = "expected SQL as a string";
        let mut chars = Chars {
            rest: literal,
            location: at,
        };
        if let Some(raw) = literal.strip_prefix('r') {
            let hashes = raw.bytes().take_while(|byte| *byte == b'#').count();
            let quoted = raw.get(hashes..raw.len().saturating_sub(hashes));
            let text = quoted.and_then(|quoted| quoted.strip_prefix('"')?.strip_suffix('"'));
            let text = text.ok_or(NO_STRING)?;
            // The prefix: a letter, `#` characters and the quote.
            for _ in 0..hashes + 2 {
                chars.next();
            }
            for _ in text.chars() {
                let location = chars.location;
                if let Some(c) = chars.next() {
                    self.add(c, location);
                }
            }
            return Ok(());
        }
        let quote = chars.next().filter(|c| matches!(c, '"' | '\''));
        let Some(quote) = quote else {
            // `concat!` accepts numbers and booleans too.
            let is_plain = literal
                .chars()
                .all(|c| c.is_alphanumeric() || "._-".contains(c));
            if !is_plain || literal.starts_with("b'") {
                return Err(NO_STRING);
            }
            literal.chars().for_each(|c| self.add(c, at));
            return Ok(());
        };
        loop {
            let location = chars.location;
            match chars.next().ok_or(NO_STRING)? {
                c if c == quote => return Ok(()),
                '\\' => {
                    if let Some(c) = chars.escaped().ok_or(NO_STRING)? {
                        self.add(c, location);
                    }
                }
                c => self.add(c, location),
            }
        }
    }

    fn add(&mut self, c: char, location: Location) {
        self.locations.push((self.text.len(), location));
        self.text.push(c);
    }

    /// Returns the position of a byte in the source. For a byte after the text, it is the position
    /// of the text's end.
    pub(crate) fn location(&self, at: usize) -> Option<Location> {
        let index = self.locations.partition_point(|(byte, _)| *byte <= at);
        let (byte, location) = self.locations.get(index.checked_sub(1)?)?;
        let is_end = at >= self.text.len() && *byte < at;
        Some(if is_end {
            location.after(' ')
        } else {
            *location
        })
    }

    /// Returns the line of the SQL in which a range begins, and the part of the range within that
    /// line, in characters.
    pub(crate) fn line(&self, span: &Range<usize>) -> (String, Range<usize>) {
        let text = &self.text;
        let floor = |mut at: usize| {
            at = at.min(text.len());
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            at
        };
        let (mut start, mut end) = (floor(span.start), floor(span.end));
        // An empty range at the end stands for something that is missing there.
        if start == text.len() {
            start = text.trim_end().len();
            end = end.max(start);
        }
        let begin = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let stop = text[start..].find('\n').map_or(text.len(), |at| start + at);
        let line = text[begin..stop].replace(['\t', '\r'], " ");
        let from = text[begin..start].chars().count();
        let length = text[start..end.clamp(start, stop)].chars().count();
        (line, from..from + length.max(1))
    }
}

/// The characters of a literal as it is written.
struct Chars<'a> {
    rest: &'a str,
    location: Location,
}

impl Iterator for Chars<'_> {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let c = chars.next()?;
        self.rest = chars.as_str();
        self.location = self.location.after(c);
        Some(c)
    }
}

impl Chars<'_> {
    /// Reads the escape after a backslash. It is a character, or `None` for a line break, which is
    /// left out together with the white space after it. Returns `None` for an unknown escape.
    fn escaped(&mut self) -> Option<Option<char>> {
        let c = match self.next()? {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            '0' => '\0',
            c @ ('\\' | '"' | '\'') => c,
            'x' => {
                let digits: String = self.take(2).collect();
                char::from(u8::from_str_radix(&digits, 16).ok()?)
            }
            'u' => {
                let digits: String = self.take_while(|c| *c != '}').collect();
                let digits = digits.trim_start_matches('{').replace('_', "");
                char::from_u32(u32::from_str_radix(&digits, 16).ok()?)?
            }
            '\n' => {
                while self.rest.starts_with([' ', '\t', '\n', '\r']) {
                    self.next();
                }
                return Some(None);
            }
            _ => return None,
        };
        Some(Some(c))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Location = Location { line: 7, column: 5 };

    /// Returns the text of literals, and the position of the first `x`.
    fn read(literals: &[(&str, Location)]) -> (String, (usize, usize)) {
        let mut sql = Sql::default();
        for (literal, at) in literals {
            sql.push(literal, *at).expect("a string");
        }
        let location = sql.location(sql.text.find('x').expect("an x"));
        let location = location.expect("a location");
        (sql.text, (location.line, location.column))
    }

    #[test]
    fn locations_are_those_of_the_source() {
        let one = |literal| read(&[(literal, START)]);
        assert_eq!(one(r#""a x""#), ("a x".to_owned(), (7, 8)));
        assert_eq!(one("\"a\n  x\""), ("a\n  x".to_owned(), (8, 3)));
        assert_eq!(one("r\"a x\""), ("a x".to_owned(), (7, 9)));
        assert_eq!(one("r##\"a\"# x\"##"), ("a\"# x".to_owned(), (7, 13)));
        assert_eq!(one(r#""\"ä\" x""#), ("\"ä\" x".to_owned(), (7, 12)));
        assert_eq!(one("\"a \\\n     x\""), ("a x".to_owned(), (8, 6)));
        assert_eq!(one(r#""\u{e4}\x41\n x""#), ("äA\n x".to_owned(), (7, 19)));
        let second = Location { line: 9, column: 2 };
        assert_eq!(
            read(&[("\"a\"", START), ("1", START), ("\" x\"", second)]),
            ("a1 x".to_owned(), (9, 4))
        );
    }

    #[test]
    fn a_literal_that_is_not_text_is_refused() {
        for literal in ["b\"a\"", "\"a", "c\"a\"", "r", "r#", "", "'"] {
            let read = Sql::default().push(literal, START);
            assert!(read.is_err() || literal.is_empty(), "{literal}");
        }
    }

    #[test]
    fn the_line_of_a_range_is_shown() {
        let mut sql = Sql::default();
        sql.push("\"SELECT a,\n\tbcd FROM t\n\"", START)
            .expect("a string");
        assert_eq!(sql.line(&(11..14)), (" bcd FROM t".to_owned(), 1..4));
        assert_eq!(sql.line(&(7..30)), ("SELECT a,".to_owned(), 7..9));
        assert_eq!(sql.line(&(99..99)), (" bcd FROM t".to_owned(), 11..12));
    }
}
