//! The tokens of SQL, as PostgreSQL's lexer finds them (manual, 4.1): as far as is needed to know what is
//! a comment and what only looks like one.
//!
//! Read as with `standard_conforming_strings` on, which is the default and in PostgreSQL 19 the only way.

/// A token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    /// A word, number, string, operator, bracket, as it is written.
    Sql(&'a str),
    /// What a `-- bowline:` comment says.
    Answer(&'a str),
}

/// The tokens, without white space and other comments.
pub(crate) fn tokens(text: &str) -> impl Iterator<Item = Token<'_>> {
    let mut lexer = Lexer {
        rest: text,
        string: None,
    };
    std::iter::from_fn(move || lexer.next())
}

struct Lexer<'a> {
    rest: &'a str,
    /// The last token was a string, and since then there were only spaces and line breaks.
    string: Option<StringEnd>,
}

#[derive(Clone, Copy)]
struct StringEnd {
    has_escapes: bool,
    seen_line_break: bool,
}

impl<'a> Lexer<'a> {
    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            let first = *self.rest.as_bytes().first()?;
            if is_space(first) {
                if let Some(end) = &mut self.string {
                    end.seen_line_break |= is_line_break(first);
                }
                self.take(1);
            } else if self.rest.starts_with("--") {
                let end = length_while(self.rest, |byte| !is_line_break(byte));
                if let Some(text) = answer(self.take(end)) {
                    self.string = None;
                    return Some(Token::Answer(text));
                }
            } else if self.rest.starts_with("/*") {
                self.string = None;
                let end = block_comment(self.rest);
                self.take(end);
            } else {
                return Some(Token::Sql(self.token(first)));
            }
        }
    }

    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        taken
    }

    fn token(&mut self, first: u8) -> &'a str {
        let rest = self.rest;
        let before = self.string.take();
        let goes_on = before.is_some_and(|end| end.seen_line_break);
        if first == b'\'' && goes_on {
            return self.string(0, before.is_some_and(|end| end.has_escapes));
        }
        let length = match first {
            b'\'' => return self.string(0, false),
            b'e' | b'E' if rest[1..].starts_with('\'') => return self.string(1, true),
            b'b' | b'B' | b'x' | b'X' | b'n' | b'N' if rest[1..].starts_with('\'') => {
                return self.string(1, false);
            }
            b'u' | b'U' if rest[1..].starts_with("&'") => return self.string(2, false),
            b'u' | b'U' if rest[1..].starts_with("&\"") => 2 + quoted(&rest[2..], b'"', false),
            b'"' => quoted(rest, b'"', false),
            b'$' => dollar(rest),
            b'.' if rest.as_bytes().get(1).is_some_and(u8::is_ascii_digit) => number(rest),
            b'.' if rest.starts_with("..") => 2,
            b':' if rest.starts_with("::") || rest.starts_with(":=") => 2,
            _ if first.is_ascii_digit() => number(rest),
            _ if is_word_start(first) => length_while(rest, is_word),
            _ if is_operator(first) => operator(rest),
            _ => 1,
        };
        self.take(length)
    }

    /// A string behind a prefix of this length.
    fn string(&mut self, prefix: usize, has_escapes: bool) -> &'a str {
        self.string = Some(StringEnd {
            has_escapes,
            seen_line_break: false,
        });
        let length = quoted(&self.rest[prefix..], b'\'', has_escapes);
        self.take(prefix + length)
    }
}

/// What a `-- bowline:` comment says, as replay reads it.
fn answer(comment: &str) -> Option<&str> {
    let text = comment.strip_prefix("--")?.trim();
    Some(text.strip_prefix("bowline:")?.trim())
}

/// The length of a block comment; another may stand in it.
fn block_comment(text: &str) -> usize {
    let bytes = text.as_bytes();
    let (mut at, mut depth) = (0, 0);
    while at < bytes.len() {
        match &bytes[at..] {
            [b'/', b'*', ..] => (at, depth) = (at + 2, depth + 1),
            [b'*', b'/', ..] => (at, depth) = (at + 2, depth - 1),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    // One that is not ended may end within a character.
    at.min(bytes.len())
}

/// The length of what is between quotes, of which two stand for one.
fn quoted(text: &str, quote: u8, has_escapes: bool) -> usize {
    let bytes = text.as_bytes();
    let mut at = 1;
    while at < bytes.len() {
        match &bytes[at..] {
            [b'\\', _, ..] if has_escapes => at += 2,
            [first, second, ..] if *first == quote && *second == quote => at += 2,
            [first, ..] if *first == quote => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// The length of a string between dollars, of a parameter, or of a dollar that is neither.
fn dollar(text: &str) -> usize {
    let tag = length_while(&text[1..], |byte| byte != b'$' && is_word(byte));
    let is_tag = tag == 0 || is_word_start(text.as_bytes()[1]);
    if is_tag && text.as_bytes().get(1 + tag) == Some(&b'$') {
        let (mark, body) = text.split_at(tag + 2);
        let end = body.find(mark).map(|at| at + mark.len());
        return mark.len() + end.unwrap_or(body.len());
    }
    1 + length_while(&text[1..], |byte| byte.is_ascii_digit())
}

fn number(text: &str) -> usize {
    let bytes = text.as_bytes();
    let digits = |from: usize| {
        from + length_while(&text[from..], |byte| byte.is_ascii_digit() || byte == b'_')
    };
    let mut at = digits(0);
    let has_base = at == 1
        && bytes[0] == b'0'
        && matches!(bytes.get(1), Some(b'x' | b'X' | b'o' | b'O' | b'b' | b'B'));
    if !has_base {
        // `1..2` is a range of PL/pgSQL's.
        if bytes.get(at) == Some(&b'.') && bytes.get(at + 1) != Some(&b'.') {
            at = digits(at + 1);
        }
        if let Some(b'e' | b'E') = bytes.get(at) {
            let signed = at + 1 + usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
            if bytes.get(signed).is_some_and(u8::is_ascii_digit) {
                at = digits(signed);
            }
        }
    }
    // Letters right behind it belong to it, if only to be refused; a string between dollars does not.
    match bytes.get(at) {
        Some(next) if is_word_start(*next) => at + length_while(&text[at..], is_word),
        _ => at,
    }
}

/// An operator ends before a comment, and before a sign unless it could not be one of SQL's own.
fn operator(text: &str) -> usize {
    let mut operator = &text[..length_while(text, is_operator)];
    for comment in ["--", "/*"] {
        operator = operator
            .find(comment)
            .map_or(operator, |at| &operator[..at]);
    }
    if !operator.contains(['~', '!', '@', '#', '^', '&', '|', '`', '?', '%']) {
        while operator.len() > 1 && operator.ends_with(['+', '-']) {
            operator = &operator[..operator.len() - 1];
        }
    }
    operator.len()
}

fn length_while(text: &str, holds: impl Fn(u8) -> bool) -> usize {
    let length = text.bytes().position(|byte| !holds(byte));
    length.unwrap_or(text.len())
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)
}

fn is_line_break(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

/// Whatever is not ASCII is a letter to PostgreSQL.
fn is_word_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || !byte.is_ascii()
}

fn is_word(byte: u8) -> bool {
    is_word_start(byte) || byte.is_ascii_digit() || byte == b'$'
}

fn is_operator(byte: u8) -> bool {
    b"+-*/<>=~!@#%^&|`?".contains(&byte)
}
