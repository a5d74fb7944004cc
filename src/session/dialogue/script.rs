//! A script: one simple query of any number of statements.

use std::ffi::CString;
use std::os::fd::BorrowedFd;

use super::{Machine, Step};
use crate::session::libpq::{Connection, CopyOut, ResultSet, Said, Status};

/// A simple query, which may hold several statements and so is no pipeline.
pub(crate) struct Script<'c> {
    connection: &'c mut Connection,
    unsent: Option<CString>,
    flushed: bool,
    copying_out: bool,
    pub(crate) heard: ScriptHeard,
}

/// What a script has heard so far.
#[derive(Debug, Default)]
pub(crate) struct ScriptHeard {
    pub(crate) error: Option<ResultSet>,
    /// The tags of the commands that succeeded.
    pub(crate) tags: Vec<String>,
    pub(crate) sent: bool,
}

/// What the server is told when a script begins a COPY that nobody feeds.
const NO_COPY: &std::ffi::CStr = c"COPY .. FROM STDIN cannot run here, because nobody feeds it";
/// The same, as it comes back in the server's message.
pub(crate) const NO_COPY_SAYS: &str = "COPY .. FROM STDIN cannot run here, because nobody feeds it";

impl<'c> Script<'c> {
    pub(crate) fn new(connection: &'c mut Connection, sql: CString) -> Self {
        Self {
            connection,
            unsent: Some(sql),
            flushed: false,
            copying_out: false,
            heard: ScriptHeard::default(),
        }
    }

    pub(crate) fn connection(&self) -> &Connection {
        self.connection
    }

    fn read(&mut self) -> Result<bool, Said> {
        self.connection.consume_input()?;
        loop {
            if self.copying_out {
                match self.connection.get_copy_data(&mut Vec::new()) {
                    CopyOut::Wait => return Ok(false),
                    CopyOut::Data => {}
                    CopyOut::End => self.copying_out = false,
                }
                continue;
            }
            if self.connection.is_busy() {
                return Ok(false);
            }
            let Some(result) = self.connection.next_result() else {
                return Ok(true);
            };
            match result.status() {
                Status::CopyIn => {
                    self.connection.put_copy_end(Some(NO_COPY))?;
                    self.flushed = self.connection.flush()?;
                }
                Status::CopyOut => self.copying_out = true,
                Status::Error => {
                    self.heard.error.get_or_insert(result);
                    if !self.connection.is_alive() {
                        return Err(self.connection.message());
                    }
                }
                _ => self.heard.tags.push(result.command_tag()),
            }
        }
    }
}

impl Machine for Script<'_> {
    fn advance(&mut self) -> Result<Step, Said> {
        if let Some(sql) = self.unsent.take() {
            self.heard.sent = true;
            self.connection.send_simple(&sql)?;
        }
        if !self.flushed {
            self.flushed = self.connection.flush()?;
        }
        if self.read()? {
            return Ok(Step::Done);
        }
        Ok(Step::Wait {
            read: true,
            write: !self.flushed,
        })
    }

    fn socket(&self) -> Option<BorrowedFd<'_>> {
        self.connection.socket()
    }
}
