//! Who can listen in between, and how the server was told who we are.

use std::net::IpAddr;

use bowline::Session;

use super::finding::Finding;
use super::server::{AREA, Connected};

pub(super) fn look(connected: &Connected) -> Vec<Finding> {
    let parameters = connected.config.parameters().unwrap_or_default();
    let get = |name: &str| parameters.get(name).map_or("", String::as_str);
    let place = if get("hostaddr").is_empty() {
        get("host")
    } else {
        get("hostaddr")
    };
    let is_here = place.split(',').all(is_here);
    let mut findings = vec![encryption(&connected.session, get("sslmode"), is_here)];
    findings.extend(authentication(connected, is_here));
    findings
}

/// Whether it is on this machine, where nobody can listen in between.
fn is_here(host: &str) -> bool {
    host.is_empty()
        || host.starts_with(['/', '@'])
        || host == "localhost"
        || host
            .parse()
            .is_ok_and(|address: IpAddr| address.is_loopback())
}

fn encryption(session: &Session, sslmode: &str, is_here: bool) -> Finding {
    let Some(encryption) = session.encryption() else {
        if is_here {
            return Finding::ok(AREA, "not encrypted, on this machine");
        }
        return Finding::warning(
            AREA,
            "not encrypted: passwords and rows can be read on the way",
            "sslmode=verify-full in the connection string; the server needs a certificate and ssl = on",
        );
    };
    let by = format!(
        "encrypted by {}, {}",
        encryption.protocol, encryption.cipher
    );
    match sslmode {
        "verify-full" => Finding::ok(AREA, format!("{by}; the server has proved who it is")),
        "verify-ca" => Finding::ok(
            AREA,
            format!("{by}; the server's authority is proved, its name is not"),
        ),
        _ if is_here => Finding::ok(
            AREA,
            format!("{by}; the server did not have to prove who it is"),
        ),
        mode => Finding::warning(
            AREA,
            format!("{by}; but sslmode={mode} does not ask who the server is"),
            "sslmode=verify-full, with sslrootcert=system or the file of the server's authority",
        ),
    }
}

/// The way by which the server was told who we are: told by allowing one after the other, since a server says it only
/// from version 16 on, and a pooler never.
fn authentication(connected: &Connected, is_here: bool) -> Option<Finding> {
    const WAYS: [(&str, &str); 4] = [
        ("scram-sha-256", "a password, by scram-sha-256"),
        (
            "none",
            "no password: the server trusts the connection, the system's user or a certificate",
        ),
        ("md5", "a password, by md5"),
        ("password", "a password, as it is"),
    ];
    let (way, words) = WAYS.into_iter().find(|(way, _)| {
        let only = connected.config.clone().parameter("require_auth", *way);
        Session::connect(&only).is_ok()
    })?;
    Some(match way {
        "md5" => Finding::warning(
            AREA,
            format!("logged in with {words}, which newer servers do not have any more"),
            "set password_encryption = 'scram-sha-256', give the role its password anew, and change pg_hba.conf",
        ),
        "password" if connected.session.encryption().is_none() && !is_here => Finding::warning(
            AREA,
            format!("logged in with {words}, for everybody on the way to read"),
            "scram-sha-256 in the server's pg_hba.conf",
        ),
        _ => Finding::ok(AREA, format!("logged in with {words}")),
    })
}
