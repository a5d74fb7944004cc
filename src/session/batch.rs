//! Commands that are sent together, and the answers to them.

use std::ops::Range;

use crate::command::Command;
use crate::error::Outcome;
use crate::wire::answer::Answer;

/// Commands that are sent together: the caller's, with those of the session before and after them.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// All commands, in the order in which they run.
    pub(super) commands: Vec<Command>,
    /// The caller's commands among them.
    pub(super) own: Range<usize>,
    /// Whether the rows of the caller's first command are taken in chunks.
    pub(super) is_streamed: bool,
}

/// The answers to a batch.
#[derive(Debug)]
pub(super) struct BatchResult {
    /// All commands of the batch, and the answers to them.
    pub(super) all: Vec<Command>,
    pub(super) answered: Vec<Answer>,
    /// The caller's commands among them.
    pub(super) own: Range<usize>,
    /// The outcome of the work, should reading the answers fail.
    pub(super) outcome: Outcome,
}

/// Vectors without elements, whose memory the pipelines of a session use in turn.
#[derive(Debug, Default)]
pub(super) struct Buffers {
    pub(super) commands: Vec<Command>,
    pub(super) answers: Vec<Answer>,
}

/// A vector with room for more elements than this is not kept.
const KEPT: usize = 64;

impl Batch {
    /// Returns a batch of the caller's commands only.
    pub(super) fn of(commands: Vec<Command>) -> Self {
        Self {
            own: 0..commands.len(),
            commands,
            is_streamed: false,
        }
    }

    /// Returns the batch with commands before all others.
    pub(super) fn preceded_by(mut self, before: impl IntoIterator<Item = Command>) -> Self {
        // There are few of them, for which `splice` would do more work.
        let mut count = 0;
        for command in before {
            self.commands.insert(count, command);
            count += 1;
        }
        self.own = self.own.start + count..self.own.end + count;
        self
    }

    /// Returns the batch with commands behind all others.
    pub(super) fn followed_by(mut self, after: impl IntoIterator<Item = Command>) -> Self {
        self.commands.extend(after);
        self
    }

    /// Returns the batch, whose first own command has its rows taken in chunks.
    pub(super) fn streamed(self) -> Self {
        Self {
            is_streamed: true,
            ..self
        }
    }

    /// Returns all commands.
    pub(super) fn commands(&self) -> &[Command] {
        &self.commands
    }

    /// Returns the caller's commands.
    pub(super) fn own(&self) -> &[Command] {
        &self.commands[self.own.clone()]
    }
}

impl BatchResult {
    /// Returns the result of no commands.
    pub(super) fn empty(commands: Vec<Command>) -> Self {
        Self {
            all: commands,
            answered: Vec::new(),
            own: 0..0,
            outcome: Outcome::NotCommitted,
        }
    }

    /// Returns the caller's commands.
    pub(super) fn commands(&self) -> &[Command] {
        &self.all[self.own.clone()]
    }

    /// Returns the answers to the caller's commands.
    pub(super) fn answers(&self) -> &[Answer] {
        &self.answered[self.own.clone()]
    }

    /// Returns the caller's commands, for a change, and the answers to them.
    pub(super) fn parts(&mut self) -> (&mut [Command], &[Answer]) {
        let own = self.own.clone();
        (&mut self.all[own.clone()], &self.answered[own])
    }

    /// Returns the answers to the commands before the caller's.
    pub(super) fn before(&self) -> &[Answer] {
        &self.answered[..self.own.start]
    }

    /// Returns the answers to the commands behind the caller's.
    pub(super) fn after(&self) -> &[Answer] {
        &self.answered[self.own.end..]
    }

    /// Returns the answers behind the caller's commands up to the COMMIT, and those behind it.
    pub(super) fn around_commit(&self) -> (&[Answer], &[Answer]) {
        let after = self.after();
        let commit = self.all[self.own.end..]
            .iter()
            .position(Command::ends_transaction);
        after.split_at(commit.map_or(after.len(), |at| after.len().min(at + 1)))
    }

    /// Takes the answers to the caller's commands.
    pub(super) fn take_answers(&mut self) -> impl Iterator<Item = Answer> {
        self.answered.drain(self.own.clone())
    }

    /// Takes all answers up to the caller's last, and where those to the caller's commands begin.
    pub(super) fn take_all_answers(&mut self) -> (Vec<Answer>, usize) {
        self.answered.truncate(self.own.end);
        (std::mem::take(&mut self.answered), self.own.start)
    }
}

impl Buffers {
    /// Keeps the memory of commands and answers that were used.
    pub(super) fn keep(&mut self, mut result: BatchResult, answers: Vec<Answer>) {
        result.all.clear();
        keep(&mut self.commands, result.all);
        keep(&mut self.answers, answers);
    }
}

/// Keeps a vector, without its elements, in place of another one.
pub(super) fn keep<T>(kept: &mut Vec<T>, mut used: Vec<T>) {
    if used.capacity() <= KEPT {
        used.clear();
        *kept = used;
    }
}
