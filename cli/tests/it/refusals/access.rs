//! A server that refuses the connection.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use bowline::testing::LocalServer;
use bowline::{Config, Session};
use diesel::connection::SimpleConnection as _;
use testkit::tls::TlsServer;

use super::Said;

/// Returns a role's URL on a server with TLS, with this text after the port and the slash.
fn url(server: &TlsServer, who: &str, rest: &str) -> String {
    format!("postgres://{who}@localhost:{}/{rest}", server.port())
}

#[test]
fn refused_logins_get_a_reason_and_a_hint() {
    let server = testkit::tls::tls_server();
    server
        .administrator()
        .batch_execute(
            "CREATE ROLE olga PASSWORD 's3cret'; CREATE ROLE paul LOGIN PASSWORD 's3cret'",
        )
        .expect("roles");
    let mut printed = Said::new();
    printed.redact(format!(":{}", server.port()), ":[port]");
    printed.redact(server.folder().display().to_string(), "[folder]");
    printed.of_url(
        "no password",
        &url(server, "ann", "postgres?passfile=/nowhere/pgpass"),
    );
    printed.of_url("a wrong password", &url(server, "ann:s3cret", "postgres"));
    printed.of_url(
        "a wrong password, no TLS",
        &url(server, "ann:s3cret", "postgres?sslmode=disable"),
    );
    let file = server.folder().join("wrong.pgpass");
    fs::write(&file, "*:*:*:ann:s3cret\n").expect("a file");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("ours");
    let with_file = format!("postgres?passfile={}", file.display());
    printed.of_url(
        "a wrong password in a file",
        &url(server, "ann", &with_file),
    );
    printed.of_url(
        "a role that does not exist, with a password",
        &url(server, "nobody:s3cret", "postgres"),
    );
    printed.of_url(
        "a role that may not log in",
        &url(server, "olga:s3cret", "postgres"),
    );
    printed.of_url(
        "no line in pg_hba.conf",
        &url(server, "ann:s3cret", "template1"),
    );
    printed.of_url(
        "TLS required by the server",
        &url(server, "dora:s3cret", "template1?sslmode=disable"),
    );
    printed.of_url(
        "TLS required by the server, and a wrong password",
        &url(server, "dora:s3cret", "template1"),
    );
    printed.of_url(
        "a certificate required by the server",
        &url(server, "carl:s3cret", "postgres?sslmode=require"),
    );
    insta::assert_snapshot!("access", printed.text());
}

#[test]
fn missing_objects_get_a_hint_with_sql() {
    let server = LocalServer::private(&[
        ("max_connections", "5"),
        ("superuser_reserved_connections", "0"),
        ("max_worker_processes", "0"),
        ("max_parallel_workers", "0"),
    ])
    .expect("a server");
    let connect = || Session::connect(&server.config("postgres"));
    let mut printed = Said::new();
    printed.redact(server.socket_folder().display().to_string(), "[folder]");
    let url = |user: &str, database: &str| {
        server
            .url(database)
            .replace("postgres@", &format!("{user}@"))
    };
    printed.of_url("no such database", &url("postgres", "bank"));
    printed.of_url("no such role", &url("nobody", "postgres"));
    let mut administrator = connect().expect("a session");
    administrator
        .batch_execute("CREATE DATABASE closed")
        .expect("a database");
    administrator
        .batch_execute("CREATE ROLE ann LOGIN; REVOKE CONNECT ON DATABASE closed FROM PUBLIC")
        .expect("it is done");
    printed.of_url("no privilege to connect", &url("ann", "closed"));
    printed.of_url(
        "a database that takes nobody",
        &url("postgres", "template0"),
    );
    administrator
        .batch_execute("ALTER ROLE ann CONNECTION LIMIT 0")
        .expect("it is done");
    printed.of_url("too many connections of a role", &url("ann", "postgres"));
    let mut sessions = vec![administrator];
    while let Ok(session) = connect() {
        sessions.push(session);
        assert!(
            sessions.len() <= 20,
            "the server takes more than it was reported"
        );
    }
    printed.of_url("too many connections", &url("postgres", "postgres"));
    let hba = server.socket_folder().join("data/pg_hba.conf");
    fs::write(hba, "local all all peer\n").expect("the file is there");
    let administrator = sessions.first_mut().expect("a session");
    administrator
        .batch_execute("SELECT pg_reload_conf()")
        .expect("an answer");
    sessions.truncate(1);
    wait_for_peer(&server.config("postgres").user("ann"));
    printed.of_url(
        "another name than the system's user has",
        &url("ann", "postgres"),
    );
    insta::assert_snapshot!("does_not_exist", printed.text());
}

/// Waits until the server has reloaded its file.
fn wait_for_peer(config: &Config) {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
    loop {
        let refused = Session::connect(config).expect_err("she may not");
        if refused.message().contains("eer") {
            return;
        }
        assert!(std::time::Instant::now() < deadline, "{refused}");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}
