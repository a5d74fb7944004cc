//! Authentication: passwords, certificates, and the data that a false server receives.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use bowline::{Config, ErrorKind, Session, SqlState};
use testkit::tls::{Authority, Certificate, PASSWORD, Validity, tls_server};

use crate::connect::tls::{
    ManInTheMiddle, answer_ssl_request, ask_for_cleartext, assert_refused, is_encrypted, play,
    refused,
};

#[test]
fn a_wrong_password_is_a_permanent_error() {
    let error = refused(&tls_server().ann().password("incorrect"));
    assert!(
        error.kind() == ErrorKind::Config && error.is_permanent(),
        "{error:?}"
    );
    assert_eq!(error.sqlstate(), Some(SqlState::INVALID_PASSWORD));
    assert!(
        error
            .to_string()
            .contains("password authentication failed for user \"ann\""),
        "{error}"
    );
    assert!(
        error.hint().is_some_and(|hint| hint.contains("PGPASSWORD")),
        "{error:?}"
    );
}

#[test]
fn a_missing_password_error_says_where_to_set_one() {
    let server = tls_server();
    let config = server
        .config("ann")
        .parameter("sslmode", "require")
        .parameter("passfile", "/nowhere/pgpass");
    assert_refused(&config, "no password supplied", "~/.pgpass");
}

#[test]
fn a_password_file_is_read_and_is_named_when_it_is_wrong() {
    let server = tls_server();
    let file = server.folder().join("pgpass");
    let config = server
        .config("ann")
        .parameter("sslmode", "require")
        .parameter("passfile", file.to_string_lossy());
    let write = |password: &str| {
        fs::write(&file, format!("localhost:*:*:ann:{password}\n")).expect("a file");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("ours");
    };
    write(PASSWORD);
    assert!(is_encrypted(&config));
    write("incorrect");
    let error = refused(&config);
    assert_eq!(error.sqlstate(), Some(SqlState::INVALID_PASSWORD));
    let named = format!("password retrieved from file \"{}\"", file.display());
    assert!(error.message().contains(&named), "{error}");
}

#[test]
fn a_client_without_an_hba_entry_is_refused_permanently() {
    let error = refused(&tls_server().ann().dbname("template1"));
    assert_eq!(
        (error.sqlstate(), error.is_permanent()),
        (Some(SqlState::INVALID_AUTHORIZATION_SPECIFICATION), true)
    );
    assert!(
        error
            .hint()
            .is_some_and(|hint| hint.contains("pg_hba.conf")),
        "{error:?}"
    );
}

#[test]
fn a_required_way_to_authenticate_is_kept_to() {
    let server = tls_server();
    let dora = || server.ann().user("dora");
    assert!(
        is_encrypted(&dora()),
        "the server asks for her password as it is"
    );
    for not_hers in ["scram-sha-256", "!password"] {
        let config = dora().parameter("require_auth", not_hers);
        assert_refused(&config, "authentication method requirement", "require_auth");
    }
    assert!(is_encrypted(
        &server.ann().parameter("require_auth", "scram-sha-256")
    ));
}

#[test]
fn channel_binding_is_kept_to() {
    let server = tls_server();
    assert!(is_encrypted(
        &server.ann().parameter("channel_binding", "require")
    ));
    // Channel binding needs TLS and SCRAM; a cleartext password has neither.
    let clear = server
        .ann()
        .parameter("sslmode", "disable")
        .parameter("channel_binding", "require");
    assert_refused(&clear, "channel binding", "needs TLS and scram-sha-256");
    let bare = server
        .ann()
        .user("dora")
        .parameter("channel_binding", "require");
    assert_refused(&bare, "channel binding", "needs TLS and scram-sha-256");
}

#[test]
fn channel_binding_detects_a_trusted_man_in_the_middle() {
    let server = tls_server();
    let through = |channel_binding: &str| {
        let certificate = server
            .authority
            .sign("localhost", "DNS:localhost", Validity::Now);
        let man = ManInTheMiddle::start(&certificate, server.port(), b"S");
        Session::connect(
            &server
                .ann()
                .port(man.port)
                .parameter("channel_binding", channel_binding),
        )
    };
    through("disable").expect("nobody notices");
    for channel_binding in ["prefer", "require"] {
        let error = through(channel_binding).expect_err("the server sees another channel");
        assert!(error.is_permanent(), "{error:?}");
        assert!(error.message().contains("channel binding"), "{error}");
    }
}

#[test]
fn a_false_server_gets_no_password_under_require_auth() {
    let password = "s3cretmarker";
    let false_server = |require: &[(&str, &str)]| {
        let (port, heard) = play(ask_for_cleartext);
        let config = Config::new()
            .host("127.0.0.1")
            .port(port)
            .user("ann")
            .password(password);
        let config = require.iter().fold(
            config.parameter("sslmode", "disable"),
            |config, (name, value)| config.parameter(name, *value),
        );
        let error = refused(&config);
        let heard = heard.join().expect("no panic");
        let heard = String::from_utf8_lossy(&heard).into_owned();
        (error, heard.contains(password))
    };
    // The control: without requirements, the false server receives the password.
    assert!(false_server(&[]).1);
    for require in [
        [("require_auth", "scram-sha-256")],
        [("channel_binding", "require")],
    ] {
        let (error, has_password) = false_server(&require);
        assert!(!has_password, "{require:?}");
        assert!(error.is_permanent(), "{error:?}");
    }
}

#[test]
fn a_false_server_without_tls_gets_no_password() {
    let (port, heard) = play(|client| {
        answer_ssl_request(client, b"N");
        crate::connect::tls::hear_out(client)
    });
    refused(&tls_server().ann().port(port));
    assert_eq!(heard.join().expect("no panic"), b"");
}

#[test]
fn a_client_certificate_is_a_way_to_log_in() {
    let server = tls_server();
    let carl = server.authority.sign("carl", "", Validity::Now);
    let with = |certificate: &Certificate| {
        server
            .ann()
            .user("carl")
            .parameter("sslcert", certificate.certificate.to_string_lossy())
            .parameter("sslkey", certificate.key.to_string_lossy())
    };
    assert!(is_encrypted(&with(&carl)));

    let none = server
        .ann()
        .user("carl")
        .parameter("sslcert", "/nowhere/carl.crt");
    assert_refused(&none, "valid client certificate", "pg_hba.conf");
    let anns = server.authority.sign("ann", "", Validity::Now);
    assert_refused(
        &with(&anns),
        "certificate authentication failed for user \"carl\"",
        "pg_hba.conf",
    );
    let late = server.authority.sign("carl", "", Validity::Expired);
    assert_refused(&with(&late), "certificate expired", "sslcert");
    let stranger = Authority::new(server.folder(), "strangers");
    let forged = stranger.sign("carl", "", Validity::Now);
    assert_refused(&with(&forged), "unknown ca", "sslcert");

    let mut mixed = server.authority.sign("carl", "", Validity::Now);
    mixed.key = carl.key.clone();
    assert_refused(&with(&mixed), "could not load private key file", "sslkey");
    mixed.key = server.folder().join("no.key");
    assert_refused(&with(&mixed), "but not private key file", "sslkey");
}

#[test]
fn a_key_that_others_can_read_is_refused() {
    let server = tls_server();
    let carl = server.authority.sign("carl", "", Validity::Now);
    fs::set_permissions(&carl.key, fs::Permissions::from_mode(0o644)).expect("ours");
    let config = server
        .ann()
        .user("carl")
        .parameter("sslcert", carl.certificate.to_string_lossy())
        .parameter("sslkey", carl.key.to_string_lossy());
    assert_refused(&config, "has group or world access", "chmod 0600");
}
