//! A COPY: one simple query that takes or returns data between its beginning and its end
//! (PostgreSQL manual, 55.2.6).

use std::ffi::{CStr, CString};
use std::os::fd::BorrowedFd;

use rustix::net::{RecvFlags, recv};

use super::{Cancellable, Machine, Progress};
use crate::wire::interrupt::Interrupt;
use crate::wire::libpq::{Connection, CopyOut, LibpqError, ResultSet, ResultStatus};
#[cfg(feature = "tokio")]
use crate::wire::reactor::Registration;

/// The state of a COPY, separate from its connection: it is kept while rows are produced or read.
#[derive(Debug)]
pub(crate) struct CopyState {
    phase: Phase,
    flushed: bool,
    /// Whether data is dropped from now on.
    dropping: bool,
    /// The data to be sent, or the data that has arrived.
    pub(crate) data: Vec<u8>,
    pub(crate) received: CopyReceived,
}

#[derive(Debug)]
enum Phase {
    Unsent(CString),
    /// The server has not asked for data yet, nor sent any.
    Starting,
    Feeding,
    Taking,
    /// All data was queued; a reason fails the COPY.
    Ending(Option<&'static CStr>),
    /// The server has not sent the result yet.
    Finishing,
    Over,
}

/// The results received so far.
#[derive(Debug, Default)]
pub(crate) struct CopyReceived {
    pub(crate) error: Option<ResultSet>,
    /// The number of rows, as reported by the server.
    pub(crate) rows: usize,
    /// Whether the end of the data was queued: from then on the server may have it.
    pub(crate) end_sent: bool,
    /// Whether the server asked for data, or sent any.
    pub(crate) copied: bool,
    /// Whether data was dropped.
    pub(crate) dropped: bool,
    /// The last result with columns before the data.
    pub(crate) described: Option<ResultSet>,
}

/// A COPY in progress.
pub(crate) struct CopyMachine<'c> {
    connection: &'c mut Connection,
    state: &'c mut CopyState,
    interrupt: Option<Interrupt>,
}

/// The reason that the server is given after it has failed the COPY; it no longer reads the reason.
const REFUSED: &CStr = c"the server refused a row";

/// The number of arrived bytes after which data is returned.
const HAND_OUT_AT: usize = 64 * 1024;

impl CopyState {
    pub(crate) fn new(sql: CString) -> Self {
        Self {
            phase: Phase::Unsent(sql),
            flushed: true,
            dropping: false,
            data: Vec::new(),
            received: CopyReceived::default(),
        }
    }

    /// Ends the data; a reason makes the server fail the COPY.
    pub(crate) fn end(&mut self, reason: Option<&'static CStr>) {
        if matches!(self.phase, Phase::Feeding) {
            self.phase = Phase::Ending(reason);
        }
    }

    /// Returns whether the server waits for data.
    pub(crate) fn is_feeding(&self) -> bool {
        matches!(self.phase, Phase::Feeding)
    }

    /// Returns whether the server sends data.
    pub(crate) fn is_taking(&self) -> bool {
        matches!(self.phase, Phase::Taking | Phase::Finishing)
    }

    /// Returns whether the COPY has ended and had no data.
    pub(crate) fn is_empty(&self) -> bool {
        self.is_over() && self.received.copied && self.received.error.is_none()
    }

    /// Returns whether the COPY is answered completely.
    pub(crate) fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Over)
    }
}

impl<'c> CopyMachine<'c> {
    pub(crate) fn new(connection: &'c mut Connection, state: &'c mut CopyState) -> Self {
        Self {
            connection,
            state,
            interrupt: None,
        }
    }

    /// Sets the call that it is part of.
    pub(crate) fn with_interrupt(self, interrupt: Option<Interrupt>) -> Self {
        Self { interrupt, ..self }
    }

    /// Fails a COPY that waits for data, and drops data that still arrives.
    pub(crate) fn give_up(&mut self, reason: &'static CStr) {
        self.state.received.dropped |= self.state.is_taking() && !self.state.data.is_empty();
        self.state.data.clear();
        self.state.end(Some(reason));
        self.state.dropping = true;
    }

    /// Takes results up to the end, or to the point where data can be sent or received.
    fn read_results(&mut self) -> Result<(), LibpqError> {
        while !self.connection.is_busy() {
            let Some(result) = self.connection.next_result() else {
                self.state.phase = Phase::Over;
                return Ok(());
            };
            match result.status() {
                ResultStatus::CopyIn => {
                    self.state.received.copied = true;
                    self.state.phase = Phase::Feeding;
                    return Ok(());
                }
                ResultStatus::CopyOut => {
                    self.state.received.copied = true;
                    self.state.phase = Phase::Taking;
                    return Ok(());
                }
                ResultStatus::Error => {
                    self.state.received.error.get_or_insert(result);
                    if !self.connection.is_alive() {
                        return Err(self.connection.message());
                    }
                }
                ResultStatus::Rows if !self.state.received.copied => {
                    self.state.received.described = Some(result);
                }
                _ => self.state.received.rows = result.rows_affected(),
            }
        }
        Ok(())
    }

    /// Takes data that has arrived; returns true once there is enough, or it has ended.
    fn take(&mut self) -> bool {
        while self.state.data.len() < HAND_OUT_AT {
            match self.connection.get_copy_data(&mut self.state.data) {
                CopyOut::Data if self.state.dropping => {
                    self.state.data.clear();
                    self.state.received.dropped = true;
                }
                CopyOut::Data => {}
                CopyOut::Wait => return !self.state.data.is_empty(),
                CopyOut::End => {
                    self.state.phase = Phase::Finishing;
                    return !self.state.dropping;
                }
            }
        }
        true
    }
}

impl CopyMachine<'_> {
    /// Queues the next data to be sent; returns false if there is none.
    fn queue(&mut self) -> Result<bool, LibpqError> {
        match &self.state.phase {
            Phase::Unsent(sql) => {
                self.connection.send_simple(sql)?;
                self.state.phase = Phase::Starting;
            }
            Phase::Feeding if self.state.data.is_empty() => return Ok(false),
            Phase::Feeding => {
                if self.connection.put_copy_data(&self.state.data)? {
                    self.state.data.clear();
                }
            }
            Phase::Ending(reason) => {
                let reason = *reason;
                self.state.received.end_sent |= reason.is_none();
                if self.connection.put_copy_end(reason)? {
                    self.state.phase = Phase::Finishing;
                }
            }
            _ => return Ok(false),
        }
        self.state.flushed = false;
        Ok(true)
    }

    /// Stops sending once the server has failed the COPY; libpq reports that at the end only.
    fn stop_if_refused(&mut self) {
        let refused = self.connection.socket().is_some_and(|socket| {
            let mut byte = [0_u8; 1];
            let flags = RecvFlags::PEEK | RecvFlags::DONTWAIT;
            matches!(recv(socket, &mut byte, flags), Ok((1, _))) && byte == *b"E"
        });
        if refused && self.state.is_feeding() {
            self.state.data.clear();
            self.state.end(Some(REFUSED));
        }
    }
}

impl Cancellable for CopyMachine<'_> {
    fn connection(&self) -> &Connection {
        self.connection
    }
}

impl Machine for CopyMachine<'_> {
    fn advance(&mut self) -> Result<Progress, LibpqError> {
        loop {
            if !self.state.flushed {
                self.stop_if_refused();
                self.state.flushed = self.connection.flush()?;
                if !self.state.flushed {
                    // Both sides might wait for the other to read.
                    self.connection.consume_input()?;
                    return Ok(Progress::Wait {
                        read: true,
                        write: true,
                    });
                }
            }
            if self.queue()? {
                continue;
            }
            match self.state.phase {
                Phase::Feeding | Phase::Over => return Ok(Progress::Done),
                Phase::Taking => {
                    self.connection.consume_input()?;
                    if self.take() {
                        return Ok(Progress::Done);
                    }
                    if matches!(self.state.phase, Phase::Finishing) {
                        continue;
                    }
                }
                _ => {
                    self.connection.consume_input()?;
                    self.read_results()?;
                    if !matches!(self.state.phase, Phase::Starting | Phase::Finishing) {
                        continue;
                    }
                }
            }
            return Ok(Progress::Wait {
                read: true,
                write: false,
            });
        }
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
