//! Ctrl-C and SIGTERM: the statement that the command runs on a server ends too.

use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use bowline::testing::LocalServer;
use bowline::{Session, StatementDsl as _, sql_query};
use rustix::process::{Pid, Signal, kill_process};

use crate::Project;

/// Waits until a query returns true.
fn until(session: &mut Session, query: &str, is_so: bool, what: &str) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while (session.run(sql_query(query).affected()).expect("an answer") > 0) != is_so {
        assert!(Instant::now() < deadline, "{what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// Runs the command until this text runs on the server, and sends it a signal. Returns its output
/// and exit code.
fn interrupted(
    project: &Project,
    server: &LocalServer,
    arguments: &[&str],
    text: &str,
    signal: Signal,
) -> String {
    let mut session = Session::connect(&server.config("postgres")).expect("a connection");
    let child: Child = Command::new(env!("CARGO_BIN_EXE_bowline"))
        .current_dir(project.path(""))
        .args(arguments)
        .env_clear()
        .env("PATH", "/nonexistent")
        .env("DATABASE_URL", server.url("postgres"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    let running = format!(
        "SELECT 1 FROM pg_stat_activity WHERE query LIKE '%{text}%' AND state = 'active' AND pid <> pg_backend_pid()"
    );
    until(&mut session, &running, true, "it never runs");
    let started = Instant::now();
    let pid = Pid::from_raw(i32::try_from(child.id()).expect("a number")).expect("a process");
    kill_process(pid, signal).expect("ours");
    until(&mut session, &running, false, "the server goes on");
    let output = child.wait_with_output().expect("it ends");
    assert!(started.elapsed() < Duration::from_secs(10));
    let printed = String::from_utf8_lossy(&output.stderr);
    format!(
        "{printed}exit {}",
        output.status.code().expect("no signal ended it")
    )
}

#[test]
fn a_migration_is_cancelled_on_the_server() {
    let server = LocalServer::private(&[]).expect("a server");
    let project = Project::new(&[(
        "migrations/1_a/up.sql",
        "CREATE TABLE a (id int);\nSELECT pg_sleep(600);\n",
    )]);
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let printed = interrupted(
            &project,
            &server,
            &["migrate", "run"],
            "pg_sleep(600)",
            signal,
        );
        assert!(printed.ends_with(&format!("exit {code}")), "{printed}");
        assert!(
            printed.contains("canceling statement due to user request"),
            "{printed}"
        );
        assert!(
            printed.contains("hint: no changes were applied by 1_a\n"),
            "{printed}"
        );
    }
    let status = project.printed(
        &["migrate", "status"],
        &[("DATABASE_URL", &server.url("postgres"))],
    );
    assert!(status.contains("1 migration, 1 pending"), "{status}");
}

#[test]
fn an_interrupted_migration_is_recorded_truly() {
    let server = LocalServer::private(&[]).expect("a server");
    let url = server.url("postgres");
    let run = ["migrate", "run"];
    let project = Project::new(&[
        ("migrations/1_a/up.sql", "CREATE TABLE a (id int);"),
        ("migrations/2_b/up.sql", "SELECT pg_sleep(600);"),
        ("migrations/2_b/metadata.toml", "run_in_transaction = false"),
    ]);
    let printed = interrupted(&project, &server, &run, "pg_sleep(600)", Signal::TERM);
    assert!(printed.contains("ran 1_a"), "{printed}");
    assert!(
        printed.contains("hint: no changes were applied by 2_b\n"),
        "{printed}"
    );
    let variables = [("DATABASE_URL", url.as_str())];
    let status = project.printed(&["migrate", "status"], &variables);
    assert!(status.contains("2 migrations, 1 pending\n"), "{status}");

    // A concurrent build leaves an invalid index.
    let mut reader = Session::connect(&server.config("postgres")).expect("a connection");
    for text in ["BEGIN", "LOCK TABLE a IN ROW EXCLUSIVE MODE"] {
        reader.run(sql_query(text).affected()).expect("a lock");
    }
    let index = "CREATE INDEX CONCURRENTLY a_id ON a (id);";
    project.write("migrations/2_b/up.sql", index);
    let printed = interrupted(&project, &server, &run, "CONCURRENTLY a_id", Signal::TERM);
    assert!(
        printed.contains("hint: it left an invalid index, so first run DROP INDEX a_id"),
        "{printed}"
    );
    let status = project.printed(&["migrate", "status"], &variables);
    assert!(status.contains("0 pending, 1 failed"), "{status}");
}

#[test]
fn a_query_is_cancelled_on_the_server() {
    let server = LocalServer::private(&[]).expect("a server");
    let project = Project::bare(&[]);
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let query = ["sql", "SELECT pg_sleep(600)"];
        let printed = interrupted(&project, &server, &query, "pg_sleep(600)", signal);
        assert!(printed.ends_with(&format!("exit {code}")), "{printed}");
        assert!(!printed.contains("--timeout"), "{printed}");
    }
}

#[test]
fn a_waiter_for_the_lock_can_be_interrupted() {
    let server = LocalServer::private(&[]).expect("a server");
    let mut other = Session::connect(&server.config("postgres")).expect("a connection");
    for text in [
        "CREATE TABLE a (id int)",
        "BEGIN",
        "LOCK TABLE a IN ACCESS SHARE MODE",
    ] {
        other.run(sql_query(text).affected()).expect("a lock");
    }
    let project = Project::new(&[("migrations/1_a/up.sql", "ALTER TABLE a ADD b int;")]);
    let printed = interrupted(
        &project,
        &server,
        &["migrate", "run"],
        "ALTER TABLE a",
        Signal::INT,
    );
    assert!(printed.ends_with("exit 130"), "{printed}");
}
