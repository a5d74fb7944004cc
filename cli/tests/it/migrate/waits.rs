//! Migrations that wait for the locks of other sessions.

use std::thread;
use std::time::Duration;

use bowline::Session;
use diesel::connection::SimpleConnection as _;

use super::{project, server, without_times};

/// Returns a session with an open transaction that has read `accounts`.
fn reader(server: &bowline::testing::LocalServer) -> Session {
    let config = server.config("postgres").application_name("a report");
    let mut reader = Session::connect(&config).expect("a connection");
    reader
        .batch_execute("BEGIN; SELECT * FROM accounts")
        .expect("a reader");
    reader
}

#[test]
fn a_lock_not_free_in_time_is_named_with_its_holder() {
    let (project, server) = (project(), server());
    let url = server.url("postgres");
    let variables = [("DATABASE_URL", url.as_str())];
    let printed = project.printed(&["migrate", "to", "1_accounts"], &variables);
    assert!(printed.ends_with("exit 0"), "{printed}");
    let reader = reader(&server);
    let pid = reader.backend_pid().to_string();
    let arguments = [
        "migrate",
        "run",
        "--lock-timeout",
        "3",
        "--lock-attempts",
        "2",
    ];
    let printed = project.printed(&arguments, &variables);
    let seconds =
        regex::Regex::new(r"in a transaction for \d+ s|again in [\d.]+m?s").expect("an expression");
    let printed = printed.replace(&pid, "[pid]");
    insta::assert_snapshot!(seconds.replace_all(&printed, "[seconds]"), @r"
    2_name waits for a lock that process [pid] (a report of postgres, [seconds]) holds
    a lock was not free in time: 2_name begins [seconds] (attempt 2 of 2)
    2_name waits for a lock that process [pid] (a report of postgres, [seconds]) holds
    error[55P03]: canceling statement due to lock timeout
     --> migrations/2_name/up.sql:1:1
      |
    1 | ALTER TABLE accounts ADD COLUMN name text;
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    error: failed to run 2_name
    hint: no changes were applied; run `bowline migrate` again when other sessions have ended their transactions
    exit 1
    ");
}

#[test]
fn a_migration_begins_again_once_a_lock_was_not_free() {
    let (project, server) = (project(), server());
    let url = server.url("postgres");
    let variables = [("DATABASE_URL", url.as_str())];
    project.printed(&["migrate", "to", "1_accounts"], &variables);
    let reader = reader(&server);
    thread::scope(|scope| {
        let arguments = ["migrate", "run", "--lock-timeout", "1"];
        let run = scope.spawn(move || project.printed(&arguments, &variables));
        thread::sleep(Duration::from_secs(2));
        drop(reader);
        let printed = without_times(&run.join().expect("it runs"));
        assert!(printed.contains("2_name begins again in"), "{printed}");
        // It is looked for within the second.
        assert!(
            printed.contains("2_name waits for a lock that process"),
            "{printed}"
        );
        assert!(
            printed.contains("ran 2_name\n") && printed.ends_with("exit 0"),
            "{printed}"
        );
    });
}

#[test]
fn others_wait_no_longer_than_the_lock_timeout() {
    let (project, server) = (project(), server());
    let url = server.url("postgres");
    let variables = [("DATABASE_URL", url.as_str())];
    project.printed(&["migrate", "to", "1_accounts"], &variables);
    let _reader = reader(&server);
    let mut other = Session::connect(&server.config("postgres")).expect("a connection");
    let arguments = [
        "migrate",
        "run",
        "--lock-timeout",
        "1",
        "--lock-attempts",
        "1",
    ];
    thread::scope(|scope| {
        let run = scope.spawn(|| project.printed(&arguments, &variables));
        let began = std::time::Instant::now();
        while !run.is_finished() {
            // It waits behind the migration, which waits for the lock itself.
            other
                .batch_execute("SELECT * FROM accounts")
                .expect("it reads");
            thread::sleep(Duration::from_millis(20));
            assert!(began.elapsed() < Duration::from_secs(10));
        }
        assert!(run.join().expect("it runs").ends_with("exit 1"));
    });
}
