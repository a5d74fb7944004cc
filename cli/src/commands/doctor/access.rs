//! Encryption, and the method of authentication.

use std::net::IpAddr;

use bowline::Session;

use super::finding::Finding;
use super::server::{AREA, Connected};

pub(super) fn check(connected: &Connected) -> Vec<Finding> {
    let parameters = connected.config.parameters().unwrap_or_default();
    let get = |name: &str| parameters.get(name).map_or("", String::as_str);
    let hosts = if get("hostaddr").is_empty() {
        get("host")
    } else {
        get("hostaddr")
    };
    let is_local = hosts.split(',').all(is_local);
    let mut findings = vec![encryption(&connected.session, get("sslmode"), is_local)];
    findings.extend(authentication(connected, is_local));
    findings
}

/// Returns true if a host is this machine.
fn is_local(host: &str) -> bool {
    host.is_empty()
        || host.starts_with(['/', '@'])
        || host == "localhost"
        || host
            .parse()
            .is_ok_and(|address: IpAddr| address.is_loopback())
}

fn encryption(session: &Session, sslmode: &str, is_local: bool) -> Finding {
    let Some(encryption) = session.encryption() else {
        if is_local {
            return Finding::ok(AREA, "not encrypted, on this machine");
        }
        return Finding::warning(
            AREA,
            "not encrypted: passwords and rows can be read on the network",
            "set sslmode=verify-full in the connection string; the server needs a certificate and ssl = on",
        );
    };
    let by = format!(
        "encrypted by {}, {}",
        encryption.protocol, encryption.cipher
    );
    match sslmode {
        "verify-full" => Finding::ok(
            AREA,
            format!("{by}; the server's certificate and host name are verified"),
        ),
        "verify-ca" => Finding::ok(
            AREA,
            format!("{by}; the server's certificate is verified, its host name is not"),
        ),
        _ if is_local => Finding::ok(
            AREA,
            format!("{by}; the server's certificate is not verified"),
        ),
        mode => Finding::warning(
            AREA,
            format!("{by}; sslmode={mode} does not verify the server's certificate"),
            "set sslmode=verify-full, and sslrootcert=system or the file of the server's certificate authority",
        ),
    }
}

/// Finds the method of authentication by connecting with one method allowed at a time. A server
/// reports it only from version 16 on, and a pooler never.
fn authentication(connected: &Connected, is_local: bool) -> Option<Finding> {
    const METHODS: [(&str, &str); 4] = [
        ("scram-sha-256", "a password, by scram-sha-256"),
        (
            "none",
            "no password: the server trusts the connection, the operating system's user or a certificate",
        ),
        ("md5", "a password, by md5"),
        ("password", "a password in plain text"),
    ];
    let (method, words) = METHODS.into_iter().find(|(method, _)| {
        let only = connected.config.clone().parameter("require_auth", *method);
        Session::connect(&only).is_ok()
    })?;
    Some(match method {
        "md5" => Finding::warning(
            AREA,
            format!("logged in with {words}, which newer servers do not support"),
            "set password_encryption = 'scram-sha-256', set the role's password again, and change pg_hba.conf",
        ),
        "password" if connected.session.encryption().is_none() && !is_local => Finding::warning(
            AREA,
            format!("logged in with {words}, which can be read on the network"),
            "use scram-sha-256 in the server's pg_hba.conf",
        ),
        _ => Finding::ok(AREA, format!("logged in with {words}")),
    })
}
