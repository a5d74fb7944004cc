//! The comments above a statement.

use std::ops::Range;

use super::annotation::{self, Annotated};
use super::{Comment, Mistake, Word, order};

/// The header of a statement.
pub(super) struct Header {
    pub name: Word,
    pub annotation: Option<Annotated>,
    pub docs: String,
    pub row: Option<Word>,
    pub nullable: Vec<Word>,
    pub optional: Vec<Word>,
    pub orders: Vec<(Word, Word)>,
    pub mistakes: Vec<Mistake>,
}

/// The keys of the header.
const KEYS: [&str; 5] = ["name", "row", "nullable", "optional", "order"];

/// The keys that other tools read, such as sqlfluff's `-- noqa: ..`.
const OF_OTHERS: [&str; 3] = ["noqa", "sqlfluff", "pgFormatter"];

/// Returns true for a comment that begins a header.
pub(super) fn is_name(comment: &str) -> bool {
    line(comment).is_some_and(|(text, _)| key(text).is_some_and(|(key, _)| key == "name"))
}

/// Reads the header in the comments above a statement; returns `None` if none of them is
/// `-- name:`.
///
/// Comments before the name are not a part of the header.
pub(super) fn read(comments: &[Comment<'_>]) -> Option<Header> {
    let first = comments
        .iter()
        .position(|comment| is_name(comment.text()))?;
    let mut header = Header {
        name: Word {
            text: String::new(),
            span: 0..0,
        },
        annotation: None,
        docs: String::new(),
        row: None,
        nullable: Vec::new(),
        optional: Vec::new(),
        orders: Vec::new(),
        mistakes: Vec::new(),
    };
    for comment in &comments[..first] {
        header.before_name(comment);
    }
    for comment in &comments[first..] {
        header.read_line(comment);
    }
    header.docs = header.docs.trim().to_owned();
    Some(header)
}

/// Returns the text of a comment of one line, and where it begins in the comment.
fn line(comment: &str) -> Option<(&str, usize)> {
    let text = comment.strip_prefix("--")?;
    Some((text.trim(), comment.len() - text.trim_start().len()))
}

/// Splits `key: value`.
///
/// A key is in lower case, so a sentence such as `Note: ..` is not one, and neither is a URL.
fn key(text: &str) -> Option<(&str, &str)> {
    let (key, value) = text.split_once(':')?;
    let is_word = key.starts_with(|c: char| c.is_ascii_lowercase())
        && key
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    let is_known = KEYS.contains(&key) || OF_OTHERS.contains(&key);
    let is_separate = value.is_empty() || value.starts_with(char::is_whitespace);
    (is_word && (is_known || is_separate)).then_some((key, value))
}

/// Returns true if the text is a name of SQL that needs no quotes, in upper or lower case.
pub(super) fn is_identifier(text: &str) -> bool {
    let starts = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    starts
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

impl Header {
    fn before_name(&mut self, comment: &Comment<'_>) {
        let Some((text, _)) = line(comment.text()) else {
            return;
        };
        let Some((key, _)) = key(text).filter(|(key, _)| KEYS.contains(key)) else {
            return;
        };
        self.mistakes.push(
            Mistake::new(
                comment.start()..comment.end(),
                format!("`-- {key}:` is above the name"),
            )
            .hint("move it below the line with `-- name:`"),
        );
    }

    fn read_line(&mut self, comment: &Comment<'_>) {
        let Some((text, offset)) = line(comment.text()) else {
            // A block comment is not a part of the header.
            return;
        };
        let start = comment.start() + offset;
        let Some((key, value)) = key(text) else {
            self.docs.push_str(text);
            self.docs.push('\n');
            return;
        };
        let value = words_of(value, start + key.len() + 1);
        let key_span = start..start + key.len();
        match key {
            "name" => self.name(value, key_span),
            "row" => self.row(value, key_span),
            "nullable" => {
                let hint = "name parameters, separated by commas: -- nullable: since, parent";
                let names = self.parameters(value, key_span, hint);
                self.nullable.extend(names);
            }
            "optional" => {
                let hint = "name parameters, separated by commas: -- optional: status, label";
                let names = self.parameters(value, key_span, hint);
                self.optional.extend(names);
            }
            "order" => {
                let (orders, mistakes) = order::read(value.text, value.start, key_span);
                self.orders.extend(orders);
                self.mistakes.extend(mistakes);
            }
            _ if OF_OTHERS.contains(&key) => {}
            _ => self.mistakes.push(
                Mistake::new(key_span, format!("unknown key `{key}` in the header")).hint(
                    "the keys are name, row, nullable, optional and order; a line of documentation \
                     does not begin with a lower-case word and a colon",
                ),
            ),
        }
    }

    fn name(&mut self, value: Value<'_>, key: Range<usize>) {
        if !self.name.text.is_empty() {
            self.mistakes.push(
                Mistake::new(key, format!("`{}` has no statement", self.name.text))
                    .hint("a header has one name: write the statement above this one"),
            );
            return;
        }
        let (name, rest) = value.split();
        if !is_identifier(name.text) {
            let message = match name.text {
                "" => "the name is missing".to_owned(),
                text => format!("`{text}` is not a name"),
            };
            self.mistakes.push(
                Mistake::new(
                    if name.text.is_empty() {
                        key
                    } else {
                        name.span()
                    },
                    message,
                )
                .hint("a name has letters, digits and underscores: -- name: list_accounts :many"),
            );
        }
        self.name = name.word();
        if rest.text.is_empty() {
            return;
        }
        match annotation::read(rest.text, rest.span()) {
            Ok(annotated) => self.annotation = Some(annotated),
            Err(mistake) => self.mistakes.push(mistake),
        }
    }

    fn row(&mut self, value: Value<'_>, key: Range<usize>) {
        let is_type = is_identifier(value.text)
            && value.text.starts_with(|c: char| c.is_ascii_uppercase())
            && !value.text.contains('_');
        if self.row.is_some() {
            self.mistakes
                .push(Mistake::new(key, "the row type is named twice").hint("remove a line"));
        } else if is_type {
            self.row = Some(value.word());
        } else {
            let span = if value.text.is_empty() {
                key
            } else {
                value.span()
            };
            self.mistakes.push(
                Mistake::new(
                    span,
                    format!("`{}` is not the name of a row type", value.text),
                )
                .hint("name it as Rust names types: -- row: AccountSummary"),
            );
        }
    }

    /// Reads names of parameters, which are separated by commas.
    fn parameters(&mut self, value: Value<'_>, key: Range<usize>, hint: &str) -> Vec<Word> {
        let mut names = Vec::new();
        let mut at = value.start;
        for part in value.text.split(',') {
            let name = words_of(part, at);
            at += part.len() + 1;
            // The parameter is written as in the statement, or without its colon.
            let colon = usize::from(name.text.starts_with(':'));
            let name = Value {
                text: &name.text[colon..],
                start: name.start + colon,
            };
            let number = name.text.strip_prefix('$').unwrap_or_default();
            let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
            if is_identifier(name.text) || is_number {
                names.push(name.word());
            } else {
                let span = if name.text.is_empty() {
                    key.clone()
                } else {
                    name.span()
                };
                self.mistakes.push(
                    Mistake::new(
                        span,
                        format!("`{}` is not the name of a parameter", name.text),
                    )
                    .hint(hint),
                );
            }
        }
        names
    }
}

/// A part of a line, and where it is in the file.
#[derive(Debug, Clone, Copy)]
struct Value<'a> {
    text: &'a str,
    start: usize,
}

/// Returns a text without the white space around it.
fn words_of(text: &str, start: usize) -> Value<'_> {
    Value {
        text: text.trim(),
        start: start + text.len() - text.trim_start().len(),
    }
}

impl<'a> Value<'a> {
    fn span(&self) -> Range<usize> {
        self.start..self.start + self.text.len()
    }

    fn word(&self) -> Word {
        Word {
            text: self.text.to_owned(),
            span: self.span(),
        }
    }

    /// Splits the first word off.
    fn split(&self) -> (Value<'a>, Value<'a>) {
        let end = self
            .text
            .find(char::is_whitespace)
            .unwrap_or(self.text.len());
        let (first, rest) = self.text.split_at(end);
        let first = Value {
            text: first,
            start: self.start,
        };
        (first, words_of(rest, self.start + end))
    }
}
