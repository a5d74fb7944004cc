//! How long the token is that a text begins with.

use super::Kind;

/// The length of a block comment; another may stand in it.
pub(super) fn block_comment(text: &str) -> usize {
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
    at
}

/// The length of what is between quotes, of which two stand for one.
pub(super) fn quoted(text: &str, quote: u8, has_escapes: bool) -> usize {
    let bytes = text.as_bytes();
    let mut at = 1;
    while let Some(byte) = bytes.get(at) {
        if *byte == quote {
            if bytes.get(at + 1) != Some(&quote) {
                return at + 1;
            }
            at += 1;
        } else if *byte == b'\\' && has_escapes {
            // The next byte may be the first of a longer character, whose others are no marks.
            at += 1;
        }
        at += 1;
    }
    bytes.len()
}

/// A string between dollars, a parameter, or a dollar that is neither.
pub(super) fn dollar(text: &str) -> (Kind, usize) {
    let tag = length_while(&text[1..], |byte| byte != b'$' && is_word(byte));
    let is_tag = tag == 0 || is_word_start(text.as_bytes()[1]);
    if is_tag && text.as_bytes().get(1 + tag) == Some(&b'$') {
        let (mark, body) = text.split_at(tag + 2);
        let end = body.find(mark).map(|at| at + mark.len());
        return (Kind::String, mark.len() + end.unwrap_or(body.len()));
    }
    match length_while(&text[1..], |byte| byte.is_ascii_digit()) {
        0 => (Kind::Punctuation, 1),
        digits => (Kind::Parameter, 1 + digits),
    }
}

pub(super) fn number(text: &str) -> usize {
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
pub(super) fn operator(text: &str) -> usize {
    let mut operator = &text[..length_while(text, is_operator)];
    if operator.len() == 1 {
        return 1;
    }
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

pub(super) fn length_while(text: &str, holds: impl Fn(u8) -> bool) -> usize {
    let length = text.bytes().position(|byte| !holds(byte));
    length.unwrap_or(text.len())
}

pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)
}

pub(super) fn is_line_break(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

/// Whatever is not ASCII is a letter to PostgreSQL.
pub(super) fn is_word_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || !byte.is_ascii()
}

pub(super) fn is_word(byte: u8) -> bool {
    is_word_start(byte) || byte.is_ascii_digit() || byte == b'$'
}

pub(super) fn is_operator(byte: u8) -> bool {
    matches!(
        byte,
        b'+' | b'-'
            | b'*'
            | b'/'
            | b'<'
            | b'>'
            | b'='
            | b'~'
            | b'!'
            | b'@'
            | b'#'
            | b'%'
            | b'^'
            | b'&'
            | b'|'
            | b'`'
            | b'?'
    )
}
