//! The texts of scalar built-in types.

use super::wrong::Wrong;
use super::{jsonpath, search, shape, system, time};

/// Checks the text of a built-in type; `words` is its name in messages. `version` is that of the
/// oldest server, `None` the newest.
pub(super) fn check(
    name: &str,
    words: &str,
    text: &str,
    version: Option<u32>,
) -> Result<(), Wrong> {
    let is_since = |came_with: u32| version.is_none_or(|version| version >= came_with);
    // `0x1F` and `1_000`.
    let has_prefixes = is_since(16);
    let trimmed = text.trim();
    let is_valid = match name {
        "int2" => {
            return integer(
                text,
                words,
                has_prefixes,
                (i16::MIN.into(), i16::MAX.into()),
            );
        }
        "int4" => {
            return integer(
                text,
                words,
                has_prefixes,
                (i32::MIN.into(), i32::MAX.into()),
            );
        }
        "int8" => {
            return integer(
                text,
                words,
                has_prefixes,
                (i64::MIN.into(), i64::MAX.into()),
            );
        }
        // A negative number is accepted: it stands for the OID with the same bits.
        "oid" if is_since(16) && is_hexadecimal_integer(trimmed) => true,
        "oid" => {
            let range = (i32::MIN.into(), u32::MAX.into());
            return integer(text, words, false, range);
        }
        "numeric" => is_number(trimmed) || has_prefixes && is_grouped_number(trimmed),
        "float4" | "float8" if is_number(trimmed) => {
            return float(trimmed, words, name == "float4");
        }
        "float4" | "float8" => is_hexadecimal(trimmed),
        "bytea" => return bytes(text),
        "money" => is_money(trimmed),
        "bool" => is_bool(trimmed),
        "uuid" => is_uuid(trimmed),
        "json" | "jsonb" => serde_json::from_str::<serde_json::Value>(text).is_ok(),
        "cidr" if has_host_bits(trimmed) => {
            return Err(Wrong::new(
                "22P02",
                format!("invalid cidr value: \"{text}\""),
            ));
        }
        "inet" | "cidr" => is_address(trimmed, name == "cidr"),
        "date" | "timestamp" | "timestamptz" => return time::check(text, false, words),
        "time" | "timetz" => return time::check(text, true, words),
        "interval" => return time::check_interval(text, is_since(17)),
        "jsonpath" => return jsonpath::check(text, has_prefixes),
        "bit" | "varbit" => return bits(text),
        "point" | "box" | "lseg" | "path" | "polygon" | "circle" | "line" => {
            return shape::check(name, words, text);
        }
        "macaddr" => return system::check_card(trimmed, text),
        "macaddr8" => system::is_long_card(trimmed),
        "pg_lsn" => system::is_log_position(text),
        "pg_snapshot" | "txid_snapshot" => system::is_snapshot(text),
        "tid" => system::is_row_position(text),
        "xid" | "cid" | "xid8" => !is_since(16) || system::is_transaction(trimmed),
        "tsvector" => return search::check_vector(text),
        "tsquery" => return search::check_query(text),
        _ => true,
    };
    if is_valid {
        return Ok(());
    }
    let message = format!("invalid input syntax for type {words}: \"{text}\"");
    Err(Wrong::new("22P02", message))
}

/// Checks an integer and its range.
fn integer(
    text: &str,
    words: &str,
    has_prefixes: bool,
    (least, most): (i128, i128),
) -> Result<(), Wrong> {
    let trimmed = text.trim();
    // PostgreSQL finds the first digit too many before what follows the digits.
    let signed = trimmed.strip_prefix(['+', '-']).unwrap_or(trimmed);
    let count = signed.bytes().take_while(u8::is_ascii_digit).count();
    let digits = &trimmed[..trimmed.len() - signed.len() + count];
    if digits
        .parse::<i128>()
        .is_ok_and(|value| value < least || value > most)
    {
        let message = format!("value \"{text}\" is out of range for type {words}");
        return Err(Wrong::new("22003", message));
    }
    let is_valid = match has_prefixes {
        true => is_integer(trimmed),
        false => count > 0 && count == signed.len(),
    };
    if !is_valid {
        let message = format!("invalid input syntax for type {words}: \"{text}\"");
        return Err(Wrong::new("22P02", message));
    }
    Ok(())
}

/// Checks the range of a number. A number that is not zero and would become it is out of range too.
fn float(text: &str, words: &str, is_single: bool) -> Result<(), Wrong> {
    let is_word = |c: char| c.is_ascii_alphabetic() && !matches!(c, 'e' | 'E');
    let mantissa = text.split(['e', 'E']).next().unwrap_or_default();
    let is_zero = !mantissa.contains(|c: char| ('1'..='9').contains(&c));
    let value = match is_single {
        true => text.parse::<f32>().map(f64::from),
        false => text.parse::<f64>(),
    };
    match value {
        // `Infinity` and `NaN` are values.
        Ok(value)
            if !text.contains(is_word) && !is_zero && (value.is_infinite() || value == 0.0) =>
        {
            let message = format!("\"{text}\" is out of range for type {words}");
            Err(Wrong::new("22003", message))
        }
        _ => Ok(()),
    }
}

/// Checks bytes: `\xDEADBEEF`, or text with `\\` and `\377`.
fn bytes(text: &str) -> Result<(), Wrong> {
    if let Some(digits) = text.strip_prefix("\\x") {
        let mut digits = digits
            .chars()
            .filter(|c| !matches!(c, ' ' | '\n' | '\t' | '\r'));
        let mut count = 0;
        return match digits.find(|c| {
            count += usize::from(c.is_ascii_hexdigit());
            !c.is_ascii_hexdigit()
        }) {
            Some(wrong) => {
                let message = format!("invalid hexadecimal digit: \"{wrong}\"");
                Err(Wrong::new("22023", message))
            }
            None if count % 2 == 1 => {
                let message = "invalid hexadecimal data: odd number of digits";
                Err(Wrong::new("22023", message))
            }
            None => Ok(()),
        };
    }
    let mut rest = text.as_bytes();
    while let Some(at) = rest.iter().position(|byte| *byte == b'\\') {
        rest = match &rest[at + 1..] {
            [b'\\', rest @ ..] => rest,
            [b'0'..=b'3', b'0'..=b'7', b'0'..=b'7', rest @ ..] => rest,
            _ => return Err(Wrong::new("22P02", "invalid input syntax for type bytea")),
        };
    }
    Ok(())
}

/// Returns true for a network with bits to the right of its mask.
fn has_host_bits(text: &str) -> bool {
    let Some((address, bits)) = text.split_once('/') else {
        return false;
    };
    let (Ok(address), Ok(bits)) = (address.parse::<core::net::IpAddr>(), bits.parse::<u32>())
    else {
        return false;
    };
    let (value, width) = match address {
        core::net::IpAddr::V4(address) => (u128::from(u32::from(address)), 32_u32),
        core::net::IpAddr::V6(address) => (u128::from(address), 128),
    };
    let host = width.saturating_sub(bits);
    bits <= width && host > 0 && value.trailing_zeros() < host
}

/// Checks a bit string: `101`, `b101`, `x1F`.
fn bits(text: &str) -> Result<(), Wrong> {
    let (digits, is_hex) = match text.strip_prefix(['x', 'X']) {
        Some(digits) => (digits, true),
        None => (text.strip_prefix(['b', 'B']).unwrap_or(text), false),
    };
    let is_digit = |c: &char| matches!(c, '0' | '1') || is_hex && c.is_ascii_hexdigit();
    match digits.chars().find(|c| !is_digit(c)) {
        None => Ok(()),
        Some(wrong) => {
            let kind = if is_hex { "hexadecimal" } else { "binary" };
            let message = format!("\"{wrong}\" is not a valid {kind} digit");
            Err(Wrong::new("22P02", message))
        }
    }
}

/// Returns true for a text that some locale reads as money: a currency's symbol is at an end.
fn is_money(text: &str) -> bool {
    let parts = text.split(|c: char| c.is_ascii_alphabetic());
    match parts.filter(|part| has_digit(part)).count() {
        0 => !text.contains(|c: char| c.is_ascii_alphabetic()),
        count => count == 1,
    }
}

fn has_digit(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_digit())
}

fn is_integer(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let lower = digits.to_ascii_lowercase();
    let has_base = ["0x", "0o", "0b"]
        .iter()
        .any(|base| lower.starts_with(base));
    let is_digit =
        |c: char| c.is_ascii_digit() || c == '_' || (has_base && c.is_ascii_alphanumeric());
    digits.starts_with(|c: char| c.is_ascii_digit()) && digits.chars().all(is_digit)
}

/// Returns true for a decimal number: digits with a point, and an exponent.
fn is_number(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let unsigned = lower.strip_prefix(['+', '-']).unwrap_or(&lower);
    if matches!(unsigned, "nan" | "inf" | "infinity") {
        return true;
    }
    let (mantissa, exponent) = match unsigned.split_once('e') {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let is_exponent = exponent.is_none_or(|exponent| {
        let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        !digits.is_empty() && is_digits(digits)
    });
    has_digit(mantissa) && is_digits(whole) && is_digits(fraction) && is_exponent
}

/// Returns true for `1_000` or `0x1F`, which numeric accepts from PostgreSQL 16 on.
fn is_grouped_number(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    is_integer(text) || unsigned.contains('_') && is_number(&text.replace('_', ""))
}

/// Returns true for a number such as `0x1.8p3`.
fn is_hexadecimal(text: &str) -> bool {
    let unsigned = text
        .strip_prefix(['+', '-'])
        .unwrap_or(text)
        .to_ascii_lowercase();
    let digits = unsigned.strip_prefix("0x");
    digits.is_some_and(|digits| {
        let is_part = |c: char| c.is_ascii_hexdigit() || ".p+-".contains(c);
        digits.starts_with(|c: char| c.is_ascii_hexdigit()) && digits.chars().all(is_part)
    })
}

fn is_bool(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let is_start = |word: &str| !lower.is_empty() && word.starts_with(lower.as_str());
    ["true", "false", "yes", "no"].into_iter().any(is_start)
        || matches!(lower.as_str(), "on" | "of" | "off" | "1" | "0")
}

fn is_uuid(text: &str) -> bool {
    let digits = text.trim_start_matches('{').trim_end_matches('}');
    let mut hex = digits.chars().filter(|c| *c != '-');
    hex.clone().count() == 32 && hex.all(|c| c.is_ascii_hexdigit())
}

/// Returns true for `0x1F`.
fn is_hexadecimal_integer(text: &str) -> bool {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    digits.is_some_and(|it| !it.is_empty() && it.bytes().all(|it| it.is_ascii_hexdigit()))
}

/// Returns true for a network address with or without the length of its mask.
fn is_address(text: &str, is_network: bool) -> bool {
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits)),
        None => (text, None),
    };
    let is_mask = |most: u32| {
        bits.is_none_or(|bits| {
            let is_digits = !bits.is_empty() && bits.bytes().all(|it| it.is_ascii_digit());
            is_digits && bits.parse().is_ok_and(|bits: u32| bits <= most)
        })
    };
    if address.contains(':') {
        return address.parse::<core::net::Ipv6Addr>().is_ok() && is_mask(128);
    }
    let is_octet = |part: &str| {
        let is_digits = !part.is_empty() && part.bytes().all(|it| it.is_ascii_digit());
        is_digits && part.parse().is_ok_and(|value: u32| value <= 255)
    };
    let count = address.split('.').count();
    if is_network && is_hexadecimal_integer(address) {
        return is_mask(32);
    }
    let is_complete = count == 4 || count < 4 && (is_network || bits.is_some());
    is_complete && address.split('.').all(is_octet) && is_mask(32)
}
