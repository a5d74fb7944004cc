//! Connects to a server, and explains why a connection failed.

mod addresses;
mod attempt;
mod encryption;
mod refusal;
mod resolve;

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Instant;

use crate::config::{Config, Parameters};
use crate::deadline::after;
use crate::error::{Error, Result, ServerError};
use crate::wire::driver::{DriveError, drive};
use crate::wire::executor::block_on;
use crate::wire::interrupt;
use crate::wire::libpq::{Connection, HostAddress};
use crate::wire::protocol::Connecting;
use addresses::Addresses;
use attempt::Attempt;
pub use encryption::{Encryption, client_libraries};
use refusal::RefusalReason;
use resolve::resolve;

/// Connects by the deadline, which includes the look-up of names.
pub(crate) fn connect(config: &Config, deadline: Instant) -> Result<Connection> {
    let parameters = config.connection_parameters()?;
    let at = address(&parameters.values);
    let with_address = |error: Error| error.with_context(format!("failed to connect to {at}"));
    let refuses = &config.refuses_client_check;
    if config.is_pooled() || refuses.load(Ordering::Relaxed) {
        return connect_by(config, parameters, &at, deadline).map_err(with_address);
    }
    match connect_by(config, with_client_check(parameters), &at, deadline) {
        // The server is older than 14, its system cannot check a socket, or the configuration does
        // not name the pooler.
        Err(error) if error.message().contains(CLIENT_CHECK) => {
            refuses.store(true, Ordering::Relaxed);
            connect_by(config, config.connection_parameters()?, &at, deadline)
        }
        connected => connected,
    }
    .map_err(with_address)
}

/// With this setting a server checks, while a statement runs, whether its client is still
/// connected.
const CLIENT_CHECK: &str = "client_connection_check_interval";

/// Makes the server end a statement within seconds once this process is gone. The user's own value
/// comes last, so it wins.
fn with_client_check(mut parameters: Parameters) -> Parameters {
    let options = parameters.values.entry("options".to_owned()).or_default();
    *options = format!("-c {CLIENT_CHECK}=5s {options}")
        .trim_end()
        .to_owned();
    parameters
}

fn connect_by(
    config: &Config,
    mut parameters: Parameters,
    at: &str,
    deadline: Instant,
) -> Result<Connection> {
    resolve(&mut parameters.values, deadline)?;
    let mut values = std::mem::take(&mut parameters.values);
    let prefers = Addresses::are_several(&values) && prefers(config);
    let mut addresses = Addresses::of(&values, prefers);
    // libpq's messages about addresses that were given up.
    let mut before = String::new();
    loop {
        let (connection, driven, address) = attempt(&values, &mut addresses, deadline)?;
        match driven {
            Ok(()) => {
                let mut connection = connection;
                connection.set_nonblocking().map_err(Error::unavailable)?;
                return Ok(connection);
            }
            Err(DriveError::Deadline) if interrupt::is_given_up() => {
                return Err(interrupt::given_up());
            }
            Err(DriveError::Deadline)
                if addresses.left(&address) > 1 && Instant::now() < deadline =>
            {
                let message = connection.message();
                before.push_str(&message);
                if !message.ends_with(" failed:") {
                    before.push_str(&format!("\nconnection to server {address} failed:"));
                }
                before.push_str(" no answer in time\n");
                addresses.give_up(&address);
                addresses.write(&mut values);
            }
            Err(DriveError::Deadline) => {
                return Err(Error::timeout(format!(
                    "no answer within {:?}",
                    config.connect_timeout
                ))
                .with_hint("is this the server's address, and does a firewall let it through? see Config::connect_timeout"));
            }
            Err(DriveError::Lost(message)) => {
                // A server can quote the password that it was given, also one from a password file.
                parameters.secrets.extend(connection.password());
                return Err(connect_error(
                    parameters
                        .without_secrets(&format!("{before}{message}"))
                        .trim_start(),
                    at,
                    &parameters,
                ));
            }
        }
    }
}

/// Tries the addresses in turn, each for its share of the time that is left; returns at the first
/// that does not answer.
///
/// If an address refuses, libpq moves on to the next one by itself. If an address does not answer,
/// only its blocking functions move on (PostgreSQL manual, 32.1.1.3, `connect_timeout`).
fn attempt(
    values: &BTreeMap<String, String>,
    addresses: &mut Addresses,
    deadline: Instant,
) -> Result<(Connection, std::result::Result<(), DriveError>, HostAddress)> {
    let values: Vec<_> = values
        .iter()
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let unreadable = |message: String| Error::config(message, refusal::UNREADABLE.remedy);
    let mut connection = Connection::start(&values).map_err(unreadable)?;
    if connection.is_refused() {
        let (message, address) = (connection.message(), connection.address());
        return Ok((connection, Err(DriveError::Lost(message)), address));
    }
    let mut connecting = Connecting::new(&mut connection, interrupt::current());
    let driven = loop {
        let address = connecting.address().clone();
        let left = deadline.saturating_duration_since(Instant::now());
        let share = left / addresses.left(&address);
        match block_on(drive(&mut connecting, after(share).min(deadline))) {
            Ok(()) if connecting.goes_on() => addresses.tried(address),
            ended => break ended,
        }
    };
    let address = connecting.address().clone();
    Ok((connection, driven, address))
}

/// Returns whether addresses that were tried may be tried again, in a second pass that accepts more
/// servers.
fn prefers(config: &Config) -> bool {
    let complete = config.complete_parameters().unwrap_or_default();
    let wanted = complete.get("target_session_attrs");
    wanted.is_some_and(|wanted| wanted == "prefer-standby")
}

/// Returns the address of the parameters, for errors.
fn address(parameters: &BTreeMap<String, String>) -> String {
    let get = |name: &str| parameters.get(name).map(|value| value.split(','));
    let Some(hosts) = get("host").or(get("hostaddr")) else {
        return "the server on this machine".to_owned();
    };
    let ports: Vec<_> = get("port").into_iter().flatten().collect();
    let servers = hosts.enumerate().map(|(index, host)| {
        let port = ports.get(index).or(ports.first()).unwrap_or(&"");
        match (host.starts_with('/'), *port) {
            (true, "") => format!("{host}/.s.PGSQL.5432"),
            (true, port) => format!("{host}/.s.PGSQL.{port}"),
            (false, "") => host.to_owned(),
            (false, port) => format!("{host}:{port}"),
        }
    });
    servers.collect::<Vec<_>>().join(", ")
}

/// Returns the error of a failed connect, by libpq's message.
fn connect_error(message: &str, at: &str, parameters: &Parameters) -> Error {
    if message.trim().is_empty() {
        return without_socket();
    }
    let attempts = Attempt::all(message);
    let Some(decisive) = Attempt::decisive(&attempts) else {
        return refused(
            before_any_server(message),
            attempt::one_line(message),
            None,
            at,
        );
    };
    let server = decisive.server.clone();
    let refusal = match &server {
        Some(server) => refusal::by_code(server.sqlstate.code(), &server.message),
        None => refusal::by_words(&decisive.reason),
    };
    let mut reason = decisive.among(&attempts);
    let has_no_local_server = refusal.no_server && parameters.here_by_default;
    if has_no_local_server {
        reason = format!("{}: {reason}", decisive.server_address);
    }
    let error = refused(refusal, reason, server, at);
    if has_no_local_server {
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

/// Returns the error if libpq has no message. It has none if it gets no socket, for instance
/// because this process has too many open files; so the kernel is asked for a socket again.
fn without_socket() -> Error {
    use rustix::net::{AddressFamily, SocketType, socket};
    let why = match socket(AddressFamily::UNIX, SocketType::STREAM, None) {
        Err(error) => error.to_string(),
        Ok(_) => "libpq reports no reason".to_owned(),
    };
    Error::unavailable(format!("could not open a socket: {why}")).with_hint(
        "check how many files this process has open, their limit (ulimit -n), and Config::max_size",
    )
}

/// Explains why the server has to prove more than by libpq's own default.
const BY_DEFAULT: &str = "no sslmode was given and the server is on another host, so sslmode=verify-full and \
                          sslrootcert=system are used: set others in the connection string";

/// Explains why a Unix socket was tried.
const NO_HOST: &str = "no host was given, so a server on this machine is meant: name the host, in the connection string \
                       (postgres://user@host:5432/database) or in PGHOST, or start a server here";

/// Returns the reason of a failure before any server was tried. A name that could not be looked up
/// may exist later; a parameter that libpq refuses stays wrong.
fn before_any_server(message: &str) -> &'static RefusalReason {
    if message.starts_with("could not translate host name") {
        refusal::by_words(message)
    } else {
        &refusal::UNREADABLE
    }
}

fn refused(
    refusal: &RefusalReason,
    message: String,
    server: Option<ServerError>,
    at: &str,
) -> Error {
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

    fn error(message: &str) -> Error {
        let parameters = Config::new()
            .connection_parameters()
            .expect("they are good");
        connect_error(message, "db:5432", &parameters)
    }

    #[test]
    fn the_last_server_decides_whether_an_error_is_permanent() {
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
    fn a_parameter_that_libpq_refuses_is_a_permanent_error() {
        let error = error("invalid sslmode value: \"often\"");
        assert!(error.is_permanent(), "{error}");
    }
}
