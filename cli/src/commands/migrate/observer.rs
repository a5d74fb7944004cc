//! What is shown while a migration runs: the statement, the sessions that hold a lock, and that it
//! begins again.

use std::time::Duration;

use bowline::__generated::migrating::{Blocker, LockWait, Observer};

use crate::error::CliError;
use crate::migrations::Migration;
use crate::step::{self, Way};
use crate::ui;

/// Shows one line of progress on a terminal; dropping it removes the line.
pub(super) struct Shown<'a> {
    progress: ui::Progress,
    head: String,
    migration: &'a Migration,
    /// The statements of the file, each on one line.
    statements: Vec<String>,
    wait: LockWait,
}

/// The number of characters of a statement that are shown.
const SHOWN: usize = 60;

impl<'a> Shown<'a> {
    pub(super) fn start(
        head: String,
        migration: &'a Migration,
        way: Way,
        wait: LockWait,
    ) -> Result<Self, CliError> {
        let sql = step::sql(migration, way)?;
        let statements: Vec<String> = bowline_sql::statements(&sql)
            .map(|statement| shortened(statement.text()))
            .collect();
        let first = statements.first().cloned().unwrap_or_default();
        Ok(Self {
            progress: ui::Progress::start(format!("{head}  {first}")),
            head,
            migration,
            statements,
            wait,
        })
    }
}

/// Returns the beginning of a statement, on one line.
fn shortened(sql: &str) -> String {
    let line = bowline_sql::one_line(sql);
    match line.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}..", &line[..end]),
        None => line,
    }
}

impl Observer for Shown<'_> {
    fn statement_done(&self, done: usize) {
        let next = self.statements.get(done).map_or("", String::as_str);
        self.progress.now(format!("{}  {next}", self.head));
    }

    fn batch_done(&self, rows: u64, total: Option<u64>) {
        let of = total.map_or_else(String::new, |total| {
            format!(" of about {}", total.max(rows))
        });
        self.progress.now(format!("{}  {rows}{of} rows", self.head));
    }

    fn blocked(&self, by: &Blocker) {
        let name = &self.migration.name;
        let by = ui::one_line(&by.to_string());
        ui::status(format!("{name} waits for a lock that {by} holds"));
    }

    fn begins_again(&self, attempt: u32, pause: Duration) {
        let name = &self.migration.name;
        ui::status(format!(
            "a lock was not free in time: {name} begins again in {pause:.1?} (attempt {attempt} of {})",
            self.wait.attempts
        ));
    }
}
