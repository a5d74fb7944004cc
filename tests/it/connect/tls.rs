//! Encryption and the server's identity: libpq's `sslmode`, with certificates that the tests
//! create.

mod in_between;

use bowline::{Config, Error, ErrorKind, Session, StatementDsl as _, sql_query};
use diesel::sql_types::Bool;
use testkit::Proxy;
use testkit::tls::{Authority, PASSWORD, TlsServer, Validity, tls_server};

use crate::support::{only, server};

pub(crate) use in_between::{
    ManInTheMiddle, answer_ssl_request, ask_for_cleartext, hear_out, play,
};

pub(crate) fn refused(config: &Config) -> Error {
    Session::connect(config).expect_err("it is refused")
}

/// Asserts that connecting fails permanently, with these texts in the message and the hint.
pub(crate) fn assert_refused(config: &Config, message: &str, hint: &str) {
    let error = refused(config);
    assert!(
        error.kind() == ErrorKind::Config && error.is_permanent(),
        "{error:?}"
    );
    assert!(error.message().contains(message), "{message}: {error}");
    assert!(
        error.hint().is_some_and(|said| said.contains(hint)),
        "{hint}: {error:?}"
    );
}

/// Returns true if the server reports that the connection is encrypted.
pub(crate) fn is_encrypted(config: &Config) -> bool {
    #[derive(bowline::Row)]
    struct Encryption {
        #[diesel(sql_type = Bool)]
        ssl: bool,
    }
    let mut session = Session::connect(config).unwrap_or_else(|error| panic!("{error:?}"));
    let encryption =
        sql_query("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").one::<Encryption>();
    session.run(encryption).expect("a row").ssl
}

#[test]
fn a_server_with_a_good_certificate_is_trusted() {
    let server = tls_server();
    assert!(is_encrypted(&server.ann()));
    assert!(
        is_encrypted(&server.ann().host("127.0.0.1")),
        "an address among the names"
    );
    let without_names = server
        .ann()
        .parameter("sslmode", "verify-ca")
        .host("db.example.com");
    assert!(is_encrypted(&without_names));
}

#[test]
fn a_cancelled_statement_is_cancelled_in_secret_too() {
    let mut session = Session::connect(&tls_server().ann()).expect("a connection");
    session.set_timeout(std::time::Duration::from_millis(200));
    let error = session
        .run(sql_query("SELECT pg_sleep(20)").affected())
        .expect_err("too slow");
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error:?}");
    assert!(!session.is_broken(), "the server did as it was asked");
}

#[test]
fn a_bad_certificate_is_refused_with_its_reason() {
    let server = TlsServer::start();
    let authority = &server.authority;
    let local = "DNS:localhost,IP:127.0.0.1";
    let stranger = Authority::new(server.folder(), "stranger");
    for (certificate, message, hint) in [
        (
            authority.sign("late", local, Validity::Expired),
            "certificate verify failed",
            "is not valid now",
        ),
        (
            authority.sign("early", local, Validity::NotYet),
            "certificate verify failed",
            "is not valid now",
        ),
        (
            authority.sign("other", "DNS:db.example.com", Validity::Now),
            "does not match host name",
            "a name that is in",
        ),
        (
            authority.sign("address", "IP:127.0.0.1", Validity::Now),
            "does not match host name",
            "a name that is in",
        ),
        (
            stranger.sign("strange", local, Validity::Now),
            "certificate verify failed",
            "not trusted here",
        ),
        (
            stranger.self_sign("alone", "localhost", &format!("subjectAltName={local}")),
            "certificate verify failed",
            "not trusted here",
        ),
    ] {
        assert!(is_encrypted(&server.ann()), "the good one before");
        server.present(&certificate);
        assert_refused(&server.ann(), message, hint);
        // `require` checks the encryption only, not the identity of the server.
        let encrypted = server
            .config("ann")
            .password(PASSWORD)
            .parameter("sslmode", "require");
        assert!(is_encrypted(&encrypted), "{message}");
        server.present(&authority.sign("localhost", local, Validity::Now));
    }
    let taken_back = authority.sign("revoked", local, Validity::Now);
    server.present(&taken_back);
    assert!(is_encrypted(&server.ann()), "it was good");
    let list = authority.revoke(&taken_back);
    let informed = server.ann().parameter("sslcrl", list.to_string_lossy());
    assert_refused(&informed, "certificate verify failed", "was revoked");
    assert!(
        !server.log().contains("FATAL"),
        "nobody got so far as to log in and fail"
    );
}

#[test]
fn a_remote_server_needs_a_trusted_certificate() {
    let server = tls_server();
    let elsewhere = server
        .config("ann")
        .host("db.example.com")
        .password(PASSWORD);
    assert_refused(
        &elsewhere,
        "certificate verify failed",
        "no sslmode was given",
    );
    assert_refused(
        &elsewhere,
        "certificate verify failed",
        "set others in the connection string",
    );
    let rooted = elsewhere
        .clone()
        .parameter("sslrootcert", server.authority.root().to_string_lossy());
    assert_refused(&rooted, "does not match host name", "no sslmode was given");
    assert!(is_encrypted(&elsewhere.parameter("sslmode", "require")));
}

#[test]
fn a_missing_root_certificate_error_has_a_hint() {
    let config = tls_server()
        .ann()
        .parameter("sslrootcert", "/nowhere/root.crt");
    assert_refused(
        &config,
        "\"/nowhere/root.crt\" does not exist",
        "sslrootcert=system",
    );
}

#[test]
fn a_server_without_tls_needs_a_mode_that_allows_it() {
    // PostgreSQL does not encrypt connections over its Unix socket, which this proxy uses.
    let proxy = Proxy::start_tcp(&server()).expect("a proxy");
    let config = |sslmode| proxy.config("postgres").parameter("sslmode", sslmode);
    for sslmode in ["disable", "allow", "prefer"] {
        assert!(!is_encrypted(&config(sslmode)), "{sslmode}");
    }
    let root = tls_server().authority.root();
    for sslmode in ["require", "verify-ca", "verify-full"] {
        let config = config(sslmode).parameter("sslrootcert", root.to_string_lossy());
        assert_refused(&config, "does not support SSL", "sslmode=disable");
    }
}

#[test]
fn each_mode_encrypts_as_libpq_has_it() {
    let server = tls_server();
    let config = |sslmode| server.ann().parameter("sslmode", sslmode);
    for (sslmode, encrypts) in [
        ("disable", false),
        ("allow", false),
        ("prefer", true),
        ("require", true),
        ("verify-ca", true),
        ("verify-full", true),
    ] {
        assert_eq!(is_encrypted(&config(sslmode)), encrypts, "{sslmode}");
    }
}

#[test]
fn a_man_in_the_middle_cannot_prevent_encryption() {
    for sslmode in ["require", "verify-ca", "verify-full"] {
        let (port, heard) = play(|client| {
            answer_ssl_request(client, b"N");
            hear_out(client)
        });
        assert_refused(
            &tls_server().ann().port(port).parameter("sslmode", sslmode),
            "does not support SSL",
            "turn on ssl",
        );
        assert_eq!(heard.join().expect("no panic"), b"", "not a byte in clear");
    }
    // `prefer`, libpq's own default, falls back to an unencrypted connection. Therefore it is not
    // Bowline's default.
    let (port, heard) = play(|client| {
        answer_ssl_request(client, b"N");
        client
            .set_read_timeout(Some(std::time::Duration::from_millis(300)))
            .expect("a socket");
        hear_out(client)
    });
    refused(&tls_server().ann().port(port).parameter("sslmode", "prefer"));
    let heard = String::from_utf8_lossy(&heard.join().expect("no panic")).into_owned();
    assert!(
        heard.contains("ann"),
        "the start-up packet in clear: {heard:?}"
    );
}

#[test]
fn an_error_before_encryption_is_not_believed() {
    let server = tls_server();
    let certificate = server
        .authority
        .sign("localhost", "DNS:localhost", Validity::Now);
    // A forged AuthenticationOk before the encryption, as if the server had accepted a password.
    let man = ManInTheMiddle::start(&certificate, server.port(), b"SR\0\0\0\x08\0\0\0\0");
    assert_refused(
        &server.ann().port(man.port),
        "unencrypted data after SSL response",
        "man-in-the-middle",
    );

    let (port, _) = play(|client| {
        answer_ssl_request(
            client,
            b"E\0\0\0\x30SFATAL\0C28P01\0Mcall 555-0100 with your password\0\0",
        );
        hear_out(client)
    });
    let error = refused(&tls_server().ann().port(port));
    assert!(!error.to_string().contains("555"), "{error}");
}

#[test]
fn a_service_file_relaxes_tls_only_explicitly() {
    let server = tls_server();
    let place = format!(
        "host=db.example.com\nhostaddr=127.0.0.1\nport={}\nuser=ann\ndbname=postgres\npassword={PASSWORD}\n",
        server.port()
    );
    let file = server.folder().join("tls.services");
    let services = format!("[silent]\n{place}[chosen]\n{place}sslmode=require\n");
    std::fs::write(&file, services).expect("a file");
    let told = std::process::Command::new(std::env::current_exe().expect("this program"))
        .args(only(module_path!(), "connects_by_services_when_asked_to"))
        .env("PGSERVICEFILE", file)
        .env(SERVICES, "silent chosen")
        .output()
        .expect("it runs");
    let told = String::from_utf8_lossy(&told.stdout).into_owned();
    assert!(
        told.contains("silent: refused: failed to connect to db.example.com"),
        "{told}"
    );
    assert!(told.contains("no sslmode was given"), "{told}");
    assert!(told.contains("chosen: connected"), "{told}");
}

const SERVICES: &str = "BOWLINE_TESTS_SERVICES";

/// Connects, in the child process that the test above starts. libpq takes the location of service
/// files from the environment only.
#[test]
fn connects_by_services_when_asked_to() {
    for service in std::env::var(SERVICES)
        .iter()
        .flat_map(|names| names.split(' '))
    {
        match Session::connect(&Config::new().parameter("service", service)) {
            Ok(_) => println!("\n{service}: connected"),
            Err(error) => println!("\n{service}: refused: {error} ({:?})", error.hint()),
        }
    }
}

#[test]
fn a_session_says_how_it_is_encrypted() {
    let server = tls_server();
    let session = Session::connect(&server.ann()).expect("a connection");
    let encryption = session.encryption().expect("it is encrypted");
    assert!(encryption.protocol.starts_with("TLSv1."), "{encryption:?}");
    assert!(!encryption.cipher.is_empty());
    let in_clear = server.ann().parameter("sslmode", "disable");
    let session = Session::connect(&in_clear).expect("a connection");
    assert_eq!(session.encryption(), None);
    let parameters = server.ann().parameters().expect("they are good");
    assert_eq!(parameters["sslmode"], "verify-full");
    assert_eq!(parameters["password"], "***");
}
