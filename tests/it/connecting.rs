//! What is said when no connection can be had.

use bowline::{Config, Error, Session, SqlState};

use crate::server;

fn refused(config: &Config) -> Error {
    Session::connect(config).expect_err("it is refused")
}

#[test]
fn a_database_that_does_not_exist_is_a_permanent_error_with_its_sqlstate() {
    let error = refused(&server().config("nowhere"));
    assert!(
        matches!(error, Error::Config(_)) && error.is_permanent(),
        "{error:?}"
    );
    assert_eq!(error.sqlstate(), Some(SqlState::INVALID_CATALOG_NAME));
    assert!(error.to_string().starts_with("connect to /"), "{error}");
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
fn a_setting_that_the_server_does_not_know_is_a_permanent_error() {
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
fn a_parameter_that_libpq_does_not_know_is_a_permanent_error() {
    let error = refused(&server().config("postgres").parameter("sslmood", "require"));
    assert!(matches!(error, Error::Config(_)), "{error:?}");
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
        matches!(error, Error::Unavailable(_)) && !error.is_permanent(),
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
        matches!(error, Error::Unavailable(_)) && !error.is_permanent(),
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
    assert!(matches!(error, Error::Unavailable(_)), "{error:?}");
}

#[test]
fn what_main_prints_of_a_server_that_is_away_says_where_it_was_looked_for() {
    let config = Config::from_url("postgres://ann:s3cret@127.0.0.1:1/bank").expect("a URL");
    let error = config.open().expect_err("nobody listens there");
    let printed = format!("{error:?}");
    assert!(printed.contains("connect to 127.0.0.1:1"), "{printed}");
    assert!(!printed.contains("s3cret"), "{printed}");
}
