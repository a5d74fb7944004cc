//! The codes by which PostgreSQL names what happened.
//!
//! Texts of errors change with the server's language and version, codes do not: whatever decides in
//! this crate decides by them (PostgreSQL manual, Appendix A).

use std::fmt;

/// A five character SQLSTATE, as the server sent it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SqlState([u8; 5]);

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal;)*) => {
        impl SqlState {
            $($(#[$doc])* pub const $name: Self = Self::from_literal($code);)*

            /// PostgreSQL's name of the condition, such as `UNIQUE_VIOLATION`; `None` for a code not listed here.
            pub fn condition(self) -> Option<&'static str> {
                [$((Self::$name, stringify!($name)),)*]
                    .into_iter()
                    .find(|(code, _)| *code == self)
                    .map(|(_, name)| name)
            }
        }
    };
}

codes! {
    /// The server could not be reached.
    SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION = "08001";
    /// The connection broke.
    CONNECTION_FAILURE = "08006";
    /// The commit's outcome is not known.
    TRANSACTION_RESOLUTION_UNKNOWN = "08007";
    /// `cached plan must not change result type`, and other things the server cannot do.
    FEATURE_NOT_SUPPORTED = "0A000";
    /// A text longer than its column.
    STRING_DATA_RIGHT_TRUNCATION = "22001";
    /// A number outside of its type's range.
    NUMERIC_VALUE_OUT_OF_RANGE = "22003";
    /// A text that does not read as its type.
    INVALID_TEXT_REPRESENTATION = "22P02";
    /// A row or key that others refer to.
    RESTRICT_VIOLATION = "23001";
    /// NULL in a column that is NOT NULL.
    NOT_NULL_VIOLATION = "23502";
    /// A reference to a row that is not there, or from one that still is.
    FOREIGN_KEY_VIOLATION = "23503";
    /// A key that is taken.
    UNIQUE_VIOLATION = "23505";
    /// A CHECK that does not hold.
    CHECK_VIOLATION = "23514";
    /// An exclusion constraint that does not hold.
    EXCLUSION_VIOLATION = "23P01";
    /// A statement that must not run inside of a transaction.
    ACTIVE_SQL_TRANSACTION = "25001";
    /// A write in a read only transaction.
    READ_ONLY_SQL_TRANSACTION = "25006";
    /// A statement after another one failed in the same transaction.
    IN_FAILED_SQL_TRANSACTION = "25P02";
    /// The transaction was idle for too long.
    IDLE_IN_TRANSACTION_SESSION_TIMEOUT = "25P03";
    /// A prepared statement that the server does not know.
    INVALID_SQL_STATEMENT_NAME = "26000";
    /// The role may not log in from here.
    INVALID_AUTHORIZATION_SPECIFICATION = "28000";
    /// The password is wrong.
    INVALID_PASSWORD = "28P01";
    /// The database does not exist.
    INVALID_CATALOG_NAME = "3D000";
    /// A concurrent transaction got there first.
    SERIALIZATION_FAILURE = "40001";
    /// Two transactions waited for each other, and this one was chosen to fail.
    DEADLOCK_DETECTED = "40P01";
    /// The statement was ended, but its effect is not known.
    STATEMENT_COMPLETION_UNKNOWN = "40003";
    /// The role may not do that.
    INSUFFICIENT_PRIVILEGE = "42501";
    /// The SQL cannot be parsed.
    SYNTAX_ERROR = "42601";
    /// No such column.
    UNDEFINED_COLUMN = "42703";
    /// No such type, or another object that has no code of its own.
    UNDEFINED_OBJECT = "42704";
    /// No such table.
    UNDEFINED_TABLE = "42P01";
    /// The disk is full.
    DISK_FULL = "53100";
    /// The server is out of memory.
    OUT_OF_MEMORY = "53200";
    /// No connection is left.
    TOO_MANY_CONNECTIONS = "53300";
    /// A lock that could not be had in time.
    LOCK_NOT_AVAILABLE = "55P03";
    /// The statement was cancelled, by request or by `statement_timeout`.
    QUERY_CANCELED = "57014";
    /// The server ended the connection on an administrator's behalf.
    ADMIN_SHUTDOWN = "57P01";
    /// The server ended all connections because one of its processes crashed.
    CRASH_SHUTDOWN = "57P02";
    /// The server is starting or stopping.
    CANNOT_CONNECT_NOW = "57P03";
    /// The session was idle for too long.
    IDLE_SESSION_TIMEOUT = "57P05";
    /// `RAISE EXCEPTION` without a code of its own.
    RAISE_EXCEPTION = "P0001";
    /// An internal error, also `cache lookup failed for type`.
    INTERNAL_ERROR = "XX000";
}

impl SqlState {
    /// The code of five ASCII letters and digits; `None` for anything else.
    pub fn new(code: &str) -> Option<Self> {
        let bytes: [u8; 5] = code.as_bytes().try_into().ok()?;
        bytes
            .iter()
            .all(u8::is_ascii_alphanumeric)
            .then_some(Self(bytes))
    }

    /// The five characters.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("XX000")
    }

    /// The first two characters, which group related codes.
    pub fn class(&self) -> &str {
        &self.code()[..2]
    }

    const fn from_literal(code: &str) -> Self {
        let bytes = code.as_bytes();
        Self([bytes[0], bytes[1], bytes[2], bytes[3], bytes[4]])
    }
}

impl fmt::Display for SqlState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for SqlState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SqlState({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_knows_its_class_and_condition() {
        let code = SqlState::new("40001").expect("five characters");
        assert_eq!(code, SqlState::SERIALIZATION_FAILURE);
        assert_eq!(code.class(), "40");
        assert_eq!(code.condition(), Some("SERIALIZATION_FAILURE"));
    }

    #[test]
    fn a_text_that_is_no_code_is_refused() {
        assert_eq!(SqlState::new("4000"), None);
        assert_eq!(SqlState::new("40 01"), None);
        assert_eq!(SqlState::new("4000é"), None);
    }
}
