//! Time limits of the pool: lifetimes, idle times, leaks.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use bowline::{StatementDsl as _, sql_query};
use tracing::field::{Field, Visit};
use tracing::span;
use tracing::{Event, Metadata, Subscriber};

use super::{SPARE, pid, until};
use crate::support::{server, test_database};

#[test]
fn a_busy_session_ends_with_its_lifetime() {
    let config = server().config("postgres").max_size(2);
    let lifetime = Duration::from_secs(1);
    let db = config.max_lifetime(lifetime).open().expect("a server");
    let started = Instant::now();
    let callers: Vec<_> = (0..4)
        .map(|_| {
            let db = db.clone();
            thread::spawn(move || {
                let mut seen = BTreeSet::new();
                while started.elapsed() < lifetime * 3 {
                    seen.insert(pid(&db).expect("a session"));
                }
                seen
            })
        })
        .collect();
    let seen: BTreeSet<_> = callers
        .into_iter()
        .flat_map(|caller| caller.join().expect("no panic"))
        .collect();
    // Three lifetimes of at most two sessions.
    assert!(seen.len() >= 3 && seen.len() <= 10, "{seen:?}");
    assert!(db.pool_state().size <= 2);
}

#[test]
fn an_idle_session_is_closed_on_the_server_too() {
    let database = test_database();
    let config = database.config().idle_timeout(Duration::from_secs(1));
    let db = config.open().expect("a server");
    let held: Vec<_> = (0..3).map(|_| db.session().expect("a session")).collect();
    drop(held);
    assert_eq!(db.pool_state().size, 3);
    until(|| db.pool_state().size == 0);
    let outside = server().config("postgres").open().expect("a server");
    let left = format!(
        "SELECT 1 FROM pg_stat_activity WHERE datname = '{}'",
        database.name()
    );
    until(|| {
        outside
            .run(sql_query(left.as_str()).affected())
            .expect("a look")
            == 0
    });
    assert!(db.run(sql_query("SELECT 1").affected()).is_ok());
}

#[test]
fn a_long_idle_dead_session_is_replaced_in_time() {
    let config = server().config("postgres").ping_after(Duration::ZERO);
    let db = config.max_size(1).open().expect("a server");
    let stopped = db.session().expect("a session").backend_pid().to_string();
    let signal = |name: &str| {
        let done = std::process::Command::new("kill")
            .args([name, &stopped])
            .status();
        assert!(done.expect("kill is there").success());
    };
    signal("-STOP");
    let asked = Instant::now();
    let replaced = pid(&db);
    signal("-CONT");
    assert!(asked.elapsed() < Duration::from_secs(1) + SPARE);
    assert_ne!(replaced.expect("another session").to_string(), stopped);
}

#[test]
fn a_session_held_too_long_is_reported_once() {
    let log = Log::default();
    let db = tracing::subscriber::with_default(log.clone(), || {
        let config = server().config("postgres").max_size(2);
        config.leak_threshold(Duration::from_millis(200)).open()
    });
    let db = db.expect("a server");
    let mut held = db.session().expect("a session");
    let line = line!() - 1;
    held.run(sql_query("SELECT 4711").affected())
        .expect("a row");
    let reports = || {
        let lines = log.0.lock().expect("no panic");
        lines
            .iter()
            .filter(|line| line.contains("leak_threshold"))
            .cloned()
            .collect::<Vec<_>>()
    };
    until(|| !reports().is_empty());
    thread::sleep(Duration::from_millis(600));
    let reports = reports();
    assert_eq!(reports.len(), 1, "{reports:?}");
    let place = format!("tests/it/pool/clock.rs:{line}:");
    assert!(
        reports[0].contains(&place) && reports[0].contains("SELECT 4711"),
        "{reports:?}"
    );
    held.run(sql_query("SELECT 1").affected())
        .expect("it was left alone");
}

/// Records the text of each event.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        write!(self.0, "{field}={value:?} ").expect("memory");
    }
}

impl Subscriber for Log {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn event(&self, event: &Event<'_>) {
        let mut text = Text(String::new());
        event.record(&mut text);
        self.0.lock().expect("no panic").push(text.0);
    }
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}
