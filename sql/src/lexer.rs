//! The tokens of SQL, as PostgreSQL's lexer finds them (manual, section 4.1).
//!
//! Strings are read as with `standard_conforming_strings = on`. That is the default, and the only
//! value in PostgreSQL 19.

mod decode;
mod scan;

use std::borrow::Cow;
use std::fmt;

/// The kind of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A keyword or a name without quotes.
    Word,
    /// A name in double quotes: `"a"` or `U&"a"`.
    QuotedName,
    /// A string, with its prefix: `'a'`, `E'a'`, `U&'a'`, `B'1'`, `X'f'`, `N'a'`, `$$a$$`.
    ///
    /// A string that continues on a later line is several tokens. [`Token::continues`] is true for
    /// all of them but the first.
    String,
    /// A number. Letters directly after it are a part of it, although PostgreSQL refuses them.
    Number,
    /// `$1`.
    Parameter,
    /// An operator: `+`, `<=`, `->>` and so on.
    Operator,
    /// `(`, `)`, `[`, `]`, `,`, `;`, `.`, `..`, `:`, `::`, `:=`, and any other character.
    Punctuation,
    /// `-- a`, without its line break, or `/* a */`.
    Comment,
}

/// The notation of the text between the quotes of a string or name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Style {
    /// `''`, `""`: a doubled quote means one.
    Plain,
    /// `E''`: with backslash escapes.
    Escapes,
    /// `U&''`, `U&""`: code points after a backslash, or after the character that UESCAPE names.
    Unicode,
    /// `$$`, `$tag$`: without escapes.
    Dollar,
}

/// A token of SQL.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Token<'a> {
    kind: Kind,
    style: Style,
    /// The length in bytes of the prefix before the first quote.
    prefix: u8,
    continues: bool,
    source: &'a str,
    start: usize,
    end: usize,
}

impl<'a> Token<'a> {
    /// Returns the kind of the token.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Returns the text of the token, as it is written.
    pub fn text(&self) -> &'a str {
        &self.source[self.start..self.end]
    }

    /// Returns the start of the token in the text, in bytes.
    pub fn start(&self) -> usize {
        self.start
    }

    /// Returns the end of the token in the text, in bytes: the position after its last byte.
    pub fn end(&self) -> usize {
        self.end
    }

    /// Returns true for this word without quotes, in upper or lower case. `word` is in lower case.
    pub fn is_word(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text().eq_ignore_ascii_case(word)
    }

    /// Returns true for one of these words without quotes. `words` are in lower case.
    pub fn is_one_of(&self, words: &[&str]) -> bool {
        self.kind == Kind::Word && words.iter().any(|word| self.is_word(word))
    }

    /// Returns true for this operator or punctuation.
    pub fn is(&self, text: &str) -> bool {
        matches!(self.kind, Kind::Operator | Kind::Punctuation) && self.text() == text
    }

    /// Returns true for a name with this meaning, with or without quotes.
    pub fn is_name(&self, name: &str) -> bool {
        match self.kind {
            Kind::Word => self.text().to_ascii_lowercase() == name,
            Kind::QuotedName => self.name().is_some_and(|own| own == name),
            _ => false,
        }
    }

    /// Returns the name that a word or a quoted name means: a word in lower case, a quoted name
    /// without its quotes and escapes.
    ///
    /// Returns `None` for other tokens, and for an escape that PostgreSQL refuses. Unlike in
    /// PostgreSQL, a name is not truncated to 63 bytes.
    pub fn name(&self) -> Option<Cow<'a, str>> {
        match self.kind {
            Kind::Word if self.text().bytes().any(|byte| byte.is_ascii_uppercase()) => {
                Some(self.text().to_ascii_lowercase().into())
            }
            Kind::Word => Some(self.text().into()),
            Kind::QuotedName => self.decoded(),
            _ => None,
        }
    }

    /// Returns the value of a string; for `B''` and `X''` the digits.
    ///
    /// Returns `None` for other tokens, for an unterminated string, and for an escape that
    /// PostgreSQL refuses. If the string continues on a later line, that part is the value of the
    /// next token.
    pub fn value(&self) -> Option<Cow<'a, str>> {
        (self.kind == Kind::String)
            .then(|| self.decoded())
            .flatten()
    }

    /// Returns the prefix of a string or quoted name: `E`, `U&`, `b`, or an empty text.
    pub fn prefix(&self) -> &'a str {
        &self.text()[..usize::from(self.prefix)]
    }

    /// Returns true for a string that continues the previous one after a line break.
    pub fn continues(&self) -> bool {
        self.continues
    }

    fn decoded(&self) -> Option<Cow<'a, str>> {
        let text = &self.text()[usize::from(self.prefix)..];
        match self.style {
            Style::Dollar => decode::dollar(text),
            Style::Plain => decode::plain(text),
            Style::Escapes => decode::escapes(text),
            Style::Unicode => decode::unicode(text, self.escape_character()),
        }
    }

    /// Returns the character that UESCAPE after the token names, else a backslash.
    fn escape_character(&self) -> char {
        let mut after = Tokens::at(self.source, self.end, false);
        after.string = Some(StringEnd {
            style: self.style,
            seen_line_break: false,
        });
        let mut next = after.skip_while(|token| token.continues);
        if next.next().is_none_or(|token| !token.is_word("uescape")) {
            return '\\';
        }
        let value = next.next().and_then(|token| token.value());
        let character = value.and_then(|value| value.chars().next());
        character.unwrap_or('\\')
    }
}

impl fmt::Debug for Token<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}({:?})", self.kind, self.text())
    }
}

/// Returns the tokens of a text, without white space and comments.
pub fn tokens(text: &str) -> Tokens<'_> {
    Tokens::at(text, 0, false)
}

/// Returns the tokens of a text, including comments.
pub fn tokens_and_comments(text: &str) -> Tokens<'_> {
    Tokens::at(text, 0, true)
}

/// Returns the value of a text that is one string, in any notation but `B''` and `X''`. The string
/// may continue on later lines.
///
/// Returns `None` for any other text, and if [`Token::value`] returns `None`.
pub fn string_value(text: &str) -> Option<String> {
    let mut all = tokens(text);
    let first = all.next()?;
    if matches!(first.prefix(), "b" | "B" | "x" | "X") {
        return None;
    }
    let mut value = first.value()?.into_owned();
    let mut rest = all.clone();
    while rest.next().is_some_and(|token| token.continues()) {
        value.push_str(&all.next()?.value()?);
        rest = all.clone();
    }
    let is_unicode = first.style == Style::Unicode;
    match (all.next(), all.next(), all.next()) {
        (None, ..) => Some(value),
        (Some(word), Some(_), None) if is_unicode && word.is_word("uescape") => Some(value),
        _ => None,
    }
}

/// An iterator over the tokens of a text.
#[derive(Debug, Clone)]
pub struct Tokens<'a> {
    source: &'a str,
    at: usize,
    comments: bool,
    /// Set if the last token was a string, and only white space and `--` comments have followed.
    string: Option<StringEnd>,
}

#[derive(Debug, Clone, Copy)]
struct StringEnd {
    style: Style,
    seen_line_break: bool,
}

impl<'a> Tokens<'a> {
    fn at(source: &'a str, at: usize, comments: bool) -> Self {
        Self {
            source,
            at,
            comments,
            string: None,
        }
    }

    /// Returns the position in bytes from which the next token is searched.
    pub fn position(&self) -> usize {
        self.at
    }

    fn take(&mut self, kind: Kind, length: usize) -> Token<'a> {
        let start = self.at;
        self.at += length;
        Token {
            kind,
            style: Style::Plain,
            prefix: 0,
            continues: false,
            source: self.source,
            start,
            end: self.at,
        }
    }

    fn token(&mut self, first: u8) -> Token<'a> {
        let rest = &self.source[self.at..];
        let second = rest.as_bytes().get(1).copied().unwrap_or(0);
        let third = rest.as_bytes().get(2).copied().unwrap_or(0);
        let before = self.string.take().filter(|end| end.seen_line_break);
        let (kind, length) = match (first, second) {
            (b'\'', _) => {
                let style = before.map_or(Style::Plain, |end| end.style);
                let token = self.string(0, style);
                return Token {
                    continues: before.is_some(),
                    ..token
                };
            }
            (b'e' | b'E', b'\'') => return self.string(1, Style::Escapes),
            (b'b' | b'B' | b'x' | b'X' | b'n' | b'N', b'\'') => {
                return self.string(1, Style::Plain);
            }
            (b'u' | b'U', b'&') if third == b'\'' => return self.string(2, Style::Unicode),
            (b'u' | b'U', b'&') if third == b'"' => return self.quoted_name(2, Style::Unicode),
            (b'"', _) => return self.quoted_name(0, Style::Plain),
            (b'$', _) => match scan::dollar(rest) {
                (Kind::String, length) => {
                    let token = self.take(Kind::String, length);
                    return Token {
                        style: Style::Dollar,
                        ..token
                    };
                }
                other => other,
            },
            (b'.', b'0'..=b'9') => (Kind::Number, scan::number(rest)),
            (b'.', b'.') | (b':', b':' | b'=') => (Kind::Punctuation, 2),
            (b'0'..=b'9', _) => (Kind::Number, scan::number(rest)),
            _ if scan::is_word_start(first) => {
                (Kind::Word, scan::length_while(rest, scan::is_word))
            }
            _ if scan::is_operator(first) => (Kind::Operator, scan::operator(rest)),
            _ => (Kind::Punctuation, 1),
        };
        self.take(kind, length)
    }

    /// Returns a string with a prefix of this length.
    fn string(&mut self, prefix: u8, style: Style) -> Token<'a> {
        self.string = Some(StringEnd {
            style,
            seen_line_break: false,
        });
        let rest = &self.source[self.at + usize::from(prefix)..];
        let length = scan::quoted(rest, b'\'', style == Style::Escapes);
        let token = self.take(Kind::String, usize::from(prefix) + length);
        Token {
            style,
            prefix,
            ..token
        }
    }

    fn quoted_name(&mut self, prefix: u8, style: Style) -> Token<'a> {
        let rest = &self.source[self.at + usize::from(prefix)..];
        let length = scan::quoted(rest, b'"', false);
        let token = self.take(Kind::QuotedName, usize::from(prefix) + length);
        Token {
            style,
            prefix,
            ..token
        }
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        let bytes = self.source.as_bytes();
        loop {
            let first = *bytes.get(self.at)?;
            let comment = match first {
                _ if scan::is_space(first) => {
                    if let Some(end) = &mut self.string {
                        end.seen_line_break |= scan::is_line_break(first);
                    }
                    self.at += 1;
                    continue;
                }
                // A string may continue after this kind of comment.
                b'-' if bytes.get(self.at + 1) == Some(&b'-') => {
                    scan::length_while(&self.source[self.at..], |byte| !scan::is_line_break(byte))
                }
                b'/' if bytes.get(self.at + 1) == Some(&b'*') => {
                    self.string = None;
                    scan::block_comment(&self.source[self.at..])
                }
                _ => return Some(self.token(first)),
            };
            let token = self.take(Kind::Comment, comment);
            if self.comments {
                return Some(token);
            }
        }
    }
}

#[cfg(test)]
mod tests;
