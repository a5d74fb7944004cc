//! The parameters of a statement: `:name` becomes `$1`, where psql would see a variable.
//!
//! psql's lexer (`psqlscan.l`) sees a variable in a colon that is followed by letters, digits or
//! underscores, anywhere outside of strings, quoted names, comments and dollar quotes, and not in
//! `::` and `:=`. The colon of an array slice is not one here, nor is a colon before a digit.

use std::ops::Range;

use bowline_sql::quote::{Category, category};
use bowline_sql::{Kind, Token, tokens};

use super::{Mistake, Positions, Word};

/// A statement with `$1`, `$2`, .. for its parameters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parameterized {
    /// The text to send.
    pub text: String,
    /// The names of the parameters, `$1` first. Empty if the statement is written with `$1`.
    pub names: Vec<String>,
    /// The position in the file of each part of the text.
    pub positions: Positions,
    /// The highest `$1` that is written.
    highest: usize,
    /// What stands in the place of `:order`; empty without one.
    pub order: String,
}

impl Parameterized {
    /// Returns the number of parameters.
    pub fn parameters(&self) -> usize {
        self.names.len().max(self.highest)
    }

    /// Returns a hint with the names of the file in place of `$1`.
    pub(super) fn with_names(&self, hint: String) -> String {
        let mut parts = hint.split('$');
        let mut text = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let digits = part.bytes().take_while(u8::is_ascii_digit).count();
            let number = part[..digits].parse::<usize>().ok();
            let name = number.and_then(|number| self.names.get(number.checked_sub(1)?));
            match name {
                Some(name) => text.extend([":", name, &part[digits..]]),
                None => text.extend(["$", part]),
            }
        }
        text
    }
}

/// Writes the parameters of a statement as `$1`, `$2`, .., and the order in the place of `:order`,
/// if there is one. `start` is the position of the statement in the file.
pub(super) fn number(
    statement: &str,
    start: usize,
    order: Option<&Word>,
    mistakes: &mut Vec<Mistake>,
) -> Parameterized {
    let mut reader = Reader {
        statement,
        start,
        order,
        sql: Parameterized {
            positions: Positions::new(start),
            ..Parameterized::default()
        },
        copied: 0,
        brackets: Vec::new(),
        last: None,
        numbered: None,
        named: None,
    };
    let mut at = 0;
    while let Some(token) = tokens(&statement[at..]).next() {
        let token = Part {
            token,
            start: at + token.start(),
        };
        match reader.variable(&token) {
            Some(name) => at = reader.parameter(name, mistakes),
            None => {
                at = token.end();
                reader.pass(&token, mistakes);
            }
        }
    }
    reader.finish(mistakes)
}

/// A token, and its position in the statement.
#[derive(Clone, Copy)]
struct Part<'a> {
    token: Token<'a>,
    start: usize,
}

impl Part<'_> {
    fn end(&self) -> usize {
        self.start + self.token.text().len()
    }
}

struct Reader<'a> {
    statement: &'a str,
    start: usize,
    order: Option<&'a Word>,
    sql: Parameterized,
    /// The end of the part of the statement that is copied.
    copied: usize,
    brackets: Vec<Bracket>,
    last: Option<Last>,
    /// The first `$1`.
    numbered: Option<Range<usize>>,
    /// The first `:name`.
    named: Option<Range<usize>>,
}

/// An open bracket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bracket {
    /// `(`.
    Parenthesis,
    /// `ARRAY[`, or a bracket in it.
    Array,
    /// `a[`: its colon separates the bounds of a slice.
    Subscript,
}

/// The token before the current one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Last {
    /// The last token of a value: a name, a constant, `)`.
    Value,
    /// `ARRAY`.
    ArrayWord,
    /// An opening bracket of a subscript.
    OpenSubscript,
    Other,
}

impl<'a> Reader<'a> {
    /// Returns the name of the variable that psql sees in a colon.
    fn variable(&self, colon: &Part<'_>) -> Option<Range<usize>> {
        if !colon.token.is(":") {
            return None;
        }
        let rest = &self.statement[colon.end()..];
        let length = rest.bytes().position(|byte| !is_variable(byte));
        let length = length.unwrap_or(rest.len());
        let starts_well = rest
            .bytes()
            .next()
            .is_some_and(|byte| !byte.is_ascii_digit());
        let is_bound =
            self.brackets.last() == Some(&Bracket::Subscript) && self.last == Some(Last::Value);
        let is_name = length > 0 && starts_well && !is_bound;
        is_name.then(|| colon.end()..colon.end() + length)
    }

    /// Writes the parameter of this name; returns the end of the name.
    fn parameter(&mut self, name: Range<usize>, mistakes: &mut Vec<Mistake>) -> usize {
        let text = &self.statement[name.clone()];
        let with_colon = name.start - 1..name.end;
        if self.last == Some(Last::OpenSubscript) && !self.has_second_bound(name.end) {
            mistakes.push(
                Mistake::new(
                    self.in_file(&with_colon),
                    format!("`[:{text}]` is a parameter for psql and a slice for PostgreSQL"),
                )
                .hint(format!(
                    "write [(:{text})] for the parameter, or [: {text}] for the slice"
                )),
            );
        }
        if let Some(order) = self.order.filter(|_| text == "order") {
            return self.order(order, with_colon, mistakes);
        }
        let known = self.sql.names.iter().position(|known| known == text);
        let index = known.unwrap_or_else(|| {
            self.sql.names.push(text.to_owned());
            self.sql.names.len() - 1
        });
        self.named.get_or_insert(with_colon.clone());
        let copied = &self.statement[self.copied..with_colon.start];
        self.sql.text.push_str(copied);
        let sent = self.sql.text.len();
        self.sql.text.push_str(&format!("${}", index + 1));
        let sent = sent..self.sql.text.len();
        let file = self.in_file(&with_colon);
        self.sql.positions.add(sent, file);
        self.copied = name.end;
        self.last = Some(Last::Value);
        name.end
    }

    /// Writes the order in the place of `:order`; returns its end.
    fn order(
        &mut self,
        order: &Word,
        with_colon: Range<usize>,
        mistakes: &mut Vec<Mistake>,
    ) -> usize {
        let before: Vec<_> = tokens(&self.statement[..with_colon.start]).collect();
        let is_order_by = match before.as_slice() {
            [.., order, by] => order.is_word("order") && by.is_word("by"),
            _ => false,
        };
        if !is_order_by || !self.sql.order.is_empty() {
            mistakes.push(
                Mistake::new(
                    self.in_file(&with_colon),
                    "`:order` is the order of the query, and not a value",
                )
                .hint("write it once, as ORDER BY :order"),
            );
        }
        self.sql.order.clone_from(&order.text);
        self.sql
            .text
            .push_str(&self.statement[self.copied..with_colon.start]);
        let sent = self.sql.text.len();
        self.sql.text.push_str(&order.text);
        let sent = sent..self.sql.text.len();
        self.sql.positions.add(sent, order.span.clone());
        self.sql
            .positions
            .add_end(self.sql.text.len(), self.start + with_colon.end);
        self.copied = with_colon.end;
        self.last = Some(Last::Value);
        with_colon.end
    }

    /// Returns true if a colon follows before the subscript ends.
    fn has_second_bound(&self, from: usize) -> bool {
        let mut depth = 0_usize;
        for token in tokens(&self.statement[from..]) {
            match token.text() {
                "[" | "(" => depth += 1,
                "]" | ")" if depth == 0 => return false,
                "]" | ")" => depth -= 1,
                ":" if depth == 0 => return true,
                _ => {}
            }
        }
        false
    }

    /// Skips a token that is copied unchanged.
    fn pass(&mut self, part: &Part<'a>, mistakes: &mut Vec<Mistake>) {
        let token = &part.token;
        let span = part.start..part.end();
        let follows = self.statement[part.end()..].bytes().next();
        if token.is(":") && matches!(follows, Some(b'\'' | b'"')) && !self.is_slice() {
            self.refuse_quoted(part, mistakes);
        }
        match token.kind() {
            Kind::Parameter => {
                self.numbered.get_or_insert(span);
                let number = token.text()[1..].parse().unwrap_or(usize::MAX);
                // PostgreSQL has no parameter with a higher number.
                self.sql.highest = self.sql.highest.max(number.min(usize::from(u16::MAX)));
            }
            Kind::Punctuation => self.bracket(token),
            _ => {}
        }
        self.last = Some(self.kind(token));
    }

    fn bracket(&mut self, token: &Token<'_>) {
        match token.text() {
            "(" => self.brackets.push(Bracket::Parenthesis),
            "[" => {
                let is_nested =
                    self.brackets.last() == Some(&Bracket::Array) && self.last != Some(Last::Value);
                let is_array = self.last == Some(Last::ArrayWord) || is_nested;
                self.brackets.push(match is_array {
                    true => Bracket::Array,
                    false => Bracket::Subscript,
                });
            }
            ")" | "]" => drop(self.brackets.pop()),
            _ => {}
        }
    }

    fn kind(&self, token: &Token<'_>) -> Last {
        match token.kind() {
            Kind::Word if token.is_word("array") => Last::ArrayWord,
            Kind::Word if is_between_values(token) => Last::Other,
            Kind::Word | Kind::QuotedName | Kind::String | Kind::Number | Kind::Parameter => {
                Last::Value
            }
            Kind::Punctuation => match token.text() {
                ")" | "]" => Last::Value,
                "[" if self.brackets.last() == Some(&Bracket::Subscript) => Last::OpenSubscript,
                _ => Last::Other,
            },
            Kind::Operator | Kind::Comment => Last::Other,
        }
    }

    /// Returns true if a colon after the last token is that of a slice.
    fn is_slice(&self) -> bool {
        self.brackets.last() == Some(&Bracket::Subscript)
    }

    /// Refuses `:'name'` and `:"name"`.
    fn refuse_quoted(&self, colon: &Part<'_>, mistakes: &mut Vec<Mistake>) {
        let Some(quoted) = tokens(&self.statement[colon.end()..]).next() else {
            return;
        };
        let name = quoted.text().trim_matches(['\'', '"']);
        if name.is_empty() || !name.bytes().all(is_variable) {
            return;
        }
        let span = self.in_file(&(colon.start..colon.end() + quoted.end()));
        let text = format!(":{}", quoted.text());
        mistakes.push(match quoted.kind() {
            Kind::QuotedName => Mistake::new(
                span,
                format!("`{text}` would be a name, and a parameter is a value"),
            )
            .hint("write the name itself: a query has the same tables and columns in each call"),
            _ => Mistake::new(span, format!("`{text}` is psql's notation for a string"))
                .hint(format!("write :{name}, since a parameter needs no quotes")),
        });
    }

    fn in_file(&self, span: &Range<usize>) -> Range<usize> {
        self.start + span.start..self.start + span.end
    }

    fn finish(mut self, mistakes: &mut Vec<Mistake>) -> Parameterized {
        self.sql.text.push_str(&self.statement[self.copied..]);
        if let (Some(numbered), Some(named)) = (&self.numbered, &self.named) {
            let later = if numbered.start > named.start {
                numbered
            } else {
                named
            };
            mistakes.push(
                Mistake::new(
                    self.in_file(later),
                    "the statement has parameters with names and with numbers",
                )
                .hint("write :name for all of them, or $1 for all of them"),
            );
        }
        self.sql
    }
}

/// Returns true for a byte of the name of a psql variable.
fn is_variable(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}

/// Returns true for a keyword after which a value begins, such as AND.
fn is_between_values(word: &Token<'_>) -> bool {
    /// Reserved words that are values, or end one.
    const VALUES: [&str; 14] = [
        "end",
        "null",
        "true",
        "false",
        "user",
        "default",
        "current_date",
        "current_time",
        "current_timestamp",
        "current_user",
        "current_role",
        "session_user",
        "localtime",
        "localtimestamp",
    ];
    let text = word.text().to_ascii_lowercase();
    category(&text) == Some(Category::Reserved) && !VALUES.contains(&text.as_str())
}
