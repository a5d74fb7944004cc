//! What kind of failure it was, for those who decide whether to try again.

use crate::error::{Error, Outcome};
use crate::sqlstate::SqlState;

/// What a session recorded of the failure of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) sqlstate: Option<SqlState>,
    pub(crate) outcome: Outcome,
    /// The connection is gone.
    pub(crate) lost: bool,
    /// The schema changed under what the session remembered of it.
    pub(crate) stale: bool,
    /// The server takes no writes by itself, not because the transaction asked for it.
    pub(crate) standby: bool,
}

/// Failures of which nothing is left, by what has to be done before the next attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// Another transaction won.
    Conflict,
    /// There is no connection yet.
    Connecting,
    /// The server is full.
    Throttled,
    /// The connection was lost before the commit was sent.
    Lost,
    /// The server takes no writes.
    Standby,
    /// The session's knowledge of the schema is out of date.
    Stale,
    /// A lock was not to be had.
    Lock,
}

impl Default for Failure {
    /// Nothing known but that nothing was committed.
    fn default() -> Self {
        Self {
            sqlstate: None,
            outcome: Outcome::NotCommitted,
            lost: false,
            stale: false,
            standby: false,
        }
    }
}

impl Failure {
    /// The class; `None` for what would fail again, and for what may have been committed.
    pub(crate) fn class(&self, locks: bool) -> Option<Class> {
        if self.outcome != Outcome::NotCommitted {
            return None;
        }
        let Some(state) = self.sqlstate else {
            return self.lost.then_some(Class::Lost);
        };
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
    /// Its name in events.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Conflict => "conflict",
            Self::Connecting => "connecting",
            Self::Throttled => "throttled",
            Self::Lost => "lost",
            Self::Standby => "standby",
            Self::Stale => "stale",
            Self::Lock => "lock",
        }
    }
}

/// Whether the server refused only because its schema changed under what a session remembered of it.
///
/// The code alone does not tell. The function of the server's that failed does, in whatever language the server
/// speaks; its words are for those that do not name the function.
pub(crate) fn made_stale(error: &Error) -> bool {
    let failed_in = |function: &str| {
        let server = error.server();
        server.and_then(|server| server.source_function.as_deref()) == Some(function)
    };
    let says = |words: &str| error.message().contains(words);
    match error.sqlstate() {
        Some(SqlState::INVALID_SQL_STATEMENT_NAME) => true,
        Some(SqlState::FEATURE_NOT_SUPPORTED) => {
            failed_in("RevalidateCachedQuery") || says("cached plan")
        }
        // A type made anew under the same name, or another of this name in another schema: the statement's parameters
        // have the OID of the one that was looked up first.
        Some(state) if error.rests_on_types() && is_about_types(state) => true,
        Some(SqlState::UNDEFINED_OBJECT) => failed_in("lookup_type_cache") || says("type"),
        // Never translated.
        Some(SqlState::INTERNAL_ERROR) => says("type"),
        _ => false,
    }
}

/// What a server says of a parameter whose type is another of the same name: no operator or function takes it, no
/// column stores it, it casts to nothing, or it is not there.
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

    /// The table of the retry rules; a code of one row is in no other.
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
        // What may have been committed, and what needs to be told apart or asked for.
        (
            None,
            &[
                "08007", "40003", "25006", "0A000", "XX000", "55P03", "55006",
            ],
        ),
    ];

    #[test]
    fn each_code_is_in_the_class_that_its_row_says() {
        for (class, codes) in TABLE {
            for code in *codes {
                let failure = Failure::of(SqlState::new(code).expect("five characters"));
                assert_eq!(failure.class(false), *class, "{code}");
            }
        }
    }

    #[test]
    fn a_stale_plan_is_known_in_whatever_language_the_server_speaks() {
        let refused = |message: &str, function: Option<&str>| {
            Error::from_server(ServerError {
                source_function: function.map(str::to_owned),
                ..ServerError::new(SqlState::FEATURE_NOT_SUPPORTED, message.to_owned())
            })
        };
        let german = "gecachter Plan darf den Ergebnistyp nicht \u{e4}ndern";
        assert!(made_stale(&refused(german, Some("RevalidateCachedQuery"))));
        assert!(made_stale(&refused(
            "cached plan must not change result type",
            None
        )));
        assert!(!made_stale(&refused(
            "DEFERRABLE is not supported here",
            Some("transformX")
        )));
    }

    #[test]
    fn what_may_have_been_committed_is_in_no_class() {
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
    fn a_code_that_means_several_things_is_in_a_class_only_where_it_means_that() {
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
