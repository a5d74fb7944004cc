//! Servers that speak the protocol and lack a part of PostgreSQL: what is replaced, and what is
//! refused by name. `docs/guide/other-servers.md` lists it.

use bowline::retry::RetryPolicy;
use bowline::{Database, ErrorKind, Outcome, TransactionOptions, locks, notify, sql_query};

use super::distributed::{Refused, Shared, insert, open_refusing, take};

/// The codes by which servers say that they lack something.
const CODES: [&str; 7] = [
    "0A000", "42883", "42704", "42P01", "42703", "42501", "42601",
];

const XID: &str = "pg_current_xact_id_if_assigned";

/// Returns how often the server refused something since the last call, and its rows.
fn seen(cluster: &Shared) -> (usize, u32) {
    let cluster = take(cluster);
    let refused = cluster.commands.iter();
    let refused = refused.filter(|sql| sql.starts_with("refused")).count();
    (refused, cluster.rows)
}

/// Runs a call that writes one row on a server that refuses this, with each code: the first call is
/// repeated, and later ones do not send it again.
#[track_caller]
fn is_done_without(part: &'static str, codes: &[&'static str], call: fn(&Database)) {
    for code in codes {
        let (db, cluster, _server) = open_refusing(Some((part, code)), RetryPolicy::default());
        call(&db);
        assert_eq!(seen(&cluster), (1, 1), "{part} {code}");
        call(&db);
        assert_eq!(seen(&cluster), (0, 1), "{part} {code}");
    }
}

fn interactively(db: &Database) {
    db.transaction(|tx| tx.run(insert())).expect("a row");
}

fn with_options(db: &Database) {
    let careful = db.with_options(TransactionOptions::read_committed());
    careful.run(insert()).expect("a row");
}

#[test]
fn a_transaction_does_without_its_number() {
    is_done_without(XID, &CODES, interactively);
}

#[test]
fn a_commit_does_without_set_constraints() {
    for call in [interactively, with_options] {
        is_done_without("SET CONSTRAINTS", &["0A000", "42601"], call);
    }
}

#[test]
fn a_commit_does_without_the_catalog_of_triggers() {
    for call in [interactively, with_options] {
        is_done_without("pg_trigger", &CODES, call);
    }
}

#[test]
fn what_is_never_retried_fails_once_and_says_why() {
    let refuses = Some((XID, "42883"));
    let (db, cluster, _server) = open_refusing(refuses, RetryPolicy::never());
    let error = db
        .transaction(|tx| tx.run(insert()))
        .expect_err("it is not retried");
    assert_eq!(error.outcome(), Outcome::NotCommitted);
    assert!(
        error.hint().is_some_and(|hint| hint.contains(XID)),
        "{error:?}"
    );
    assert_eq!(seen(&cluster), (1, 0));
    interactively(&db);
    assert_eq!(seen(&cluster), (0, 1));
    // One round trip is repeated, since nothing of it was done.
    let refuses = Some(("pg_trigger", "42P01"));
    let (db, cluster, _server) = open_refusing(refuses, RetryPolicy::never());
    with_options(&db);
    assert_eq!(seen(&cluster), (1, 1));
}

#[test]
fn another_failure_is_no_lack() {
    let (db, cluster, _server) = open_refusing(Some((XID, "22012")), RetryPolicy::default());
    for _ in 0..2 {
        let error = db
            .transaction(|tx| tx.run(insert()))
            .expect_err("a division by zero");
        assert_eq!(error.outcome(), Outcome::NotCommitted);
        assert_eq!(seen(&cluster), (1, 0));
    }
}

/// Calls on a server that refuses this, with each code: the error names what it lacks.
#[track_caller]
fn is_refused_by_name(part: &'static str, name: &str, call: fn(&Database) -> bowline::Result<()>) {
    for code in CODES {
        let refused: Refused = (part, code);
        let (db, _cluster, _server) = open_refusing(Some(refused), RetryPolicy::default());
        let error = call(&db).expect_err(part);
        assert_eq!(
            (error.kind(), error.outcome()),
            (ErrorKind::Query, Outcome::NotCommitted),
            "{error:?}"
        );
        let hint = error.hint().unwrap_or_default();
        assert!(
            hint.starts_with(&format!("this server has no {name},")),
            "{part} {code}: {hint}"
        );
    }
}

#[test]
fn what_a_program_asks_for_is_refused_by_name() {
    is_refused_by_name("pg_advisory_lock", "advisory locks", |db| {
        db.advisory_lock(7).map(drop)
    });
    is_refused_by_name("pg_try_advisory_lock", "advisory locks", |db| {
        db.try_advisory_lock("nightly").map(drop)
    });
    is_refused_by_name("pg_advisory_xact_lock", "advisory locks", |db| {
        db.transaction(|tx| tx.run(locks::advisory_xact_lock(7)))
            .map(drop)
    });
    is_refused_by_name("LISTEN", "LISTEN", |db| db.session()?.listen("transfers"));
    is_refused_by_name("pg_notify", "NOTIFY", |db| {
        db.run(notify::notify("transfers", "7"))
    });
    is_refused_by_name("SAVEPOINT", "savepoints", |db| {
        db.transaction(|tx| {
            tx.run(insert())?;
            tx.savepoint(|tx| tx.run(insert()))
        })
        .map(drop)
    });
    is_refused_by_name("DECLARE", "cursors", |db| {
        db.transaction(|tx| {
            tx.cursor(sql_query("SELECT 1").all::<i32>())?
                .fetch_all()
                .map(drop)
        })
    });
    is_refused_by_name("pg_stat_activity", "pg_stat_activity", |db| {
        db.activity().map(drop)
    });
}
