//! The length of the token at the beginning of a text.

use super::Kind;

/// Returns the length of a block comment. Block comments can be nested.
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

/// Returns the length of a text in quotes, including the quotes. A doubled quote means one.
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
            // The escaped character may have several bytes, but none of the others is a quote or a
            // backslash.
            at += 1;
        }
        at += 1;
    }
    bytes.len()
}

/// Returns the kind and length of a token that begins with a dollar: a dollar-quoted string, a
/// parameter, or a single dollar.
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
        // `1..2` is a range in PL/pgSQL.
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
    // Letters directly after the number are a part of it, although PostgreSQL refuses them. A
    // dollar-quoted string is not.
    match bytes.get(at) {
        Some(next) if is_word_start(*next) => at + length_while(&text[at..], is_word),
        _ => at,
    }
}

/// Returns the length of an operator, which ends before a comment.
///
/// Trailing `+` and `-` are not a part of it, unless it contains a character that standard SQL
/// operators do not have (manual, section 4.1.3).
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

/// Returns true if a word can begin with this byte. PostgreSQL treats non-ASCII bytes as letters.
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
