//! A pipeline: all messages up to one Sync, and their results.

mod message;

use std::ffi::CStr;
use std::os::fd::BorrowedFd;
use std::sync::Arc;

use super::{Cancellable, Machine, Progress};
use crate::wire::answer::Answer;
use crate::wire::interrupt::Interrupt;
use crate::wire::libpq::{Connection, LibpqError, ResultSet, ResultStatus};
#[cfg(feature = "tokio")]
use crate::wire::reactor::Registration;

pub(crate) use message::{Message, Received};

/// A place in a pipeline: what is sent, or answered, next.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Close of a named statement.
    Close(usize),
    /// Parse of the named statement of a command.
    Prepare(usize),
    /// Bind and Execute of a command; for the unnamed statement also Parse.
    Execute(usize),
    /// The end of the pipeline, where the server commits an implicit transaction.
    Sync,
    #[default]
    End,
}

/// The state of a pipeline, separate from its connection: a stream of rows keeps it between two
/// calls.
#[derive(Debug, Default)]
pub(crate) struct PipelineState {
    /// The names of statements to close, before all commands.
    to_close: Vec<Arc<CStr>>,
    messages: Vec<Message>,
    /// Whether it is one command that libpq sends with its Sync, outside of its pipeline mode. The
    /// server gets the same bytes.
    is_lone: bool,
    sent: Place,
    answered: Place,
    /// The number of bytes that were queued since the last complete flush, roughly.
    unflushed: usize,
    streamed: Option<Box<Streamed>>,
    /// The call that it is part of; nothing is sent once that call is given up.
    interrupt: Option<Interrupt>,
    /// Whether its call was dropped: nothing more is sent.
    is_given_up: bool,
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

/// The number of bytes that are queued before they are written; larger writes gain nothing.
const FLUSH_AT: usize = 16 * 1024;

/// The memory of more messages than this is not kept for the next pipeline.
const MESSAGES_KEPT: usize = 64;

/// The answers of a pipeline with more commands than this are packed.
const PACK_FROM: usize = 64;

/// The number of rows in a chunk of a stream: enough for few calls, but little memory.
const CHUNK_ROWS: i32 = 256;

impl PipelineState {
    /// Begins a pipeline in place of one that has ended: it closes statements, and then runs
    /// commands. `answers` is an empty vector for the answers. The rows of the command `streamed`
    /// are taken in chunks: the pipeline stops whenever there is one.
    pub(crate) fn begin(
        &mut self,
        to_close: &[Arc<CStr>],
        messages: Vec<Message>,
        answers: Vec<Answer>,
        streamed: Option<usize>,
        interrupt: Option<Interrupt>,
    ) {
        // A stream is not sent alone, because libpq would keep the chunked mode for the next
        // pipeline.
        self.is_lone = to_close.is_empty()
            && streamed.is_none()
            && matches!(&messages[..], [message] if !message.prepares());
        self.to_close.clear();
        self.to_close.extend_from_slice(to_close);
        self.messages = messages;
        self.unflushed = 0;
        self.streamed = streamed.map(|command| {
            Box::new(Streamed {
                command,
                chunked: false,
                chunk: None,
                dropped: false,
            })
        });
        self.interrupt = interrupt;
        self.is_given_up = false;
        self.received.begin(answers);
        self.sent = self.first();
        self.answered = self.sent;
    }

    /// Returns a pipeline of a Sync alone.
    pub(crate) fn ping() -> Self {
        let mut state = Self::default();
        state.begin(&[], Vec::new(), Vec::new(), None, None);
        state
    }

    /// Returns whether libpq has to be in its pipeline mode for it.
    pub(crate) fn needs_pipeline_mode(&self) -> bool {
        !self.is_lone
    }

    /// Returns the empty memory of the messages, for those of the next pipeline.
    pub(crate) fn take_messages(&mut self) -> Vec<Message> {
        self.messages.clear();
        std::mem::take(&mut self.messages)
    }

    /// Frees the messages. Their memory is kept, unless it is large.
    pub(crate) fn clear_messages(&mut self) {
        self.messages.clear();
        self.messages.shrink_to(MESSAGES_KEPT);
    }

    /// Returns whether its call was given up.
    pub(crate) fn is_given_up(&self) -> bool {
        self.is_given_up || self.is_interrupted()
    }

    /// Returns whether the call that it is part of was given up by another thread.
    pub(crate) fn is_interrupted(&self) -> bool {
        self.interrupt.as_ref().is_some_and(Interrupt::is_given_up)
    }

    /// Sends nothing more than libpq has already.
    pub(crate) fn give_up(&mut self) {
        self.is_given_up = true;
    }

    /// Returns whether libpq has the Sync.
    pub(crate) fn has_queued_sync(&self) -> bool {
        self.sent == Place::End
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
        self.answered == Place::End
    }

    fn has_chunk(&self) -> bool {
        self.streamed
            .as_ref()
            .is_some_and(|streamed| streamed.chunk.is_some())
    }

    fn first(&self) -> Place {
        if self.to_close.is_empty() {
            self.command(0)
        } else {
            Place::Close(0)
        }
    }

    fn command(&self, number: usize) -> Place {
        match self.messages.get(number) {
            Some(message) if message.prepares() => Place::Prepare(number),
            Some(_) => Place::Execute(number),
            None if self.is_lone => Place::End,
            None => Place::Sync,
        }
    }

    fn after(&self, place: Place) -> Place {
        match place {
            Place::Close(number) if number + 1 < self.to_close.len() => Place::Close(number + 1),
            Place::Close(_) => self.command(0),
            Place::Prepare(number) => Place::Execute(number),
            Place::Execute(number) => self.command(number + 1),
            Place::Sync | Place::End => Place::End,
        }
    }

    /// Returns the command that an error at this place belongs to: the one that is answered next.
    fn command_at(&self, place: Place) -> Option<usize> {
        match place {
            Place::Close(_) => (!self.messages.is_empty()).then_some(0),
            Place::Prepare(number) => Some(number),
            // Behind its answer, the error came with the commit.
            Place::Execute(number) => (self.received.answers.len() <= number).then_some(number),
            Place::Sync | Place::End => None,
        }
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
            let is_all = self.state.sent == Place::End;
            if self.state.unflushed >= FLUSH_AT || is_all {
                if self.state.unflushed > 0 && !self.connection.flush()? {
                    return Ok(false);
                }
                self.state.unflushed = 0;
            }
            if is_all {
                self.state.received.sync_sent = true;
                return Ok(true);
            }
            // Queued messages are being sent; the rest must not reach the server.
            if self.state.is_given_up() {
                return Err("the call was given up before all of it was sent".to_owned());
            }
            self.send()?;
            self.state.sent = self.state.after(self.state.sent);
        }
    }

    /// Queues the next message.
    fn send(&mut self) -> Result<(), LibpqError> {
        let state = &mut *self.state;
        match state.sent {
            Place::Close(number) => {
                state.unflushed += 32;
                self.connection.send_close(&state.to_close[number])
            }
            Place::Prepare(number) => match &state.messages[number] {
                Message {
                    name: Some(name),
                    sql: Some(sql),
                    parameters,
                    ..
                } => {
                    state.unflushed += sql.count_bytes();
                    self.connection.send_prepare(name, sql, parameters.types())
                }
                _ => Ok(()),
            },
            Place::Execute(number) => {
                let message = &mut state.messages[number];
                state.unflushed += message.size();
                state.received.commands_sent = number + 1;
                let parameters = std::mem::take(&mut message.parameters);
                match (&message.name, &message.sql) {
                    (Some(name), _) => self.connection.send_prepared(name, parameters.values()),
                    (None, sql) => {
                        let sql = sql.as_deref().unwrap_or_default();
                        let types = parameters.types();
                        self.connection
                            .send_unnamed(sql, types, parameters.values())
                    }
                }
            }
            Place::Sync => {
                state.unflushed += 32;
                self.connection.send_sync()
            }
            Place::End => Ok(()),
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
        let mut taken = None;
        while self.state.answered != self.state.sent {
            let at = self.state.answered;
            let result = match taken.take() {
                Some(result) => Some(result),
                None => {
                    self.take_in_chunks(at)?;
                    if self.connection.is_busy() {
                        break;
                    }
                    self.connection.next_result()
                }
            };
            let Some(result) = result else {
                // NULL ends the answer to a message; that to a Sync is ended by its own result.
                if at == Place::Sync {
                    break;
                }
                self.state.answered = self.state.after(at);
                continue;
            };
            let status = result.status();
            if self.receive(at, status, result)? {
                break;
            }
            // In pipeline mode, the NULL behind the last result of a message is there already. An
            // error in place of the Sync's result is that of a server process which ends: what it
            // has committed is decided by the answers before.
            if !self.state.is_lone && status.is_last() && at != Place::Sync {
                taken = self.connection.next_result();
                if taken.is_none() {
                    self.state.answered = self.state.after(at);
                }
            }
        }
        if self.state.is_over() {
            // The next call finds out whether the connection was lost after the last answer.
            return Ok(());
        }
        consumed
    }

    /// Has libpq return the rows in chunks, if it is the streamed command that is answered next.
    fn take_in_chunks(&mut self, at: Place) -> Result<(), LibpqError> {
        if let (Place::Execute(command), Some(streamed)) = (at, &mut self.state.streamed)
            && command == streamed.command
            && !std::mem::replace(&mut streamed.chunked, true)
        {
            self.connection.set_chunked_rows_mode(CHUNK_ROWS)?;
        }
        Ok(())
    }

    /// Takes a result; returns true if it is a chunk of the stream, which has to be taken first.
    fn receive(
        &mut self,
        at: Place,
        status: ResultStatus,
        result: ResultSet,
    ) -> Result<bool, LibpqError> {
        let state = &mut *self.state;
        let received = &mut state.received;
        match (status, at) {
            (ResultStatus::PipelineSync, _) => state.answered = state.after(at),
            (ResultStatus::PipelineAborted, _) => {}
            (ResultStatus::CopyIn | ResultStatus::CopyOut, at) => {
                // libpq returns this result repeatedly, and the server waits for data: neither
                // can continue.
                if let Place::Execute(command) = at {
                    received.copy = Some((command, status));
                }
                self.connection.shut_down();
                return Err(
                    "the server began a COPY, whose data a pipeline cannot carry".to_owned(),
                );
            }
            (ResultStatus::Error, at) => {
                let command = state.command_at(at);
                state.received.error.get_or_insert((command, result));
                if !self.connection.is_alive() {
                    return Err(self.connection.message());
                }
            }
            (ResultStatus::Chunk, Place::Execute(command)) => {
                if let Some(streamed) = &mut state.streamed {
                    if command == streamed.command {
                        streamed.chunk = Some(Answer::Libpq(result));
                        return Ok(true);
                    }
                    streamed.dropped = true;
                }
            }
            (_, Place::Prepare(number)) => {
                let name = &state.messages[number].name;
                received.prepared.extend(name.clone());
            }
            (_, Place::Close(number)) => {
                received.closed.push(Arc::clone(&state.to_close[number]));
            }
            (_, Place::Execute(number)) => {
                let is_long = state.messages.len() > PACK_FROM;
                let affects = state.messages[number].affects;
                received.answers.push(if status == ResultStatus::Command {
                    Answer::of_command(result)
                } else if let (Some(rows), ResultStatus::Rows) = (affects, status) {
                    // libpq's memory is freed at once.
                    Answer::Done(rows)
                } else if is_long {
                    Answer::packed(result, received.columns.get_or_insert_default())
                } else {
                    Answer::Libpq(result)
                });
            }
            (_, Place::Sync | Place::End) => {}
        }
        Ok(false)
    }
}

impl Cancellable for Pipeline<'_> {
    fn connection(&self) -> &Connection {
        self.connection
    }
}

impl Machine for Pipeline<'_> {
    fn advance(&mut self) -> Result<Progress, LibpqError> {
        let was_sent = self.state.received.sync_sent;
        // A server that closes the connection may have sent the reason: results are read even if
        // nothing can be written.
        let written = self.write();
        // Nothing has arrived in the moment since the last byte was written.
        if was_sent || !matches!(written, Ok(true)) {
            self.read()?;
        }
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

    #[cfg(feature = "tokio")]
    fn registration(&mut self) -> &mut Registration {
        self.connection.registration()
    }

    fn interrupt(&self) -> Option<&Interrupt> {
        self.state.interrupt.as_ref()
    }
}
