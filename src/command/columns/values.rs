//! Values that a Rust type cannot hold, where diesel would read another value.
//!
//! Most values that do not fit fail when they are decoded. Three kinds do not: the time 24:00:00,
//! which chrono takes for 00:00:00; an array whose subscripts do not begin at 1, which a `Vec`
//! forgets; and a number in JSON that a double cannot hold, which serde_json rounds.

use super::{SqlType, built_in};

/// The check of a column's values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ValueCheck {
    /// The column has another type, so that it can hold nothing but NULL.
    OnlyNull {
        column: Box<str>,
        expected: SqlType,
    },
    Time,
    Json,
    Jsonb,
    Array {
        element: Option<Element>,
        /// Whether its subscripts have to begin at 1.
        from_1: bool,
    },
}

/// The check of an array's elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Element {
    Time,
    Json,
    Jsonb,
}

const DAY: i64 = 86_400_000_000;

impl ValueCheck {
    /// Returns the check for a column of the type `actual` that is read as `expected`. If `from_1`
    /// is true, the subscripts of an array have to begin at 1.
    pub(crate) fn of(expected: &SqlType, actual: u32, from_1: bool) -> Option<Self> {
        let array = |element| Some(Self::Array { element, from_1 });
        match (expected, actual) {
            (SqlType::BuiltIn(built_in::TIME), _) => Some(Self::Time),
            (SqlType::BuiltIn(built_in::JSON), _) => Some(Self::Json),
            (SqlType::BuiltIn(built_in::JSONB), _) => Some(Self::Jsonb),
            // The subscripts of int2vector and oidvector always begin at 0.
            (_, 22 | 30) => None,
            (SqlType::BuiltIn(1183), _) => array(Some(Element::Time)),
            (SqlType::BuiltIn(199), _) => array(Some(Element::Json)),
            (SqlType::BuiltIn(3807), _) => array(Some(Element::Jsonb)),
            (expected, _) if expected.is_array() && from_1 => array(None),
            _ => None,
        }
    }

    /// Checks a value; the error describes its fault.
    pub(crate) fn check(&self, value: &[u8]) -> Result<(), String> {
        match self {
            Self::OnlyNull { expected, .. } => Err(format!("it is text, and no {expected}")),
            Self::Time => time(value),
            Self::Json => json(value),
            Self::Jsonb => jsonb(value),
            Self::Array { element, from_1 } => array(value, *element, *from_1),
        }
    }
}

fn time(value: &[u8]) -> Result<(), String> {
    match value.try_into().map(i64::from_be_bytes) {
        Ok(DAY) => Err("the time 24:00:00 is not held by a Rust type for times".to_owned()),
        // Another width fails when it is decoded.
        _ => Ok(()),
    }
}

/// Checks a `jsonb` value after its first byte, which is the version of the format.
fn jsonb(value: &[u8]) -> Result<(), String> {
    json(value.get(1..).unwrap_or_default())
}

/// Reads the header of an array of one dimension (`array_send`), and its elements if they have a
/// check.
fn array(value: &[u8], element: Option<Element>, from_1: bool) -> Result<(), String> {
    let word = |at: usize| {
        let bytes = value.get(at..at + 4)?.try_into().ok()?;
        Some(i32::from_be_bytes(bytes))
    };
    // More dimensions, or fewer bytes, fail when they are decoded.
    if word(0) != Some(1) {
        return Ok(());
    }
    if let Some(first) = word(16)
        && from_1
        && first != 1
    {
        return Err(format!(
            "the array's subscripts begin at {first}, and a Vec holds only those that begin at 1"
        ));
    }
    let Some(element) = element else {
        return Ok(());
    };
    let mut at = 20;
    while let Some(length) = word(at) {
        at += 4;
        let Ok(length) = usize::try_from(length) else {
            continue;
        };
        let Some(bytes) = value.get(at..at + length) else {
            break;
        };
        match element {
            Element::Time => time(bytes)?,
            Element::Json => json(bytes)?,
            Element::Jsonb => jsonb(bytes)?,
        }
        at += length;
    }
    Ok(())
}

/// Fails for a number that serde_json rounds. Strings are skipped.
fn json(text: &[u8]) -> Result<(), String> {
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => at = end_of_string(text, at + 1),
            b'-' | b'0'..=b'9' => {
                let length = text[at..]
                    .iter()
                    .take_while(|byte| {
                        matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9')
                    })
                    .count();
                number(&text[at..at + length])?;
                at += length;
            }
            _ => at += 1,
        }
    }
    Ok(())
}

/// Returns the end of a string that begins here.
fn end_of_string(text: &[u8], mut at: usize) -> usize {
    while let Some(byte) = text.get(at) {
        match byte {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    at
}

/// Checks that a JSON number is the same number when serde_json writes it again.
fn number(text: &[u8]) -> Result<(), String> {
    // A double keeps this many digits of a number without an exponent.
    if text.len() <= 15 && !text.iter().any(|byte| matches!(byte, b'e' | b'E')) {
        return Ok(());
    }
    let Ok(written) = std::str::from_utf8(text) else {
        return Ok(());
    };
    // A number that serde_json refuses fails when the value is decoded.
    let Ok(read) = serde_json::from_str::<serde_json::Number>(written) else {
        return Ok(());
    };
    let (Some(before), Some(after)) = (decimal(written), decimal(&read.to_string())) else {
        return Ok(());
    };
    if before == after {
        return Ok(());
    }
    let shown: String = written.chars().take(40).collect();
    let more = if shown.len() < written.len() {
        ".."
    } else {
        ""
    };
    Err(format!(
        "the number {shown}{more} in JSON would be rounded; serde_json holds it with its feature arbitrary_precision"
    ))
}

/// Returns a decimal number: whether it is negative, its digits without zeros at both ends, and the
/// power of ten of the last.
fn decimal(text: &str) -> Option<(bool, String, i64)> {
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let digits = digits.trim_start_matches('0');
    let kept = digits.trim_end_matches('0');
    if kept.is_empty() {
        // 0 and -0 differ, as they do in a double.
        return Some((negative, String::new(), 0));
    }
    let cut = i64::try_from(digits.len() - kept.len()).ok()?;
    let power = exponent
        .checked_sub(i64::try_from(fraction.len()).ok()?)?
        .checked_add(cut)?;
    Some((negative, kept.to_owned(), power))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_a_double_rounds_are_found_in_json() {
        for held in [
            "0.1",
            "-0.0",
            "9007199254740993",
            "18446744073709551615",
            "-9223372036854775808",
            "1e22",
            "100000000000000000000",
            "1.0000000000000000000000",
            "0.30000000000000004",
            "\"123456789012345678901234567890\"",
            "{\"a\\\"1\": [1.5, null, true, \"1e999\"]}",
            "5e-324",
        ] {
            assert_eq!(json(held.as_bytes()), Ok(()), "{held}");
        }
        for rounded in [
            "18446744073709551616",
            "-9223372036854775809",
            "[1, {\"a\": 123456789012345678901234567890}]",
            "0.1234567890123456789",
            "1e-400",
            "2.2250738585072011e-310",
        ] {
            assert!(json(rounded.as_bytes()).is_err(), "{rounded}");
        }
    }

    #[test]
    fn the_last_moment_of_a_day_is_not_the_first() {
        assert!(time(&DAY.to_be_bytes()).is_err());
        assert!(time(&(DAY - 1).to_be_bytes()).is_ok());
    }
}
