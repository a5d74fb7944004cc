//! A database within a transaction that is never committed.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::LocalServerError;
use super::kept_sessions::KeptSessions;
use super::server::TestServer;
use super::template::Template;
use crate::Database;
use crate::session::Session;

/// The sessions of the copies that this process's sandboxes share, by the name of their template.
static COPIES: Mutex<BTreeMap<String, Arc<KeptSessions>>> = Mutex::new(BTreeMap::new());

/// Returns a [`Database`] of one session, in a transaction that ends with it. The database has the
/// schema that these migrations create.
///
/// The code under test uses it like any other: its transactions become savepoints, and each failed
/// `run` is rolled back. Use a [`TestDatabase`](super::TestDatabase) for a test that needs a real
/// commit, such as of a deferred constraint, or two sessions at once.
///
/// Once the last clone of the database is dropped, its session is made clean and kept for the next
/// sandbox of the process. A session that cannot be made clean is closed.
pub fn sandbox(migrations: &Path) -> Result<Database, LocalServerError> {
    sandbox_of(&Template::of(migrations)?)
}

pub(super) fn sandbox_of(template: &Template) -> Result<Database, LocalServerError> {
    let (sessions, mut session) = session(template)?;
    session.begin_test()?;
    Ok(Database::pinned_until(session, move |session| {
        let limit = sessions.config().call_timeout;
        sessions.give_back(session, |session| session.end_test(limit));
    }))
}

/// Returns a session of the shared copy, and where it is kept.
fn session(template: &Template) -> Result<(Arc<KeptSessions>, Session), LocalServerError> {
    let known = copies().get(template.name()).map(Arc::clone);
    if let Some(sessions) = known {
        if let Ok(session) = sessions.get() {
            return Ok((sessions, session));
        }
        // The server or the database is gone.
        let mut copies = copies();
        let is_the_same = |other: &Arc<KeptSessions>| Arc::ptr_eq(other, &sessions);
        if copies.get(template.name()).is_some_and(is_the_same) {
            copies.remove(template.name());
        }
    }
    let mut copies = copies();
    if let Some(sessions) = copies.get(template.name()) {
        // Another thread has found it meanwhile.
        return Ok((Arc::clone(sessions), sessions.get()?));
    }
    let server = TestServer::find()?;
    let sessions = Arc::new(KeptSessions::new(server.config(&template.shared_copy())));
    let session = match sessions.get() {
        Ok(session) => session,
        Err(_) => {
            template.make_shared_copy(&server)?;
            sessions.get()?
        }
    };
    copies.insert(template.name().to_owned(), Arc::clone(&sessions));
    Ok((sessions, session))
}

fn copies() -> MutexGuard<'static, BTreeMap<String, Arc<KeptSessions>>> {
    COPIES.lock().unwrap_or_else(PoisonError::into_inner)
}
