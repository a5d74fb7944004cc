//! One run at a time, and what is said while another one goes on.

use std::time::Duration;

use bowline::Session;
use bowline::migrating::{self, LockHolder, NotLocked};

use crate::connection::Connected;
use crate::error::CliError;
use crate::ui;

/// Does the work once nobody else does such work.
pub(super) fn locked<T>(
    connected: &mut Connected,
    patience: Duration,
    work: impl FnOnce(&mut Session) -> Result<T, CliError>,
) -> Result<T, CliError> {
    if connected.is_pooled {
        ui::note(
            "a pooler stands in between, so there is no lock: see that nobody else runs migrations now",
        );
        return work(&mut connected.session);
    }
    let progress = std::cell::Cell::new(None);
    let waits = |holder: Option<&LockHolder>| {
        let who = holder.map_or("another".to_owned(), words);
        ui::status(format!("waiting for {who} to be done with its migrations"));
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
            "{} runs migrations, and was not done within {seconds} s",
            words(holder)
        ))
        .hint(format!(
            "wait longer with --wait, or end that session: SELECT pg_terminate_backend({})",
            holder.pid
        )),
        None => CliError::failed(format!("others ran migrations all of {seconds} s"))
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
