//! The driver: waits until a machine can continue, up to a deadline.
//!
//! A caller that blocks waits with `poll(2)`, a task by its runtime ([`reactor`](super::reactor)).

use std::future::poll_fn;
use std::task::{Context, Poll};
use std::time::Instant;

use rustix::event::{PollFd, PollFlags};
use rustix::io::Errno;

use crate::wire::executor::may_block;
use crate::wire::interrupt::{self, Interrupt, WaitResult};
use crate::wire::libpq::LibpqError;
use crate::wire::protocol::{Machine, Progress};

/// The result of driving a machine.
#[derive(Debug)]
pub(crate) struct Completion {
    pub(crate) result: Result<(), DriveError>,
    /// Whether the deadline passed meanwhile, or the call was given up.
    pub(crate) expired: bool,
}

impl Completion {
    /// Returns the result of a drive that the deadline ended, and of the cancel after it.
    pub(crate) fn expired(cancelled: Result<(), DriveError>) -> Self {
        Self {
            result: cancelled,
            expired: true,
        }
    }

    /// Returns the result of a drive that the deadline did not end.
    pub(crate) fn in_time(result: Result<(), DriveError>) -> Self {
        Self {
            result,
            expired: false,
        }
    }
}

/// The reason why a machine did not reach its end.
#[derive(Debug)]
pub(crate) enum DriveError {
    /// The deadline passed, or the call was given up. The machine can be driven further.
    Deadline,
    /// The connection is lost or unusable.
    Lost(LibpqError),
}

/// Drives a machine to its end, to the deadline, or until the call that it is part of is given up.
pub(crate) fn drive<M: Machine>(
    machine: &mut M,
    deadline: Instant,
) -> impl Future<Output = Result<(), DriveError>> + use<'_, M> {
    let mut wait = Wait::default();
    poll_fn(move |context| poll_drive(machine, context, deadline, &mut wait))
}

/// Drives a machine as [`drive`] does, or stops at once if its call was given up.
///
/// Data that has arrived already is read without a wait, so [`drive`] would not notice that.
pub(crate) fn drive_unless_given_up<M: Machine>(
    machine: &mut M,
    deadline: Instant,
) -> impl Future<Output = Result<(), DriveError>> + use<'_, M> {
    let is_given_up = machine.interrupt().is_some_and(Interrupt::is_given_up);
    let mut wait = Wait::default();
    poll_fn(move |context| {
        if is_given_up {
            return Poll::Ready(Err(DriveError::Deadline));
        }
        poll_drive(machine, context, deadline, &mut wait)
    })
}

/// Drives a machine to its end although its call was given up, or ran out of time.
pub(crate) fn drive_to_end<M: Machine>(
    machine: &mut M,
    deadline: Instant,
) -> impl Future<Output = Result<(), DriveError>> + use<'_, M> {
    let mut wait = Wait {
        ignores_interrupt: true,
        ..Wait::default()
    };
    poll_fn(move |context| poll_drive(machine, context, deadline, &mut wait))
}

/// The wait of a drive, between two polls of its task.
#[derive(Debug, Default)]
pub(crate) struct Wait {
    /// The events that the machine waits for. It is not advanced before one of them.
    events: Option<PollFlags>,
    /// Whether the machine is driven although its call was given up.
    ignores_interrupt: bool,
}

/// Drives a machine as far as its caller can wait for it: a thread to the end, a task until the
/// next event.
pub(crate) fn poll_drive(
    machine: &mut impl Machine,
    context: &mut Context<'_>,
    deadline: Instant,
    wait: &mut Wait,
) -> Poll<Result<(), DriveError>> {
    let may_block = may_block(context);
    loop {
        let events = match wait.events.take() {
            Some(events) => events,
            None => match machine.advance().map_err(DriveError::Lost)? {
                Progress::Done => return Poll::Ready(Ok(())),
                Progress::Wait { read, write } => {
                    let mut events = PollFlags::empty();
                    events.set(PollFlags::IN, read);
                    events.set(PollFlags::OUT, write);
                    events
                }
            },
        };
        if may_block {
            block(machine, events, deadline, wait.ignores_interrupt)?;
        } else if let Poll::Ready(ready) = poll_ready(machine, context, events, deadline) {
            ready?;
        } else {
            wait.events = Some(events);
            return Poll::Pending;
        }
    }
}

/// Blocks this thread until the machine can continue.
fn block(
    machine: &impl Machine,
    flags: PollFlags,
    deadline: Instant,
    ignores_interrupt: bool,
) -> Result<(), DriveError> {
    let interrupt = machine.interrupt().filter(|_| !ignores_interrupt);
    let socket = machine.socket().ok_or_else(closed)?;
    let socket = PollFd::from_borrowed_fd(socket, flags);
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(DriveError::Deadline);
        }
        match interrupt::wait(Some(socket.clone()), interrupt, left) {
            WaitResult::GivenUp => return Err(DriveError::Deadline),
            WaitResult::Polled(Ok(0) | Err(Errno::INTR)) => {}
            WaitResult::Polled(Ok(_)) => return Ok(()),
            WaitResult::Polled(Err(error)) => return Err(cannot_wait(error)),
        }
    }
}

/// Wakes the task when the machine can continue.
#[cfg(feature = "tokio")]
fn poll_ready(
    machine: &mut impl Machine,
    context: &mut Context<'_>,
    flags: PollFlags,
    deadline: Instant,
) -> Poll<Result<(), DriveError>> {
    let mut registration = std::mem::take(machine.registration());
    let polled = match machine.socket() {
        Some(socket) => registration.poll_ready(context, socket, flags, deadline),
        None => return Poll::Ready(Err(closed())),
    };
    *machine.registration() = registration;
    polled.map(|polled| match polled {
        Ok(true) => Ok(()),
        Ok(false) => Err(DriveError::Deadline),
        Err(error) => Err(cannot_wait(error)),
    })
}

/// Never called: without the feature `tokio`, no task polls.
#[cfg(not(feature = "tokio"))]
fn poll_ready(
    machine: &mut impl Machine,
    _: &mut Context<'_>,
    flags: PollFlags,
    deadline: Instant,
) -> Poll<Result<(), DriveError>> {
    Poll::Ready(block(machine, flags, deadline, true))
}

fn closed() -> DriveError {
    DriveError::Lost("the connection is closed".to_owned())
}

fn cannot_wait(error: impl std::fmt::Display) -> DriveError {
    DriveError::Lost(format!("waiting for the server failed: {error}"))
}
