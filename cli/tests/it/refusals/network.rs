//! Addresses without a server, or with one that is not PostgreSQL.

use std::io::Write as _;
use std::net::TcpListener;

use super::{Said, library};

#[test]
fn an_unreachable_server_is_named_with_its_address() {
    let mut printed = Said::new();
    // No server listens on port 1, which is reserved.
    printed.of_url("refused by TCP", "postgres://ann:s3cret@127.0.0.1:1/bank");
    printed.of_url(
        "refused by each of two hosts",
        "postgres://ann:s3cret@127.0.0.1:1,127.0.0.2:1/bank",
    );
    printed.of_url(
        "no socket in the folder that is named",
        "postgres://ann:s3cret@%2Fnowhere/bank",
    );
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = silent.local_addr().expect("a port").port();
    printed.redact(format!(":{port}"), ":[port]");
    printed.of_url(
        "no answer",
        &format!("postgres://ann:s3cret@127.0.0.1:{port}/bank?connect_timeout=1"),
    );
    let web = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = web.local_addr().expect("a port").port();
    printed.redact(format!(":{port}"), ":[port]");
    std::thread::spawn(move || {
        for mut client in web.incoming().flatten() {
            // The response of a web server to an unknown request.
            client.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").ok();
        }
    });
    printed.of_url(
        "the port of a web server",
        &format!("postgres://ann:s3cret@127.0.0.1:{port}/bank?sslmode=require"),
    );
    insta::assert_snapshot!("network", printed.text());
}

#[test]
fn a_default_socket_is_named_as_default() {
    let mut printed = Said::new();
    // A distribution's socket folder is used if it has a socket of this port, and libpq's default
    // otherwise.
    printed.of_url(
        "no host and no server on this machine",
        "postgres:///bank?port=1",
    );
    printed.of_url("a host that was forgotten", "postgres://ann:s3cret@:1/bank");
    insta::assert_snapshot!("no_host", printed.text());
}

#[test]
fn a_host_that_is_not_found_is_named() {
    let reported = library("postgres://ann:s3cret@db.invalid:5432/bank");
    // The reason differs between resolvers.
    let beginning =
        "error: failed to connect to db.invalid:5432: host \"db.invalid\" was not found: ";
    assert!(reported.starts_with(beginning), "{reported}");
    let hint = "hint: check the host's name in the connection string";
    assert!(reported.contains(hint), "{reported}");
    let mut printed = Said::new();
    printed.of_url("not found", "postgres://ann:s3cret@db.invalid:5432/bank");
}
