//! Errors from what libpq and the server say.

use std::collections::BTreeMap;

use super::command::unmet;
use super::libpq::{Field, ResultSet};
use crate::error::{Error, ServerError};
use crate::sqlstate::SqlState;
use crate::statement::wrong_count;

/// The error of an answer.
pub(super) fn server_error(result: &ResultSet, expired: bool) -> Error {
    let text = |field| result.error_field(field);
    let Some(sqlstate) = text(Field::SqlState).and_then(|code| SqlState::new(&code)) else {
        return Error::query(result.error_message());
    };
    let message = text(Field::Message).unwrap_or_default();
    if let Some((expected, found)) =
        unmet(&message).filter(|_| sqlstate == SqlState::INVALID_TEXT_REPRESENTATION)
    {
        return wrong_count(expected, usize::try_from(found).unwrap_or(usize::MAX));
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
        error.with_hint(
            "the call's deadline passed and the statement was cancelled: see Session::within and Config::call_timeout",
        )
    } else {
        error
    }
}

/// The same error with its position counted from behind what was put in front of the SQL.
pub(super) fn shift(error: Error, by: usize) -> Error {
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
    Error::from_server(server)
}

/// A text of libpq's without the password, which it may quote.
pub(super) fn without_secret(said: &str, secret: Option<&str>) -> String {
    match secret.filter(|secret| secret.len() >= 4) {
        Some(secret) => said.replace(secret, "***"),
        None => said.to_owned(),
    }
}

/// Where the parameters lead, for errors.
pub(super) fn address(parameters: &BTreeMap<String, String>) -> String {
    let get = |name: &str| parameters.get(name).map(String::as_str);
    match (get("host").or(get("hostaddr")), get("port")) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) => host.to_owned(),
        (None, _) => "the server".to_owned(),
    }
}

/// Why connecting failed, by what libpq says; it gives no SQLSTATE for this.
pub(super) fn connect_error(said: &str, at: &str, needs_password: bool) -> Error {
    let said = said.replace('\n', "; ");
    let hint = if needs_password {
        "give a password: in the connection string, in PGPASSWORD, or in ~/.pgpass"
    } else if said.contains("Connection refused") || said.contains("No such file") {
        "is the server running, and is this its address and port?"
    } else if said.contains("certificate")
        || said.contains("SSL")
        || said.contains("root certificate")
    {
        "a server elsewhere has to prove who it is (sslmode=verify-full): give its authority in sslrootcert, or choose another sslmode"
    } else {
        "look at the connection string"
    };
    Error::unavailable(format!("could not connect to {at}: {said}")).with_hint(hint)
}
