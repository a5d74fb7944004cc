//! Connecting, and what is said when it fails.

use std::collections::BTreeMap;
use std::time::Instant;

use super::attempt::{self, Attempt};
use super::dialogue::Connecting;
use super::driver::{Stopped, drive};
use super::interrupt;
use super::libpq::Connection;
use super::refusal::{self, Refusal};
use super::resolve::resolve;
use crate::config::{Config, Parameters};
use crate::error::{Error, Result, ServerError};

/// Connects by the deadline, the look-up of names included.
pub(super) fn connect(config: &Config, deadline: Instant) -> Result<Connection> {
    let parameters = config.connection_parameters()?;
    let at = address(&parameters.said);
    connect_by(config, parameters, &at, deadline)
        .map_err(|error| error.with_intent(format!("connect to {at}")))
}

fn connect_by(
    config: &Config,
    mut parameters: Parameters,
    at: &str,
    deadline: Instant,
) -> Result<Connection> {
    resolve(&mut parameters.said, deadline)?;
    let said: Vec<_> = std::mem::take(&mut parameters.said).into_iter().collect();
    let unreadable = |said: String| Error::config(said, refusal::UNREADABLE.remedy);
    let mut connection = Connection::start(&said).map_err(unreadable)?;
    let driven = if connection.is_refused() {
        Err(Stopped::Lost(connection.message()))
    } else {
        drive(
            &mut Connecting::new(&mut connection, interrupt::current()),
            deadline,
        )
    };
    match driven {
        Ok(()) => {}
        Err(Stopped::Deadline) if interrupt::is_given_up() => return Err(interrupt::given_up()),
        Err(Stopped::Deadline) => {
            return Err(Error::timeout(format!(
                "no answer within {:?}",
                config.connect_timeout
            ))
            .with_hint("is this the server's address, and does a firewall let it through? see Config::connect_timeout"));
        }
        Err(Stopped::Lost(said)) => {
            // A server can quote the password that it was given, also one from a file of passwords.
            parameters.secrets.extend(connection.password());
            return Err(connect_error(
                &parameters.without_secrets(&said),
                at,
                &parameters,
            ));
        }
    }
    connection.set_nonblocking().map_err(Error::unavailable)?;
    Ok(connection)
}

/// Where the parameters lead, for errors.
fn address(parameters: &BTreeMap<String, String>) -> String {
    let get = |name: &str| parameters.get(name).map(|value| value.split(','));
    let Some(hosts) = get("host").or(get("hostaddr")) else {
        return "the server on this machine".to_owned();
    };
    let ports: Vec<_> = get("port").into_iter().flatten().collect();
    let places = hosts.enumerate().map(|(index, host)| {
        let port = ports.get(index).or(ports.first()).unwrap_or(&"");
        match (host.starts_with('/'), *port) {
            (true, "") => format!("{host}/.s.PGSQL.5432"),
            (true, port) => format!("{host}/.s.PGSQL.{port}"),
            (false, "") => host.to_owned(),
            (false, port) => format!("{host}:{port}"),
        }
    });
    places.collect::<Vec<_>>().join(", ")
}

/// Why connecting failed, by what libpq says.
fn connect_error(said: &str, at: &str, parameters: &Parameters) -> Error {
    if said.trim().is_empty() {
        return without_socket();
    }
    let attempts = Attempt::all(said);
    let Some(decisive) = Attempt::decisive(&attempts) else {
        return refused(before_any_server(said), attempt::one_line(said), None, at);
    };
    let server = decisive.server.clone();
    let refusal = match &server {
        Some(server) => refusal::by_code(server.sqlstate.code(), &server.message),
        None => refusal::by_words(&decisive.told),
    };
    let mut told = decisive.among(&attempts);
    let is_nobody_here = refusal.nobody && parameters.here_by_default;
    if is_nobody_here {
        told = format!("{}: {told}", decisive.place);
    }
    let error = refused(refusal, told, server, at);
    if is_nobody_here {
        error.with_hint(NO_HOST)
    } else if refusal.tls && parameters.proof_by_default {
        error.with_hint(format!(
            "{}; {BY_DEFAULT}",
            refusal.remedy.replace("HOST:PORT", at)
        ))
    } else {
        error
    }
}

/// libpq says nothing if the kernel gives it no socket, as when this process has too many files open; so the kernel is
/// asked again.
fn without_socket() -> Error {
    use rustix::net::{AddressFamily, SocketType, socket};
    let why = match socket(AddressFamily::UNIX, SocketType::STREAM, None) {
        Err(error) => error.to_string(),
        Ok(_) => "libpq does not say why".to_owned(),
    };
    Error::unavailable(format!("there was no socket for it: {why}")).with_hint(
        "look at how many files this process has open, at their limit (ulimit -n), and at Config::max_size",
    )
}

/// Why a server is asked for more than by libpq's own default.
const BY_DEFAULT: &str = "no sslmode was given and the server is elsewhere, so sslmode=verify-full and \
                          sslrootcert=system are meant: say otherwise in the connection string";

/// Why a socket was tried.
const NO_HOST: &str = "no host was given, so a server on this machine is meant: name the host, in the connection string \
                       (postgres://user@host:5432/database) or in PGHOST, or start a server here";

/// A name that libpq itself could not look up may be there later; a parameter that it refuses stays wrong.
fn before_any_server(said: &str) -> &'static Refusal {
    if said.starts_with("could not translate host name") {
        refusal::by_words(said)
    } else {
        &refusal::UNREADABLE
    }
}

fn refused(refusal: &Refusal, message: String, server: Option<ServerError>, at: &str) -> Error {
    let remedy = refusal.remedy.replace("HOST:PORT", at);
    let error = if refusal.permanent {
        Error::config(message, remedy)
    } else {
        Error::unavailable(message).with_hint(remedy)
    };
    match server {
        Some(server) => error.with_server(server),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(said: &str) -> Error {
        let parameters = Config::new()
            .connection_parameters()
            .expect("they are good");
        connect_error(said, "db:5432", &parameters)
    }

    #[test]
    fn whether_it_lasts_is_as_the_last_server_has_it() {
        let down = "connection to server at \"::1\", port 5432 failed: Connection refused\n\tIs the server running?\n";
        let wrong = "connection to server at \"127.0.0.1\", port 5432 failed: FATAL:  28P01: password authentication failed\n";
        assert!(error(&format!("{down}{wrong}")).is_permanent());
        let error = error(&format!("{wrong}{down}"));
        assert!(
            !error.is_permanent() && error.sqlstate().is_none(),
            "{error}"
        );
    }

    #[test]
    fn a_parameter_that_libpq_refuses_is_to_be_mended() {
        let error = error("invalid sslmode value: \"often\"");
        assert!(error.is_permanent(), "{error}");
    }
}
