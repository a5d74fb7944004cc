//! Connecting, and what is said when it fails.

use std::collections::BTreeMap;
use std::time::Instant;

use super::dialogue::Connecting;
use super::driver::{Stopped, drive};
use super::libpq::Connection;
use super::refusal::{self, Refusal};
use super::resolve::resolve;
use crate::config::Config;
use crate::error::{Error, Result, ServerError};
use crate::sqlstate::SqlState;

/// Connects by the deadline, the look-up of names included.
pub(super) fn connect(config: &Config, deadline: Instant) -> Result<Connection> {
    let mut parameters = config.connection_parameters()?;
    let at = address(&parameters.said);
    resolve(&mut parameters.said, deadline)?;
    let said: Vec<_> = std::mem::take(&mut parameters.said).into_iter().collect();
    let unreadable = |said: String| Error::config(said, refusal::UNREADABLE.remedy);
    let mut connection = Connection::start(&said).map_err(unreadable)?;
    let driven = if connection.is_refused() {
        Err(Stopped::Lost(connection.message()))
    } else {
        drive(&mut Connecting::new(&mut connection), deadline)
    };
    match driven {
        Ok(()) => {}
        Err(Stopped::Deadline) => {
            return Err(Error::timeout(format!(
                "connecting to {at} took longer than {:?}",
                config.connect_timeout
            ))
            .with_hint("is this the server's address, and does a firewall let it through? see Config::connect_timeout"));
        }
        Err(Stopped::Lost(said)) => {
            // A server can quote the password that it was given, also one from a file of passwords.
            parameters.secrets.extend(connection.password());
            return Err(connect_error(
                &parameters.without_secrets(&said),
                &at,
                parameters.proof_by_default,
            ));
        }
    }
    connection.set_nonblocking().map_err(Error::unavailable)?;
    Ok(connection)
}

/// Where the parameters lead, for errors.
fn address(parameters: &BTreeMap<String, String>) -> String {
    let get = |name: &str| parameters.get(name).map(String::as_str);
    match (get("host").or(get("hostaddr")), get("port")) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) => host.to_owned(),
        (None, _) => "the server".to_owned(),
    }
}

/// How libpq begins to tell of each server that it tried.
const ATTEMPT: &str = "connection to server ";

/// Why connecting failed, by what libpq says.
///
/// It tries servers and addresses in turn until one is there, so the last one decides.
fn connect_error(said: &str, at: &str, proof_by_default: bool) -> Error {
    if said.trim().is_empty() {
        return without_socket(at);
    }
    let Some((earlier, last)) = said.rsplit_once(ATTEMPT) else {
        let refusal = by_words_before_any_server(said);
        return refused(
            refusal,
            format!("could not connect to {at}: {}", one_line(said)),
            None,
        );
    };
    let reason = last
        .split_once(" failed: ")
        .map_or(last, |(_, reason)| reason);
    let server = server_error(reason);
    let refusal = match &server {
        Some(server) => refusal::by_code(server.sqlstate.code()),
        None => refusal::by_words(reason),
    };
    let told = match &server {
        _ if !earlier.trim().is_empty() => one_line(said),
        Some(server) => server.message.clone(),
        None => one_line(reason),
    };
    let message = format!("could not connect to {at}: {told}");
    let error = refused(refusal, message, server);
    if refusal.tls && proof_by_default {
        error.with_hint(format!("{}; {BY_DEFAULT}", refusal.remedy))
    } else {
        error
    }
}

/// libpq says nothing if the kernel gives it no socket, as when this process has too many files open; so the kernel is
/// asked again.
fn without_socket(at: &str) -> Error {
    use rustix::net::{AddressFamily, SocketType, socket};
    let why = match socket(AddressFamily::UNIX, SocketType::STREAM, None) {
        Err(error) => error.to_string(),
        Ok(_) => "libpq does not say why".to_owned(),
    };
    Error::unavailable(format!(
        "could not connect to {at}: there was no socket for it: {why}"
    ))
    .with_hint(
        "look at how many files this process has open, at their limit (ulimit -n), and at Config::max_size",
    )
}

/// Why a server is asked for more than by libpq's own default.
const BY_DEFAULT: &str = "no sslmode was given and the server is elsewhere, so sslmode=verify-full and \
                          sslrootcert=system are meant: say otherwise in the connection string";

/// A name that libpq itself could not look up may be there later; a parameter that it refuses stays wrong.
fn by_words_before_any_server(said: &str) -> &'static Refusal {
    if said.starts_with("could not translate host name") {
        refusal::by_words(said)
    } else {
        &refusal::UNREADABLE
    }
}

fn refused(refusal: &Refusal, message: String, server: Option<ServerError>) -> Error {
    let error = if refusal.permanent {
        Error::config(message, refusal.remedy)
    } else {
        Error::unavailable(message).with_hint(refusal.remedy)
    };
    match server {
        Some(server) => error.with_server(server),
        None => error,
    }
}

/// What a server said, from libpq's verbose text: `FATAL:  28P01: message`, then lines with a label.
fn server_error(reason: &str) -> Option<ServerError> {
    let mut lines = reason.lines();
    let (severity, rest) = lines.next()?.split_once(":  ")?;
    let (code, message) = rest.split_once(": ")?;
    let mut error = ServerError {
        severity: severity.to_owned(),
        ..ServerError::new(SqlState::new(code)?, message.to_owned())
    };
    for line in lines {
        match line.split_once(":  ") {
            Some(("DETAIL", detail)) => error.detail = Some(detail.to_owned()),
            Some(("HINT", hint)) => error.hint = Some(hint.to_owned()),
            Some(("LOCATION", _)) => {}
            // libpq's own remark: which file the password was taken from.
            _ => error.message.push_str(&format!("; {}", line.trim())),
        }
    }
    Some(error)
}

/// Several lines as one, without the places in PostgreSQL's source.
fn one_line(said: &str) -> String {
    let lines: Vec<_> = said
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with("LOCATION:  "))
        .collect();
    lines.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_of_a_refusal_is_read_from_libpqs_text() {
        let error = connect_error(
            "connection to server at \"10.0.0.1\", port 5432 failed: FATAL:  3D000: database \"x\" does not exist\n\
             DETAIL:  It was dropped.\nLOCATION:  InitPostgres, postinit.c:950",
            "db:5432",
            false,
        );
        assert_eq!(error.sqlstate(), Some(SqlState::INVALID_CATALOG_NAME));
        assert_eq!(
            error.message(),
            "could not connect to db:5432: database \"x\" does not exist"
        );
        assert_eq!(error.detail(), Some("It was dropped."));
        assert!(error.is_permanent());
    }

    #[test]
    fn of_several_servers_the_last_decides() {
        let down = "connection to server at \"::1\", port 5432 failed: Connection refused\n\tIs the server running?\n";
        let wrong = "connection to server at \"127.0.0.1\", port 5432 failed: FATAL:  28P01: password authentication failed\n";
        let error = connect_error(&format!("{down}{wrong}"), "localhost:5432", false);
        assert!(
            error.is_permanent() && error.message().contains("refused"),
            "{error}"
        );
        let error = connect_error(&format!("{wrong}{down}"), "localhost:5432", false);
        assert!(
            !error.is_permanent() && error.sqlstate().is_none(),
            "{error}"
        );
    }

    #[test]
    fn a_parameter_that_libpq_refuses_is_to_be_mended() {
        let error = connect_error("invalid sslmode value: \"often\"", "db", false);
        assert!(error.is_permanent(), "{error}");
    }
}
