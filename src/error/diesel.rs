//! Converts between diesel's error type and this crate's.
//!
//! diesel's type cannot hold the SQLSTATE, the outcome or the SQL. So an error that is returned
//! through one of diesel's traits is remembered here. When it is converted back, for instance by
//! `?` in a transaction, those facts are restored. An error is remembered only as long as the
//! diesel error lives, and only a few dozen at once. An error that is not found is classified by
//! what diesel's type holds.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use diesel::result::{
    DatabaseErrorInformation, DatabaseErrorKind, EmptyChangeset, Error as DieselError,
};

use super::{Error, ErrorKind, Outcome, ServerError};
use crate::sqlstate::{SqlState, SqlStateClass};

/// The information in a `diesel::result::Error` that this crate created.
pub(crate) struct DieselReport(Arc<Carried>);

struct Carried {
    message: String,
    server: Option<Arc<ServerError>>,
    error: Mutex<Option<Error>>,
}

/// The errors that exist as diesel's type now, the latest last.
static CARRIED: Mutex<VecDeque<Weak<Carried>>> = Mutex::new(VecDeque::new());
const REMEMBERED: usize = 64;

/// The message if there is no row and one was expected.
pub(crate) const NO_ROW: &str = "no row found";

impl From<Error> for DieselError {
    /// Converts to diesel's type; converting that back to [`Error`] restores all facts.
    fn from(error: Error) -> Self {
        match error.kind() {
            ErrorKind::NotFound => Self::NotFound,
            ErrorKind::Decode => Self::DeserializationError(Box::new(error)),
            ErrorKind::Query if error.server().is_none() && unsent(&error).is_none() => {
                builder_error(error)
            }
            _ => {
                let kind = kind(&error);
                let carried = Arc::new(Carried {
                    message: error.message().to_owned(),
                    server: error.shared_server().cloned(),
                    error: Mutex::new(Some(error)),
                });
                remember(&carried);
                Self::DatabaseError(kind, Box::new(DieselReport(carried)))
            }
        }
    }
}

impl From<DieselError> for Error {
    /// Restores an error of this crate, and classifies any other by what diesel's type holds.
    fn from(error: DieselError) -> Self {
        match error {
            DieselError::NotFound => Self::new(ErrorKind::NotFound, NO_ROW),
            DieselError::DatabaseError(kind, information) => {
                recall(&*information).unwrap_or_else(|| classify(&kind, &*information))
            }
            DieselError::DeserializationError(source) => match source.downcast::<Self>() {
                Ok(error) => *error,
                Err(source) => Self::decode(source),
            },
            DieselError::QueryBuilderError(source) | DieselError::SerializationError(source) => {
                match source.downcast::<Self>() {
                    Ok(error) => *error,
                    Err(source) => Self::query(source.to_string()).with_source_in_message(source),
                }
            }
            DieselError::RollbackErrorOnCommit { commit_error, .. } => Self::from(*commit_error),
            DieselError::BrokenTransactionManager => {
                Self::unavailable("the transaction was lost by an earlier failure")
                    .with_hint("take a new session from the pool")
            }
            other => {
                let message = other.to_string();
                Self::query(message).with_source_in_message(Box::new(other))
            }
        }
    }
}

impl DatabaseErrorInformation for DieselReport {
    fn message(&self) -> &str {
        &self.0.message
    }

    fn details(&self) -> Option<&str> {
        self.0.server.as_ref()?.detail.as_deref()
    }

    fn hint(&self) -> Option<&str> {
        self.0.server.as_ref()?.hint.as_deref()
    }

    fn table_name(&self) -> Option<&str> {
        self.0.server.as_ref()?.table.as_deref()
    }

    fn column_name(&self) -> Option<&str> {
        self.0.server.as_ref()?.column.as_deref()
    }

    fn constraint_name(&self) -> Option<&str> {
        self.0.server.as_ref()?.constraint.as_deref()
    }

    fn statement_position(&self) -> Option<i32> {
        self.0
            .server
            .as_ref()?
            .position
            .and_then(|position| i32::try_from(position).ok())
    }
}

impl fmt::Debug for DieselReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0.message, f)
    }
}

impl Error {
    /// Returns the error of a query that cannot be sent at all; diesel's own connection would
    /// report this kind.
    pub(crate) fn unsent(kind: DatabaseErrorKind, message: String) -> Self {
        let source = DieselError::DatabaseError(kind, Box::new(message.clone()));
        Self::query(message).with_source_in_message(Box::new(source))
    }
}

/// Returns the kind that was passed to [`Error::unsent`].
fn unsent(error: &Error) -> Option<DatabaseErrorKind> {
    match error.0.source.as_ref()?.downcast_ref()? {
        DieselError::DatabaseError(kind, _) => Some(*kind),
        _ => None,
    }
}

/// Converts a query builder error; an empty changeset stays diesel's error, so that diesel
/// recognizes it.
fn builder_error(error: Error) -> DieselError {
    let source = error.0.source.as_ref();
    if source.is_some_and(|source| source.is::<EmptyChangeset>()) {
        DieselError::QueryBuilderError(Box::new(EmptyChangeset))
    } else {
        DieselError::QueryBuilderError(Box::new(error))
    }
}

fn remember(carried: &Arc<Carried>) {
    let mut under_way = CARRIED.lock().unwrap_or_else(PoisonError::into_inner);
    under_way.retain(|earlier| earlier.strong_count() > 0);
    if under_way.len() == REMEMBERED {
        under_way.pop_front();
    }
    under_way.push_back(Arc::downgrade(carried));
}

/// Returns the error that this information belongs to, if this crate created it.
///
/// diesel's trait cannot be downcast, but the address of the message identifies it: while
/// `information` lives, nothing else can be at that address.
fn recall(information: &dyn DatabaseErrorInformation) -> Option<Error> {
    let address = information.message().as_ptr();
    let mut under_way = CARRIED.lock().unwrap_or_else(PoisonError::into_inner);
    let index = under_way.iter().position(|carried| {
        carried.upgrade().is_some_and(|carried| {
            carried.message.as_ptr() == address && !carried.message.is_empty()
        })
    })?;
    let carried = under_way.remove(index)?.upgrade()?;
    let mut error = carried.error.lock().unwrap_or_else(PoisonError::into_inner);
    error.take()
}

/// Returns diesel's kind for an error, as diesel's own connection would choose it.
fn kind(error: &Error) -> DatabaseErrorKind {
    match error.sqlstate() {
        Some(SqlState::UNIQUE_VIOLATION) => DatabaseErrorKind::UniqueViolation,
        Some(SqlState::FOREIGN_KEY_VIOLATION) => DatabaseErrorKind::ForeignKeyViolation,
        Some(SqlState::NOT_NULL_VIOLATION) => DatabaseErrorKind::NotNullViolation,
        Some(SqlState::CHECK_VIOLATION) => DatabaseErrorKind::CheckViolation,
        Some(SqlState::RESTRICT_VIOLATION) => DatabaseErrorKind::RestrictViolation,
        Some(SqlState::EXCLUSION_VIOLATION) => DatabaseErrorKind::ExclusionViolation,
        Some(SqlState::SERIALIZATION_FAILURE) => DatabaseErrorKind::SerializationFailure,
        Some(SqlState::READ_ONLY_SQL_TRANSACTION) => DatabaseErrorKind::ReadOnlyTransaction,
        Some(state) if state.class() == SqlStateClass::CONNECTION_EXCEPTION => {
            DatabaseErrorKind::ClosedConnection
        }
        None if error.kind() == ErrorKind::Unavailable => DatabaseErrorKind::ClosedConnection,
        None => unsent(error).unwrap_or(DatabaseErrorKind::Unknown),
        Some(_) => DatabaseErrorKind::Unknown,
    }
}

fn classify(kind: &DatabaseErrorKind, information: &dyn DatabaseErrorInformation) -> Error {
    let message = information.message().to_owned();
    let sqlstate = match kind {
        DatabaseErrorKind::UniqueViolation => SqlState::UNIQUE_VIOLATION,
        DatabaseErrorKind::ForeignKeyViolation => SqlState::FOREIGN_KEY_VIOLATION,
        DatabaseErrorKind::NotNullViolation => SqlState::NOT_NULL_VIOLATION,
        DatabaseErrorKind::CheckViolation => SqlState::CHECK_VIOLATION,
        DatabaseErrorKind::RestrictViolation => SqlState::RESTRICT_VIOLATION,
        DatabaseErrorKind::ExclusionViolation => SqlState::EXCLUSION_VIOLATION,
        DatabaseErrorKind::SerializationFailure => SqlState::SERIALIZATION_FAILURE,
        DatabaseErrorKind::ReadOnlyTransaction => SqlState::READ_ONLY_SQL_TRANSACTION,
        DatabaseErrorKind::ClosedConnection => {
            return Error::unavailable(message).with_outcome(Outcome::Unknown);
        }
        _ => return Error::query(message),
    };
    let owned = |text: Option<&str>| text.map(str::to_owned);
    Error::from_server(ServerError {
        detail: owned(information.details()),
        hint: owned(information.hint()),
        position: information
            .statement_position()
            .and_then(|position| usize::try_from(position).ok()),
        table: owned(information.table_name()),
        column: owned(information.column_name()),
        constraint: owned(information.constraint_name()),
        ..ServerError::new(sqlstate, message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deadlock() -> Error {
        Error::from_server(ServerError::new(
            SqlState::DEADLOCK_DETECTED,
            "deadlock detected".to_owned(),
        ))
        .with_sql("select 1".into())
    }

    #[test]
    fn an_error_passed_through_diesel_keeps_sqlstate_and_sql() {
        let back = Error::from(DieselError::from(deadlock()));
        assert_eq!(back.sqlstate(), Some(SqlState::DEADLOCK_DETECTED));
        assert_eq!(back.sql(), Some("select 1"));
    }

    #[test]
    fn an_error_passed_through_diesel_is_found_on_any_thread() {
        let kept: Vec<_> = (0..20).map(|_| DieselError::from(deadlock())).collect();
        let back =
            std::thread::spawn(move || kept.into_iter().map(Error::from).collect::<Vec<_>>())
                .join()
                .expect("no panic");
        assert!(
            back.iter()
                .all(|error| error.sqlstate() == Some(SqlState::DEADLOCK_DETECTED))
        );
    }

    #[test]
    fn an_error_of_diesels_own_is_classified_by_its_kind() {
        let error = DieselError::DatabaseError(
            DatabaseErrorKind::UniqueViolation,
            Box::new("taken".to_owned()),
        );
        assert_eq!(Error::from(error).kind(), ErrorKind::Constraint);
    }
}
