//! Listening: waiting for what the server says unasked.

use std::collections::VecDeque;
use std::os::fd::BorrowedFd;

use super::{Machine, Step};
use crate::wire::interrupt::Interrupt;
use crate::wire::libpq::{Connection, Said};
use crate::wire::notification::Notification;

/// Waiting for notifications.
pub(crate) struct Listening<'c> {
    connection: &'c mut Connection,
    pub(crate) heard: VecDeque<Notification>,
    interrupt: Option<Interrupt>,
}

impl<'c> Listening<'c> {
    pub(crate) fn new(connection: &'c mut Connection) -> Self {
        Self {
            connection,
            heard: VecDeque::new(),
            interrupt: None,
        }
    }

    /// The same, on behalf of a call.
    pub(crate) fn heeding(self, interrupt: Option<Interrupt>) -> Self {
        Self { interrupt, ..self }
    }
}

impl Machine for Listening<'_> {
    /// Done once there is one.
    ///
    /// They are taken out before any wait: what libpq has read already does not show on the socket any more.
    fn advance(&mut self) -> Result<Step, Said> {
        let consumed = self.connection.consume_input();
        while let Some(notification) = self.connection.next_notification() {
            self.heard.push_back(notification);
        }
        if !self.heard.is_empty() {
            return Ok(Step::Done);
        }
        consumed?;
        if !self.connection.is_alive() {
            return Err(self.connection.message());
        }
        Ok(Step::Wait {
            read: true,
            write: false,
        })
    }

    fn socket(&self) -> Option<BorrowedFd<'_>> {
        self.connection.socket()
    }

    fn interrupt(&self) -> Option<&Interrupt> {
        self.interrupt.as_ref()
    }
}
