//! A server that does not encrypt, or whose certificate cannot be verified.

use bowline::testing::LocalServer;
use testkit::tls::{Authority, TlsServer, Validity, free_port};

use super::Said;

#[test]
fn encryption_errors_name_the_parameter() {
    // A private server, since its certificate is changed.
    let server = TlsServer::start();
    let mut printed = Said::new();
    printed.redact(format!(":{}", server.port()), ":[port]");
    printed.redact(server.folder().display().to_string(), "[folder]");
    let url = |host: &str, rest: &str| {
        let port = server.port();
        format!("postgres://ann:s3cret@{host}:{port}/postgres?hostaddr=127.0.0.1{rest}")
    };
    let root = server.authority.root();
    let trusting = format!("&sslmode=verify-full&sslrootcert={}", root.display());

    printed.of_url("a provider's own authority", &url("db.example.com", ""));
    printed.of_url(
        "a certificate for another host name",
        &url("db.example.com", &trusting),
    );
    printed.of_url(
        "a file that is not there",
        &url(
            "localhost",
            "&sslmode=verify-full&sslrootcert=/nowhere/ca.pem",
        ),
    );
    let stranger = Authority::new(server.folder(), "stranger");
    server.present(&stranger.sign("localhost", "DNS:localhost", Validity::Now));
    printed.of_url(
        "another authority than the one that is trusted",
        &url("localhost", &trusting),
    );
    server.present(
        &server
            .authority
            .sign("localhost", "DNS:localhost", Validity::Expired),
    );
    printed.of_url(
        "a certificate that has expired",
        &url("localhost", &trusting),
    );

    let port = free_port();
    let in_clear = LocalServer::private(&[
        ("listen_addresses", "127.0.0.1"),
        ("port", &port.to_string()),
    ]);
    let _in_clear = in_clear.expect("a server");
    printed.redact(format!(":{port}"), ":[port]");
    printed.of_url(
        "TLS refused by the server",
        &format!("postgres://ann:s3cret@127.0.0.1:{port}/postgres?sslmode=require"),
    );
    insta::assert_snapshot!("encryption", printed.text());
}
