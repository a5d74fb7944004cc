//! LISTEN and NOTIFY.

use std::thread;
use std::time::{Duration, Instant};

use bowline::StatementDsl as _;
use bowline::notify::notify;
use bowline::{ErrorKind, Session, sql_query};
use testkit::Proxy;

use crate::support::server;

fn session() -> Session {
    Session::connect(&server().config("postgres")).expect("a server")
}

#[test]
fn a_notification_wakes_the_waiting_caller() {
    let mut listener = session();
    listener.listen("Weird \"name").expect("a channel");
    let speaker = thread::spawn(|| {
        thread::sleep(Duration::from_millis(200));
        let mut speaker = session();
        speaker
            .run(notify("Weird \"name", "hello"))
            .expect("a notification");
        speaker.backend_pid()
    });
    let heard = listener
        .wait_for_notification(Duration::from_secs(10))
        .expect("a connection")
        .expect("a notification");
    let pid = speaker.join().expect("no panic");
    assert_eq!(
        (heard.channel.as_str(), heard.payload.as_str(), heard.pid),
        ("Weird \"name", "hello", pid)
    );
}

#[test]
fn waiting_for_a_notification_ends_at_its_deadline() {
    let mut listener = session();
    listener.listen("silence").expect("a channel");
    let started = Instant::now();
    let heard = listener.wait_for_notification(Duration::from_millis(200));
    assert_eq!(heard.expect("a connection"), None);
    assert!((200..2200).contains(&started.elapsed().as_millis()));
}

#[test]
fn a_notification_that_is_here_already_needs_no_wait() {
    let mut listener = session();
    listener.listen("here_already").expect("a channel");
    session()
        .run(notify("here_already", ""))
        .expect("a notification");
    // By then it has arrived at the socket, and is not read yet.
    thread::sleep(Duration::from_secs(1));
    let heard = listener.wait_for_notification(Duration::ZERO);
    assert!(heard.expect("a connection").is_some());
}

#[test]
fn notifications_during_other_work_are_kept_in_order() {
    let mut listener = session();
    listener.listen("orders_kept").expect("a channel");
    let mut speaker = session();
    for number in 0..100 {
        speaker
            .run(notify("orders_kept", number.to_string()))
            .expect("a notification");
        listener
            .run(sql_query("SELECT 1").affected())
            .expect("an answer");
    }
    let heard: Vec<_> = std::iter::from_fn(|| {
        listener
            .wait_for_notification(Duration::from_secs(2))
            .expect("a connection")
    })
    .take(100)
    .collect();
    assert!(
        heard.iter().map(|said| &said.payload).eq(&(0..100)
            .map(|number: i32| number.to_string())
            .collect::<Vec<_>>())
    );
    listener.unlisten("orders_kept").expect("no channel");
    speaker
        .run(notify("orders_kept", ""))
        .expect("a notification");
    assert!(listener.notifications().expect("a connection").is_empty());
}

#[test]
fn a_failed_transactions_notification_never_arrives() {
    let mut listener = session();
    listener.listen("only_committed").expect("a channel");
    let db = server().config("postgres").open().expect("a server");
    db.run((
        notify("only_committed", "no"),
        sql_query("SELECT 1 / 0").affected(),
    ))
    .expect_err("a division by zero");
    db.run(notify("only_committed", "yes"))
        .expect("a notification");
    let heard = listener.wait_for_notification(Duration::from_secs(10));
    assert_eq!(
        heard.expect("a connection").map(|said| said.payload),
        Some("yes".to_owned())
    );
}

#[test]
fn a_listener_on_a_lost_connection_gets_an_error() {
    let mut listener = session();
    listener.listen("nobody").expect("a channel");
    let end = sql_query("SELECT pg_terminate_backend($1)")
        .bind::<diesel::sql_types::Integer, _>(listener.backend_pid());
    session().run(end.affected()).expect("the right to do so");
    let error = listener
        .wait_for_notification(Duration::from_secs(10))
        .expect_err("the process is gone");
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
    assert!(listener.is_broken());
}

#[test]
fn waiting_takes_no_round_trip() {
    let proxy = Proxy::start(&server()).expect("a proxy");
    let mut listener = Session::connect(&proxy.config("postgres")).expect("a server");
    listener.listen("free").expect("a channel");
    proxy.take_round_trips();
    session().run(notify("free", "")).expect("a notification");
    let heard = listener.wait_for_notification(Duration::from_secs(10));
    assert!(heard.expect("a connection").is_some());
    assert_eq!(proxy.take_round_trips(), 0);
}
