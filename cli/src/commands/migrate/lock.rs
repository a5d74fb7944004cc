//! One run at a time: an advisory lock of the session, for which nobody waits longer than they said.
//!
//! It is tried again and again instead of waited for in the server: who waits there has a snapshot, and a CREATE INDEX
//! CONCURRENTLY of the one who holds the lock would wait for that, so both for each other.

use std::time::{Duration, Instant};

use bowline::{Session, StatementDsl as _};
use diesel::sql_types::Text;

use crate::error::CliError;
use crate::pooler;
use crate::ui;

/// The name that is locked, in the database of the migrations.
const KEY: &str = "bowline migrate";

/// How long between two tries.
const PAUSE: Duration = Duration::from_millis(200);

/// Does the work once nobody else does such work.
pub(super) fn locked<T>(
    session: &mut Session,
    patience: Duration,
    work: impl FnOnce(&mut Session) -> Result<T, CliError>,
) -> Result<T, CliError> {
    if pooler::is_behind_one(session)? {
        ui::note(
            "a pooler stands in between, so there is no lock: see that nobody else runs migrations now",
        );
        return work(session);
    }
    let started = Instant::now();
    let mut progress = None;
    loop {
        if let Some(mut lock) = session.try_advisory_lock(KEY)? {
            drop(progress);
            return work(&mut lock);
        }
        let holder = holder(session)?;
        let left = patience.saturating_sub(started.elapsed());
        if left.is_zero() {
            drop(progress);
            return Err(refused(holder, patience));
        }
        if progress.is_none() {
            let who = holder.map_or("another".to_owned(), |holder| holder.words());
            ui::status(format!("waiting for {who} to be done with its migrations"));
            progress = Some(ui::Progress::start("waiting"));
        }
        std::thread::sleep(PAUSE.min(left));
    }
}

fn refused(holder: Option<Holder>, patience: Duration) -> CliError {
    let seconds = patience.as_secs();
    match holder {
        Some(holder) => CliError::failed(format!(
            "{} runs migrations, and was not done within {seconds} s",
            holder.words()
        ))
        .hint(format!(
            "wait longer with --wait; what it does shows `bowline top`, and SELECT pg_terminate_backend({}) ends it",
            holder.pid
        )),
        None => CliError::failed(format!("others ran migrations all of {seconds} s")).hint("wait longer with --wait"),
    }
}

/// The session that has the lock.
#[derive(diesel::QueryableByName)]
struct Holder {
    #[diesel(sql_type = diesel::sql_types::Integer)]
    pid: i32,
    #[diesel(sql_type = Text)]
    user: String,
    #[diesel(sql_type = Text)]
    application: String,
    #[diesel(sql_type = Text)]
    address: String,
}

impl Holder {
    fn words(&self) -> String {
        let from = if self.address.is_empty() {
            String::new()
        } else {
            format!(" from {}", self.address)
        };
        format!(
            "process {} ({} of {}{from})",
            self.pid,
            ui::one_line(&self.application),
            ui::one_line(&self.user)
        )
    }
}

/// Who has the lock now; nobody if it was given back meanwhile.
fn holder(session: &mut Session) -> bowline::Result<Option<Holder>> {
    let query = bowline::sql(
        "SELECT a.pid, coalesce(a.usename, '')::text AS user, coalesce(nullif(a.application_name, ''), 'a session') AS application,
                coalesce(host(a.client_addr), '') AS address
         FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a USING (pid)
         WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
           AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
           AND (l.classid::bigint << 32) | l.objid::bigint = pg_catalog.hashtextextended($1, 0)
         LIMIT 1",
    );
    session.run(query.bind::<Text, _>(KEY).optional::<Holder>())
}
