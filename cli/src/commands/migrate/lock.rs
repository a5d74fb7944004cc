//! The lock that prevents concurrent runs of migrations on a database, and the messages while
//! waiting for it.

use std::time::Duration;

use bowline::__generated::migrating::{self, LockHolder, NotLocked};
use bowline::Session;

use crate::connection::Connected;
use crate::error::CliError;
use crate::ui;

/// Takes the lock, and runs the work while holding it.
pub(super) fn locked<T>(
    connected: &mut Connected,
    patience: Duration,
    work: impl FnOnce(&mut Session) -> Result<T, CliError>,
) -> Result<T, CliError> {
    if connected.is_pooled {
        ui::note(
            "the connection goes through a pooler, so there is no lock: make sure that no other run is in progress",
        );
        return work(&mut connected.session);
    }
    let progress = std::cell::Cell::new(None);
    let waits = |holder: Option<&LockHolder>| {
        let holder = holder.map_or("another session".to_owned(), words);
        ui::status(format!("waiting for {holder}, which is running migrations"));
        progress.set(Some(ui::Progress::start("waiting")));
    };
    let done = migrating::locked(&mut connected.session, patience, waits, |session| {
        drop(progress.take());
        work(session)
    });
    drop(progress.take());
    match done {
        Ok(done) => done,
        Err(NotLocked::Busy(holder)) => Err(refused(holder.as_ref(), patience)),
        Err(NotLocked::Failed(error)) => Err(error.into()),
    }
}

fn refused(holder: Option<&LockHolder>, patience: Duration) -> CliError {
    let seconds = patience.as_secs();
    match holder {
        Some(holder) => CliError::failed(format!(
            "{} is still running migrations after {seconds} s",
            words(holder)
        ))
        .hint(format!(
            "wait longer with --wait, or end that session: SELECT pg_terminate_backend({})",
            holder.pid
        )),
        None => CliError::failed(format!(
            "other sessions were running migrations for {seconds} s"
        ))
        .hint("wait longer with --wait"),
    }
}

fn words(holder: &LockHolder) -> String {
    let from = if holder.address.is_empty() {
        String::new()
    } else {
        format!(" from {}", holder.address)
    };
    format!(
        "process {} ({} of {}{from})",
        holder.pid,
        ui::one_line(&holder.application),
        ui::one_line(&holder.user)
    )
}
