//! The peak memory of calls, measured in a child process of this program (`VmHWM`, on Linux).

use std::ops::ControlFlow;
use std::process::{Command, Stdio};

use bowline::session::SimpleQueryMessage;
use bowline::{Session, StatementDsl as _, sql_query};
use diesel::dsl::sql as sql_text;
use diesel::sql_types::Integer;

use crate::support::{only, server};

/// Set in a child process: its task.
const TASK: &str = "BOWLINE_TEST_TASK";
/// The number of rows to stream, set by `script/memory-figures`.
const ROWS: &str = "BOWLINE_MEMORY_ROWS";

const MIB: u64 = 1024 * 1024;

#[derive(bowline::Row)]
struct Number {
    #[diesel(sql_type = Integer)]
    number: i32,
}

fn rows() -> i32 {
    let rows = std::env::var(ROWS).ok().and_then(|rows| rows.parse().ok());
    rows.unwrap_or(1_000_000)
}

/// Returns by how much a task raises the peak memory of a child process.
fn peak_of(task: &str) -> u64 {
    let this = std::env::current_exe().expect("this program");
    let output = Command::new(this)
        .args(only(module_path!(), "does_a_task_when_asked_to"))
        .env(TASK, task)
        .stderr(Stdio::inherit())
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&output.stdout);
    let peak = said.lines().find_map(|line| line.strip_prefix("peak "));
    let peak = peak.and_then(|peak| peak.parse().ok());
    peak.unwrap_or_else(|| panic!("it says nothing of its memory: {said}"))
}

/// Returns the peak memory of this process so far, in bytes.
fn high_water_mark() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .expect("a line of its own");
    let kib: u64 = line
        .trim()
        .trim_end_matches(" kB")
        .parse()
        .expect("a number");
    kib * 1024
}

#[test]
#[cfg(target_os = "linux")]
fn a_stream_takes_at_most_16_mib() {
    let peak = peak_of("stream");
    println!("{} rows streamed: {} KiB at the peak", rows(), peak / 1024);
    assert!(peak < 16 * MIB, "{peak}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_simple_query_takes_at_most_16_mib() {
    let peak = peak_of("simple query");
    println!("{} rows told: {} KiB at the peak", rows(), peak / 1024);
    assert!(peak < 16 * MIB, "{peak}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_pipeline_of_100_000_takes_at_most_64_mib() {
    let peak = peak_of("pipeline");
    println!("100000 statements: {} KiB at the peak", peak / 1024);
    assert!(peak < 64 * MIB, "{peak}");
}

/// Runs a task in the child process that a test above starts, and prints its memory.
#[test]
fn does_a_task_when_asked_to() {
    let Ok(task) = std::env::var(TASK) else {
        return;
    };
    let mut session = Session::connect(&server().config("postgres")).expect("a server");
    session.set_timeout(std::time::Duration::from_secs(300));
    session
        .run(sql_query("SELECT 1 AS number").one::<Number>())
        .expect("an answer");
    let start = high_water_mark();
    if task == "stream" {
        let query = sql_query("SELECT generate_series(1, $1) AS number").bind::<Integer, _>(rows());
        let stream = session.stream(query.all::<Number>()).expect("rows");
        let sum: i64 = stream
            .map(|row| i64::from(row.expect("a row").number))
            .sum();
        assert_eq!(sum, i64::from(rows()) * i64::from(rows() + 1) / 2);
    } else if task == "simple query" {
        let mut told = 0;
        let text = format!("SELECT generate_series(1, {})", rows());
        let done = session.simple_query(&text, |message| {
            told += i32::from(matches!(message, SimpleQueryMessage::Row(_)));
            ControlFlow::Continue(())
        });
        assert!(done.is_ok());
        assert_eq!(told, rows());
    } else {
        let query = |number| {
            diesel::select(sql_text::<Integer>("1 * ").bind::<Integer, _>(number)).one::<i32>()
        };
        let statements: Vec<_> = (0..100_000).map(query).collect();
        let answers = session.run(statements).expect("answers");
        assert!(answers.into_iter().eq(0..100_000));
    }
    println!("\npeak {}", high_water_mark() - start);
}
