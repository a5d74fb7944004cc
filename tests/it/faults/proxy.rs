//! The proxy that the tests of faults use: what it counts, and how it breaks a connection.

use std::time::{Duration, Instant};

use bowline::testing::LocalServer;
use bowline::{Config, Error, ErrorKind, Session, StatementDsl as _, sql_query};
use testkit::{Direction, Ending, Proxy};

use crate::support::server;

fn proxies(server: &LocalServer) -> [Proxy; 2] {
    [Proxy::start(server), Proxy::start_tcp(server)].map(|proxy| proxy.expect("a proxy"))
}

fn ask(session: &mut Session) -> Result<usize, Error> {
    session.run(sql_query("SELECT 1").affected())
}

fn connect(proxy: &Proxy) -> Session {
    Session::connect(&proxy.config("postgres")).expect("a connection")
}

fn hurried(proxy: &Proxy) -> Config {
    proxy
        .config("postgres")
        .connect_timeout(Duration::from_millis(300))
}

#[test]
fn its_url_leads_through_it() {
    for proxy in proxies(&server()) {
        let config = Config::from_url(&proxy.url("postgres")).expect("a URL");
        let mut session = Session::connect(&config).expect("a connection");
        proxy.take_round_trips();
        ask(&mut session).expect("an answer");
        assert_eq!((proxy.connections(), proxy.take_round_trips()), (1, 1));
    }
}

#[test]
fn bytes_and_messages_are_counted_and_recorded() {
    for proxy in proxies(&server()) {
        let mut session = connect(&proxy);
        let passed = || [Direction::ToServer, Direction::ToClient].map(|way| proxy.passed(way));
        let [said, heard] = passed();
        proxy.record();
        ask(&mut session).expect("an answer");
        let recording = proxy.take_recording();
        for (way, before, after) in [
            (Direction::ToServer, said, passed()[0]),
            (Direction::ToClient, heard, passed()[1]),
        ] {
            let messages: Vec<_> = recording
                .iter()
                .filter(|message| message.direction == way)
                .collect();
            let bytes: usize = messages.iter().map(|message| message.bytes.len()).sum();
            assert_eq!(after.bytes - before.bytes, bytes as u64);
            assert_eq!(after.messages - before.messages, messages.len() as u64);
        }
        let types: String = recording
            .iter()
            .map(|message| char::from(message.bytes[0]))
            .collect();
        // Parse, Bind, Describe, Execute, Sync; ParseComplete, BindComplete, RowDescription,
        // DataRow, CommandComplete, ReadyForQuery.
        assert_eq!(types, "PBDES12TDCZ");
    }
}

#[test]
fn a_cut_is_exact_and_ends_one_connection() {
    for proxy in proxies(&server()) {
        for way in [Direction::ToServer, Direction::ToClient] {
            for bytes in [0, 1, 7] {
                let mut session = connect(&proxy);
                let before = proxy.passed(way).bytes;
                proxy.cut_after(way, bytes, Ending::Fin);
                let error = ask(&mut session).expect_err("a cut connection");
                assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
                assert_eq!(proxy.passed(way).bytes - before, bytes);
            }
        }
        ask(&mut connect(&proxy)).expect("a whole connection");
    }
}

#[test]
fn all_open_connections_are_cut_at_once() {
    for proxy in proxies(&server()) {
        for ending in [Ending::Fin, Ending::Rst] {
            let mut open = [connect(&proxy), connect(&proxy)];
            proxy.cut(ending);
            for session in &mut open {
                ask(session).expect_err("a cut connection");
            }
        }
    }
}

#[test]
fn a_frozen_connection_continues_after_resume() {
    for proxy in proxies(&server()) {
        let mut session = connect(&proxy);
        proxy.freeze();
        session.set_timeout(Duration::from_millis(100));
        let started = Instant::now();
        let error = ask(&mut session).expect_err("no answer");
        assert_eq!(error.kind(), ErrorKind::Timeout, "{error:?}");
        assert!(started.elapsed() < Duration::from_secs(4));
        Session::connect(&hurried(&proxy)).expect_err("no answer here either");
        proxy.resume();
        ask(&mut connect(&proxy)).expect("an answer");
    }
}

#[test]
fn a_delay_is_felt_in_its_own_direction_only() {
    let proxy = Proxy::start(&server()).expect("a proxy");
    let mut session = connect(&proxy);
    for way in [Direction::ToServer, Direction::ToClient] {
        proxy.delay(way, Duration::from_millis(150));
        let started = Instant::now();
        ask(&mut session).expect("an answer");
        let took = started.elapsed();
        assert!(took >= Duration::from_millis(150), "{took:?}");
        proxy.resume();
    }
}

#[test]
fn refused_fails_at_once_and_silent_at_the_deadline() {
    for proxy in proxies(&server()) {
        let mut session = connect(&proxy);
        proxy.refuse();
        let error = Session::connect(&hurried(&proxy)).expect_err("refused");
        assert!(error.message().contains("refused"), "{error}");
        proxy.stop_accepting();
        let error = Session::connect(&hurried(&proxy)).expect_err("not heard");
        assert_eq!(error.kind(), ErrorKind::Timeout, "{error:?}");
        ask(&mut session).expect("what is open goes on");
        proxy.resume();
        ask(&mut connect(&proxy)).expect("an answer");
    }
}
