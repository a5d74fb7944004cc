//! A pipeline: all messages up to one Sync, and their results.

use std::collections::VecDeque;
use std::ffi::CStr;
use std::os::fd::BorrowedFd;
use std::sync::Arc;

use super::{Cancellable, Machine, Progress, c_string};
use crate::wire::answer::{Answer, ColumnDescription};
use crate::wire::interrupt::Interrupt;
use crate::wire::libpq::{Connection, LibpqError, ResultSet, ResultStatus};
use crate::wire::parameters::Parameters;

/// One message to the server within a pipeline.
#[derive(Debug)]
pub(crate) enum Message {
    /// Parse of a named statement.
    Prepare {
        name: Arc<CStr>,
        sql: Arc<str>,
        parameters: Parameters,
    },
    /// Bind and Execute of a named statement, for the command of this number.
    Execute {
        command: usize,
        name: Arc<CStr>,
        parameters: Parameters,
    },
    /// Parse, Bind and Execute of the unnamed statement.
    Unnamed {
        command: usize,
        sql: Arc<str>,
        parameters: Parameters,
    },
    /// Close of a named statement.
    Close { name: Arc<CStr> },
    /// The end of the pipeline, where the server commits an implicit transaction.
    Sync,
}

/// A message whose result has not been received.
#[derive(Debug)]
enum Awaited {
    Prepare(Arc<CStr>),
    Answer(usize),
    Close(Arc<CStr>),
    Sync,
}

/// The state of a pipeline, separate from its connection: a stream of rows keeps it between two
/// calls.
#[derive(Debug)]
pub(crate) struct PipelineState {
    outgoing: VecDeque<Message>,
    awaited: VecDeque<Awaited>,
    /// The number of bytes that were queued since the last complete flush, roughly.
    unflushed: usize,
    streamed: Option<Streamed>,
    /// The call that it is part of; nothing is sent once that call is given up.
    interrupt: Option<Interrupt>,
    pub(crate) received: Received,
}

/// The command whose rows are taken in chunks while more arrive.
#[derive(Debug)]
struct Streamed {
    command: usize,
    /// Whether chunked rows mode was set for it.
    chunked: bool,
    chunk: Option<Answer>,
    /// Whether rows were dropped.
    dropped: bool,
}

/// A pipeline in progress.
///
/// It reads while it writes, so that full socket buffers on both sides cannot block it.
pub(crate) struct Pipeline<'c> {
    connection: &'c mut Connection,
    state: &'c mut PipelineState,
}

/// The answers received so far.
#[derive(Debug)]
pub(crate) struct Received {
    /// The answers, by number of command.
    pub(crate) answers: Vec<Option<Answer>>,
    /// The columns of the answer that was packed last; later answers often have the same columns.
    columns: Arc<[ColumnDescription]>,
    /// The first error, with the number of the command; `None` for one that came with the commit.
    pub(crate) error: Option<(Option<usize>, ResultSet)>,
    /// The command that began a COPY, and the status of its result, which has the direction.
    pub(crate) copy: Option<(usize, ResultStatus)>,
    /// The names that the server has prepared, and those that it has closed.
    pub(crate) prepared: Vec<Arc<CStr>>,
    pub(crate) closed: Vec<Arc<CStr>>,
    /// The number of commands that were queued: the server may have received any of them.
    pub(crate) commands_sent: usize,
    /// Whether everything was written, the last byte of the Sync included. Until then the server cannot have the Sync.
    pub(crate) sync_sent: bool,
}

/// The number of bytes that are queued before they are written; larger writes gain nothing.
const FLUSH_AT: usize = 16 * 1024;

/// The answers of a pipeline with more commands than this are packed.
const PACK_FROM: usize = 64;

/// The number of rows in a chunk of a stream: enough for few calls, but little memory.
const CHUNK_ROWS: i32 = 256;

impl PipelineState {
    pub(crate) fn new(messages: VecDeque<Message>, commands: usize) -> Self {
        let mut answers = Vec::with_capacity(commands);
        answers.resize_with(commands, || None);
        Self {
            outgoing: messages,
            awaited: VecDeque::new(),
            unflushed: 0,
            streamed: None,
            interrupt: None,
            received: Received {
                answers,
                columns: Arc::new([]),
                error: None,
                copy: None,
                prepared: Vec::new(),
                closed: Vec::new(),
                commands_sent: 0,
                sync_sent: false,
            },
        }
    }

    /// Sets the call that it is part of.
    pub(crate) fn with_interrupt(self, interrupt: Option<Interrupt>) -> Self {
        Self { interrupt, ..self }
    }

    /// Returns whether its call was given up.
    pub(crate) fn is_given_up(&self) -> bool {
        self.interrupt.as_ref().is_some_and(Interrupt::is_given_up)
    }

    /// Takes the rows of this command in chunks: the pipeline stops whenever there is one.
    pub(crate) fn stream(mut self, command: usize) -> Self {
        self.streamed = Some(Streamed {
            command,
            chunked: false,
            chunk: None,
            dropped: false,
        });
        self
    }

    /// Returns the rows that arrived last.
    pub(crate) fn take_chunk(&mut self) -> Option<Answer> {
        self.streamed.as_mut()?.chunk.take()
    }

    /// Drops all rows of the stream from now on.
    pub(crate) fn stop_streaming(&mut self) {
        if let Some(streamed) = &mut self.streamed {
            streamed.dropped |= streamed.chunk.take().is_some();
            streamed.command = usize::MAX;
        }
    }

    /// Returns whether rows were dropped.
    pub(crate) fn has_dropped_rows(&self) -> bool {
        self.streamed
            .as_ref()
            .is_some_and(|streamed| streamed.dropped)
    }

    /// Returns whether all messages are answered.
    pub(crate) fn is_over(&self) -> bool {
        self.outgoing.is_empty() && self.awaited.is_empty()
    }

    fn has_chunk(&self) -> bool {
        self.streamed
            .as_ref()
            .is_some_and(|streamed| streamed.chunk.is_some())
    }

    /// Returns the command that is answered next; a Prepare before it belongs to it.
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

impl<'c> Pipeline<'c> {
    pub(crate) fn new(connection: &'c mut Connection, state: &'c mut PipelineState) -> Self {
        Self { connection, state }
    }

    /// Drops all rows of the stream from now on.
    pub(crate) fn stop_streaming(&mut self) {
        self.state.stop_streaming();
    }

    /// Queues and writes messages as long as the socket accepts them; returns false if it is full.
    fn write(&mut self) -> Result<bool, LibpqError> {
        loop {
            if self.state.unflushed >= FLUSH_AT || self.state.outgoing.is_empty() {
                if self.state.unflushed > 0 && !self.connection.flush()? {
                    return Ok(false);
                }
                self.state.unflushed = 0;
                if self.state.outgoing.is_empty() {
                    self.state.received.sync_sent = true;
                    // The memory of the queue can be used for the answers.
                    self.state.outgoing = VecDeque::new();
                }
            }
            // Queued messages are being sent; the rest must not reach the server.
            if !self.state.outgoing.is_empty() && self.state.is_given_up() {
                return Err("the call was given up before all of it was sent".to_owned());
            }
            let Some(message) = self.state.outgoing.pop_front() else {
                return Ok(true);
            };
            self.state.unflushed += size(&message);
            if let Message::Execute { command, .. } | Message::Unnamed { command, .. } = &message {
                self.state.received.commands_sent = command + 1;
            }
            let awaited = match message {
                Message::Prepare {
                    name,
                    sql,
                    parameters,
                } => {
                    self.connection
                        .send_prepare(&name, &c_string(&sql)?, parameters.types())?;
                    Awaited::Prepare(name)
                }
                Message::Execute {
                    command,
                    name,
                    parameters,
                } => {
                    self.connection.send_prepared(&name, parameters.values())?;
                    Awaited::Answer(command)
                }
                Message::Unnamed {
                    command,
                    sql,
                    parameters,
                } => {
                    self.connection.send_unnamed(
                        &c_string(&sql)?,
                        parameters.types(),
                        parameters.values(),
                    )?;
                    Awaited::Answer(command)
                }
                Message::Close { name } => {
                    self.connection.send_close(&name)?;
                    Awaited::Close(name)
                }
                Message::Sync => {
                    self.connection.send_sync()?;
                    Awaited::Sync
                }
            };
            self.state.awaited.push_back(awaited);
        }
    }

    /// Takes the results that have arrived.
    fn read(&mut self) -> Result<(), LibpqError> {
        // A stream takes the rows that have arrived before it reads more. Otherwise libpq's buffer
        // would grow with each chunk, since more arrives at once than one chunk takes.
        let consumed = if self.state.streamed.is_some() && !self.connection.is_busy() {
            Ok(())
        } else {
            self.connection.consume_input()
        };
        while let Some(awaited) = self.state.awaited.front() {
            if let (Awaited::Answer(command), Some(streamed)) = (awaited, &mut self.state.streamed)
                && *command == streamed.command
                && !std::mem::replace(&mut streamed.chunked, true)
            {
                self.connection.set_chunked_rows_mode(CHUNK_ROWS)?;
            }
            if self.connection.is_busy() {
                break;
            }
            let Some(result) = self.connection.next_result() else {
                // NULL ends the answer to a message; that to a Sync is ended by its own result.
                if matches!(awaited, Awaited::Sync) {
                    break;
                }
                self.state.awaited.pop_front();
                continue;
            };
            match (result.status(), awaited) {
                (ResultStatus::PipelineSync, _) => drop(self.state.awaited.pop_front()),
                (ResultStatus::PipelineAborted, _) => {}
                (status @ (ResultStatus::CopyIn | ResultStatus::CopyOut), awaited) => {
                    // libpq returns this result repeatedly, and the server waits for data: neither
                    // can continue.
                    if let Awaited::Answer(command) = awaited {
                        self.state.received.copy = Some((*command, status));
                    }
                    self.connection.shut_down();
                    return Err(
                        "the server began a COPY, whose data a pipeline cannot carry".to_owned(),
                    );
                }
                (ResultStatus::Error, awaited) => {
                    let command = if let Awaited::Answer(command) = awaited {
                        Some(*command)
                    } else {
                        self.state.next_answer()
                    };
                    self.state.received.error.get_or_insert((command, result));
                    if !self.connection.is_alive() {
                        return Err(self.connection.message());
                    }
                }
                (ResultStatus::Chunk, Awaited::Answer(command)) => {
                    if let Some(streamed) = &mut self.state.streamed {
                        if *command == streamed.command {
                            streamed.chunk = Some(Answer::Libpq(result));
                            break;
                        }
                        streamed.dropped = true;
                    }
                }
                (_, Awaited::Prepare(name)) => self.state.received.prepared.push(Arc::clone(name)),
                (_, Awaited::Close(name)) => self.state.received.closed.push(Arc::clone(name)),
                (_, Awaited::Answer(command)) => {
                    let received = &mut self.state.received;
                    // The last answer may be that of COMMIT, whose tag is needed.
                    let is_long =
                        received.answers.len() > PACK_FROM && command + 1 < received.answers.len();
                    if let Some(answer) = received.answers.get_mut(*command) {
                        *answer = Some(if is_long {
                            Answer::packed(result, &mut received.columns)
                        } else {
                            Answer::Libpq(result)
                        });
                    }
                }
                (_, Awaited::Sync) => {}
            }
        }
        if self.state.is_over() {
            // The next call finds out whether the connection was lost after the last answer.
            return Ok(());
        }
        consumed
    }
}

impl Cancellable for Pipeline<'_> {
    fn connection(&self) -> &Connection {
        self.connection
    }
}

impl Machine for Pipeline<'_> {
    fn advance(&mut self) -> Result<Progress, LibpqError> {
        // A server that closes the connection may have sent the reason: results are read even if nothing can be written.
        let written = self.write();
        self.read()?;
        let written = written?;
        if self.state.has_chunk() || (written && self.state.is_over()) {
            return Ok(Progress::Done);
        }
        Ok(Progress::Wait {
            read: true,
            write: !written,
        })
    }

    fn socket(&self) -> Option<BorrowedFd<'_>> {
        self.connection.socket()
    }

    fn interrupt(&self) -> Option<&Interrupt> {
        self.state.interrupt.as_ref()
    }
}

fn size(message: &Message) -> usize {
    let values = |parameters: &Parameters| 4 * parameters.len() + parameters.size();
    32 + match message {
        Message::Prepare {
            sql, parameters, ..
        } => sql.len() + 4 * parameters.len(),
        Message::Execute { parameters, .. } => values(parameters),
        Message::Unnamed {
            sql, parameters, ..
        } => sql.len() + values(parameters),
        Message::Close { .. } | Message::Sync => 0,
    }
}
