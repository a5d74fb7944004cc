//! Activity of sessions, and which session blocks which.

use std::time::{Duration, Instant};

use bank::{Account, AccountChanges};
use bowline::Database;
use bowline::pool::{Activity, SessionState};
use testkit::Proxy;

use crate::support::{new_account, server, test_database};

/// Queries the activity until it is as wanted, 10 s at most.
fn wait_for(db: &Database, wanted: impl Fn(&[Activity]) -> bool) -> Vec<Activity> {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let sessions = db.activity().expect("an answer");
        if wanted(&sessions) || Instant::now() > deadline {
            return sessions;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_session_that_waits_for_anothers_lock_names_it() {
    let database = test_database();
    let db = database.open().expect("a server");
    let ann = db
        .run(Account::insert(new_account("ann")))
        .expect("an account");
    let richer = || AccountChanges {
        balance: Some(200),
        ..Default::default()
    };
    let (holder_pid, sessions) = std::thread::scope(|scope| {
        db.transaction(|tx| {
            tx.run(Account::update(ann.id, richer()))?;
            scope.spawn(|| {
                db.run(Account::update(ann.id, richer()))
                    .expect("an account")
            });
            // The server reads a session's state before the locks that block it, so the two may be
            // from different moments.
            let waits = |session: &Activity| {
                session.is_blocked() && session.wait_event_type.as_deref() == Some("Lock")
            };
            let sessions = wait_for(&db, |sessions| sessions.iter().any(waits));
            Ok::<_, bowline::Error>((tx.backend_pid(), sessions))
        })
        .expect("a commit")
    });
    let holder = sessions
        .iter()
        .find(|session| session.pid == holder_pid)
        .expect("the holder");
    assert_eq!(holder.state, Some(SessionState::IdleInTransaction));
    assert!(!holder.is_blocked());
    assert!(holder.transaction_age().is_some());
    assert_eq!(holder.query_age(), None);
    let waiter = sessions
        .iter()
        .find(|session| session.is_blocked())
        .expect("one that waits");
    assert_eq!(waiter.blocked_by, [holder_pid]);
    assert_eq!(waiter.state, Some(SessionState::Active));
    assert_eq!(waiter.wait_event_type.as_deref(), Some("Lock"));
    assert_eq!(waiter.wait_event.as_deref(), Some("transactionid"));
    assert!(waiter.query_age().is_some());
    let query = waiter.query.as_deref().expect("a query");
    assert!(query.contains("UPDATE accounts"), "{query}");
}

#[test]
fn activity_takes_one_trip_and_omits_its_own_session() {
    let (server, database, other) = (server(), test_database(), test_database());
    let elsewhere = other.open().expect("a server");
    let _elsewhere = elsewhere.session().expect("a session");
    let proxy = Proxy::start(&server).expect("a proxy");
    let config = proxy.config(database.name());
    let db = config
        .application_name("the bank")
        .open()
        .expect("a server");
    let held = db.session().expect("a session");
    // Opens the session that queries the activity.
    db.activity().expect("an answer");
    proxy.take_round_trips();
    let sessions = db.activity().expect("an answer");
    assert_eq!(proxy.take_round_trips(), 1);
    let pids: Vec<_> = sessions.iter().map(|session| session.pid).collect();
    assert_eq!(pids, [held.backend_pid()]);
    assert_eq!(sessions[0].application_name, "the bank");
    assert_eq!(sessions[0].state, Some(SessionState::Idle));
    assert_eq!(sessions[0].user.as_deref(), Some("postgres"));
    assert!(sessions[0].connected_since <= Some(sessions[0].observed_at));
}
