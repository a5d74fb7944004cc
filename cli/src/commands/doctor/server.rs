//! The connection: looking up host names, connecting, and the server's version.

use std::net::{IpAddr, ToSocketAddrs};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use bowline::{Config, Session};

use super::finding::Finding;
use crate::connection::names_pooler;
use crate::project::Project;

pub(super) const AREA: &str = "server";

/// The time limit for each lookup and each query.
const LIMIT: Duration = Duration::from_secs(5);

/// A connection to the server.
pub(super) struct Connected {
    pub(super) session: Session,
    pub(super) config: Config,
}

/// Looks up the addresses of host names. A name without an address is reported by the connection
/// attempt.
pub(super) fn names(config: &Config) -> Vec<Finding> {
    let parameters = config.parameters().unwrap_or_default();
    if parameters.contains_key("hostaddr") {
        return Vec::new();
    }
    let hosts = parameters.get("host").cloned().unwrap_or_default();
    let is_name = |host: &&str| {
        !host.is_empty() && !host.starts_with(['/', '@']) && host.parse::<IpAddr>().is_err()
    };
    let found = hosts.split(',').filter(is_name).filter_map(|host| {
        let began = Instant::now();
        let addresses = addresses(host)?.join(", ");
        let took = began.elapsed();
        Some(Finding::ok(
            AREA,
            format!("{host} is {addresses}, looked up in {took:.0?}"),
        ))
    });
    found.collect()
}

fn addresses(host: &str) -> Option<Vec<String>> {
    let (sender, receiver) = mpsc::channel();
    let host = host.to_owned();
    // A lookup cannot be interrupted, so at the limit the thread is abandoned.
    thread::spawn(move || {
        let found = (host.as_str(), 0).to_socket_addrs();
        let addresses = found.map(|found| {
            let mut addresses: Vec<String> =
                found.map(|address| address.ip().to_string()).collect();
            addresses.dedup();
            addresses
        });
        // Fails if the receiver has stopped waiting at the limit.
        sender.send(addresses.ok()).ok();
    });
    receiver.recv_timeout(LIMIT).ok().flatten()
}

/// Connects, also through a pooler that refuses start-up options.
pub(super) fn check(config: &Config) -> (Vec<Finding>, Option<Connected>) {
    let began = Instant::now();
    let error = match Session::connect(config) {
        Ok(session) => return connected(session, config.clone(), began.elapsed()),
        Err(error) => error,
    };
    let through_pooler = config.clone().pooler(true);
    let is_pooled = names_pooler(&error);
    let mut findings = vec![Finding::problem(AREA, error.into())];
    if is_pooled && let Ok(session) = Session::connect(&through_pooler) {
        let (more, connected) = connected(session, through_pooler, began.elapsed());
        findings.extend(more);
        return (findings, connected);
    }
    (findings, None)
}

fn connected(
    mut session: Session,
    config: Config,
    took: Duration,
) -> (Vec<Finding>, Option<Connected>) {
    session.set_timeout(LIMIT);
    let version = session.server_version();
    let name = format!("PostgreSQL {}.{}", version / 10_000, version % 10_000);
    let mut findings = vec![Finding::ok(
        AREA,
        format!("{name}, connected in {took:.0?}"),
    )];
    if version < 150_000 {
        findings.push(Finding::warning(
            AREA,
            format!("{name} is older than the versions that Bowline is tested with"),
            "upgrade to PostgreSQL 15 or later",
        ));
    }
    (findings, Some(Connected { session, config }))
}

/// Compares the version of the server with the one that queries are checked for.
pub(super) fn version(connected: &Connected, project: Option<&Project>) -> Vec<Finding> {
    let version = connected.session.server_version() / 10_000;
    let checked = project.and_then(|project| project.settings.postgres);
    match checked.and_then(|checked| u32::try_from(version).ok().map(|found| (checked, found))) {
        Some((checked, found)) if found < checked => vec![Finding::warning(
            AREA,
            format!(
                "queries are checked for PostgreSQL {checked}, and the server is of version {found}"
            ),
            format!("set postgres = \"{found}\" in bowline.toml"),
        )],
        _ => Vec::new(),
    }
}
