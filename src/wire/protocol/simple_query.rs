//! A script: one simple query of any number of statements.

use std::ffi::CString;
use std::os::fd::BorrowedFd;

use super::{Machine, Step};
use crate::wire::interrupt::Interrupt;
use crate::wire::libpq::{Connection, CopyOut, ResultSet, Said, Status};

/// A simple query, which may hold several statements and so is no pipeline.
pub(crate) struct Script<'c> {
    connection: &'c mut Connection,
    unsent: Option<CString>,
    flushed: bool,
    copying_out: bool,
    /// Whether rows are wanted; else they are passed over.
    hands_out: bool,
    /// Whether libpq was told to hand out rows as they arrive.
    chunked: bool,
    part: Option<ScriptPart>,
    tag_of_chunk: String,
    interrupt: Option<Interrupt>,
    pub(crate) heard: ScriptHeard,
}

/// What a script hands out as it arrives.
#[derive(Debug)]
pub(crate) enum ScriptPart {
    /// Rows of a statement; with its tag they are the last.
    Answer {
        result: ResultSet,
        tag: Option<String>,
    },
    /// A piece of what COPY TO STDOUT gives.
    Copied(Vec<u8>),
}

/// What a script has heard so far.
#[derive(Debug, Default)]
pub(crate) struct ScriptHeard {
    pub(crate) error: Option<ResultSet>,
    /// The tags of the commands that succeeded.
    pub(crate) tags: Vec<String>,
    pub(crate) sent: bool,
    /// Whether something was not handed out that would have been.
    pub(crate) dropped: bool,
}

/// How many rows are handed out at once.
const CHUNK: i32 = 256;

/// What the server is told when a script begins a COPY that nobody feeds.
const NO_COPY: &std::ffi::CStr = c"COPY .. FROM STDIN cannot run here, because nobody feeds it";
/// The same, as it comes back in the server's message.
pub(crate) const NO_COPY_SAYS: &str = "COPY .. FROM STDIN cannot run here, because nobody feeds it";

impl ScriptPart {
    pub(crate) fn ends_a_statement(&self) -> bool {
        matches!(self, Self::Answer { tag: Some(_), .. })
    }
}

impl<'c> Script<'c> {
    pub(crate) fn new(connection: &'c mut Connection, sql: CString) -> Self {
        Self {
            connection,
            unsent: Some(sql),
            flushed: false,
            copying_out: false,
            hands_out: false,
            chunked: false,
            part: None,
            tag_of_chunk: String::new(),
            interrupt: None,
            heard: ScriptHeard::default(),
        }
    }

    /// The same, on behalf of a call.
    pub(crate) fn heeding(self, interrupt: Option<Interrupt>) -> Self {
        Self { interrupt, ..self }
    }

    /// The same, but it stops at each part that can be handed out.
    pub(crate) fn handing_out(self) -> Self {
        Self {
            hands_out: true,
            ..self
        }
    }

    /// What it stopped at; `None` when it is over.
    pub(crate) fn take_part(&mut self) -> Option<ScriptPart> {
        self.part.take()
    }

    /// Passes over whatever comes now.
    pub(crate) fn hand_out_no_more(&mut self) {
        self.hands_out = false;
        self.heard.dropped |= self.part.take().is_some();
    }

    pub(crate) fn connection(&self) -> &Connection {
        self.connection
    }

    /// The tag of a statement that ends with this result; libpq puts it on the last rows, and ends without.
    fn tag(&mut self, result: &ResultSet, status: Status) -> Option<String> {
        let tag = result.command_tag();
        if status == Status::Chunk {
            self.tag_of_chunk = tag;
            return None;
        }
        let of_chunk = std::mem::take(&mut self.tag_of_chunk);
        Some(if tag.is_empty() { of_chunk } else { tag })
    }

    fn read(&mut self) -> Result<bool, Said> {
        // What is here is handed out before more is read: libpq's buffer would grow with each part otherwise, since more
        // arrives at once than one part takes.
        let mut consumed = false;
        loop {
            if self.copying_out {
                let mut data = Vec::new();
                match self.connection.get_copy_data(&mut data) {
                    CopyOut::Wait if consumed => return Ok(false),
                    CopyOut::Wait => {
                        self.connection.consume_input()?;
                        consumed = true;
                    }
                    CopyOut::Data if self.hands_out => {
                        self.part = Some(ScriptPart::Copied(data));
                        return Ok(true);
                    }
                    CopyOut::Data => self.heard.dropped = true,
                    CopyOut::End => self.copying_out = false,
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
                    self.connection.hand_out_whole();
                }
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
                status => {
                    let tag = self.tag(&result, status);
                    self.heard.tags.extend(tag.clone());
                    if self.hands_out {
                        self.part = Some(ScriptPart::Answer { result, tag });
                        return Ok(true);
                    }
                    self.heard.dropped |= result.row_count() > 0;
                }
            }
        }
    }
}

impl Machine for Script<'_> {
    fn advance(&mut self) -> Result<Step, Said> {
        if let Some(sql) = self.unsent.take() {
            if self.interrupt.as_ref().is_some_and(Interrupt::is_given_up) {
                return Err("the call was given up before it was sent".to_owned());
            }
            self.heard.sent = true;
            self.connection.send_simple(&sql)?;
            if self.hands_out {
                self.connection.hand_out_chunks(CHUNK)?;
                self.chunked = true;
            }
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

    fn interrupt(&self) -> Option<&Interrupt> {
        self.interrupt.as_ref()
    }
}
