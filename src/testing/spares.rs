//! Copies of a template that are created ahead, for tests that need a database of their own.
//!
//! All processes share the spare copies of a server: a test takes one by renaming it, which
//! PostgreSQL allows one session only. Two threads create more of them while tests run, and end
//! when there are enough.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use diesel::sql_types::Text;

use super::LocalServerError;
use super::server::TestServer;
use super::template::{Template, run};
use crate::error::Result;
use crate::session::Session;
use crate::sqlstate::SqlState;

/// The most spare copies of a template that are created; threads and processes that do so at the
/// same moment can exceed it.
const MAX_SPARES: u32 = 4;

/// The most threads of a process that create copies: a copy takes more waiting than work.
const THREADS: u32 = 2;

/// A request for spare copies.
struct Request {
    template: Arc<Template>,
    server: Arc<TestServer>,
    /// How many there should be.
    count: u32,
}

/// The requests to this process's threads: at most one for each template, and one in each thread.
static REQUESTS: Mutex<Requests> = Mutex::new(Requests {
    waiting: VecDeque::new(),
    threads: 0,
});

struct Requests {
    waiting: VecDeque<Request>,
    /// How many threads run.
    threads: u32,
}

/// Renames a spare copy of the template to `name`; returns false if there is none.
pub(super) fn claim(
    template: &Template,
    server: &TestServer,
    name: &str,
) -> Result<bool, LocalServerError> {
    static CLAIMS: AtomicU32 = AtomicU32::new(0);
    let claim = CLAIMS.fetch_add(1, Ordering::Relaxed) as usize;
    Ok(server.admin.run(|session| {
        let mut spares = spares(template, session)?;
        // Callers at the same moment begin with different copies.
        let count = spares.len().max(1);
        spares.rotate_left(claim % count);
        for spare in spares {
            match run(session, format!("ALTER DATABASE {spare} RENAME TO {name}")) {
                // Another process or thread was faster.
                Err(error) if error.sqlstate() == Some(SqlState::INVALID_CATALOG_NAME) => {}
                renamed => return renamed.map(|()| true),
            }
        }
        Ok(false)
    })?)
}

/// Has up to this many spare copies of the template created in the background.
pub(super) fn replenish(template: &Arc<Template>, server: &Arc<TestServer>, count: u32) {
    let count = count.min(MAX_SPARES);
    let mut requests = requests();
    let same = |request: &Request| request.template.name() == template.name();
    if count == 0 || requests.waiting.iter().any(same) {
        return;
    }
    requests.waiting.push_back(Request {
        template: Arc::clone(template),
        server: Arc::clone(server),
        count,
    });
    if requests.threads < THREADS {
        let serving = thread::Builder::new()
            .name("bowline-spares".to_owned())
            .spawn(serve);
        // Without a thread, each test copies the template itself.
        requests.threads += u32::from(serving.is_ok());
    }
}

/// Serves all requests, and ends.
fn serve() {
    loop {
        let mut requests = requests();
        let Some(request) = requests.waiting.pop_front() else {
            requests.threads -= 1;
            return;
        };
        drop(requests);
        // A test that finds no spare copy creates its own, and reports why it cannot.
        create(&request).ok();
    }
}

fn create(request: &Request) -> Result<(), LocalServerError> {
    static CREATED: AtomicU32 = AtomicU32::new(0);
    let Request {
        template, server, ..
    } = request;
    // Another thread may create some at the same time, and tests take them.
    while server.admin.run(|session| spares(template, session))?.len() < request.count as usize {
        let number = CREATED.fetch_add(1, Ordering::Relaxed);
        let name = format!("{}{}_{number}", prefix(template), std::process::id());
        template.copy(server, &name)?;
    }
    Ok(())
}

/// Returns the names of the spare copies that are complete.
fn spares(template: &Template, session: &mut Session) -> Result<Vec<String>> {
    let query = crate::sql_query(
        "SELECT datname::text FROM pg_catalog.pg_database WHERE starts_with(datname::text, $1) ORDER BY datname",
    );
    session.run(query.bind::<Text, _>(prefix(template)).all::<String>())
}

fn prefix(template: &Template) -> String {
    format!("{}_spare_", template.name())
}

fn requests() -> MutexGuard<'static, Requests> {
    REQUESTS.lock().unwrap_or_else(PoisonError::into_inner)
}
