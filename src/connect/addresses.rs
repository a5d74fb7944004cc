//! The addresses that are left to try for a connection.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::wire::libpq::HostAddress;

/// Addresses that are left, in the order of the parameters.
#[derive(Debug, Default)]
pub(super) struct Addresses {
    all: Vec<HostAddress>,
    /// The addresses that libpq has tried.
    tried: Vec<HostAddress>,
    /// Whether libpq tries all of them again, in a second pass that accepts more servers.
    tries_again: bool,
}

impl Addresses {
    /// Returns the addresses of the parameters; none if they are left to libpq's default.
    pub(super) fn of(values: &BTreeMap<String, String>, tries_again: bool) -> Self {
        let list = |name: &str| -> Vec<&str> {
            values
                .get(name)
                .map(|list| list.split(',').collect())
                .unwrap_or_default()
        };
        let (hosts, addresses, ports) = (list("host"), list("hostaddr"), list("port"));
        let at = |list: &[&str], index: usize| (*list.get(index).unwrap_or(&"")).to_owned();
        let all = (0..hosts.len().max(addresses.len())).map(|index| HostAddress {
            host: at(&hosts, index),
            address: at(&addresses, index),
            port: match ports.as_slice() {
                [one] => (*one).to_owned(),
                several => at(several, index),
            },
        });
        Self {
            all: all.collect(),
            tried: Vec::new(),
            tries_again,
        }
    }

    /// Returns whether the parameters name several addresses.
    pub(super) fn are_several(values: &BTreeMap<String, String>) -> bool {
        let has_several = |name| values.get(name).is_some_and(|list| list.contains(','));
        has_several("host") || has_several("hostaddr")
    }

    /// Returns the number of addresses that are left, the current one included.
    pub(super) fn left(&self, tried_address: &HostAddress) -> u32 {
        let others = self.all.iter().filter(|one| {
            !is_same(one, tried_address)
                && (self.tries_again || !self.tried.iter().any(|tried| is_same(one, tried)))
        });
        u32::try_from(others.count()).unwrap_or(u32::MAX - 1) + 1
    }

    /// Notes that libpq has gone on to another address.
    pub(super) fn tried(&mut self, tried_address: HostAddress) {
        self.tried.push(tried_address);
    }

    /// Removes an address that does not answer, and those that were tried, unless they are to be
    /// tried again.
    pub(super) fn give_up(&mut self, tried_address: &HostAddress) {
        let tried = std::mem::take(&mut self.tried);
        let tries_again = self.tries_again;
        self.all.retain(|one| {
            !is_same(one, tried_address)
                && (tries_again || !tried.iter().any(|tried| is_same(one, tried)))
        });
    }

    /// Writes the addresses into the parameters.
    pub(super) fn write(&self, values: &mut BTreeMap<String, String>) {
        let mut write = |name: &str, pick: fn(&HostAddress) -> &str| {
            let list: Vec<&str> = self.all.iter().map(pick).collect();
            if list.iter().all(|value| value.is_empty()) {
                values.remove(name);
            } else {
                values.insert(name.to_owned(), list.join(","));
            }
        };
        write("host", |tried_address| &tried_address.host);
        write("hostaddr", |tried_address| &tried_address.address);
        write("port", |tried_address| &tried_address.port);
    }
}

/// Returns whether an address of the parameters is the one that libpq tries. libpq's has all parts;
/// an address of the parameters can lack some.
fn is_same(given: &HostAddress, at: &HostAddress) -> bool {
    let address = |text: &str| text.parse::<IpAddr>().ok();
    let is_host = given.host.is_empty() || given.host == at.host;
    let is_port = given.port.is_empty() || given.port == at.port;
    let given_address = if given.address.is_empty() {
        address(&given.host)
    } else {
        address(&given.address)
    };
    is_host && is_port && given_address.is_none_or(|given| address(&at.address) == Some(given))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(host: &str, hostaddr: &str, port: &str) -> (Addresses, BTreeMap<String, String>) {
        let values: BTreeMap<_, _> = [("host", host), ("hostaddr", hostaddr), ("port", port)]
            .into_iter()
            .filter(|(_, list)| !list.is_empty())
            .map(|(name, list)| (name.to_owned(), list.to_owned()))
            .collect();
        (Addresses::of(&values, false), values)
    }

    fn host_address(host: &str, address: &str, port: &str) -> HostAddress {
        HostAddress {
            host: host.to_owned(),
            address: address.to_owned(),
            port: port.to_owned(),
        }
    }

    #[test]
    fn a_silent_address_is_removed_and_later_ones_stay() {
        let (mut addresses, mut values) = addresses("a,a,/tmp", "::1,127.0.0.1,", "5433");
        assert_eq!(addresses.left(&host_address("a", "::1", "5433")), 3);
        addresses.tried(host_address("a", "::1", "5433"));
        assert_eq!(addresses.left(&host_address("a", "127.0.0.1", "5433")), 2);
        addresses.give_up(&host_address("a", "127.0.0.1", "5433"));
        addresses.write(&mut values);
        assert_eq!(values["host"], "/tmp");
        assert!(!values.contains_key("hostaddr"));
        assert_eq!(values["port"], "5433");
        assert_eq!(addresses.left(&host_address("/tmp", "", "5433")), 1);
    }

    #[test]
    fn one_host_at_two_ports_is_two_addresses() {
        let (mut addresses, mut values) = addresses("127.0.0.1,127.0.0.1", "", "1,2");
        assert_eq!(
            addresses.left(&host_address("127.0.0.1", "127.0.0.1", "1")),
            2
        );
        addresses.give_up(&host_address("127.0.0.1", "127.0.0.1", "1"));
        addresses.write(&mut values);
        assert_eq!(
            (values["host"].as_str(), values["port"].as_str()),
            ("127.0.0.1", "2")
        );
    }

    #[test]
    fn tried_addresses_stay_if_libpq_makes_a_second_pass() {
        let (mut addresses, _) = addresses("a,b", "10.0.0.1,10.0.0.2", "1,2");
        addresses.tries_again = true;
        addresses.tried(host_address("a", "10.0.0.1", "1"));
        assert_eq!(addresses.left(&host_address("b", "10.0.0.2", "2")), 2);
        addresses.give_up(&host_address("b", "10.0.0.2", "2"));
        assert_eq!(addresses.all, [host_address("a", "10.0.0.1", "1")]);
    }
}
