//! No output of the library has a password: no error, `Debug`, event, panic or argument.
//!
//! A test password is put everywhere that a password can come from. A child process of this program
//! then produces every kind of output and prints it, and the test searches the output.

use std::fmt::{Debug, Display};
use std::fs;
use std::io::Write as _;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use bowline::pool::SessionManager;
use bowline::{Config, Database, Session, StatementDsl as _, sql_query};
use diesel::connection::SimpleConnection as _;
use diesel::sql_types::Text;
use testkit::Recorder;
use testkit::tls::tls_server;

use crate::connect::tls::{ask_for_cleartext, hear_out, play};
use crate::support::only;

/// Contains characters that a URL has to escape. The output is searched for each half.
const PASSWORD: &str = "s3cretplant/m4rkedword@x";
const HALVES: [&str; 2] = ["s3cretplant", "m4rkedword"];
/// Set in the child process that prints everything: the port of the server.
const TELL: &str = "BOWLINE_TESTS_TELL_ALL";

#[test]
fn no_password_is_in_any_output() {
    let server = tls_server();
    server
        .administrator()
        .batch_execute(&format!("CREATE ROLE eve LOGIN PASSWORD '{PASSWORD}'"))
        .expect("a role");
    let at = |name: &str| server.folder().join(name);
    let write = |name: &str, text: String| {
        fs::write(at(name), text).expect("a file");
        fs::set_permissions(at(name), fs::Permissions::from_mode(0o600)).expect("ours");
    };
    write("eve.pgpass", format!("*:*:*:eve:{PASSWORD}\n"));
    let port = server.port();
    write(
        "services",
        format!(
            "[planted]\nhost=127.0.0.1\nport={port}\nuser=eve\ndbname=postgres\nsslmode=disable\npassword={PASSWORD}\n"
        ),
    );
    let environments = [
        (
            "PGPASSWORD",
            PASSWORD.into(),
            "connected by the environment",
        ),
        (
            "PGPASSFILE",
            at("eve.pgpass"),
            "connected by the environment",
        ),
        ("PGSERVICEFILE", at("services"), "connected by a service"),
    ];
    let processes = environments.map(|(variable, value, way)| {
        let process = Command::new(std::env::current_exe().expect("this program"))
            .args(only(module_path!(), "tells_all_when_asked_to"))
            .env(TELL, port.to_string())
            .env_remove("PGPASSWORD")
            .env(variable, value)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it runs");
        (variable, way, process)
    });
    for (variable, way, process) in processes {
        let done = process.wait_with_output().expect("it ends");
        let told = String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned();
        assert!(done.status.success(), "{told}");
        for expected in [
            way,
            "connected by a URL",
            "connected by keys",
            "said to a panic",
            "you said ***",
            "bowline::statement",
        ] {
            assert!(told.contains(expected), "{expected}: {told}");
        }
        for half in HALVES {
            assert!(!told.contains(half), "{variable}: {told}");
        }
    }
}

/// Prints every kind of output, in the child process that the test above starts.
#[test]
fn tells_all_when_asked_to() {
    let Ok(port) = std::env::var(TELL) else {
        return;
    };
    let port: u16 = port.parse().expect("a port");
    let recorder = Recorder::default();
    tracing::subscriber::set_global_default(recorder.clone()).expect("the only one");
    let escaped = PASSWORD.replace('/', "%2F").replace('@', "%40");
    let place = Config::new()
        .host("127.0.0.1")
        .port(port)
        .user("eve")
        .dbname("postgres");
    let place = place.parameter("sslmode", "disable");
    let ways = [
        (
            "a URL",
            Config::from_url(&format!(
                "postgres://eve:{escaped}@127.0.0.1:{port}/postgres?sslmode=disable"
            )),
        ),
        (
            "keys",
            Config::from_url(&format!(
                "host=127.0.0.1 port={port} user=eve dbname=postgres sslmode=disable password='{PASSWORD}'"
            )),
        ),
        ("methods", Ok(place.clone().password(PASSWORD))),
        ("the environment", Ok(place.clone())),
        (
            "a service",
            Ok(Config::new().parameter("service", "planted")),
        ),
    ];
    for (way, config) in ways {
        let config = config
            .expect("a good way")
            .connect_timeout(Duration::from_secs(2));
        tell(&config);
        tell(&SessionManager::new(config.clone()));
        match Session::connect(&config) {
            Ok(session) => {
                say(format!("connected by {way}"));
                use_it(&config, session);
            }
            Err(error) => tell_error(&error),
        }
        fail(&config, way);
    }
    for text in [
        format!("postgres://eve:{PASSWORD}@127.0.0.1/db"),
        format!("eve:{PASSWORD}@127.0.0.1/db"),
        format!("postgres://eve:{PASSWORD}%zz@127.0.0.1/db"),
        format!("host=db password=x {PASSWORD}"),
        format!("host=db password='{PASSWORD}"),
        format!("postgres://eve@db/x?passwort={escaped}"),
    ] {
        if let Err(error) = Config::from_url(&text).and_then(|config| Session::connect(&config)) {
            tell_error(&error);
        }
        tell(&<Session as diesel::Connection>::establish(&text).map(drop));
        tell(&Database::connect(&text).map(drop));
    }
    say(recorder.everything());
    let arguments = Command::new("ps")
        .args(["-A", "-o", "args"])
        .output()
        .expect("ps is there");
    say(String::from_utf8_lossy(&arguments.stdout));
}

/// Prints the output of calls that succeed, and of a failed statement.
fn use_it(config: &Config, mut session: Session) {
    tell(&session);
    // The value of a parameter is not printed either.
    let bound = sql_query("SELECT $1::text AS t, 1/0")
        .bind::<Text, _>(PASSWORD)
        .affected();
    tell_error(&session.run(bound).expect_err("a division by zero"));
    let db = config
        .clone()
        .slow_statement(Duration::ZERO)
        .explain_slow(true)
        .open()
        .expect("a pool");
    db.run(
        sql_query("SELECT $1::text AS t")
            .bind::<Text, _>(PASSWORD)
            .affected(),
    )
    .expect("a row");
    tell(&db);
    tell(&db.pool_state());
    tell(&db.session().expect("a session"));
    tell(&db.activity().expect("an answer"));
    tell(&db.unit_of_work());
    session.batch_execute("SELEC").expect_err("a typing error");
    let mut terminator = Session::connect(config).expect("a second one");
    let end = format!("SELECT pg_terminate_backend({})", session.backend_pid());
    terminator.batch_execute(&end).expect("its own role");
    tell_error(
        &session
            .run(sql_query("SELECT 1").affected())
            .expect_err("it was ended"),
    );
}

/// Makes connecting fail in each way.
fn fail(config: &Config, way: &str) {
    let (echo, _) = play(echo_the_password);
    for broken in [
        config.clone().port(1),
        config.clone().dbname("nowhere"),
        config.clone().user("nobody_at_all"),
        config.clone().parameter("sslmode", "verify-full"),
        config.clone().parameter("sslmode", "often"),
        config.clone().parameter("sslmood", "require"),
        config.clone().parameter("options", "-c no_such=1"),
        config.clone().parameter("require_auth", "none"),
        config.clone().parameter("channel_binding", "require"),
        config.clone().parameter("service", "not there"),
        config
            .clone()
            .dbname(format!("postgres://eve:{PASSWORD}@db/x")),
        config.clone().dbname("no\0pe"),
        config.clone().host("no.such.host.invalid"),
        config.clone().port(echo),
    ] {
        tell(&broken);
        match Session::connect(&broken) {
            Ok(session) => tell(&session),
            Err(error) => tell_error(&error),
        }
        let pooled = broken.checkout_timeout(Duration::from_millis(100)).open();
        match pooled {
            Ok(db) => tell(&db.session().map(drop)),
            Err(error) => tell_error(&error),
        }
    }
    let panicked = std::panic::catch_unwind(|| {
        Session::connect(&config.clone().dbname("nowhere")).expect("said to a panic");
    });
    assert!(panicked.is_err(), "{way}");
}

/// Plays a server that asks for the password, and quotes it in its refusal.
fn echo_the_password(client: &mut TcpStream) {
    let heard = ask_for_cleartext(client);
    let quoted = String::from_utf8_lossy(&heard).replace('\0', "");
    let fields = format!("SFATAL\0VFATAL\0C28P01\0Myou said {quoted}\0\0");
    let length = u32::try_from(fields.len() + 4).expect("a short one");
    client
        .write_all(b"E")
        .and_then(|()| client.write_all(&length.to_be_bytes()))
        .ok();
    client.write_all(fields.as_bytes()).ok();
    hear_out(client);
}

fn tell_error(error: &bowline::Error) {
    say(format!(
        "{error} {error:?} {error:#?} {:?} {:?} {:?}",
        error.hint(),
        error.detail(),
        error.server()
    ));
    let mut cause = std::error::Error::source(error);
    while let Some(deeper) = cause {
        say(format!("{deeper} {deeper:?}"));
        cause = deeper.source();
    }
}

fn tell(what: &dyn Debug) {
    say(format!("{what:?} {what:#?}"));
}

#[expect(clippy::print_stdout, reason = "what is printed is what is searched")]
fn say(text: impl Display) {
    println!("{text}");
}
