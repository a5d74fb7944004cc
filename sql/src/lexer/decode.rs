//! Decodes the text between quotes. The functions return `None` for text that is unterminated or
//! invalid.

use std::borrow::Cow;

/// Decodes a dollar-quoted string, given with its delimiters.
pub(super) fn dollar(text: &str) -> Option<Cow<'_, str>> {
    let mark = &text[..text[1..].find('$')? + 2];
    Some(text.strip_prefix(mark)?.strip_suffix(mark)?.into())
}

/// Returns the text between the quotes, and the quote.
fn inside(text: &str) -> Option<(&str, char)> {
    let quote = text.chars().next()?;
    Some((text.strip_prefix(quote)?.strip_suffix(quote)?, quote))
}

/// Decodes a text in which a doubled quote means one.
pub(super) fn plain(text: &str) -> Option<Cow<'_, str>> {
    let (body, quote) = inside(text)?;
    if !body.contains(quote) {
        return Some(body.into());
    }
    let mut out = String::with_capacity(body.len());
    let mut rest = body.chars();
    while let Some(character) = rest.next() {
        if character == quote && rest.next() != Some(quote) {
            return None;
        }
        out.push(character);
    }
    Some(out.into())
}

/// Decodes `E''` (manual, section 4.1.2.2), given without the `E`.
pub(super) fn escapes(text: &str) -> Option<Cow<'_, str>> {
    let (body, quote) = inside(text)?;
    if !body.contains([quote, '\\']) {
        return Some(body.into());
    }
    // Bytes, since several `\x` may encode one character.
    let mut out = Vec::with_capacity(body.len());
    let mut rest = body;
    while let Some(character) = rest.chars().next() {
        rest = &rest[character.len_utf8()..];
        if character == quote {
            rest = rest.strip_prefix(quote)?;
        }
        if character == '\\' {
            rest = escape(rest, &mut out)?;
        } else {
            out.extend(character.encode_utf8(&mut [0; 4]).bytes());
        }
    }
    let text = String::from_utf8(out).ok()?;
    (!text.contains('\0')).then_some(text.into())
}

/// Writes the character of an escape, and returns the text after it.
fn escape<'a>(text: &'a str, out: &mut Vec<u8>) -> Option<&'a str> {
    let first = text.chars().next()?;
    let rest = &text[first.len_utf8()..];
    let digits = |text: &str, radix, most| {
        let is_digit = |character: char| character.is_digit(radix);
        let found = text.chars().take(most).take_while(|c| is_digit(*c)).count();
        Some((u32::from_str_radix(text.get(..found)?, radix).ok()?, found))
    };
    let byte = match first {
        'b' => 0x08,
        'f' => 0x0c,
        'n' => b'\n',
        'r' => b'\r',
        't' => b'\t',
        '0'..='7' => {
            let (value, length) = digits(text, 8, 3)?;
            // PostgreSQL keeps the last eight bits.
            out.push((value & 0xff) as u8);
            return Some(&text[length..]);
        }
        'x' if rest.starts_with(|c: char| c.is_ascii_hexdigit()) => {
            let (value, length) = digits(rest, 16, 2)?;
            out.push((value & 0xff) as u8);
            return Some(&rest[length..]);
        }
        'u' | 'U' => {
            let length = if first == 'u' { 4 } else { 8 };
            let (character, rest) = code_point(rest, length, |rest| {
                let mark = rest.strip_prefix('\\')?;
                mark.strip_prefix('u')
                    .map(|rest| (rest, 4))
                    .or_else(|| mark.strip_prefix('U').map(|rest| (rest, 8)))
            })?;
            out.extend(character.encode_utf8(&mut [0; 4]).bytes());
            return Some(rest);
        }
        other => {
            out.extend(other.encode_utf8(&mut [0; 4]).bytes());
            return Some(rest);
        }
    };
    out.push(byte);
    Some(rest)
}

/// Decodes `U&''` and `U&""` (manual, sections 4.1.1 and 4.1.2.3), given without the `U&`.
pub(super) fn unicode(text: &str, escape: char) -> Option<Cow<'_, str>> {
    let plain = plain(text)?;
    if !plain.contains(escape) {
        return Some(plain);
    }
    let mut out = String::with_capacity(plain.len());
    let mut rest = plain.as_ref();
    while let Some(character) = rest.chars().next() {
        rest = &rest[character.len_utf8()..];
        if character != escape {
            out.push(character);
        } else if let Some(after) = rest.strip_prefix(escape) {
            out.push(escape);
            rest = after;
        } else {
            let (digits, length) = long_or_short(rest);
            let (character, after) = code_point(digits, length, |rest| {
                Some(long_or_short(rest.strip_prefix(escape)?))
            })?;
            out.push(character);
            rest = after;
        }
    }
    Some(out.into())
}

/// Returns the text of the digits, and their number: four, or six after a plus.
fn long_or_short(text: &str) -> (&str, usize) {
    match text.strip_prefix('+') {
        Some(digits) => (digits, 6),
        None => (text, 4),
    }
}

/// Returns the character of a code point, or of two that are a surrogate pair, and the text after
/// it.
fn code_point<'a>(
    text: &'a str,
    length: usize,
    next: impl Fn(&'a str) -> Option<(&'a str, usize)>,
) -> Option<(char, &'a str)> {
    let hexadecimal = |text: &'a str, length: usize| {
        let digits = text.get(..length)?;
        let is_number = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = is_number.then(|| u32::from_str_radix(digits, 16).ok())??;
        Some((number, &text[length..]))
    };
    let (first, rest) = hexadecimal(text, length)?;
    if !(0xd800..0xdc00).contains(&first) {
        let character = char::from_u32(first)?;
        return (character != '\0').then_some((character, rest));
    }
    let (text, length) = next(rest)?;
    let (second, rest) = hexadecimal(text, length)?;
    let low = second.checked_sub(0xdc00).filter(|low| *low < 0x400)?;
    let character = char::from_u32(0x10000 + ((first - 0xd800) << 10) + low)?;
    Some((character, rest))
}
