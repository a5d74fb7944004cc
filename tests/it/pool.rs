//! The pool against a real server.

mod checkout;
mod clean;
mod clock;
mod down;
mod ended;
mod many_tasks;
mod pgbouncer;
mod poolers;
mod readers;
mod session_state;

use std::thread;
use std::time::{Duration, Instant};

use bowline::{Database, sql_query};
use diesel::sql_types::Integer;

/// Added to a deadline, so that a busy machine does not fail a test but a hang does.
const SPARE: Duration = Duration::from_secs(2);

#[derive(bowline::Row)]
struct Pid {
    #[diesel(sql_type = Integer)]
    pid: i32,
}

/// Returns the server process of the session that the pool gives.
fn pid(db: &Database) -> bowline::Result<i32> {
    let row = db.run(sql_query("SELECT pg_backend_pid() AS pid").one::<Pid>())?;
    Ok(row.pid)
}

/// Waits until a condition holds, 10 s at most.
fn until(what: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !what() {
        assert!(Instant::now() < deadline, "it never came to be");
        thread::sleep(Duration::from_millis(2));
    }
}
