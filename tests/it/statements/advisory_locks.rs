//! Advisory locks, of sessions and of transactions.

use std::time::Duration;

use bowline::locks::{advisory_xact_lock, try_advisory_xact_lock};
use bowline::{Error, ErrorKind, StatementDsl as _, sql_query};
use testkit::Proxy;

use crate::support::server;

fn database() -> bowline::Database {
    server().config("postgres").open().expect("a server")
}

#[test]
fn a_lock_is_held_until_its_guard_is_dropped() {
    let (ours, theirs) = (database(), database());
    for key in ["a name", "another"] {
        let mut lock = ours.advisory_lock(key).expect("a lock");
        assert!(theirs.try_advisory_lock(key).expect("an answer").is_none());
        lock.run(sql_query("SELECT 1").affected())
            .expect("work under the lock");
        drop(lock);
        assert!(theirs.try_advisory_lock(key).expect("an answer").is_some());
    }
}

#[test]
fn numbers_pairs_and_names_are_different_locks() {
    let db = database();
    let _number = db.advisory_lock(7_701).expect("a lock");
    let _pair = db
        .try_advisory_lock((0, 7_701))
        .expect("an answer")
        .expect("another lock");
    let _name = db
        .try_advisory_lock("7701")
        .expect("an answer")
        .expect("another lock");
}

#[test]
fn a_lock_that_cannot_be_had_in_time_is_a_timeout() {
    let db = database();
    let _held = db.advisory_lock("in time").expect("a lock");
    let mut session = db.session().expect("a session");
    session.set_timeout(Duration::from_millis(200));
    let error = session.advisory_lock("in time").expect_err("it is held");
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error:?}");
    assert!(!session.is_broken());
}

#[test]
fn a_released_lock_leaves_the_session_clean() {
    let db = database();
    let mut session = db.session().expect("a session");
    drop(session.advisory_lock("untouched").expect("a lock"));
    assert!(!session.is_touched());
    let mut lock = session.advisory_lock("untouched").expect("a lock");
    lock.run(sql_query("SET jit = off").affected())
        .expect("a setting");
    drop(lock);
    assert!(session.is_touched());
}

#[test]
fn a_transaction_lock_ends_with_the_transaction() {
    let (ours, theirs) = (database(), database());
    let proxy = Proxy::start(&server()).expect("a proxy");
    let through = proxy.config("postgres").open().expect("a server");
    proxy.take_round_trips();
    through
        .run((
            advisory_xact_lock("travels"),
            sql_query("SELECT 1").affected(),
        ))
        .expect("both");
    assert_eq!(proxy.take_round_trips(), 1);
    ours.transaction(|tx| {
        tx.run(advisory_xact_lock("ends"))?;
        assert!(!theirs.run(try_advisory_xact_lock("ends"))?);
        Ok::<_, Error>(())
    })
    .expect("a commit");
    assert!(
        theirs
            .run(try_advisory_xact_lock("ends"))
            .expect("an answer")
    );
}

#[test]
fn a_forgotten_guard_does_not_outlive_its_checkout() {
    let db = server()
        .config("postgres")
        .max_size(1)
        .open()
        .expect("a server");
    let mut session = db.session().expect("a session");
    std::mem::forget(session.advisory_lock(7_702).expect("a lock"));
    assert!(session.is_touched());
    drop(session);
    let theirs = database();
    assert!(
        theirs
            .try_advisory_lock(7_702)
            .expect("an answer")
            .is_some()
    );
}
