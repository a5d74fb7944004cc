//! A storm of calls that are dropped, panic, or whose runtime shuts down: neither slots of the pool
//! nor descriptors, threads, tasks or sessions of the server are left.

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use bowline::{AsyncDatabase, Session, StatementDsl as _, sql_query};
use tokio::runtime::{Builder, Runtime};

use super::dropped_calls::{SESSIONS, drop_after, enter, mixed, open, until_idle, write};
use crate::support::only;

/// Set in the child process, which alone has descriptors and threads to count.
const CHILD: &str = "BOWLINE_TEST_LEAKS";

#[test]
fn storms_of_drops_leave_nothing_behind() {
    let storm = Command::new(std::env::current_exe().expect("this program"))
        .args(only(module_path!(), "counts_what_is_left_when_asked_to"))
        .env(CHILD, "yes")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&storm.stdout);
    assert!(
        storm.status.success() && said.contains("nothing is left"),
        "{said}\n{}",
        String::from_utf8_lossy(&storm.stderr)
    );
}

/// Returns how many descriptors and threads this process has.
fn held() -> [usize; 2] {
    ["/proc/self/fd", "/proc/self/task"]
        .map(|folder| fs::read_dir(folder).expect("Linux has it").count())
}

/// Counts before and after storms on both kinds of runtime, in the child process that the test
/// above starts.
#[test]
fn counts_what_is_left_when_asked_to() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    let one: fn() -> Builder = Builder::new_current_thread;
    let two = || {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(2);
        builder
    };
    for builder in [one, two] {
        // The first storm opens what the process keeps.
        round(&builder);
        let before = held();
        for _ in 0..3 {
            round(&builder);
        }
        let deadline = Instant::now() + Duration::from_secs(10);
        while held() != before {
            assert!(Instant::now() < deadline, "{before:?}, {:?}", held());
            std::thread::sleep(Duration::from_millis(10));
        }
    }
    println!("nothing is left");
}

/// Opens a database, has two runtimes in turn call it, and closes it.
fn round(builder: &impl Fn() -> Builder) {
    let (db, database) = open(SESSIONS);
    let runtime = || builder().enable_all().build().expect("a runtime");
    let first = runtime();
    first.block_on(storm(&db));
    // Calls that run while their runtime shuts down. It drops their tasks.
    for call in 0..2 * u64::from(SESSIONS) {
        let db = db.clone();
        first.spawn(async move {
            db.transaction(async |tx| {
                tx.run(enter(call, "debit")).await?;
                tx.run(sql_query("SELECT pg_sleep(60)").affected()).await
            })
            .await
        });
    }
    first.block_on(async { tokio::time::sleep(Duration::from_millis(50)).await });
    first.shutdown_timeout(Duration::from_secs(5));
    // Another runtime is served by all sessions that the pool may have.
    let second = runtime();
    second.block_on(async {
        until_idle(&db).await;
        let mut open = Vec::new();
        for _ in 0..SESSIONS {
            open.push(db.begin().await.expect("a session"));
        }
        assert_eq!(db.pool_state().size, SESSIONS, "{:?}", db.pool_state());
        drop(open);
        until_idle(&db).await;
        tasks_end(&second).await;
        db.close(Duration::from_secs(5)).await.expect("closed");
    });
    assert_eq!(db.pool_state().size, 0);
    let mut witness = Session::connect(&database.config()).expect("a server");
    let others = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let deadline = Instant::now() + Duration::from_secs(20);
    while witness.run(sql_query(others).affected()).expect("a count") > 0 {
        assert!(Instant::now() < deadline, "a session of the server is left");
        std::thread::sleep(Duration::from_millis(20));
    }
    let half = "SELECT FROM ledger GROUP BY call HAVING count(*) <> 2";
    let half = witness.run(sql_query(half).affected());
    assert_eq!(half.expect("a count"), 0, "a call is half done");
}

/// Drops calls at many points, and has some panic within a transaction.
async fn storm(db: &AsyncDatabase) {
    let tasks: Vec<_> = (0..200)
        .map(|call| {
            let db = db.clone();
            tokio::spawn(async move {
                if call % 10 != 9 {
                    drop_after(mixed(call) % 16, write(&db, call)).await;
                    return;
                }
                let panicking = db.transaction(async |tx| {
                    tx.run(enter(call, "debit")).await?;
                    assert_ne!(call % 10, 9, "the work panics");
                    Ok(())
                });
                panicking.await.expect("never");
            })
        })
        .collect();
    let mut panicked = 0;
    for task in tasks {
        panicked += u64::from(task.await.is_err());
    }
    assert_eq!(panicked, 20);
    until_idle(db).await;
}

async fn tasks_end(runtime: &Runtime) {
    let deadline = Instant::now() + Duration::from_secs(5);
    while runtime.metrics().num_alive_tasks() > 0 {
        assert!(Instant::now() < deadline, "a task is left");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
