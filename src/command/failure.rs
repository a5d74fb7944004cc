//! Creates errors from the messages of libpq and of the server.

use super::row_count::{changed_version, unmet_expectation, wrong_count};
use crate::error::{Error, ServerError};
use crate::sqlstate::SqlState;
use crate::wire::libpq::{Field, ResultSet};

/// Returns the error of an answer.
pub(crate) fn server_error(result: &ResultSet, expired: bool) -> Error {
    let text = |field| result.error_field(field);
    let Some(sqlstate) = text(Field::SqlState).and_then(|code| SqlState::new(&code)) else {
        return Error::query(result.error_message());
    };
    let message = text(Field::Message).unwrap_or_default();
    // The checks of generated SQL fail by a text that is no number.
    if sqlstate == SqlState::INVALID_TEXT_REPRESENTATION {
        if let Some((expected, found)) = unmet_expectation(&message) {
            return wrong_count(expected, usize::try_from(found).unwrap_or(usize::MAX));
        }
        if let Some(changed) = changed_version(&message) {
            return changed;
        }
    }
    let number = |field| text(field).and_then(|number| number.parse().ok());
    let error = Error::from_server(ServerError {
        severity: text(Field::Severity).unwrap_or_default(),
        detail: text(Field::Detail),
        hint: text(Field::Hint),
        position: number(Field::Position),
        internal_position: number(Field::InternalPosition),
        internal_query: text(Field::InternalQuery),
        context: text(Field::Context),
        schema: text(Field::Schema),
        table: text(Field::Table),
        column: text(Field::Column),
        data_type: text(Field::DataType),
        constraint: text(Field::Constraint),
        source_file: text(Field::SourceFile),
        source_line: text(Field::SourceLine).and_then(|line| line.parse().ok()),
        source_function: text(Field::SourceFunction),
        ..ServerError::new(sqlstate, message)
    });
    if expired {
        error
            .with_context("the deadline of the call passed")
            .with_hint("see Session::set_timeout and Config::call_timeout")
    } else {
        error
    }
}

/// Returns the error for rows that were discarded, because they arrived after the deadline. The
/// statement itself has succeeded.
pub(crate) fn rows_too_late() -> Error {
    Error::timeout("the last rows arrived after the deadline of the call")
        .with_hint("give each step more time: see Session::set_timeout and Config::call_timeout")
}

/// Subtracts the length of the text before the caller's SQL from the position of an error. All
/// other facts stay.
pub(crate) fn shift(error: Error, by: usize) -> Error {
    let Some(server) = error
        .server()
        .filter(|server| by > 0 && server.position.is_some())
    else {
        return error;
    };
    let server = ServerError {
        position: server
            .position
            .and_then(|position| position.checked_sub(by)),
        ..server.clone()
    };
    error.with_server(server)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Outcome;

    #[test]
    fn a_shift_changes_the_position_only() {
        let server = ServerError {
            position: Some(20),
            ..ServerError::new(SqlState::SYNTAX_ERROR, "syntax error".to_owned())
        };
        let error = Error::from_server(server)
            .with_hint("a hint")
            .with_context("failed to run it")
            .with_outcome(Outcome::Unknown)
            .with_sql("SELECT".into())
            .with_statement(2, 3)
            .with_row(7);
        let whole = format!("{error}");
        let error = shift(error, 13);
        assert_eq!(error.position(), Some(7));
        assert_eq!(error.hint(), Some("a hint"));
        assert_eq!(error.outcome(), Outcome::Unknown);
        assert_eq!(error.sql(), Some("SELECT"));
        assert_eq!(
            error.statement_index().map(|it| (it.index, it.total)),
            Some((1, 3))
        );
        assert_eq!(error.row(), Some(7));
        assert_eq!(format!("{error}"), whole);
    }

    #[test]
    fn a_position_within_a_prefix_is_dropped() {
        let server = ServerError {
            position: Some(5),
            ..ServerError::new(SqlState::SYNTAX_ERROR, "syntax error".to_owned())
        };
        assert_eq!(shift(Error::from_server(server), 13).position(), None);
    }
}
