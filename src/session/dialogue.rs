//! What is said on a connection, as state machines that do no waiting.
//!
//! A machine is advanced as far as it goes without waiting; it then says what it waits for. Who waits,
//! and for how long, is the driver's affair: a blocking one is in `driver.rs`, and an asynchronous one
//! can drive the same machines.

use std::collections::VecDeque;
use std::ffi::CString;
use std::os::fd::BorrowedFd;
use std::sync::Arc;

use super::libpq::{BoundValue, Cancel, Connection, Polling, ResultSet, Said, Status};

/// Something that is advanced until it is done.
pub(crate) trait Machine {
    /// Goes on as far as it can without waiting.
    fn advance(&mut self) -> Result<Step, Said>;

    /// The socket to wait for; `None` when it is gone.
    fn socket(&self) -> Option<BorrowedFd<'_>>;
}

/// Where a machine stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Done,
    Wait { read: bool, write: bool },
}

/// Connecting, up to the server's readiness.
pub(crate) struct Connecting<'c> {
    connection: &'c mut Connection,
    started: bool,
}

impl<'c> Connecting<'c> {
    pub(crate) fn new(connection: &'c mut Connection) -> Self {
        Self {
            connection,
            started: false,
        }
    }
}

impl Machine for Connecting<'_> {
    fn advance(&mut self) -> Result<Step, Said> {
        if !std::mem::replace(&mut self.started, true) {
            return Ok(FIRST);
        }
        step(self.connection.poll_connect(), || self.connection.message())
    }

    fn socket(&self) -> Option<BorrowedFd<'_>> {
        self.connection.socket()
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

/// One message to the server within a pipeline.
#[derive(Debug)]
pub(crate) enum Message {
    /// Parse under a name.
    Prepare {
        name: CString,
        sql: CString,
        types: Vec<u32>,
    },
    /// Bind and Execute of a name; the answer is that of the command of this number.
    Execute {
        command: usize,
        name: CString,
        values: Vec<BoundValue>,
    },
    /// Parse, Bind and Execute without a name.
    Unnamed {
        command: usize,
        sql: CString,
        types: Vec<u32>,
        values: Vec<BoundValue>,
    },
    /// Close of a name.
    Close { name: CString },
    /// The end of the pipeline, where the server commits what is not in an explicit transaction.
    Sync,
}

/// What is still to be answered.
#[derive(Debug)]
enum Awaited {
    Prepare(CString),
    Answer(usize),
    Close(CString),
    Sync,
}

/// A pipeline: all messages up to one Sync, and their answers.
///
/// It reads while it writes, so that full socket buffers on both sides cannot lock it up.
pub(crate) struct Pipeline<'c> {
    connection: &'c mut Connection,
    outgoing: VecDeque<Message>,
    awaited: VecDeque<Awaited>,
    /// Bytes handed to libpq since the last complete flush, roughly.
    unflushed: usize,
    pub(crate) heard: Heard,
}

/// What a pipeline has heard so far.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    /// The answers, by number of command.
    pub(crate) answers: Vec<Option<ResultSet>>,
    /// The first error, with the number of the command; `None` for one that came with the commit.
    pub(crate) error: Option<(Option<usize>, ResultSet)>,
    /// Names that the server has prepared, and closed.
    pub(crate) prepared: Vec<CString>,
    pub(crate) closed: Vec<CString>,
    /// Whether the Sync was handed to libpq: from here the server may have it.
    pub(crate) sync_sent: bool,
}

/// So much is queued before it is written; larger writes gain nothing.
const FLUSH_AT: usize = 16 * 1024;

impl<'c> Pipeline<'c> {
    pub(crate) fn new(
        connection: &'c mut Connection,
        messages: VecDeque<Message>,
        commands: usize,
    ) -> Self {
        let mut heard = Heard::default();
        heard.answers.resize_with(commands, || None);
        Self {
            connection,
            outgoing: messages,
            awaited: VecDeque::new(),
            unflushed: 0,
            heard,
        }
    }

    pub(crate) fn connection(&self) -> &Connection {
        self.connection
    }

    /// Hands messages to libpq as long as the socket takes them; `false` when it is full.
    fn write(&mut self) -> Result<bool, Said> {
        loop {
            if self.unflushed >= FLUSH_AT || self.outgoing.is_empty() {
                if self.unflushed > 0 && !self.connection.flush()? {
                    return Ok(false);
                }
                self.unflushed = 0;
            }
            let Some(message) = self.outgoing.pop_front() else {
                return Ok(true);
            };
            self.unflushed += size(&message);
            let awaited = match message {
                Message::Prepare { name, sql, types } => {
                    self.connection.send_prepare(&name, &sql, &types)?;
                    Awaited::Prepare(name)
                }
                Message::Execute {
                    command,
                    name,
                    values,
                } => {
                    self.connection.send_prepared(&name, &values)?;
                    Awaited::Answer(command)
                }
                Message::Unnamed {
                    command,
                    sql,
                    types,
                    values,
                } => {
                    self.connection.send_unnamed(&sql, &types, &values)?;
                    Awaited::Answer(command)
                }
                Message::Close { name } => {
                    self.connection.send_close(&name)?;
                    Awaited::Close(name)
                }
                Message::Sync => {
                    self.heard.sync_sent = true;
                    self.connection.send_sync()?;
                    Awaited::Sync
                }
            };
            self.awaited.push_back(awaited);
        }
    }

    /// Takes in what has arrived.
    fn read(&mut self) -> Result<(), Said> {
        let consumed = self.connection.consume_input();
        while let Some(awaited) = self.awaited.front() {
            if self.connection.is_busy() {
                break;
            }
            let Some(result) = self.connection.next_result() else {
                // NULL ends the answer to a message; that to a Sync is ended by its own result.
                if matches!(awaited, Awaited::Sync) {
                    break;
                }
                self.awaited.pop_front();
                continue;
            };
            match (result.status(), awaited) {
                (Status::PipelineSync, _) => drop(self.awaited.pop_front()),
                (Status::PipelineAborted, _) => {}
                (Status::Error, awaited) => {
                    let command = if let Awaited::Answer(command) = awaited {
                        Some(*command)
                    } else {
                        self.next_answer()
                    };
                    self.heard.error.get_or_insert((command, result));
                    if !self.connection.is_alive() {
                        return Err(self.connection.message());
                    }
                }
                (_, Awaited::Prepare(name)) => self.heard.prepared.push(name.clone()),
                (_, Awaited::Close(name)) => self.heard.closed.push(name.clone()),
                (_, Awaited::Answer(command)) => {
                    if let Some(answer) = self.heard.answers.get_mut(*command) {
                        *answer = Some(result);
                    }
                }
                (_, Awaited::Sync) => {}
            }
        }
        consumed
    }

    /// The command that a Prepare in front was for.
    fn next_answer(&self) -> Option<usize> {
        self.awaited.iter().find_map(|awaited| {
            if let Awaited::Answer(command) = awaited {
                Some(*command)
            } else {
                None
            }
        })
    }
}

impl Machine for Pipeline<'_> {
    fn advance(&mut self) -> Result<Step, Said> {
        let written = self.write()?;
        self.read()?;
        if written && self.outgoing.is_empty() && self.awaited.is_empty() {
            return Ok(Step::Done);
        }
        Ok(Step::Wait {
            read: true,
            write: !written,
        })
    }

    fn socket(&self) -> Option<BorrowedFd<'_>> {
        self.connection.socket()
    }
}

fn size(message: &Message) -> usize {
    let values = |values: &[BoundValue]| {
        values
            .iter()
            .map(|value| 4 + value.as_ref().map_or(0, Vec::len))
            .sum::<usize>()
    };
    32 + match message {
        Message::Prepare { sql, types, .. } => sql.as_bytes().len() + 4 * types.len(),
        Message::Execute { values: bound, .. } => values(bound),
        Message::Unnamed {
            sql, values: bound, ..
        } => sql.as_bytes().len() + values(bound),
        Message::Close { .. } | Message::Sync => 0,
    }
}

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
pub(super) const NO_COPY_SAYS: &str = "COPY .. FROM STDIN cannot run here, because nobody feeds it";

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
                match self.connection.skip_copy_out() {
                    None => return Ok(false),
                    Some(more) => self.copying_out = more,
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
                    self.connection.refuse_copy_in(NO_COPY)?;
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

/// The SQL as libpq takes it.
pub(crate) fn c_string(sql: &Arc<str>) -> Result<CString, Said> {
    CString::new(sql.as_bytes())
        .map_err(|_| "the SQL holds a NUL byte, which PostgreSQL cannot store".to_owned())
}
