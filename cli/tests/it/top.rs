//! `bowline top`, on a real server: one table, and JSON.

mod terminal;

use std::thread;
use std::time::{Duration, Instant};

use bowline::testing::LocalServer;
use bowline::{Session, StatementDsl as _, sql};

use crate::Project;

/// A server where one session holds a lock that two others wait for, one behind the other, while `look` looks.
fn with_waiting_sessions(look: impl FnOnce(&str)) {
    let server = LocalServer::private(&[]).unwrap_or_else(|error| panic!("{error}"));
    // In another database, so that it is not among those that are looked at.
    let mut watcher = Session::connect(&server.config("template1")).expect("a connection");
    let config = server.config("postgres").application_name("the bank");
    let connect = || Session::connect(&config).expect("a connection");
    let run = |session: &mut Session, statement: &str| {
        session.run(sql(statement).affected()).expect("it works")
    };
    let debit = "UPDATE accounts\n SET balance = balance - 1";
    let mut holder = connect();
    run(
        &mut holder,
        "CREATE TABLE accounts AS SELECT 1 AS id, 100 AS balance",
    );
    run(&mut holder, "BEGIN");
    run(&mut holder, debit);
    thread::scope(|scope| {
        for waiting in 1..=2 {
            scope.spawn(|| run(&mut connect(), debit));
            wait_for_blocked(&mut watcher, waiting);
        }
        look(&server.url("postgres"));
        run(&mut holder, "COMMIT");
    });
}

fn wait_for_blocked(watcher: &mut Session, sessions: usize) {
    let blocked = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
    let deadline = Instant::now() + Duration::from_secs(10);
    while Instant::now() < deadline {
        let found = watcher.run(sql(blocked).affected()).expect("an answer");
        if found == sessions {
            return;
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("no {sessions} sessions wait");
}

/// The same text with each long number and each time as one sign, and no wider for them.
fn without_numbers(text: &str) -> String {
    let version = regex::Regex::new(r"PostgreSQL \S+ ").expect("an expression");
    let time = regex::Regex::new(r"\d+:\d+:\d+|\d+\.\d+s|\b\d{2,}\b").expect("an expression");
    let spaces = regex::Regex::new(r" {2,}").expect("an expression");
    let text = version.replace_all(text, "PostgreSQL # ");
    let text = time.replace_all(&text, "#");
    spaces.replace_all(&text, "  ").into_owned()
}

#[test]
fn who_waits_stands_under_the_one_it_waits_for() {
    with_waiting_sessions(|url| {
        let said = Project::new(&[]).said(&["top", "--once", "--database-url", url], &[]);
        assert!(!said.contains('\x1b'), "a pipe takes no colours: {said}");
        insta::assert_snapshot!(without_numbers(&said), @r"
        postgres  PostgreSQL #  # UTC  5 of # connections
        0 active, 2 blocked, 1 idle in transaction, 0 idle

        PID  USER  APPLICATION  STATE  TIME  WAITS FOR  QUERY
        #  postgres  the bank  idle in transaction  #  UPDATE accounts SET balance = balance - 1
        └ #  postgres  the bank  blocked  #  Lock transactionid  UPDATE accounts SET balance = balance - 1
          └ #  postgres  the bank  blocked  #  Lock tuple  UPDATE accounts SET balance = balance - 1
        exit 0
        ");
    });
}

#[test]
fn json_has_every_session_with_those_that_block_it() {
    with_waiting_sessions(|url| {
        let arguments = ["top", "--once", "--json", "--database-url", url];
        let output = Project::new(&[]).run(&arguments);
        assert!(output.status.success());
        let look: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!(look["database"], "postgres");
        let sessions = look["sessions"].as_array().expect("sessions");
        let find = |state: &str| {
            let mut sessions = sessions.iter();
            sessions
                .find(|session| session["state"] == state)
                .expect("a session")
        };
        let (holder, waiter) = (find("idle_in_transaction"), find("active"));
        assert_eq!(waiter["blocked_by"][0], holder["pid"]);
        assert_eq!(waiter["application_name"], "the bank");
    });
}

#[test]
fn a_reader_that_closes_the_pipe_ends_it() {
    let server = LocalServer::private(&[]).unwrap_or_else(|error| panic!("{error}"));
    let url = server.url("postgres");
    let mut running = std::process::Command::new(env!("CARGO_BIN_EXE_bowline"))
        .args(["top", "--interval", "0.1", "--database-url", &url])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("it runs");
    drop(running.stdout.take());
    let deadline = Instant::now() + Duration::from_secs(10);
    let status = loop {
        if let Some(status) = running.try_wait().expect("a child") {
            break status;
        }
        if Instant::now() > deadline {
            running.kill().expect("a child");
            panic!("it still runs");
        }
        thread::sleep(Duration::from_millis(10));
    };
    assert!(status.success());
    let said = std::io::read_to_string(running.stderr.take().expect("a pipe")).expect("a text");
    assert_eq!(said, "");
}

#[test]
fn an_interval_that_is_none_is_refused() {
    let said = Project::new(&[]).said(&["top", "--interval", "0"], &[]);
    assert!(said.contains("give a number from 0.1 to 3600"), "{said}");
    assert!(said.ends_with("exit 2"));
}
