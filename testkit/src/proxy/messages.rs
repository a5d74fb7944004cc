//! Boundaries of protocol messages (PostgreSQL manual, 55.7).

use super::control::Direction;

/// Splits one direction of a connection into messages.
#[derive(Debug)]
pub(super) struct Messages {
    expected: Expected,
    /// The bytes of an incomplete message.
    begun: Vec<u8>,
}

/// The form of the next message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    /// A length without a type: the client's first message, and its message after a request to
    /// encrypt.
    Untyped,
    /// The server's first message, or the one byte that answers a request to encrypt.
    Answer,
    Typed,
    /// Encrypted data, or another protocol.
    Nothing,
}

/// The requests to encrypt (`SSLRequest`, `GSSENCRequest`).
const ENCRYPT: [[u8; 4]; 2] = [80_877_103_u32.to_be_bytes(), 80_877_104_u32.to_be_bytes()];

/// The maximum length of a message without a type that a server accepts.
const LONGEST_UNTYPED: usize = 10_000;
/// The maximum length of a message that a server sends. A larger length means another protocol.
const LONGEST: usize = 1 << 30;

impl Messages {
    pub(super) fn of(direction: Direction) -> Self {
        Self {
            expected: match direction {
                Direction::ToServer => Expected::Untyped,
                Direction::ToClient => Expected::Answer,
            },
            begun: Vec::new(),
        }
    }

    /// Calls `on_message` with each message that these bytes complete.
    pub(super) fn take(&mut self, bytes: &[u8], mut on_message: impl FnMut(&[u8])) {
        if self.expected == Expected::Nothing {
            return;
        }
        self.begun.extend_from_slice(bytes);
        let mut rest = &self.begun[..];
        while let Some((message, behind)) = first(self.expected, rest) {
            on_message(message);
            self.expected = after(self.expected, message);
            rest = behind;
        }
        let taken = self.begun.len() - rest.len();
        if is_foreign(self.expected, rest) {
            self.expected = Expected::Nothing;
            self.begun = Vec::new();
        } else {
            self.begun.drain(..taken);
        }
    }
}

/// Splits off the first message; `None` while it is incomplete.
fn first(expected: Expected, bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    bytes.split_at_checked(length(expected, bytes)?)
}

/// Returns the length of the first message with type and length; `None` while it is unknown.
fn length(expected: Expected, bytes: &[u8]) -> Option<usize> {
    let before = match (expected, bytes.first()?) {
        (Expected::Nothing, _) => return None,
        (Expected::Answer, b'S' | b'N' | b'G') => return Some(1),
        (Expected::Answer | Expected::Typed, _) => 1,
        (Expected::Untyped, _) => 0,
    };
    let length = u32::from_be_bytes(bytes.get(before..before + 4)?.try_into().ok()?);
    Some(before + usize::try_from(length).ok()?.max(4))
}

/// Returns true if no PostgreSQL message begins here.
fn is_foreign(expected: Expected, bytes: &[u8]) -> bool {
    let longest = match expected {
        Expected::Nothing => return true,
        Expected::Untyped => LONGEST_UNTYPED,
        Expected::Answer | Expected::Typed => LONGEST,
    };
    length(expected, bytes).is_some_and(|length| length > longest)
}

/// Returns the form of the message after this one.
fn after(expected: Expected, message: &[u8]) -> Expected {
    match (expected, message) {
        (Expected::Untyped, [_, _, _, _, code @ ..])
            if ENCRYPT.iter().any(|request| code == request) =>
        {
            Expected::Untyped
        }
        (Expected::Answer, [b'N']) => Expected::Answer,
        (Expected::Answer, [_]) => Expected::Nothing,
        _ => Expected::Typed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(messages: &mut Messages, bytes: &[u8]) -> Vec<u8> {
        let mut tags = Vec::new();
        messages.take(bytes, |message| tags.push(message[0]));
        tags
    }

    #[test]
    fn a_message_counts_once_its_last_byte_has_come() {
        let mut messages = Messages::of(Direction::ToClient);
        assert_eq!(tags(&mut messages, b"R\0\0\0"), b"");
        assert_eq!(tags(&mut messages, b"\x05!S"), b"R");
        assert_eq!(tags(&mut messages, b"\0\0\0\x04Z\0\0\0\x05I"), b"SZ");
    }

    #[test]
    fn a_refused_tls_request_precedes_the_first_message() {
        let request = [8_u32.to_be_bytes(), ENCRYPT[0]].concat();
        let mut messages = Messages::of(Direction::ToServer);
        assert_eq!(tags(&mut messages, &request), [0]);
        assert_eq!(
            tags(&mut messages, b"\0\0\0\x08\0\x03\0\0Q\0\0\0\x04"),
            b"\0Q"
        );
        let mut answers = Messages::of(Direction::ToClient);
        assert_eq!(tags(&mut answers, b"NR\0\0\0\x04"), b"NR");
    }

    #[test]
    fn encrypted_messages_are_not_counted() {
        let mut answers = Messages::of(Direction::ToClient);
        assert_eq!(tags(&mut answers, b"S"), b"S");
        assert_eq!(tags(&mut answers, b"Z\0\0\0\x05I"), b"");
        let mut messages = Messages::of(Direction::ToServer);
        assert_eq!(tags(&mut messages, b"\x16\x03\x01\x01\x00"), b"");
        assert_eq!(tags(&mut messages, b"Q\0\0\0\x04"), b"");
    }
}
