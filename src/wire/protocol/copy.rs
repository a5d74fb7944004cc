//! A COPY: one simple query that asks for or gives data between its beginning and its end.

use std::ffi::{CStr, CString};
use std::os::fd::BorrowedFd;

use rustix::net::{RecvFlags, recv};

use super::{Machine, Step};
use crate::wire::interrupt::Interrupt;
use crate::wire::libpq::{Connection, CopyOut, ResultSet, Said, Status};

/// Where a COPY stands, apart from its connection: it rests here while rows are made or taken.
#[derive(Debug)]
pub(crate) struct CopyFlow {
    phase: Phase,
    flushed: bool,
    /// Whether nobody takes the data any more.
    dropping: bool,
    /// What is to be sent, or has arrived.
    pub(crate) data: Vec<u8>,
    pub(crate) heard: CopyHeard,
}

#[derive(Debug)]
enum Phase {
    Unsent(CString),
    /// The server has yet to ask for data, or to give some.
    Starting,
    Feeding,
    Taking,
    /// All data was handed over; a reason fails the COPY.
    Ending(Option<&'static CStr>),
    /// The server has yet to say how it ended.
    Finishing,
    Over,
}

/// What a COPY has heard so far.
#[derive(Debug, Default)]
pub(crate) struct CopyHeard {
    pub(crate) error: Option<ResultSet>,
    /// The number of rows that the server counted.
    pub(crate) rows: usize,
    /// Whether the end of the data was handed to libpq: from here the server may have it.
    pub(crate) end_sent: bool,
    /// Whether the statement asked for data, or gave some.
    pub(crate) copied: bool,
    /// Whether data came that was not handed out.
    pub(crate) dropped: bool,
    /// The last answer with columns that came before the data.
    pub(crate) described: Option<ResultSet>,
}

/// A COPY under way.
pub(crate) struct Copying<'c> {
    connection: &'c mut Connection,
    flow: &'c mut CopyFlow,
    interrupt: Option<Interrupt>,
}

/// What the server is told when it had failed the COPY already; it does not listen any more.
const REFUSED: &CStr = c"the server refused a row";

/// This much arrived data is handed out at once.
const HAND_OUT_AT: usize = 64 * 1024;

impl CopyFlow {
    pub(crate) fn new(sql: CString) -> Self {
        Self {
            phase: Phase::Unsent(sql),
            flushed: true,
            dropping: false,
            data: Vec::new(),
            heard: CopyHeard::default(),
        }
    }

    /// No more data comes from here; a reason makes the server fail the COPY.
    pub(crate) fn end(&mut self, reason: Option<&'static CStr>) {
        if matches!(self.phase, Phase::Feeding) {
            self.phase = Phase::Ending(reason);
        }
    }

    /// Whether the server wants data.
    pub(crate) fn is_feeding(&self) -> bool {
        matches!(self.phase, Phase::Feeding)
    }

    /// Whether the server gives data.
    pub(crate) fn is_taking(&self) -> bool {
        matches!(self.phase, Phase::Taking | Phase::Finishing)
    }

    /// Whether it is over, and had no data.
    pub(crate) fn is_empty(&self) -> bool {
        self.is_over() && self.heard.copied && self.heard.error.is_none()
    }

    /// Whether everything is answered.
    pub(crate) fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Over)
    }
}

impl<'c> Copying<'c> {
    pub(crate) fn new(connection: &'c mut Connection, flow: &'c mut CopyFlow) -> Self {
        Self {
            connection,
            flow,
            interrupt: None,
        }
    }

    /// The same, on behalf of a call.
    pub(crate) fn heeding(self, interrupt: Option<Interrupt>) -> Self {
        Self { interrupt, ..self }
    }

    pub(crate) fn connection(&self) -> &Connection {
        self.connection
    }

    /// Fails a COPY that wants data, and drops what is still given.
    pub(crate) fn give_up(&mut self, reason: &'static CStr) {
        self.flow.heard.dropped |= self.flow.is_taking() && !self.flow.data.is_empty();
        self.flow.data.clear();
        self.flow.end(Some(reason));
        self.flow.dropping = true;
    }

    /// Takes in results up to the end, or to the point where data flows.
    fn read_results(&mut self) -> Result<(), Said> {
        while !self.connection.is_busy() {
            let Some(result) = self.connection.next_result() else {
                self.flow.phase = Phase::Over;
                return Ok(());
            };
            match result.status() {
                Status::CopyIn => {
                    self.flow.heard.copied = true;
                    self.flow.phase = Phase::Feeding;
                    return Ok(());
                }
                Status::CopyOut => {
                    self.flow.heard.copied = true;
                    self.flow.phase = Phase::Taking;
                    return Ok(());
                }
                Status::Error => {
                    self.flow.heard.error.get_or_insert(result);
                    if !self.connection.is_alive() {
                        return Err(self.connection.message());
                    }
                }
                Status::Rows if !self.flow.heard.copied => {
                    self.flow.heard.described = Some(result);
                }
                _ => self.flow.heard.rows = result.rows_affected(),
            }
        }
        Ok(())
    }

    /// Takes data that has arrived; `true` once enough is there, or it is over.
    fn take(&mut self) -> bool {
        while self.flow.data.len() < HAND_OUT_AT {
            match self.connection.get_copy_data(&mut self.flow.data) {
                CopyOut::Data if self.flow.dropping => {
                    self.flow.data.clear();
                    self.flow.heard.dropped = true;
                }
                CopyOut::Data => {}
                CopyOut::Wait => return !self.flow.data.is_empty(),
                CopyOut::End => {
                    self.flow.phase = Phase::Finishing;
                    return !self.flow.dropping;
                }
            }
        }
        true
    }
}

impl Copying<'_> {
    /// Queues what is to be sent next; `false` if there is nothing.
    fn hand_over(&mut self) -> Result<bool, Said> {
        match &self.flow.phase {
            Phase::Unsent(sql) => {
                self.connection.send_simple(sql)?;
                self.flow.phase = Phase::Starting;
            }
            Phase::Feeding if self.flow.data.is_empty() => return Ok(false),
            Phase::Feeding => {
                if self.connection.put_copy_data(&self.flow.data)? {
                    self.flow.data.clear();
                }
            }
            Phase::Ending(reason) => {
                let reason = *reason;
                self.flow.heard.end_sent |= reason.is_none();
                if self.connection.put_copy_end(reason)? {
                    self.flow.phase = Phase::Finishing;
                }
            }
            _ => return Ok(false),
        }
        self.flow.flushed = false;
        Ok(true)
    }

    /// The server need not be fed once it has failed the COPY; libpq tells only at the end.
    fn stop_if_refused(&mut self) {
        let refused = self.connection.socket().is_some_and(|socket| {
            let mut byte = [0_u8; 1];
            let flags = RecvFlags::PEEK | RecvFlags::DONTWAIT;
            matches!(recv(socket, &mut byte, flags), Ok((1, _))) && byte == *b"E"
        });
        if refused && self.flow.is_feeding() {
            self.flow.data.clear();
            self.flow.end(Some(REFUSED));
        }
    }
}

impl Machine for Copying<'_> {
    fn advance(&mut self) -> Result<Step, Said> {
        loop {
            if !self.flow.flushed {
                self.stop_if_refused();
                self.flow.flushed = self.connection.flush()?;
                if !self.flow.flushed {
                    // Both sides might wait for the other to read.
                    self.connection.consume_input()?;
                    return Ok(Step::Wait {
                        read: true,
                        write: true,
                    });
                }
            }
            if self.hand_over()? {
                continue;
            }
            match self.flow.phase {
                Phase::Feeding | Phase::Over => return Ok(Step::Done),
                Phase::Taking => {
                    self.connection.consume_input()?;
                    if self.take() {
                        return Ok(Step::Done);
                    }
                    if matches!(self.flow.phase, Phase::Finishing) {
                        continue;
                    }
                }
                _ => {
                    self.connection.consume_input()?;
                    self.read_results()?;
                    if !matches!(self.flow.phase, Phase::Starting | Phase::Finishing) {
                        continue;
                    }
                }
            }
            return Ok(Step::Wait {
                read: true,
                write: false,
            });
        }
    }

    fn socket(&self) -> Option<BorrowedFd<'_>> {
        self.connection.socket()
    }

    fn interrupt(&self) -> Option<&Interrupt> {
        self.interrupt.as_ref()
    }
}
