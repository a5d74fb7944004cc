//! A simple query: SQL text of any number of statements.

use std::ffi::{CStr, CString};
use std::os::fd::BorrowedFd;

use super::{Cancellable, Machine, Progress};
use crate::wire::interrupt::Interrupt;
use crate::wire::libpq::{Connection, CopyOut, LibpqError, ResultSet, ResultStatus};
#[cfg(feature = "tokio")]
use crate::wire::reactor::Registration;

/// A simple query in progress. It may contain several statements, so it is not a pipeline
/// (PostgreSQL manual, 55.2.2).
pub(crate) struct SimpleQuery<'c> {
    connection: &'c mut Connection,
    unsent: Option<CString>,
    flushed: bool,
    in_copy_out: bool,
    /// Whether it stops at each part of the results; otherwise they are dropped.
    wants_parts: bool,
    /// Whether chunked rows mode is on.
    chunked: bool,
    part: Option<SimpleQueryPart>,
    tag_of_chunk: String,
    interrupt: Option<Interrupt>,
    pub(crate) received: SimpleQueryReceived,
}

/// A part of the results.
#[derive(Debug)]
pub(crate) enum SimpleQueryPart {
    /// Rows of a statement; the last ones come with its tag.
    Answer {
        result: ResultSet,
        tag: Option<String>,
    },
    /// A piece of the data of a COPY TO STDOUT.
    Copied(Vec<u8>),
}

/// The results received so far.
#[derive(Debug, Default)]
pub(crate) struct SimpleQueryReceived {
    pub(crate) error: Option<ResultSet>,
    /// The tags of the commands that succeeded.
    pub(crate) tags: Vec<String>,
    pub(crate) sent: bool,
    /// Whether rows or data were dropped.
    pub(crate) dropped: bool,
}

/// The number of rows in one part.
const CHUNK: i32 = 256;

/// The reason that the server is given when a script begins a COPY FROM STDIN.
const NO_COPY: &CStr = c"COPY .. FROM STDIN cannot run here: a script has no data to send";
/// [`NO_COPY`], as it appears in the server's message.
pub(crate) const NO_COPY_MESSAGE: &str = match NO_COPY.to_str() {
    Ok(message) => message,
    Err(_) => unreachable!(),
};

impl SimpleQueryPart {
    pub(crate) fn ends_a_statement(&self) -> bool {
        matches!(self, Self::Answer { tag: Some(_), .. })
    }
}

impl<'c> SimpleQuery<'c> {
    pub(crate) fn new(connection: &'c mut Connection, sql: CString) -> Self {
        Self {
            connection,
            unsent: Some(sql),
            flushed: false,
            in_copy_out: false,
            wants_parts: false,
            chunked: false,
            part: None,
            tag_of_chunk: String::new(),
            interrupt: None,
            received: SimpleQueryReceived::default(),
        }
    }

    /// Sets the call that it is part of.
    pub(crate) fn with_interrupt(self, interrupt: Option<Interrupt>) -> Self {
        Self { interrupt, ..self }
    }

    /// Makes the machine stop at each part of the results.
    pub(crate) fn with_parts(self) -> Self {
        Self {
            wants_parts: true,
            ..self
        }
    }

    /// Returns the part at which the machine stopped; `None` at the end.
    pub(crate) fn take_part(&mut self) -> Option<SimpleQueryPart> {
        self.part.take()
    }

    /// Drops all results from now on.
    pub(crate) fn discard_rest(&mut self) {
        self.wants_parts = false;
        self.received.dropped |= self.part.take().is_some();
    }

    /// Returns the tag of a statement that ends with this result; libpq puts it on the last chunk
    /// of rows.
    fn tag(&mut self, result: &ResultSet, status: ResultStatus) -> Option<String> {
        let tag = result.command_tag();
        if status == ResultStatus::Chunk {
            self.tag_of_chunk = tag;
            return None;
        }
        let of_chunk = std::mem::take(&mut self.tag_of_chunk);
        Some(if tag.is_empty() { of_chunk } else { tag })
    }

    fn read(&mut self) -> Result<bool, LibpqError> {
        // The results that have arrived are taken before more is read. Otherwise libpq's buffer
        // would grow with each part, since more arrives at once than one part takes.
        let mut consumed = false;
        loop {
            if self.in_copy_out {
                let mut data = Vec::new();
                match self.connection.get_copy_data(&mut data) {
                    CopyOut::Wait if consumed => return Ok(false),
                    CopyOut::Wait => {
                        self.connection.consume_input()?;
                        consumed = true;
                    }
                    CopyOut::Data if self.wants_parts => {
                        self.part = Some(SimpleQueryPart::Copied(data));
                        return Ok(true);
                    }
                    CopyOut::Data => self.received.dropped = true,
                    CopyOut::End => self.in_copy_out = false,
                }
                continue;
            }
            if self.connection.is_busy() {
                if consumed {
                    return Ok(false);
                }
                self.connection.consume_input()?;
                consumed = true;
                continue;
            }
            let Some(result) = self.connection.next_result() else {
                if self.chunked {
                    self.connection.clear_chunked_rows_mode();
                }
                return Ok(true);
            };
            match result.status() {
                ResultStatus::CopyIn => {
                    self.connection.put_copy_end(Some(NO_COPY))?;
                    self.flushed = self.connection.flush()?;
                }
                ResultStatus::CopyOut => self.in_copy_out = true,
                ResultStatus::Error => {
                    self.received.error.get_or_insert(result);
                    if !self.connection.is_alive() {
                        return Err(self.connection.message());
                    }
                }
                status => {
                    let tag = self.tag(&result, status);
                    self.received.tags.extend(tag.clone());
                    if self.wants_parts {
                        self.part = Some(SimpleQueryPart::Answer { result, tag });
                        return Ok(true);
                    }
                    self.received.dropped |= result.row_count() > 0;
                }
            }
        }
    }
}

impl Cancellable for SimpleQuery<'_> {
    fn connection(&self) -> &Connection {
        self.connection
    }
}

impl Machine for SimpleQuery<'_> {
    fn advance(&mut self) -> Result<Progress, LibpqError> {
        if let Some(sql) = self.unsent.take() {
            if self.interrupt.as_ref().is_some_and(Interrupt::is_given_up) {
                return Err("the call was given up before it was sent".to_owned());
            }
            self.received.sent = true;
            self.connection.send_simple(&sql)?;
            if self.wants_parts {
                self.connection.set_chunked_rows_mode(CHUNK)?;
                self.chunked = true;
            }
        }
        if !self.flushed {
            self.flushed = self.connection.flush()?;
        }
        if self.read()? {
            return Ok(Progress::Done);
        }
        Ok(Progress::Wait {
            read: true,
            write: !self.flushed,
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
