//! Host names to addresses, within a deadline.
//!
//! libpq's own look-up of names blocks without a limit, and `connect_timeout` does not cover it. So
//! names are looked up here, on a thread that is abandoned when the deadline passes, and libpq gets
//! addresses. It also gets the names, which certificates are checked against.

use std::collections::BTreeMap;
use std::net::{IpAddr, ToSocketAddrs};
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use crate::error::{Error, Result};

/// Adds `hostaddr` to the parameters, for hosts that are names.
pub(crate) fn resolve(parameters: &mut BTreeMap<String, String>, deadline: Instant) -> Result<()> {
    if parameters.contains_key("hostaddr") {
        return Ok(());
    }
    let Some(hosts) = parameters.get("host").cloned() else {
        return Ok(());
    };
    if !hosts.split(',').any(is_name) {
        return Ok(());
    }
    let ports = parameters.get("port").cloned().unwrap_or_default();
    let ports: Vec<&str> = ports.split(',').collect();
    let (mut names, mut addresses, mut its_ports) = (Vec::new(), Vec::new(), Vec::new());
    let mut failure = None;
    for (index, host) in hosts.split(',').enumerate() {
        let port = ports
            .get(index)
            .or(ports.first())
            .copied()
            .unwrap_or_default();
        let found = if is_name(host) {
            // Another host may work; libpq tries them in turn.
            match look_up(host, deadline) {
                Ok(addresses) => addresses.iter().map(ToString::to_string).collect(),
                Err(error) => {
                    failure = Some(error);
                    continue;
                }
            }
        } else {
            let address = host.parse::<IpAddr>();
            vec![
                address
                    .map(|address| address.to_string())
                    .unwrap_or_default(),
            ]
        };
        for address in found {
            names.push(host.to_owned());
            addresses.push(address);
            its_ports.push(port.to_owned());
        }
    }
    if let Some(failure) = failure.filter(|_| names.is_empty()) {
        return Err(failure);
    }
    parameters.insert("host".to_owned(), names.join(","));
    parameters.insert("hostaddr".to_owned(), addresses.join(","));
    if its_ports.iter().any(|port| !port.is_empty()) {
        parameters.insert("port".to_owned(), its_ports.join(","));
    }
    Ok(())
}

/// Returns whether this is neither the directory of a socket nor an address.
fn is_name(host: &str) -> bool {
    !host.is_empty() && !host.starts_with(['/', '@']) && host.parse::<IpAddr>().is_err()
}

fn look_up(host: &str, deadline: Instant) -> Result<Vec<IpAddr>> {
    let (sender, receiver) = mpsc::channel();
    let name = host.to_owned();
    // Abandoned at the deadline: a look-up cannot be interrupted, and ends by the resolver's own
    // limits.
    let spawned = thread::Builder::new()
        .name("bowline-resolve".to_owned())
        .spawn(move || {
            let addresses = (name.as_str(), 0).to_socket_addrs().map(|found| {
                let mut addresses: Vec<IpAddr> = found.map(|address| address.ip()).collect();
                addresses.dedup();
                addresses
            });
            // There is no receiver any more once the deadline has passed.
            sender.send(addresses).ok();
        });
    spawned.map_err(|error| {
        Error::unavailable(format!(
            "could not start a thread to look up host {host:?}: {error}"
        ))
    })?;
    match receiver.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
        Ok(Ok(addresses)) if !addresses.is_empty() => Ok(addresses),
        Ok(Ok(_)) => Err(Error::unavailable(format!("host {host:?} has no address"))),
        Ok(Err(error)) => Err(Error::unavailable(format!(
            "host {host:?} was not found: {}",
            reason(&error)
        ))
        .with_hint(
            "check the host's name in the connection string, and whether this machine can resolve names (getent hosts NAME)",
        )),
        Err(_) => Err(Error::timeout(format!(
            "looking up host {host:?} took too long"
        ))
        .with_hint("check the name servers of this machine, in /etc/resolv.conf")),
    }
}

/// Returns the resolver's message without the standard library's prefix.
fn reason(error: &std::io::Error) -> String {
    let message = error.to_string();
    let reason = message.strip_prefix("failed to lookup address information: ");
    reason.unwrap_or(&message).to_owned()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn resolved(host: &str, port: &str) -> BTreeMap<String, String> {
        let mut parameters = BTreeMap::from([
            ("host".to_owned(), host.to_owned()),
            ("port".to_owned(), port.to_owned()),
        ]);
        resolve(&mut parameters, Instant::now() + Duration::from_secs(5))
            .expect("localhost resolves");
        parameters
    }

    #[test]
    fn a_host_name_is_resolved_and_kept_for_the_certificate() {
        let parameters = resolved("localhost,/tmp", "5433");
        let hosts: Vec<_> = parameters["host"].split(',').collect();
        assert_eq!(hosts.first(), Some(&"localhost"));
        assert_eq!(hosts.last(), Some(&"/tmp"));
        assert!(parameters["hostaddr"].contains("127.0.0.1"));
        assert_eq!(parameters["port"].split(',').count(), hosts.len());
    }

    #[test]
    fn sockets_and_addresses_are_not_resolved() {
        assert!(!resolved("/tmp", "5432").contains_key("hostaddr"));
        assert!(!resolved("127.0.0.1", "5432").contains_key("hostaddr"));
    }
}
