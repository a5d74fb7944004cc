//! Listening: waiting for what the server says unasked.

use std::os::fd::BorrowedFd;

use super::{Machine, Step};
use crate::session::libpq::{Connection, Said};

/// Waiting for something to arrive.
pub(crate) struct Listening<'c> {
    connection: &'c mut Connection,
    looked: bool,
}

impl<'c> Listening<'c> {
    pub(crate) fn new(connection: &'c mut Connection) -> Self {
        Self {
            connection,
            looked: false,
        }
    }
}

impl Machine for Listening<'_> {
    /// Done once something has arrived; what it is is for the caller to see.
    fn advance(&mut self) -> Result<Step, Said> {
        let again = std::mem::replace(&mut self.looked, true);
        self.connection.consume_input()?;
        if !self.connection.is_alive() {
            return Err(self.connection.message());
        }
        if again {
            return Ok(Step::Done);
        }
        Ok(Step::Wait {
            read: true,
            write: false,
        })
    }

    fn socket(&self) -> Option<BorrowedFd<'_>> {
        self.connection.socket()
    }
}
