//! The texts of `tsvector` and `tsquery` (tsvector_parser.c, tsquery.c).

use super::wrong::Wrong;

/// Checks the text of a vector: words with positions.
pub(super) fn check_vector(text: &str) -> Result<(), Wrong> {
    let wrong = || Wrong::new("42601", format!("syntax error in tsvector: \"{text}\""));
    let mut reader = Reader { rest: text };
    loop {
        reader.space();
        if reader.rest.is_empty() {
            return Ok(());
        }
        if !reader.word(is_end_of_lexeme) {
            return Err(wrong());
        }
        if reader.take(':') && !reader.positions() {
            return Err(wrong());
        }
    }
}

/// Checks the text of a query: words with the operators `&`, `|`, `!` and `<->`.
pub(super) fn check_query(text: &str) -> Result<(), Wrong> {
    let wrong = |what: &str| Wrong::new("42601", format!("{what} in tsquery: \"{text}\""));
    let mut reader = Reader { rest: text };
    let mut open = 0_usize;
    let mut expects = true;
    let mut is_empty = true;
    loop {
        reader.space();
        let Some(next) = reader.rest.chars().next() else {
            break;
        };
        let was_empty = std::mem::replace(&mut is_empty, false);
        if expects {
            match next {
                '!' => {
                    reader.take('!');
                }
                '(' => {
                    reader.take('(');
                    open += 1;
                }
                ':' => return Err(wrong("syntax error")),
                ')' | '&' | '|' if !was_empty || open > 0 => return Err(wrong("no operand")),
                _ if !reader.word(is_end_of_operand) => return Err(wrong("syntax error")),
                _ => {
                    reader.weights();
                    expects = false;
                }
            }
            continue;
        }
        match next {
            '&' | '|' => {
                reader.take(next);
                expects = true;
            }
            '<' if reader.distance() => expects = true,
            ')' if open > 0 => {
                reader.take(')');
                open -= 1;
            }
            _ => return Err(wrong("syntax error")),
        }
    }
    match () {
        () if is_empty => Ok(()),
        () if expects => Err(wrong("no operand")),
        () if open > 0 => Err(wrong("syntax error")),
        () => Ok(()),
    }
}

fn is_end_of_lexeme(c: char) -> bool {
    c == ':' || c.is_whitespace()
}

fn is_end_of_operand(c: char) -> bool {
    is_end_of_lexeme(c) || matches!(c, '!' | '|' | '&' | '(' | ')' | '<')
}

struct Reader<'t> {
    rest: &'t str,
}

impl Reader<'_> {
    fn space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn take(&mut self, wanted: char) -> bool {
        let rest = self.rest.strip_prefix(wanted);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// Reads a word, with or without quotes. Returns false if the text does not begin with one.
    fn word(&mut self, is_end: fn(char) -> bool) -> bool {
        let is_quoted = self.take('\'');
        let mut chars = self.rest.char_indices();
        let mut count = 0;
        let mut end = self.rest.len();
        while let Some((at, c)) = chars.next() {
            match c {
                '\\' => match chars.next() {
                    Some(_) => {}
                    None => return false,
                },
                '\'' if is_quoted => {
                    if !chars.as_str().starts_with('\'') {
                        self.rest = chars.as_str();
                        return count > 0;
                    }
                    chars.next();
                }
                c if !is_quoted && is_end(c) => {
                    end = at;
                    break;
                }
                _ => {}
            }
            count += 1;
        }
        self.rest = &self.rest[end..];
        !is_quoted && count > 0
    }

    /// Reads positions with weights: `1A,2`.
    fn positions(&mut self) -> bool {
        loop {
            let digits = self.rest.trim_start_matches(|c: char| c.is_ascii_digit());
            let number = &self.rest[..self.rest.len() - digits.len()];
            // Zero is no position; what is too large is cut off.
            if number.trim_start_matches('0').is_empty() {
                return false;
            }
            self.rest = digits;
            while self.rest.starts_with(|c: char| "ABCDabcd*".contains(c)) {
                self.rest = &self.rest[1..];
            }
            if !self.take(',') {
                return self.rest.is_empty() || self.rest.starts_with(char::is_whitespace);
            }
        }
    }

    /// Reads the weights of a query's word: `:*AB`.
    fn weights(&mut self) {
        if self.take(':') {
            let is_weight = |c: char| "ABCDabcd*".contains(c);
            self.rest = self.rest.trim_start_matches(is_weight);
        }
    }

    /// Reads `<->` or `<2>`.
    fn distance(&mut self) -> bool {
        let Some(rest) = self.rest.strip_prefix('<') else {
            return false;
        };
        let Some((distance, rest)) = rest.split_once('>') else {
            return false;
        };
        let is_valid = distance == "-"
            || distance.parse::<u32>().is_ok_and(|it| it <= 16_384)
                && distance.bytes().all(|it| it.is_ascii_digit());
        if is_valid {
            self.rest = rest;
        }
        is_valid
    }
}
