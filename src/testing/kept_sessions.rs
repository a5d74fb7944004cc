//! Sessions of one database that wait for their next use.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::config::Config;
use crate::error::Result;
use crate::session::Session;

/// Sessions of one database. They are kept until the process ends, which closes them.
#[derive(Debug)]
pub(super) struct KeptSessions {
    config: Config,
    idle: Mutex<Vec<Session>>,
    /// The process that connected; a child process must not use its sockets.
    process: u32,
}

/// The most sessions that are kept; more can be in use.
const KEPT: usize = 16;

impl KeptSessions {
    pub(super) fn new(config: Config) -> Self {
        Self {
            config,
            idle: Mutex::default(),
            process: std::process::id(),
        }
    }

    pub(super) fn config(&self) -> &Config {
        &self.config
    }

    /// Returns the session that was kept last; connects if there is none.
    pub(super) fn get(&self) -> Result<Session> {
        while let Some(session) = self.take() {
            if session.is_quiet() {
                return Ok(session);
            }
        }
        Session::connect(&self.config)
    }

    /// Makes a session clean and keeps it for its next use. Closes it if `clean` returns false.
    pub(super) fn give_back(&self, mut session: Session, clean: impl FnOnce(&mut Session) -> bool) {
        if !self.is_ours() {
            // Even a Terminate message would end the parent's session.
            std::mem::forget(session);
        } else if clean(&mut session) {
            self.keep(session);
        }
    }

    /// Keeps a session for its next use, or closes it.
    fn keep(&self, session: Session) {
        let mut idle = self.idle();
        if self.is_ours() && idle.len() < KEPT && session.is_idle() && !session.is_broken() {
            return idle.push(session);
        }
        drop(idle);
        drop(session);
    }

    /// Runs work on a session. The session is kept unless the work fails.
    pub(super) fn run<T>(&self, work: impl FnOnce(&mut Session) -> Result<T>) -> Result<T> {
        let mut session = self.get()?;
        let done = work(&mut session)?;
        self.keep(session);
        Ok(done)
    }

    /// Returns whether this process has connected the sessions.
    fn is_ours(&self) -> bool {
        self.process == std::process::id()
    }

    fn take(&self) -> Option<Session> {
        if !self.is_ours() {
            return None;
        }
        self.idle().pop()
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Session>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
