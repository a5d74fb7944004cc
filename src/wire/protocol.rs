//! What is said on a connection, as state machines that do no waiting.
//!
//! A machine is advanced as far as it goes without waiting; it then says what it waits for. Who waits,
//! and for how long, is the driver's affair: a blocking one is in `driver.rs`, and an asynchronous one
//! can drive the same machines.

mod copy;
mod notifications;
mod pipeline;
mod simple_query;

use std::ffi::CString;
use std::os::fd::BorrowedFd;
use std::sync::Arc;

use crate::wire::interrupt::Interrupt;
use crate::wire::libpq::{Cancel, Connection, Place, Polling, Said};

pub(crate) use copy::{CopyFlow, Copying};
pub(crate) use notifications::Listening;
pub(crate) use pipeline::{Flow, Heard, Message, Pipeline};
pub(crate) use simple_query::NO_COPY_SAYS;
pub(crate) use simple_query::{Script, ScriptPart};

/// Something that is advanced until it is done.
pub(crate) trait Machine {
    /// Goes on as far as it can without waiting.
    fn advance(&mut self) -> Result<Step, Said>;

    /// The socket to wait for; `None` when it is gone.
    fn socket(&self) -> Option<BorrowedFd<'_>>;

    /// The call that it is part of; `None` if it has to come to its end even when that is given up.
    fn interrupt(&self) -> Option<&Interrupt> {
        None
    }
}

/// Where a machine stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Done,
    Wait { read: bool, write: bool },
}

/// Connecting, up to the server's readiness.
///
/// libpq tries several addresses in turn: it is done each time it has gone on to another one, and goes on when it is
/// advanced again.
pub(crate) struct Connecting<'c> {
    connection: &'c mut Connection,
    /// What was waited for when it was done with an address; at the beginning, the first thing to wait for.
    next: Option<Step>,
    place: Place,
    interrupt: Option<Interrupt>,
}

impl<'c> Connecting<'c> {
    /// Connecting on behalf of a call.
    pub(crate) fn new(connection: &'c mut Connection, interrupt: Option<Interrupt>) -> Self {
        Self {
            place: connection.place(),
            connection,
            next: Some(FIRST),
            interrupt,
        }
    }

    /// The address that is tried.
    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    /// Whether it is done with an address only.
    pub(crate) fn goes_on(&self) -> bool {
        self.next.is_some()
    }
}

impl Machine for Connecting<'_> {
    fn advance(&mut self) -> Result<Step, Said> {
        if let Some(next) = self.next.take() {
            return Ok(next);
        }
        let next = step(self.connection.poll_connect(), || self.connection.message())?;
        let place = self.connection.place();
        if next != Step::Done && place != self.place {
            self.place = place;
            self.next = Some(next);
            return Ok(Step::Done);
        }
        Ok(next)
    }

    fn socket(&self) -> Option<BorrowedFd<'_>> {
        self.connection.socket()
    }

    fn interrupt(&self) -> Option<&Interrupt> {
        self.interrupt.as_ref()
    }
}

/// Asking the server to cancel what another connection is doing.
pub(crate) struct Cancelling {
    cancel: Cancel,
    started: bool,
}

impl Cancelling {
    pub(crate) fn new(cancel: Cancel) -> Self {
        Self {
            cancel,
            started: false,
        }
    }
}

impl Machine for Cancelling {
    fn advance(&mut self) -> Result<Step, Said> {
        if !std::mem::replace(&mut self.started, true) {
            return Ok(FIRST);
        }
        step(self.cancel.poll(), || self.cancel.message())
    }

    fn socket(&self) -> Option<BorrowedFd<'_>> {
        self.cancel.socket()
    }
}

/// A connection under way is polled only once its socket is writable (PostgreSQL manual, 32.1, PQconnectPoll).
const FIRST: Step = Step::Wait {
    read: false,
    write: true,
};

fn step(polling: Polling, message: impl FnOnce() -> Said) -> Result<Step, Said> {
    match polling {
        Polling::Readable => Ok(Step::Wait {
            read: true,
            write: false,
        }),
        Polling::Writable => Ok(Step::Wait {
            read: false,
            write: true,
        }),
        Polling::Done => Ok(Step::Done),
        Polling::Failed => Err(message()),
    }
}

/// The SQL as libpq takes it.
pub(crate) fn c_string(sql: &Arc<str>) -> Result<CString, Said> {
    CString::new(sql.as_bytes())
        .map_err(|_| "the SQL holds a NUL byte, which PostgreSQL cannot store".to_owned())
}
