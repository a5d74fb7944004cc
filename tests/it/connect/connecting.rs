//! Errors and time limits of connecting.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread;
use std::time::{Duration, Instant};

use bowline::{Config, Error, ErrorKind, Session, SqlState, StatementDsl as _, sql_query};

use crate::support::server;

fn refused(config: &Config) -> Error {
    Session::connect(config).expect_err("it is refused")
}

#[test]
fn a_missing_database_is_a_permanent_error() {
    let error = refused(&server().config("nowhere"));
    assert!(
        error.kind() == ErrorKind::Config && error.is_permanent(),
        "{error:?}"
    );
    assert_eq!(error.sqlstate(), Some(SqlState::INVALID_CATALOG_NAME));
    assert!(
        error.to_string().starts_with("failed to connect to /"),
        "{error}"
    );
    assert_eq!(error.message(), "database \"nowhere\" does not exist");
    assert!(
        error.hint().is_some_and(|hint| hint.contains("db create")),
        "{error:?}"
    );
    let server = error.server().expect("the server answered");
    assert_eq!(server.message, "database \"nowhere\" does not exist");
    assert_eq!(server.severity, "FATAL");
}

#[test]
fn a_role_that_does_not_exist_is_a_permanent_error() {
    let error = refused(&server().config("postgres").user("nobody_at_all"));
    assert_eq!(
        (error.sqlstate(), error.is_permanent()),
        (Some(SqlState::INVALID_AUTHORIZATION_SPECIFICATION), true)
    );
}

#[test]
fn an_unknown_server_setting_is_a_permanent_error() {
    let error = refused(
        &server()
            .config("postgres")
            .parameter("options", "-c no_such=1"),
    );
    assert_eq!(
        (error.sqlstate(), error.is_permanent()),
        (Some(SqlState::UNDEFINED_OBJECT), true)
    );
    assert!(
        error.hint().is_some_and(|hint| hint.contains("PGOPTIONS")),
        "{error:?}"
    );
}

#[test]
fn an_unknown_libpq_parameter_is_a_permanent_error() {
    let error = refused(&server().config("postgres").parameter("sslmood", "require"));
    assert_eq!(error.kind(), ErrorKind::Config, "{error:?}");
    assert!(
        error.message().contains("sslmood") && error.sqlstate().is_none(),
        "{error}"
    );
}

#[test]
fn a_server_that_is_not_there_may_be_there_later() {
    let nobody = server().config("postgres").port(1);
    let error = refused(&nobody);
    assert!(
        error.kind() == ErrorKind::Unavailable && !error.is_permanent(),
        "{error:?}"
    );
    assert!(
        error
            .hint()
            .is_some_and(|hint| hint.contains("is the server running")),
        "{error:?}"
    );
    let error = refused(&Config::new().host("127.0.0.1").port(1));
    assert!(
        error.kind() == ErrorKind::Unavailable && !error.is_permanent(),
        "{error:?}"
    );
}

#[test]
fn a_full_server_may_have_room_later() {
    let server = bowline::testing::LocalServer::private(&[
        ("max_connections", "5"),
        ("superuser_reserved_connections", "0"),
        ("max_worker_processes", "0"),
        ("max_parallel_workers", "0"),
    ])
    .expect("a server");
    let config = server.config("postgres");
    let mut sessions = Vec::new();
    let error = loop {
        match Session::connect(&config) {
            Ok(session) => sessions.push(session),
            Err(error) => break error,
        }
        assert!(
            sessions.len() <= 20,
            "the server takes more than it was told"
        );
    };
    assert_eq!(
        (error.sqlstate(), error.is_permanent()),
        (Some(SqlState::TOO_MANY_CONNECTIONS), false)
    );
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
}

#[test]
fn main_prints_the_address_of_an_absent_server() {
    let config = Config::from_url("postgres://ann:s3cret@127.0.0.1:1/bank").expect("a URL");
    let error = config.open().expect_err("nobody listens there");
    let printed = format!("{error:?}");
    assert!(printed.contains("connect to 127.0.0.1:1"), "{printed}");
    assert!(!printed.contains("s3cret"), "{printed}");
}

/// Accepts connections, answers the first bytes with `after`, and then sends nothing more. Returns
/// the port. With an empty `after` it sends nothing at all.
fn silent(after: &'static [u8]) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    thread::spawn(move || {
        let mut held = Vec::new();
        while let Ok((mut stream, _)) = listener.accept() {
            let mut buffer = [0; 1024];
            if !after.is_empty() && stream.read(&mut buffer).is_ok() {
                stream.write_all(after).ok();
            }
            held.push(stream);
        }
    });
    port
}

/// Connects, and fails the test if that is refused. Returns how long it took.
fn connects(config: &Config) -> Duration {
    let began = Instant::now();
    let mut session = Session::connect(config).unwrap_or_else(|error| panic!("{error:?}"));
    assert_eq!(
        session
            .run(sql_query("SELECT 1").affected())
            .expect("a row"),
        1
    );
    began.elapsed()
}

#[test]
fn a_silent_host_leaves_time_for_the_next_ones() {
    let server = server();
    let folder = server.socket_folder().display();
    let config = || {
        Config::new()
            .user("postgres")
            .dbname("postgres")
            .connect_timeout(Duration::from_secs(6))
    };
    // A server that never answers, and one that stops after its answer to SSLRequest: `S` or `N`.
    for answer in [b"".as_slice(), b"S", b"N"] {
        let (one, two) = (silent(answer), silent(answer));
        let several = config()
            .parameter("host", format!("127.0.0.1,127.0.0.1,{folder}"))
            .parameter("port", format!("{one},{two},5432"));
        assert!(connects(&several) < Duration::from_secs(6), "{answer:?}");
        // The same as for a name that resolves to several addresses.
        let addresses = config()
            .parameter("host", format!("localhost,localhost,{folder}"))
            .parameter("hostaddr", "127.0.0.1,127.0.0.1,")
            .parameter("port", format!("{one},{two},5432"));
        assert!(connects(&addresses) < Duration::from_secs(6), "{answer:?}");
        let only_one = config()
            .host("127.0.0.1")
            .port(one)
            .connect_timeout(Duration::from_millis(500));
        assert_eq!(refused(&only_one).kind(), ErrorKind::Timeout);
        let both = config()
            .parameter("host", "127.0.0.1,127.0.0.1")
            .parameter("port", format!("{one},{two}"))
            .connect_timeout(Duration::from_secs(1));
        let began = Instant::now();
        assert_eq!(refused(&both).kind(), ErrorKind::Timeout);
        assert!(began.elapsed() < Duration::from_secs(3));
    }
}

#[test]
fn a_silent_and_a_refusing_host_are_both_named() {
    let deaf = silent(b"");
    let server = server();
    let folder = server.socket_folder().display();
    let error = refused(
        &Config::new()
            .user("postgres")
            .dbname("nowhere")
            .parameter("host", format!("127.0.0.1,{folder}"))
            .parameter("port", format!("{deaf},5432"))
            .connect_timeout(Duration::from_secs(4)),
    );
    assert_eq!(error.sqlstate(), Some(SqlState::INVALID_CATALOG_NAME));
    assert!(
        error
            .message()
            .contains(&format!("port {deaf}: no answer in time")),
        "{error}"
    );
}

#[test]
fn a_primary_is_found_behind_a_silent_host() {
    let deaf = silent(b"");
    let server = server();
    let folder = server.socket_folder().display();
    for wanted in ["primary", "read-write", "prefer-standby"] {
        let config = Config::new()
            .user("postgres")
            .dbname("postgres")
            .parameter("host", format!("{folder},127.0.0.1,{folder}"))
            .parameter("port", format!("5432,{deaf},5432"))
            .parameter("target_session_attrs", wanted)
            .connect_timeout(Duration::from_secs(6));
        assert!(connects(&config) < Duration::from_secs(6), "{wanted}");
    }
}

#[test]
fn a_server_checks_that_its_client_is_connected() {
    let show = "SELECT current_setting('client_connection_check_interval')";
    let setting = |config: Config| {
        let mut session = Session::connect(&config).expect("a server");
        session
            .run(sql_query(show).one::<String>())
            .expect("a setting")
    };
    let config = || server().config("postgres");
    assert_eq!(setting(config()), "5s");
    let own = "-c client_connection_check_interval=7s";
    assert_eq!(setting(config().parameter("options", own)), "7s");
    // A pooler accepts no start-up options.
    assert_eq!(setting(config().pooler(true)), "0");
}

#[test]
fn a_server_without_connection_checks_is_accepted() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    let config = Config::new()
        .host("127.0.0.1")
        .port(port)
        .user("ann")
        .dbname("bank")
        .parameter("sslmode", "disable");
    let old = thread::spawn(move || {
        let mut asked = Vec::new();
        for _ in 0..3 {
            let (mut stream, _) = listener.accept().expect("a client");
            let mut buffer = [0; 1024];
            let length = stream.read(&mut buffer).expect("a first message");
            let asks = String::from_utf8_lossy(&buffer[..length])
                .contains("client_connection_check_interval");
            asked.push(asks);
            let answer: &[u8] = if asks {
                b"E\0\0\0\x63SFATAL\0VFATAL\0C42704\0Munrecognized configuration parameter \"client_connection_check_interval\"\0\0"
            } else {
                b"R\0\0\0\x08\0\0\0\0S\0\0\0\x19server_version\x0013.23\0Z\0\0\0\x05I"
            };
            stream.write_all(answer).expect("a client");
            // Until the client has closed it.
            while stream.read(&mut buffer).is_ok_and(|length| length > 0) {}
        }
        asked
    });
    for _ in 0..2 {
        drop(Session::connect(&config).expect("an old server"));
    }
    // The client asked for the option once, and not again after the refusal.
    assert_eq!(old.join().expect("a server"), [true, false, false]);
}
