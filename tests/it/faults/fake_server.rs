//! Servers that send wrong bytes: deadlines hold, nothing panics, and error texts have no control
//! characters.

use std::cell::Cell;
use std::net::Shutdown;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use bowline::{Error, ErrorKind, Outcome, Result, Session, SqlState, StatementDsl as _, sql_query};
use testkit::FakeServer;
use testkit::fake_server::{error_response, message, message_with_length, welcome};

const LIMIT: Duration = FakeServer::LIMIT;

const CLEARTEXT_PASSWORD: [u8; 4] = [0, 0, 0, 3];

/// Returns ParseComplete, BindComplete, and a RowDescription of one column of type int4 in binary.
fn row_follows() -> Vec<u8> {
    let column = b"\0\x01x\0\0\0\0\0\0\0\0\0\0\x17\0\x04\xff\xff\xff\xff\0\x01";
    [
        message(b'1', b""),
        message(b'2', b""),
        message(b'T', column),
    ]
    .concat()
}

/// Runs the call, and fails the test if it takes more than 2 s longer than the limit.
fn in_time<T>(limit: Duration, call: impl FnOnce() -> Result<T>) -> Result<T> {
    let started = Instant::now();
    let done = call();
    let took = started.elapsed();
    assert!(took < limit + Duration::from_secs(2), "{took:?}");
    done
}

/// The limit of a call, with the time that cancelling waits for a server that does not answer.
const CALL: Duration = LIMIT.saturating_add(Duration::from_secs(3));

fn ask(session: &mut Session) -> Error {
    in_time(CALL, || session.run(sql_query("SELECT 1").affected())).expect_err("no answer")
}

/// Returns true if the text has no characters that a terminal or a log interprets.
fn is_harmless(text: &str) -> bool {
    !text
        .chars()
        .any(|c| c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c))
}

const HOSTILE: &str = "no\x1b[2J\x1b]0;owned\x07\r\n2026-01-01 LOG: all is well\u{202e}";

#[test]
fn a_slow_welcome_ends_at_the_connect_timeout() {
    let server = FakeServer::start(|client| {
        client.read();
        client.trickle(&welcome());
    });
    let error =
        in_time(LIMIT, || Session::connect(&server.config())).expect_err("too slow a welcome");
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error:?}");
}

#[test]
fn a_slow_answer_ends_at_the_deadline() {
    let rows = message(b'D', &[0; 400]);
    let server = FakeServer::start(move |client| {
        client.welcome();
        client.read();
        client.trickle(&[row_follows(), rows.clone()].concat());
    });
    let mut session = server.connect();
    let error = ask(&mut session);
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error:?}");
    assert!(session.is_broken());
}

#[test]
fn a_flood_of_notices_ends_at_the_deadline() {
    let notice = message(b'N', b"SWARNING\0VWARNING\0C01000\0Mlisten!\0\0");
    let flood: Vec<u8> = notice
        .iter()
        .copied()
        .cycle()
        .take(notice.len() * 500)
        .collect();
    let at_once = flood.clone();
    let talker = FakeServer::start(move |client| {
        client.read();
        while client.send(&at_once) {}
    });
    in_time(LIMIT, || Session::connect(&talker.config())).expect_err("it never lets us in");
    let talker = FakeServer::start(move |client| {
        client.welcome();
        client.read();
        while client.send(&flood) {}
    });
    let error = ask(&mut talker.connect());
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error:?}");
}

#[test]
fn a_server_that_is_not_postgresql_is_refused_in_time() {
    let pieces: [&[u8]; 6] = [
        b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        &[0; 64],
        &[0xff; 64],
        &message_with_length(b'R', u32::MAX, &[0; 32]),
        &message_with_length(b'R', 0, &[0; 32]),
    ];
    for piece in pieces {
        let server = FakeServer::greeting(piece.to_vec());
        let error = in_time(LIMIT, || Session::connect(&server.config())).expect_err("garbage");
        assert!(
            matches!(
                error.kind(),
                ErrorKind::Config | ErrorKind::Unavailable | ErrorKind::Timeout
            ),
            "{error:?}"
        );
        assert!(is_harmless(&error.to_string()), "{error}");
    }
}

#[test]
fn a_false_message_length_loses_the_session() {
    for kind in *b"123ACDEGHINSTVWZdnst" {
        for length in [0, 3, 5, 0x7fff_ffff, u32::MAX] {
            let answer = [row_follows(), message_with_length(kind, length, &[0; 40])].concat();
            let server = FakeServer::answering(answer);
            let mut session = server.connect();
            let error = ask(&mut session);
            let shown = format!("{} of {length}: {error:?}", char::from(kind));
            assert!(
                matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::Timeout),
                "{shown}"
            );
            assert!(session.is_broken(), "{shown}");
        }
    }
}

#[test]
fn random_answers_cause_no_panic_and_no_hang() {
    // Marsaglia's xorshift: the same bytes each time.
    let mut state = 0x2545_f491_u32;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state
    };
    let kinds = b"123CDEINSTZ";
    for _ in 0..60 {
        let mut answer = Vec::new();
        for _ in 0..random() % 6 {
            let body: Vec<u8> = (0..random() % 40).map(|_| random() as u8).collect();
            answer.extend(message(kinds[random() as usize % kinds.len()], &body));
        }
        answer.extend((0..random() % 30).map(|_| random() as u8));
        let server = FakeServer::start(move |client| {
            client.welcome();
            client.read();
            client.send(&answer);
            client.stream.shutdown(Shutdown::Both).ok();
        });
        let mut session = server.connect();
        let answered = in_time(CALL, || {
            session.run(sql_query("SELECT 1 AS x").all::<Row>())
        });
        if let Err(error) = answered {
            assert!(is_harmless(&error.to_string()), "{error}");
        }
    }
}

#[test]
fn an_unrequested_copy_ends_the_session() {
    // CopyInResponse, CopyOutResponse and CopyBothResponse, of text without columns.
    for kind in *b"GHW" {
        let described = [message(b'1', b""), message(b'2', b""), message(b'n', b"")].concat();
        for before in [described, Vec::new()] {
            let copy = message(kind, b"\0\0\0");
            let data = message(b'd', b"1\n").repeat(3);
            let server = FakeServer::answering([before, copy, data].concat());
            let mut session = server.connect();
            let query = sql_query("INSERT INTO t VALUES (1)").affected();
            let error = in_time(LIMIT, || session.run(query)).expect_err("a COPY");
            let shown = format!("{}: {error:?}", char::from(kind));
            assert!(error.message().contains("COPY"), "{shown}");
            let is_out = kind == b'H';
            let outcome = if is_out {
                Outcome::Unknown
            } else {
                Outcome::NotCommitted
            };
            assert_eq!(error.outcome(), outcome, "{shown}");
            assert!(session.is_broken(), "{shown}");
        }
        let server = FakeServer::answering(message(kind, b"\0\0\0"));
        let mut session = server.connect();
        let streamed = in_time(LIMIT, || {
            let rows = session.stream(sql_query("SELECT 1 AS x").all::<Row>())?;
            rows.collect::<Result<Vec<_>>>()
        });
        streamed.expect_err("a COPY");
        assert!(session.is_broken());
        let server = FakeServer::answering(message(kind, b"\0\0\0"));
        let mut session = server.connect();
        in_time(CALL, || {
            session.simple_query("SELECT 1", |_| ControlFlow::Continue(()))
        })
        .expect_err("a COPY");
    }
}

#[derive(bowline::Row, Debug)]
struct Row {
    #[diesel(sql_type = diesel::sql_types::Integer)]
    #[expect(dead_code, reason = "what counts is that reading it does not panic")]
    x: i32,
}

#[test]
fn rows_before_a_closed_connection_are_no_answer() {
    let row = message(b'D', b"\0\x01\0\0\0\x04\0\0\0\x2a");
    let half = row[..8].to_vec();
    for tail in [half, row] {
        let server = FakeServer::start(move |client| {
            client.welcome();
            client.read();
            client.send(&row_follows());
            client.send(&message(b'D', b"\0\x01\0\0\0\x04\0\0\0\x2a"));
            client.send(&tail);
            client.stream.shutdown(Shutdown::Both).ok();
        });
        let mut session = server.connect();
        let error = in_time(CALL, || {
            session.run(sql_query("SELECT 1 AS x").all::<Row>())
        })
        .expect_err("half an answer");
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
        assert!(session.is_broken());
    }
}

#[test]
fn a_row_that_is_not_as_it_was_described_is_an_error() {
    for row in [
        // No column, two, one that is longer than its row, one of a negative length that is not
        // NULL.
        &b"\0\0"[..],
        b"\0\x02\0\0\0\x04\0\0\0\x2a\0\0\0\x04\0\0\0\x2a",
        b"\0\x01\0\0\0\x40\0\0\0\x2a",
        b"\0\x01\xff\xff\xff\xf0\0\0\0\x2a",
        // An integer of five bytes.
        b"\0\x01\0\0\0\x05\0\0\0\0\x2a",
    ] {
        let answer = [
            row_follows(),
            message(b'D', row),
            message(b'C', b"SELECT 1\0"),
            message(b'Z', b"I"),
        ];
        let server = FakeServer::answering(answer.concat());
        let mut session = server.connect();
        let error = in_time(CALL, || {
            session.run(sql_query("SELECT 1 AS x").all::<Row>())
        });
        error.expect_err("no such row");
    }
}

#[test]
fn a_commit_answered_with_nonsense_is_unknown() {
    let server = FakeServer::answering(b"\0\0\0\0nonsense".to_vec());
    let mut session = server.connect();
    let error = in_time(CALL, || {
        session.run(sql_query("INSERT INTO t VALUES (1)").affected())
    })
    .expect_err("nonsense");
    assert_eq!(error.outcome(), Outcome::Unknown, "{error:?}");
}

#[test]
fn a_cleartext_password_request_is_refused() {
    let server = FakeServer::greeting(message(b'R', &CLEARTEXT_PASSWORD));
    let config = server
        .config()
        .password("s3cretmarker")
        .parameter("require_auth", "scram-sha-256");
    let error = in_time(LIMIT, || Session::connect(&config)).expect_err("a refusal");
    assert_ne!(error.kind(), ErrorKind::Timeout, "{error:?}");
    assert!(!server.has_received(b"s3cretmarker"));
    assert!(!format!("{error} {error:?}").contains("s3cretmarker"));
}

#[test]
fn texts_before_authentication_are_harmless() {
    let said = error_response("FATAL", "28000", HOSTILE);
    let server = FakeServer::greeting(said);
    for sslmode in ["disable", "require"] {
        let config = server.config().parameter("sslmode", sslmode);
        let error = in_time(LIMIT, || Session::connect(&config)).expect_err("a refusal");
        assert_ne!(error.kind(), ErrorKind::Timeout, "{error:?}");
        for text in [error.to_string(), format!("{error:?}")] {
            assert!(is_harmless(&text), "{sslmode}: {text:?}");
        }
    }
}

#[test]
fn error_texts_of_statements_are_harmless() {
    let answer = [
        error_response("ERROR", "22012", HOSTILE),
        message(b'Z', b"I"),
    ];
    let server = FakeServer::answering(answer.concat());
    let error = ask(&mut server.connect());
    assert_eq!(error.sqlstate(), SqlState::new("22012"));
    for text in [error.to_string(), format!("{error:?}")] {
        assert!(is_harmless(&text), "{text:?}");
    }
}

#[test]
fn a_server_of_another_language_is_understood() {
    let fields = "SFEHLER\0VERROR\0C23505\0Mdoppelter Schl\u{fc}sselwert verletzt Unique-Constraint \u{bb}t_pkey\u{ab}\0nt_pkey\0\0";
    let answer = [message(b'E', fields.as_bytes()), message(b'Z', b"I")];
    let server = FakeServer::answering(answer.concat());
    let error = ask(&mut server.connect());
    assert_eq!(error.kind(), ErrorKind::Constraint, "{error:?}");
    assert_eq!(error.constraint_name(), Some("t_pkey"));
    let server = FakeServer::start(|client| {
        client.read();
        let fields = "SFATAL\0VFATAL\0C3D000\0MDatenbank \u{bb}bank\u{ab} existiert nicht\0\0";
        client.send(&message(b'E', fields.as_bytes()));
    });
    let error = in_time(LIMIT, || Session::connect(&server.config())).expect_err("no database");
    assert!(error.is_permanent(), "{error:?}");
    assert_eq!(error.sqlstate(), SqlState::new("3D000"));
}

#[test]
fn a_starting_or_full_server_is_unavailable_for_now() {
    for code in ["57P03", "53300"] {
        let server = FakeServer::start(move |client| {
            client.read();
            client.send(&error_response("FATAL", code, "not now"));
        });
        let error = in_time(LIMIT, || Session::connect(&server.config())).expect_err("not now");
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
        assert_eq!(error.sqlstate(), SqlState::new(code));
        assert!(!error.is_permanent(), "{error:?}");
    }
}

/// Returns the answers to commands without parameters and rows, one for each of the tags.
fn done(tags: &[&str]) -> Vec<u8> {
    let answer = |tag: &&str| {
        [
            message(b'1', b""),
            message(b'2', b""),
            message(b'n', b""),
            message(b'C', format!("{tag}\0").as_bytes()),
        ]
        .concat()
    };
    tags.iter().flat_map(answer).collect()
}

/// Returns the error that a server process sends when an administrator terminates it.
fn terminated() -> Vec<u8> {
    let text = "terminating connection due to administrator command";
    error_response("FATAL", "57P01", text)
}

#[test]
fn a_server_that_ends_after_its_commit_has_committed() {
    let insert = || sql_query("INSERT INTO t VALUES (1)").affected();
    let server = FakeServer::start(|client| {
        client.welcome();
        client.read();
        // The first write of a transaction is followed by a query for the transaction ID.
        let tags = ["BEGIN", "INSERT 0 1", "SELECT 0"];
        client.send(&[done(&tags), message(b'Z', b"T")].concat());
        client.read();
        // Deferred constraints are checked before the COMMIT.
        let tags = ["SET CONSTRAINTS", "SELECT 0", "COMMIT"];
        client.send(&[done(&tags), terminated()].concat());
        client.stream.shutdown(Shutdown::Both).ok();
    });
    let db = server.config().max_size(1).open().expect("a welcome");
    let runs = Cell::new(0);
    let inserted = in_time(CALL, || {
        db.transaction(|session| {
            runs.set(runs.get() + 1);
            session.run(insert())
        })
    });
    assert_eq!((inserted.expect("it is committed"), runs.get()), (1, 1));

    let connections = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&connections);
    let server = FakeServer::start(move |client| {
        counted.fetch_add(1, Ordering::SeqCst);
        client.welcome();
        client.read();
        let tags = ["BEGIN", "INSERT 0 1", "INSERT 0 1", "COMMIT"];
        client.send(&[done(&tags), terminated()].concat());
        client.stream.shutdown(Shutdown::Both).ok();
    });
    let db = server.config().max_size(1).open().expect("a welcome");
    let inserted = in_time(CALL, || db.run((insert(), insert())));
    assert_eq!(inserted.expect("it is committed"), (1, 1));
    assert_eq!(connections.load(Ordering::SeqCst), 1);
}

#[test]
fn a_server_that_ends_before_its_commit_is_unknown() {
    // The Sync of a single statement commits it.
    let answer = [done(&["INSERT 0 1"]), terminated()].concat();
    let server = FakeServer::start(move |client| {
        client.welcome();
        client.read();
        client.send(&answer);
        client.stream.shutdown(Shutdown::Both).ok();
    });
    let mut session = server.connect();
    let insert = sql_query("INSERT INTO t VALUES (1)").affected();
    let error = in_time(CALL, || session.run(insert)).expect_err("the server has ended");
    assert_eq!(error.outcome(), Outcome::Unknown, "{error:?}");
    assert_eq!(error.sqlstate(), SqlState::new("57P01"));
}
