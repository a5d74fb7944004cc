//! The fields of a date, time or interval (`ParseDateTime` of datetime.c).

/// A part of a text, in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) kind: Kind,
    pub(super) text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `2024-01-31`, `31.1.2024`, `Europe/Paris`.
    Date,
    /// `12:30`.
    Time,
    /// `+02`, and a number with a sign.
    Zone,
    Number,
    Word,
    /// `-infinity`.
    Special,
}

impl Field {
    /// Returns true for a word that is followed by its number: `j2451187`.
    pub(super) fn is_labelled(&self) -> bool {
        let word = self
            .text
            .trim_end_matches(|c: char| !c.is_ascii_alphabetic());
        self.kind == Kind::Date && matches!(word, "j" | "jd" | "y" | "m" | "d" | "h" | "mm" | "s")
    }
}

/// Returns the fields of a text; `None` if it has a character that no field has.
pub(super) fn split(text: &str) -> Option<Vec<Field>> {
    const MAX_FIELDS: usize = 25;
    let bytes = text.as_bytes();
    let mut fields = Vec::new();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let start = at;
        let kind = match byte {
            _ if byte.is_ascii_whitespace() => {
                at += 1;
                continue;
            }
            b'0'..=b'9' => number(bytes, &mut at),
            b'.' => {
                at += 1;
                digits(bytes, &mut at);
                Kind::Number
            }
            b'a'..=b'z' | b'A'..=b'Z' => word(bytes, &mut at),
            b'+' | b'-' => {
                let field = signed(bytes, &mut at)?;
                fields.push(field);
                continue;
            }
            _ if byte.is_ascii_punctuation() => {
                at += 1;
                continue;
            }
            _ => return None,
        };
        fields.push(Field {
            kind,
            text: lower(&bytes[start..at]),
        });
    }
    (fields.len() <= MAX_FIELDS).then_some(fields)
}

fn lower(bytes: &[u8]) -> String {
    let chars = bytes
        .iter()
        .map(|byte| char::from(byte.to_ascii_lowercase()));
    chars.collect()
}

fn skip(bytes: &[u8], at: &mut usize, test: impl Fn(u8) -> bool) {
    while bytes.get(*at).is_some_and(|byte| test(*byte)) {
        *at += 1;
    }
}

fn digits(bytes: &[u8], at: &mut usize) {
    skip(bytes, at, |byte| byte.is_ascii_digit());
}

fn number(bytes: &[u8], at: &mut usize) -> Kind {
    digits(bytes, at);
    match bytes.get(*at) {
        Some(b':') => {
            skip(bytes, at, |it| {
                it.is_ascii_digit() || matches!(it, b':' | b'.')
            });
            Kind::Time
        }
        Some(delimiter @ (b'-' | b'/' | b'.')) => {
            let delimiter = *delimiter;
            *at += 1;
            if !bytes.get(*at).is_some_and(u8::is_ascii_digit) {
                skip(bytes, at, |it| {
                    it.is_ascii_alphanumeric() || it == delimiter
                });
                return Kind::Date;
            }
            digits(bytes, at);
            if bytes.get(*at) == Some(&delimiter) {
                skip(bytes, at, |it| it.is_ascii_digit() || it == delimiter);
                return Kind::Date;
            }
            match delimiter {
                b'.' => Kind::Number,
                _ => Kind::Date,
            }
        }
        _ => Kind::Number,
    }
}

fn word(bytes: &[u8], at: &mut usize) -> Kind {
    let start = *at;
    skip(bytes, at, |byte| byte.is_ascii_alphabetic());
    let is_date = match bytes.get(*at) {
        Some(b'-' | b'/' | b'.') => true,
        Some(b'+' | b'0'..=b'9') => !is_core_word(&lower(&bytes[start..*at])),
        _ => false,
    };
    if !is_date {
        return Kind::Word;
    }
    skip(bytes, at, |byte| {
        byte.is_ascii_alphanumeric() || b"+-/_.:".contains(&byte)
    });
    Kind::Date
}

/// Returns true for a word that is no time zone, so that digits after it are a field of their own.
fn is_core_word(word: &str) -> bool {
    const OTHERS: [&str; 15] = [
        "t",
        "now",
        "today",
        "tomorrow",
        "yesterday",
        "epoch",
        "infinity",
        "allballs",
        "at",
        "on",
        "am",
        "pm",
        "ad",
        "bc",
        "dst",
    ];
    OTHERS.contains(&word)
        || super::LABELS.contains(&word)
        || super::MONTHS.contains(&word)
        || super::DAYS.contains(&word)
}

/// Reads a sign with what follows it.
fn signed(bytes: &[u8], at: &mut usize) -> Option<Field> {
    let sign = bytes[*at];
    *at += 1;
    skip(bytes, at, |byte| byte.is_ascii_whitespace());
    let start = *at;
    let kind = match bytes.get(*at)? {
        b'0'..=b'9' => {
            skip(bytes, at, |it| {
                it.is_ascii_digit() || matches!(it, b':' | b'.' | b'-')
            });
            Kind::Zone
        }
        byte if byte.is_ascii_alphabetic() => {
            skip(bytes, at, |byte| byte.is_ascii_alphabetic());
            Kind::Special
        }
        _ => return None,
    };
    let text = format!("{}{}", char::from(sign), lower(&bytes[start..*at]));
    Some(Field { kind, text })
}
