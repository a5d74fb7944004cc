//! A pipeline: all messages up to one Sync, and their answers.

use std::collections::VecDeque;
use std::ffi::CStr;
use std::os::fd::BorrowedFd;
use std::sync::Arc;

use super::{Machine, Step, c_string};
use crate::sql_text::keywords::Direction;
use crate::wire::answer::{Answer, Column};
use crate::wire::interrupt::Interrupt;
use crate::wire::libpq::{BoundValue, Connection, ResultSet, Said, Status};

/// One message to the server within a pipeline.
#[derive(Debug)]
pub(crate) enum Message {
    /// Parse under a name.
    Prepare {
        name: Arc<CStr>,
        sql: Arc<str>,
        types: Vec<u32>,
    },
    /// Bind and Execute of a name; the answer is that of the command of this number.
    Execute {
        command: usize,
        name: Arc<CStr>,
        values: Vec<BoundValue>,
    },
    /// Parse, Bind and Execute without a name.
    Unnamed {
        command: usize,
        sql: Arc<str>,
        types: Vec<u32>,
        values: Vec<BoundValue>,
    },
    /// Close of a name.
    Close { name: Arc<CStr> },
    /// The end of the pipeline, where the server commits what is not in an explicit transaction.
    Sync,
}

/// What is still to be answered.
#[derive(Debug)]
enum Awaited {
    Prepare(Arc<CStr>),
    Answer(usize),
    Close(Arc<CStr>),
    Sync,
}

/// Where a pipeline stands, apart from its connection: a stream of rows rests here between two calls.
#[derive(Debug)]
pub(crate) struct Flow {
    outgoing: VecDeque<Message>,
    awaited: VecDeque<Awaited>,
    /// Bytes handed to libpq since the last complete flush, roughly.
    unflushed: usize,
    streamed: Option<Streamed>,
    /// The call that it is part of; nothing leaves once that is given up.
    interrupt: Option<Interrupt>,
    pub(crate) heard: Heard,
}

/// The command whose rows are handed out while more arrive.
#[derive(Debug)]
struct Streamed {
    command: usize,
    /// Whether libpq was told to hand out its rows in chunks.
    told: bool,
    chunk: Option<Answer>,
    /// Whether rows came that were not handed out.
    dropped: bool,
}

/// A pipeline under way.
///
/// It reads while it writes, so that full socket buffers on both sides cannot lock it up.
pub(crate) struct Pipeline<'c> {
    connection: &'c mut Connection,
    flow: &'c mut Flow,
}

/// What a pipeline has heard so far.
#[derive(Debug)]
pub(crate) struct Heard {
    /// The answers, by number of command.
    pub(crate) answers: Vec<Option<Answer>>,
    /// The columns of the answer that was packed last; those that follow are often alike.
    columns: Arc<[Column]>,
    /// The first error, with the number of the command; `None` for one that came with the commit.
    pub(crate) error: Option<(Option<usize>, ResultSet)>,
    /// Which command began a COPY, and which way.
    pub(crate) copy: Option<(usize, Direction)>,
    /// Names that the server has prepared, and closed.
    pub(crate) prepared: Vec<Arc<CStr>>,
    pub(crate) closed: Vec<Arc<CStr>>,
    /// How many commands were handed to libpq: of those, the server may have any.
    pub(crate) commands_sent: usize,
    /// Whether the kernel took all, the last byte of the Sync included. Until then the server cannot have it whole.
    pub(crate) sync_sent: bool,
}

/// So much is queued before it is written; larger writes gain nothing.
const FLUSH_AT: usize = 16 * 1024;

/// The answers of a pipeline of more commands than this are packed.
const PACK_FROM: usize = 64;

/// So many rows are handed out at once while they stream: enough to make the calls cheap, few enough to hold.
const CHUNK_ROWS: i32 = 256;

impl Flow {
    pub(crate) fn new(messages: VecDeque<Message>, commands: usize) -> Self {
        let mut answers = Vec::new();
        answers.resize_with(commands, || None);
        Self {
            outgoing: messages,
            awaited: VecDeque::new(),
            unflushed: 0,
            streamed: None,
            interrupt: None,
            heard: Heard {
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

    /// The same, on behalf of a call.
    pub(crate) fn heeding(self, interrupt: Option<Interrupt>) -> Self {
        Self { interrupt, ..self }
    }

    /// Whether its call was given up.
    pub(crate) fn is_given_up(&self) -> bool {
        self.interrupt.as_ref().is_some_and(Interrupt::is_given_up)
    }

    /// Hands out the rows of this command in chunks: the pipeline rests whenever there is one.
    pub(crate) fn stream(mut self, command: usize) -> Self {
        self.streamed = Some(Streamed {
            command,
            told: false,
            chunk: None,
            dropped: false,
        });
        self
    }

    /// The rows that arrived last.
    pub(crate) fn take_chunk(&mut self) -> Option<Answer> {
        self.streamed.as_mut()?.chunk.take()
    }

    /// Hands out no more rows: what still comes is dropped.
    pub(crate) fn stop_streaming(&mut self) {
        if let Some(streamed) = &mut self.streamed {
            streamed.dropped |= streamed.chunk.take().is_some();
            streamed.command = usize::MAX;
        }
    }

    /// Whether rows came that were not handed out.
    pub(crate) fn has_dropped_rows(&self) -> bool {
        self.streamed
            .as_ref()
            .is_some_and(|streamed| streamed.dropped)
    }

    /// Whether everything is answered.
    pub(crate) fn is_over(&self) -> bool {
        self.outgoing.is_empty() && self.awaited.is_empty()
    }

    fn has_chunk(&self) -> bool {
        self.streamed
            .as_ref()
            .is_some_and(|streamed| streamed.chunk.is_some())
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

impl<'c> Pipeline<'c> {
    pub(crate) fn new(connection: &'c mut Connection, flow: &'c mut Flow) -> Self {
        Self { connection, flow }
    }

    pub(crate) fn connection(&self) -> &Connection {
        self.connection
    }

    /// Hands out no more rows: what still comes is dropped.
    pub(crate) fn stop_streaming(&mut self) {
        self.flow.stop_streaming();
    }

    /// Hands messages to libpq as long as the socket takes them; `false` when it is full.
    fn write(&mut self) -> Result<bool, Said> {
        loop {
            if self.flow.unflushed >= FLUSH_AT || self.flow.outgoing.is_empty() {
                if self.flow.unflushed > 0 && !self.connection.flush()? {
                    return Ok(false);
                }
                self.flow.unflushed = 0;
                if self.flow.outgoing.is_empty() {
                    self.flow.heard.sync_sent = true;
                    // Its memory is wanted for the answers.
                    self.flow.outgoing = VecDeque::new();
                }
            }
            // What is with libpq is on its way; of the rest, nothing is to reach the server.
            if !self.flow.outgoing.is_empty() && self.flow.is_given_up() {
                return Err("the call was given up before all of it was sent".to_owned());
            }
            let Some(message) = self.flow.outgoing.pop_front() else {
                return Ok(true);
            };
            self.flow.unflushed += size(&message);
            if let Message::Execute { command, .. } | Message::Unnamed { command, .. } = &message {
                self.flow.heard.commands_sent = command + 1;
            }
            let awaited = match message {
                Message::Prepare { name, sql, types } => {
                    self.connection
                        .send_prepare(&name, &c_string(&sql)?, &types)?;
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
                    self.connection
                        .send_unnamed(&c_string(&sql)?, &types, &values)?;
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
            self.flow.awaited.push_back(awaited);
        }
    }

    /// Takes in what has arrived.
    fn read(&mut self) -> Result<(), Said> {
        // A stream hands out what is here before it reads on: libpq's buffer would grow with each chunk otherwise,
        // since more arrives at once than one chunk takes.
        let consumed = if self.flow.streamed.is_some() && !self.connection.is_busy() {
            Ok(())
        } else {
            self.connection.consume_input()
        };
        while let Some(awaited) = self.flow.awaited.front() {
            if let (Awaited::Answer(command), Some(streamed)) = (awaited, &mut self.flow.streamed)
                && *command == streamed.command
                && !std::mem::replace(&mut streamed.told, true)
            {
                self.connection.hand_out_chunks(CHUNK_ROWS)?;
            }
            if self.connection.is_busy() {
                break;
            }
            let Some(result) = self.connection.next_result() else {
                // NULL ends the answer to a message; that to a Sync is ended by its own result.
                if matches!(awaited, Awaited::Sync) {
                    break;
                }
                self.flow.awaited.pop_front();
                continue;
            };
            match (result.status(), awaited) {
                (Status::PipelineSync, _) => drop(self.flow.awaited.pop_front()),
                (Status::PipelineAborted, _) => {}
                (status @ (Status::CopyIn | Status::CopyOut), awaited) => {
                    // libpq gives this result for ever, and the server waits for data: neither can go on.
                    let direction = match status {
                        Status::CopyIn => Direction::In,
                        _ => Direction::Out,
                    };
                    if let Awaited::Answer(command) = awaited {
                        self.flow.heard.copy = Some((*command, direction));
                    }
                    self.connection.shut_down();
                    return Err("the server began a COPY that nobody feeds or reads".to_owned());
                }
                (Status::Error, awaited) => {
                    let command = if let Awaited::Answer(command) = awaited {
                        Some(*command)
                    } else {
                        self.flow.next_answer()
                    };
                    self.flow.heard.error.get_or_insert((command, result));
                    if !self.connection.is_alive() {
                        return Err(self.connection.message());
                    }
                }
                (Status::Chunk, Awaited::Answer(command)) => {
                    if let Some(streamed) = &mut self.flow.streamed {
                        if *command == streamed.command {
                            streamed.chunk = Some(Answer::Libpq(result));
                            break;
                        }
                        streamed.dropped = true;
                    }
                }
                (_, Awaited::Prepare(name)) => self.flow.heard.prepared.push(Arc::clone(name)),
                (_, Awaited::Close(name)) => self.flow.heard.closed.push(Arc::clone(name)),
                (_, Awaited::Answer(command)) => {
                    let heard = &mut self.flow.heard;
                    // The last one may be that of COMMIT, whose tag is wanted.
                    let is_long =
                        heard.answers.len() > PACK_FROM && command + 1 < heard.answers.len();
                    if let Some(answer) = heard.answers.get_mut(*command) {
                        *answer = Some(if is_long {
                            Answer::packed(result, &mut heard.columns)
                        } else {
                            Answer::Libpq(result)
                        });
                    }
                }
                (_, Awaited::Sync) => {}
            }
        }
        if self.flow.is_over() {
            // What happened to the connection after the last answer is for the next call to find.
            return Ok(());
        }
        consumed
    }
}

impl Machine for Pipeline<'_> {
    fn advance(&mut self) -> Result<Step, Said> {
        // A server that went away may have said why before: what has arrived is read even if nothing can be written.
        let written = self.write();
        self.read()?;
        let written = written?;
        if self.flow.has_chunk() || (written && self.flow.is_over()) {
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

    fn interrupt(&self) -> Option<&Interrupt> {
        self.flow.interrupt.as_ref()
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
        Message::Prepare { sql, types, .. } => sql.len() + 4 * types.len(),
        Message::Execute { values: bound, .. } => values(bound),
        Message::Unnamed {
            sql, values: bound, ..
        } => sql.len() + values(bound),
        Message::Close { .. } | Message::Sync => 0,
    }
}
