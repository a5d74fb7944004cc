//! The messages of a connection, as state machines that never wait.
//!
//! A machine is advanced as far as possible without waiting. Then it returns the events that it
//! waits for. A driver waits: the blocking one is in `driver.rs`, and an asynchronous one can drive
//! the same machines.

mod copy;
mod notifications;
mod pipeline;
mod simple_query;

use std::ffi::CString;
use std::os::fd::BorrowedFd;
use std::sync::Arc;

use crate::wire::interrupt::Interrupt;
use crate::wire::libpq::{Cancel, Connection, HostAddress, LibpqError, Polling};
#[cfg(feature = "tokio")]
use crate::wire::reactor::Registration;

pub(crate) use copy::{CopyMachine, CopyState};
pub(crate) use notifications::NotificationWait;
pub(crate) use pipeline::{Message, Pipeline, PipelineState};
pub(crate) use simple_query::NO_COPY_MESSAGE;
pub(crate) use simple_query::{SimpleQuery, SimpleQueryPart};

/// A state machine that is advanced until it is done.
pub(crate) trait Machine {
    /// Advances as far as possible without waiting.
    fn advance(&mut self) -> Result<Progress, LibpqError>;

    /// Returns the socket to wait for; `None` if it is closed.
    fn socket(&self) -> Option<BorrowedFd<'_>>;

    /// Returns the call that it is part of; `None` if it has to finish even if that call is given
    /// up.
    fn interrupt(&self) -> Option<&Interrupt> {
        None
    }

    /// Returns the registration of its socket.
    #[cfg(feature = "tokio")]
    fn registration(&mut self) -> &mut Registration;
}

/// A machine on a connection, whose statement can be cancelled.
pub(crate) trait Cancellable: Machine {
    /// Returns the connection.
    fn connection(&self) -> &Connection;
}

/// The events that a machine waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    Done,
    Wait { read: bool, write: bool },
}

/// A connect in progress, until the server is ready.
///
/// libpq tries several addresses in turn. The machine is done each time libpq has moved on to
/// another address, and continues when it is advanced again.
pub(crate) struct Connecting<'c> {
    connection: &'c mut Connection,
    /// The events to wait for when it continues with the next address; at the beginning, the first
    /// wait.
    next: Option<Progress>,
    address: HostAddress,
    interrupt: Option<Interrupt>,
}

impl<'c> Connecting<'c> {
    /// Returns a connect that is part of a call.
    pub(crate) fn new(connection: &'c mut Connection, interrupt: Option<Interrupt>) -> Self {
        Self {
            address: connection.address(),
            connection,
            next: Some(FIRST),
            interrupt,
        }
    }

    /// Returns the address that is being tried.
    pub(crate) fn address(&self) -> &HostAddress {
        &self.address
    }

    /// Returns whether it has only moved on to another address.
    pub(crate) fn goes_on(&self) -> bool {
        self.next.is_some()
    }
}

impl Machine for Connecting<'_> {
    fn advance(&mut self) -> Result<Progress, LibpqError> {
        if let Some(next) = self.next.take() {
            return Ok(next);
        }
        // libpq may go on with another socket after each step.
        #[cfg(feature = "tokio")]
        self.connection.registration().forget();
        let next = step(self.connection.poll_connect(), || self.connection.message())?;
        let address = self.connection.address();
        if next != Progress::Done && address != self.address {
            self.address = address;
            self.next = Some(next);
            return Ok(Progress::Done);
        }
        Ok(next)
    }

    fn socket(&self) -> Option<BorrowedFd<'_>> {
        self.connection.socket()
    }

    fn interrupt(&self) -> Option<&Interrupt> {
        self.interrupt.as_ref()
    }

    #[cfg(feature = "tokio")]
    fn registration(&mut self) -> &mut Registration {
        self.connection.registration()
    }
}

/// A request to the server to cancel the statement of another connection.
pub(crate) struct Cancelling {
    cancel: Cancel,
    started: bool,
    #[cfg(feature = "tokio")]
    registration: Registration,
}

impl Cancelling {
    pub(crate) fn new(cancel: Cancel) -> Self {
        Self {
            cancel,
            started: false,
            #[cfg(feature = "tokio")]
            registration: Registration::default(),
        }
    }
}

impl Machine for Cancelling {
    fn advance(&mut self) -> Result<Progress, LibpqError> {
        // libpq may go on with another socket after each step.
        #[cfg(feature = "tokio")]
        self.registration.forget();
        if !std::mem::replace(&mut self.started, true) {
            return Ok(FIRST);
        }
        step(self.cancel.poll(), || self.cancel.message())
    }

    fn socket(&self) -> Option<BorrowedFd<'_>> {
        self.cancel.socket()
    }

    #[cfg(feature = "tokio")]
    fn registration(&mut self) -> &mut Registration {
        &mut self.registration
    }
}

/// The first wait: a connect in progress is polled only once its socket is writable (PostgreSQL
/// manual, 32.1, PQconnectPoll).
const FIRST: Progress = Progress::Wait {
    read: false,
    write: true,
};

fn step(polling: Polling, message: impl FnOnce() -> LibpqError) -> Result<Progress, LibpqError> {
    match polling {
        Polling::Readable => Ok(Progress::Wait {
            read: true,
            write: false,
        }),
        Polling::Writable => Ok(Progress::Wait {
            read: false,
            write: true,
        }),
        Polling::Done => Ok(Progress::Done),
        Polling::Failed => Err(message()),
    }
}

/// Returns the SQL as a C string for libpq.
pub(crate) fn c_string(sql: &Arc<str>) -> Result<CString, LibpqError> {
    CString::new(sql.as_bytes())
        .map_err(|_| "the SQL holds a NUL byte, which PostgreSQL cannot store".to_owned())
}
