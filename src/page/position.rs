//! The text of a position in a list, for clients: opaque, with a version and the list that it is
//! of.
//!
//! The text is base64 for URLs (RFC 4648, section 5) of JSON: a version, the fingerprint of the
//! list, and the values of the columns by which the list is ordered. It is not signed: a client can
//! make one up, and gets the rows after the position that it made up, which it may read anyway.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::floats::{Reader, Writer};

/// The version of the text.
const VERSION: u64 = 1;

/// The longest text that is read. The values of an index are shorter than a third of a page.
const MAX_LENGTH: usize = 8 * 1024;

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// A text that is not a position in the list that it was given to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidPosition {
    /// It is no position at all, or was changed.
    #[error("the position in the list cannot be read")]
    Unreadable,
    /// It is one of another list, or of this list before its order was changed.
    #[error("the position is one of another list")]
    OfAnotherList,
}

/// Returns the text of a position; `list` names the list and its order.
pub fn write<V: Serialize>(list: &str, values: &V) -> String {
    // Values of columns are no maps with keys that are not strings, so they can be written.
    let values = serde_json::to_value(Writer(values)).unwrap_or(Value::Null);
    let json = Value::from(vec![VERSION.into(), fingerprint(list).into(), values]);
    encode(json.to_string().as_bytes())
}

/// Reads the text of a position in this list.
pub fn read<V: DeserializeOwned>(list: &str, text: &str) -> Result<V, InvalidPosition> {
    if text.len() > MAX_LENGTH {
        return Err(InvalidPosition::Unreadable);
    }
    let bytes = decode(text).ok_or(InvalidPosition::Unreadable)?;
    let (version, of, values): (u64, u64, Value) =
        serde_json::from_slice(&bytes).map_err(|_| InvalidPosition::Unreadable)?;
    if version != VERSION || of != fingerprint(list) {
        return Err(InvalidPosition::OfAnotherList);
    }
    V::deserialize(Reader(values)).map_err(|_| InvalidPosition::Unreadable)
}

/// Returns a number for the list and its order (FNV-1a, 32 bits, so that any JSON reader keeps it).
fn fingerprint(list: &str) -> u64 {
    let hash = list.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    hash.into()
}

fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let byte = |index: usize| u32::from(three.get(index).copied().unwrap_or_default());
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for digit in 0..=three.len() {
            let index = bits >> (18 - 6 * digit) & 63;
            text.push(char::from(DIGITS[index as usize]));
        }
    }
    text
}

fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 2);
    for four in text.as_bytes().chunks(4) {
        let mut bits = 0_u32;
        for (index, digit) in four.iter().enumerate() {
            let value = DIGITS.iter().position(|known| known == digit)?;
            bits |= u32::try_from(value).ok()? << (18 - 6 * index);
        }
        if four.len() == 1 {
            return None;
        }
        let [_, first, second, third] = bits.to_be_bytes();
        bytes.extend_from_slice(&[first, second, third][..four.len() - 1]);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_read_as_it_was_written() {
        for name in ["", "a", "ab", "größe", "\u{1f600}\"\\"] {
            let values = (Some(7_i64), name.to_owned(), None::<bool>);
            let text = write("a list", &values);
            assert!(text.bytes().all(|byte| DIGITS.contains(&byte)), "{text}");
            assert_eq!(read("a list", &text), Ok(values));
        }
    }

    #[test]
    fn numbers_that_json_lacks_are_read_as_written() {
        #[derive(Debug, Clone, PartialEq, Serialize, serde::Deserialize)]
        struct Weight(f64);
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.1] {
            #[allow(clippy::cast_possible_truncation, reason = "a test value")]
            let single = value as f32;
            let values = (
                Some(Weight(value)),
                (single, None::<f32>),
                vec![Some(value), None],
                "NaN".to_owned(),
                Some("-Infinity".to_owned()),
            );
            let text = write("a list", &values);
            let back = read("a list", &text).map(|back| format!("{:?}", identity(&values, back)));
            assert_eq!(back, Ok(format!("{values:?}")));
        }
        for other in ["nan", "inf", "1", ""] {
            let text = write("a list", &(other,));
            let read = read::<(f64,)>("a list", &text);
            assert_eq!(read, Err(InvalidPosition::Unreadable), "{other}");
        }
    }

    /// Returns a value of the type of another one.
    fn identity<T>(_: &T, value: T) -> T {
        value
    }

    #[test]
    fn a_position_of_another_list_is_refused() {
        let text = write("a list", &(1_i64,));
        let other = read::<(i64,)>("another list", &text);
        assert_eq!(other, Err(InvalidPosition::OfAnotherList));
        for text in [
            "",
            "A",
            "ab=c",
            "ä",
            &text[1..],
            &text[..text.len() - 1],
            &"A".repeat(9000),
        ] {
            let read = read::<(i64,)>("a list", text);
            assert_eq!(read, Err(InvalidPosition::Unreadable), "{text}");
        }
        let other_type = read::<(String,)>("a list", &text);
        assert_eq!(other_type, Err(InvalidPosition::Unreadable));
    }
}
