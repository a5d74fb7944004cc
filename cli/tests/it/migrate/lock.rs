//! Two runs at the same time run one after the other.

use std::thread;
use std::time::{Duration, Instant};

use bowline::{Session, sql_query};
use diesel::sql_types::BigInt;

use super::{project, server};

#[derive(bowline::Row)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

#[test]
fn eight_that_start_together_run_each_migration_once() {
    let (project, server) = (project(), server());
    project.write(
        "migrations/3_slow/up.sql",
        "SELECT pg_sleep(0.2); CREATE TABLE slow (id int PRIMARY KEY);",
    );
    let url = server.url("postgres");
    let variables = [("DATABASE_URL", url.as_str())];
    thread::scope(|scope| {
        let runs: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| project.printed(&["migrate", "run"], &variables)))
            .collect();
        let printed: Vec<String> = runs
            .into_iter()
            .map(|run| run.join().expect("it runs"))
            .collect();
        for printed in &printed {
            assert!(printed.ends_with("exit 0"), "{printed}");
        }
        assert_eq!(
            printed
                .iter()
                .filter(|printed| printed.contains("ran 3_slow"))
                .count(),
            1
        );
    });
    let mut session = Session::connect(&server.config("postgres")).expect("a connection");
    let count = sql_query("SELECT count(*) FROM __diesel_schema_migrations").one::<Count>();
    assert_eq!(session.run(count).expect("an answer").count, 3);
}

#[test]
fn the_holder_of_the_lock_is_named() {
    let (project, server) = (project(), server());
    let url = server.url("postgres");
    let variables = [("DATABASE_URL", url.as_str())];
    let config = server.config("postgres").application_name("the other");
    let mut other = Session::connect(&config).expect("a connection");
    let lock = other.advisory_lock("bowline migrate").expect("a lock");
    let pid = lock.backend_pid().to_string();
    let started = Instant::now();
    let printed = project.printed(&["migrate", "run", "--wait", "1"], &variables);
    assert!(started.elapsed() < Duration::from_secs(10));
    insta::assert_snapshot!(printed.replace(&pid, "[pid]"), @r"
    waiting for process [pid] (the other of postgres), which is running migrations
    error: process [pid] (the other of postgres) is still running migrations after 1 s
    hint: wait longer with --wait, or end that session: SELECT pg_terminate_backend([pid])
    exit 1
    ");
    assert!(
        project
            .printed(&["migrate", "status"], &variables)
            .ends_with("exit 0"),
        "to look needs no lock"
    );
    thread::scope(|scope| {
        let waiting = scope.spawn(|| project.printed(&["migrate", "run"], &variables));
        thread::sleep(Duration::from_millis(500));
        drop(lock);
        let printed = waiting.join().expect("it runs");
        assert!(
            printed.contains("waiting for process") && printed.ends_with("exit 0"),
            "{printed}"
        );
    });
}
