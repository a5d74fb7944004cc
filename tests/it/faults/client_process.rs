//! A client process that is killed, and one that runs out of file descriptors. Each is a child
//! process of this program.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use bowline::{Config, ErrorKind, Result, Session, StatementDsl as _, sql_query};
use diesel::connection::SimpleConnection as _;

use crate::support::{only, server, test_database};

/// Set in a child process: the server to connect to.
const TARGET: &str = "BOWLINE_TEST_TARGET";

/// Starts this program again to run one test only, through the command `under` if it is not empty.
fn again(under: &[&str], test: &str, target: &str) -> Child {
    let this = std::env::current_exe().expect("this program");
    let mut command = match under {
        [] => Command::new(&this),
        [program, arguments @ ..] => {
            let mut command = Command::new(program);
            command.args(arguments).arg(&this);
            command
        }
    };
    command
        .args(only(module_path!(), test))
        .env(TARGET, target)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("it runs")
}

fn wait_for_line(child: &mut Child, wanted: &str) {
    let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let said: Vec<_> = lines
        .map_while(std::result::Result::ok)
        .take_while(|line| line != wanted)
        .collect();
    assert!(child.try_wait().expect("it is ours").is_none(), "{said:?}");
}

#[test]
fn a_killed_client_leaves_no_work_and_no_locks() {
    let database = test_database();
    let mut witness = Session::connect(&database.config()).expect("a server");
    witness
        .batch_execute("CREATE TABLE t (x int); INSERT INTO t VALUES (1)")
        .expect("DDL");
    let mut client = again(&[], "holds_a_transaction_when_asked_to", database.name());
    wait_for_line(&mut client, "ready");
    let lock = || sql_query("SELECT FROM t FOR UPDATE NOWAIT").affected();
    witness.run(lock()).expect_err("the client has the row");
    client.kill().expect("it is ours");
    client.wait().expect("it ends");
    let deadline = Instant::now() + Duration::from_secs(5);
    while witness.run(lock()).is_err() {
        assert!(Instant::now() < deadline, "the lock is still held");
        thread::sleep(Duration::from_millis(5));
    }
    let rows = witness.run(sql_query("SELECT FROM t").affected());
    assert_eq!(rows.expect("a count"), 1, "half of its work is there");
}

/// Holds a transaction open, in the child process that the test above starts.
#[test]
fn holds_a_transaction_when_asked_to() {
    let Ok(target) = std::env::var(TARGET) else {
        return;
    };
    let mut session = Session::connect(&server().config(&target)).expect("a server");
    let done = session.savepoint(|tx| -> Result<()> {
        tx.run(sql_query("SELECT FROM t FOR UPDATE").affected())?;
        tx.run(sql_query("INSERT INTO t VALUES (2)").affected())?;
        println!("\nready");
        thread::sleep(Duration::from_secs(60));
        Ok(())
    });
    done.expect("a commit that nobody waits for");
}

#[test]
fn a_client_out_of_files_keeps_its_open_sessions() {
    let limit = ["/bin/sh", "-c", "ulimit -n 40; exec \"$0\" \"$@\" 2>&1"];
    let client = again(
        &limit,
        "runs_out_of_files_when_asked_to",
        &server().url("postgres"),
    );
    let output = client.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("came through"), "{said}");
}

/// Opens connections until there are no file descriptors left, in the child process that the test
/// above starts.
#[test]
fn runs_out_of_files_when_asked_to() {
    let Ok(target) = std::env::var(TARGET) else {
        return;
    };
    let config = Config::from_url(&target)
        .expect("a URL")
        .max_size(100)
        .checkout_timeout(Duration::from_millis(500));
    let db = config.open().expect("a server");
    let mut held = Vec::new();
    let error = loop {
        match db.session() {
            Ok(session) => held.push(session),
            Err(error) => break error,
        }
        assert!(held.len() < 100, "there is no limit");
    };
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
    assert!(
        format!("{error:?}").contains("Too many open files"),
        "{error:?}"
    );
    let ask = || sql_query("SELECT 1").affected();
    for session in &mut held {
        session.run(ask()).expect("what is open goes on");
    }
    held.clear();
    db.run(ask()).expect("there is room again");
    println!("came through");
}
