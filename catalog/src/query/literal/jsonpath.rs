//! The texts of SQL/JSON paths (jsonpath_gram.y; manual, 9.16.2).

use super::wrong::Wrong;

/// Checks that a text can be a path. Names of methods and flags of regular expressions are not
/// looked up. `has_prefixes` says whether the version has `0x1F` and `1_000`.
pub(super) fn check(text: &str, has_prefixes: bool) -> Result<(), Wrong> {
    if text.trim().is_empty() {
        let message = format!("invalid input syntax for type jsonpath: \"{text}\"");
        return Err(Wrong::new("22P02", message));
    }
    if ["\\x00", "\\u0000"].iter().any(|zero| text.contains(zero)) {
        return Err(Wrong::new("22P05", "unsupported Unicode escape sequence"));
    }
    let wrong = |word: &str| {
        let message = format!("syntax error at or near \"{word}\" of jsonpath input");
        Wrong::new("42601", message)
    };
    let tokens = tokens(text).map_err(wrong)?;
    let is_plain = |token: &&Token<'_>| match token {
        Token::Number(number) => number
            .bytes()
            .all(|it| it.is_ascii_digit() || b".eE+-".contains(&it)),
        _ => true,
    };
    if !has_prefixes && let Some(number) = tokens.iter().find(|token| !is_plain(token)) {
        return Err(wrong(&number.text()[1..]));
    }
    let mut reader = Reader { tokens, at: 0 };
    if matches!(reader.word(), Some("strict" | "lax")) {
        reader.at += 1;
    }
    if reader.expression(0).is_some() && reader.at == reader.tokens.len() {
        return Ok(());
    }
    let at = reader.at.min(reader.tokens.len().saturating_sub(1));
    Err(wrong(reader.tokens[at].text()))
}

#[derive(Debug, Clone, PartialEq)]
enum Token<'t> {
    Word(&'t str),
    /// A string in quotes.
    Text(&'t str),
    Number(&'t str),
    /// `$` with a name, or alone.
    Variable(&'t str),
    Sign(&'t str),
}

impl<'t> Token<'t> {
    fn text(&self) -> &'t str {
        match self {
            Self::Word(text)
            | Self::Text(text)
            | Self::Number(text)
            | Self::Variable(text)
            | Self::Sign(text) => text,
        }
    }
}

const SIGNS: [&str; 28] = [
    "**", "&&", "||", "==", "!=", "<>", "<=", ">=", "<", ">", "=", "!", "?", "(", ")", "[", "]",
    "{", "}", "*", "/", "%", "+", "-", ",", ".", "@", ":",
];

/// Splits a path. Fails with the text that is no token.
fn tokens(text: &str) -> Result<Vec<Token<'_>>, &str> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let is_name = |c: char| c.is_alphanumeric() || c == '_' || c == '$' || !c.is_ascii();
        let (token, length) = match first {
            '"' => {
                let mut is_escaped = false;
                let end = rest.char_indices().skip(1).find(|(_, c)| {
                    let is_end = *c == '"' && !is_escaped;
                    is_escaped = *c == '\\' && !is_escaped;
                    is_end
                });
                let length = end.ok_or(rest)?.0 + 1;
                (Token::Text(&rest[..length]), length)
            }
            '$' if rest[1..].starts_with('"') => {
                let length = rest[2..].find('"').ok_or(rest)? + 3;
                (Token::Variable(&rest[..length]), length)
            }
            '$' => {
                let length = 1 + rest[1..].find(|c| !is_name(c)).unwrap_or(rest.len() - 1);
                (Token::Variable(&rest[..length]), length)
            }
            '0'..='9' | '.' if is_number(rest) => {
                let length = number(rest)?;
                (Token::Number(&rest[..length]), length)
            }
            _ => match SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
                Some(sign) => (Token::Sign(&rest[..sign.len()]), sign.len()),
                None if is_name(first) => {
                    let length = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
                    (Token::Word(&rest[..length]), length)
                }
                None => return Err(rest),
            },
        };
        found.push(token);
        rest = rest[length..].trim_start();
    }
    Ok(found)
}

fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('.').unwrap_or(text);
    digits.starts_with(|c: char| c.is_ascii_digit())
}

/// Returns the length of a number. Fails with what follows it and is part of no token.
fn number(text: &str) -> Result<usize, &str> {
    let is_digit = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let lower = text.to_ascii_lowercase();
    if ["0x", "0o", "0b"]
        .iter()
        .any(|base| lower.starts_with(base))
    {
        return Ok(text.find(|c| !is_digit(c)).unwrap_or(text.len()));
    }
    let digits = |text: &str| {
        text.len()
            - text
                .trim_start_matches(|c: char| c.is_ascii_digit() || c == '_')
                .len()
    };
    let mut length = digits(text);
    if length > 1 && text.starts_with('0') {
        return Err(&text[1..length]);
    }
    let is_fraction = |rest: &str| !rest.starts_with(|c: char| c.is_alphabetic() || c == '*');
    if text[length..].starts_with('.') && is_fraction(&text[length + 1..]) {
        length += 1 + digits(&text[length + 1..]);
    }
    if text[length..].starts_with(['e', 'E']) {
        let signed = text[length + 1..].trim_start_matches(['+', '-']);
        let count = digits(signed);
        if count > 0 {
            length = text.len() - signed.len() + count;
        }
    }
    match text[length..].chars().next() {
        Some(c) if c.is_alphanumeric() || c == '_' => Err(&text[length..]),
        _ => Ok(length),
    }
}

struct Reader<'t> {
    tokens: Vec<Token<'t>>,
    at: usize,
}

/// The maximum nesting, so that the stack suffices.
const DEEPEST: usize = 100;

impl Reader<'_> {
    fn word(&self) -> Option<&str> {
        match self.tokens.get(self.at) {
            Some(Token::Word(word)) => Some(word),
            _ => None,
        }
    }

    fn takes(&mut self, sign: &str) -> bool {
        let is_it = self.tokens.get(self.at) == Some(&Token::Sign(sign));
        self.at += usize::from(is_it);
        is_it
    }

    fn takes_one_of(&mut self, signs: &[&str]) -> bool {
        signs.iter().any(|sign| self.takes(sign))
    }

    /// Reads operands and operators; whether a condition stands where a value is needed is left
    /// open.
    fn expression(&mut self, depth: usize) -> Option<()> {
        const BINARY: [&str; 15] = [
            "&&", "||", "==", "!=", "<>", "<=", ">=", "<", ">", "=", "*", "/", "%", "+", "-",
        ];
        if depth > DEEPEST {
            self.at = self.tokens.len();
            return Some(());
        }
        self.operand(depth)?;
        loop {
            if self.takes_one_of(&BINARY) {
                self.operand(depth)?;
            } else if matches!(self.word(), Some("starts" | "like_regex" | "is")) {
                // `starts with "a"`, `like_regex "a" flag "i"`, `is unknown`.
                self.at += 1;
                while matches!(
                    self.tokens.get(self.at),
                    Some(Token::Word(_) | Token::Text(_) | Token::Variable(_))
                ) {
                    self.at += 1;
                }
            } else {
                return Some(());
            }
        }
    }

    fn operand(&mut self, depth: usize) -> Option<()> {
        while self.takes_one_of(&["+", "-", "!"]) {}
        match self.tokens.get(self.at)? {
            Token::Number(_) | Token::Text(_) | Token::Variable(_) => self.at += 1,
            Token::Word("null" | "true" | "false" | "last") => self.at += 1,
            Token::Word("exists") => {
                self.at += 1;
                self.brackets(depth)?;
            }
            // The current item, within a filter.
            Token::Sign("@") if depth > 0 => self.at += 1,
            Token::Sign("(") => self.brackets(depth)?,
            _ => return None,
        }
        while self.accessor(depth)? {}
        Some(())
    }

    fn brackets(&mut self, depth: usize) -> Option<()> {
        let is_open = self.takes("(");
        is_open.then_some(())?;
        self.expression(depth + 1)?;
        self.takes(")").then_some(())
    }

    /// Reads `.key`, `.method()`, `[0 to last]` or `? (..)`.
    fn accessor(&mut self, depth: usize) -> Option<bool> {
        if self.takes("?") {
            self.brackets(depth)?;
        } else if self.takes("[") {
            if !self.takes("*") {
                loop {
                    self.expression(depth + 1)?;
                    if self.word() == Some("to") {
                        self.at += 1;
                        self.expression(depth + 1)?;
                    }
                    if !self.takes(",") {
                        break;
                    }
                }
            }
            self.takes("]").then_some(())?;
        } else if self.takes(".") {
            if self.takes("**") {
                if self.takes("{") {
                    while !self.takes("}") {
                        self.tokens.get(self.at)?;
                        self.at += 1;
                    }
                }
            } else if !self.takes("*") {
                match self.tokens.get(self.at)? {
                    Token::Word(_) | Token::Text(_) | Token::Variable(_) => self.at += 1,
                    _ => return None,
                }
                if self.takes("(") {
                    while !self.takes(")") {
                        self.tokens.get(self.at)?;
                        self.at += 1;
                    }
                }
            }
        } else {
            return Some(false);
        }
        Some(true)
    }
}
