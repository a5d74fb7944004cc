//! The trait that receives the progress of a migration.

use std::time::Duration;

use super::blockers::Blocker;

/// Receives what happens while a migration runs.
pub trait Observer: Sync {
    /// Another statement of the file is done; `done` counts them.
    fn statement_done(&self, done: usize) {
        let _ = done;
    }

    /// Another batch of a backfill is done: the rows that it has looked at, and about how many the
    /// table has, where the server knows.
    fn batch_done(&self, rows: u64, total: Option<u64>) {
        let _ = (rows, total);
    }

    /// A session holds a lock that the migration waits for.
    fn blocked(&self, by: &Blocker) {
        let _ = by;
    }

    /// A lock was not free in time; the migration begins again after the pause.
    fn begins_again(&self, attempt: u32, pause: Duration) {
        let _ = (attempt, pause);
    }
}

/// An observer of nothing.
impl Observer for () {}
