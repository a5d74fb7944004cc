//! The wait for notifications.

use std::collections::VecDeque;
use std::os::fd::BorrowedFd;

use super::{Machine, Progress};
use crate::wire::interrupt::Interrupt;
use crate::wire::libpq::{Connection, LibpqError};
use crate::wire::notification::Notification;
#[cfg(feature = "tokio")]
use crate::wire::reactor::Registration;

/// A wait for notifications.
pub(crate) struct NotificationWait<'c> {
    connection: &'c mut Connection,
    pub(crate) received: VecDeque<Notification>,
    interrupt: Option<Interrupt>,
}

impl<'c> NotificationWait<'c> {
    pub(crate) fn new(connection: &'c mut Connection) -> Self {
        Self {
            connection,
            received: VecDeque::new(),
            interrupt: None,
        }
    }

    /// Sets the call that it is part of.
    pub(crate) fn with_interrupt(self, interrupt: Option<Interrupt>) -> Self {
        Self { interrupt, ..self }
    }
}

impl Machine for NotificationWait<'_> {
    /// Advances the wait, which is done once there is a notification.
    ///
    /// Notifications are taken before any wait: once libpq has read them, the socket is no longer
    /// readable because of them.
    fn advance(&mut self) -> Result<Progress, LibpqError> {
        let consumed = self.connection.consume_input();
        while let Some(notification) = self.connection.next_notification() {
            self.received.push_back(notification);
        }
        if !self.received.is_empty() {
            return Ok(Progress::Done);
        }
        consumed?;
        if !self.connection.is_alive() {
            return Err(self.connection.message());
        }
        Ok(Progress::Wait {
            read: true,
            write: false,
        })
    }

    fn socket(&self) -> Option<BorrowedFd<'_>> {
        self.connection.socket()
    }

    #[cfg(feature = "tokio")]
    fn registration(&mut self) -> &mut Registration {
        self.connection.registration()
    }

    fn interrupt(&self) -> Option<&Interrupt> {
        self.interrupt.as_ref()
    }
}
