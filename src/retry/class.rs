//! The classes of failures, which decide whether a call is retried.

use crate::error::{Error, Outcome};
use crate::sqlstate::SqlState;

/// The facts that a session recorded about the failure of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) sqlstate: Option<SqlState>,
    pub(crate) outcome: Outcome,
    /// True if the connection is lost.
    pub(crate) lost: bool,
    /// True if the schema changed after the session had cached a part of it.
    pub(crate) stale: bool,
    /// True if the server refused what the session sent by itself, and will not be sent again.
    pub(crate) without: bool,
    /// True if the server accepts no writes. False if only the transaction is read-only.
    pub(crate) standby: bool,
}

/// The class of a failure that left no changes. It decides what happens before the next attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// A conflict with another transaction.
    Conflict,
    /// The server accepted no connection.
    Connecting,
    /// The server has its maximum of connections.
    Throttled,
    /// The connection was lost before the commit was sent.
    Lost,
    /// The server accepts no writes.
    Standby,
    /// The session's cached knowledge of the schema is out of date.
    Stale,
    /// The server lacks what the session sent by itself, and does not send again.
    Without,
    /// A lock was not available.
    Lock,
}

impl Default for Failure {
    /// Returns a failure of which only the outcome is known: nothing was committed.
    fn default() -> Self {
        Self {
            sqlstate: None,
            outcome: Outcome::NotCommitted,
            lost: false,
            stale: false,
            without: false,
            standby: false,
        }
    }
}

impl Failure {
    /// Returns the class; `None` if the call would fail again or may have been committed. `locks`
    /// is true if the caller wants retries after a lock was not available.
    pub(crate) fn class(&self, locks: bool) -> Option<Class> {
        if self.outcome != Outcome::NotCommitted {
            return None;
        }
        let Some(state) = self.sqlstate else {
            return self.lost.then_some(Class::Lost);
        };
        if self.without {
            return Some(Class::Without);
        }
        match state {
            SqlState::SERIALIZATION_FAILURE | SqlState::DEADLOCK_DETECTED => Some(Class::Conflict),
            SqlState::TOO_MANY_CONNECTIONS => Some(Class::Throttled),
            SqlState::CANNOT_CONNECT_NOW
            | SqlState::SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION
            | SqlState::SQLSERVER_REJECTED_ESTABLISHMENT_OF_SQLCONNECTION => {
                Some(Class::Connecting)
            }
            SqlState::ADMIN_SHUTDOWN
            | SqlState::CRASH_SHUTDOWN
            | SqlState::IDLE_SESSION_TIMEOUT
            | SqlState::CONNECTION_EXCEPTION
            | SqlState::CONNECTION_DOES_NOT_EXIST
            | SqlState::CONNECTION_FAILURE => Some(Class::Lost),
            SqlState::READ_ONLY_SQL_TRANSACTION => self.standby.then_some(Class::Standby),
            SqlState::LOCK_NOT_AVAILABLE | SqlState::OBJECT_IN_USE => locks.then_some(Class::Lock),
            _ => self.stale.then_some(Class::Stale),
        }
    }
}

impl Class {
    /// Returns the name of the class in events.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Conflict => "conflict",
            Self::Connecting => "connecting",
            Self::Throttled => "throttled",
            Self::Lost => "lost",
            Self::Standby => "standby",
            Self::Stale => "stale",
            Self::Without => "without",
            Self::Lock => "lock",
        }
    }
}

/// Returns true if the server refused a statement only because the schema changed after the session
/// had cached a part of it.
///
/// The SQLSTATE alone does not show that. The name of the C function that failed does, in any
/// language of messages. If the server reports no function, the message is searched.
pub(crate) fn is_stale(error: &Error) -> bool {
    let failed_in = |function: &str| {
        let server = error.server();
        server.and_then(|server| server.source_function.as_deref()) == Some(function)
    };
    let mentions = |words: &str| error.message().contains(words);
    match error.sqlstate() {
        Some(SqlState::INVALID_SQL_STATEMENT_NAME) => true,
        Some(SqlState::FEATURE_NOT_SUPPORTED) => {
            failed_in("RevalidateCachedQuery") || mentions("cached plan")
        }
        // The type was recreated, or another schema has a type of this name: the statement's
        // parameters have the OID of the type that was looked up first.
        Some(state) if error.depends_on_types() && is_about_types(state) => true,
        Some(SqlState::UNDEFINED_OBJECT) => failed_in("lookup_type_cache") || mentions("type"),
        // This message is never translated.
        Some(SqlState::INTERNAL_ERROR) => mentions("type"),
        _ => false,
    }
}

/// Returns true if a SQLSTATE can mean that a parameter has the OID of another type of the same
/// name.
///
/// The server then finds no operator, function, cast or column for the parameter, or no such type.
pub(crate) fn is_about_types(state: SqlState) -> bool {
    matches!(
        state,
        SqlState::DATATYPE_MISMATCH
            | SqlState::UNDEFINED_FUNCTION
            | SqlState::CANNOT_COERCE
            | SqlState::UNDEFINED_OBJECT
    )
}

#[cfg(test)]
impl Failure {
    pub(crate) fn of(state: SqlState) -> Self {
        Self {
            sqlstate: Some(state),
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ServerError;

    /// The table of the retry rules; each code is in one row only.
    const TABLE: &[(Option<Class>, &[&str])] = &[
        (Some(Class::Conflict), &["40001", "40P01"]),
        (Some(Class::Throttled), &["53300"]),
        (Some(Class::Connecting), &["57P03", "08001", "08004"]),
        (
            Some(Class::Lost),
            &["57P01", "57P02", "57P05", "08000", "08003", "08006"],
        ),
        // Slow closures, cancelled statements, full disks, limits.
        (
            None,
            &[
                "25P03", "57014", "53100", "53200", "53400", "54000", "54001", "54023",
            ],
        ),
        // Constraints, swallowed errors, poolers, data, passwords, databases, SQL, corruption.
        (
            None,
            &[
                "23505", "23P01", "23503", "25P02", "42P05", "22012", "22P02", "28000", "28P01",
                "3D000", "42601", "42P01", "42501", "57P04", "XX001", "XX002",
            ],
        ),
        // Failures that may have been committed, that need more than the code, or that need opting
        // in.
        (
            None,
            &[
                "08007", "40003", "25006", "0A000", "XX000", "55P03", "55006",
            ],
        ),
    ];

    #[test]
    fn each_code_is_in_the_class_of_its_row() {
        for (class, codes) in TABLE {
            for code in *codes {
                let failure = Failure::of(SqlState::new(code).expect("five characters"));
                assert_eq!(failure.class(false), *class, "{code}");
            }
        }
    }

    #[test]
    fn a_stale_plan_is_found_in_any_language() {
        let refused = |message: &str, function: Option<&str>| {
            Error::from_server(ServerError {
                source_function: function.map(str::to_owned),
                ..ServerError::new(SqlState::FEATURE_NOT_SUPPORTED, message.to_owned())
            })
        };
        let german = "gecachter Plan darf den Ergebnistyp nicht \u{e4}ndern";
        assert!(is_stale(&refused(german, Some("RevalidateCachedQuery"))));
        assert!(is_stale(&refused(
            "cached plan must not change result type",
            None
        )));
        assert!(!is_stale(&refused(
            "DEFERRABLE is not supported here",
            Some("transformX")
        )));
    }

    #[test]
    fn an_unknown_outcome_has_no_class() {
        for (_, codes) in TABLE {
            for code in *codes {
                for lost in [false, true] {
                    let failure = Failure {
                        outcome: Outcome::Unknown,
                        lost,
                        ..Failure::of(SqlState::new(code).expect("five characters"))
                    };
                    assert_eq!(failure.class(true), None, "{code}");
                }
            }
        }
        let lost = Failure {
            lost: true,
            ..Failure::default()
        };
        assert_eq!(lost.class(false), Some(Class::Lost));
        let unanswered = Failure {
            outcome: Outcome::Unknown,
            ..lost
        };
        assert_eq!(unanswered.class(false), None);
    }

    #[test]
    fn an_ambiguous_code_needs_further_evidence() {
        let stale = |code: &str| Failure {
            stale: true,
            ..Failure::of(SqlState::new(code).expect("five characters"))
        };
        for code in ["0A000", "26000", "XX000", "42704"] {
            assert_eq!(stale(code).class(false), Some(Class::Stale), "{code}");
        }
        let standby = Failure {
            standby: true,
            ..Failure::of(SqlState::READ_ONLY_SQL_TRANSACTION)
        };
        assert_eq!(standby.class(false), Some(Class::Standby));
        for code in ["55P03", "55006"] {
            let failure = Failure::of(SqlState::new(code).expect("five characters"));
            assert_eq!(failure.class(true), Some(Class::Lock), "{code}");
        }
    }
}
