//! The blocking driver: waits with `poll(2)` until a machine can continue, up to a deadline.

use std::time::Instant;

use rustix::event::{PollFd, PollFlags};
use rustix::io::Errno;

use crate::wire::interrupt::{Interrupt, WaitResult, wait};
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
    /// Returns the result of a drive; if the deadline passed, that of `cancel`.
    pub(crate) fn of(
        driven: Result<(), DriveError>,
        cancel: impl FnOnce() -> Result<(), DriveError>,
    ) -> Self {
        match driven {
            Err(DriveError::Deadline) => Self {
                result: cancel(),
                expired: true,
            },
            result => Self {
                result,
                expired: false,
            },
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
pub(crate) fn drive(machine: &mut impl Machine, deadline: Instant) -> Result<(), DriveError> {
    let interrupt = machine.interrupt().cloned();
    drive_for(machine, deadline, interrupt.as_ref())
}

/// Drives a machine as [`drive`] does, or stops at once if its call was given up.
///
/// Data that has arrived already is read without a wait, so [`drive`] would not notice that.
pub(crate) fn drive_unless_given_up(
    machine: &mut impl Machine,
    deadline: Instant,
) -> Result<(), DriveError> {
    if machine.interrupt().is_some_and(Interrupt::is_given_up) {
        return Err(DriveError::Deadline);
    }
    drive(machine, deadline)
}

/// Drives a machine to its end although its call was given up, or ran out of time.
pub(crate) fn drive_to_end(
    machine: &mut impl Machine,
    deadline: Instant,
) -> Result<(), DriveError> {
    drive_for(machine, deadline, None)
}

fn drive_for(
    machine: &mut impl Machine,
    deadline: Instant,
    interrupt: Option<&Interrupt>,
) -> Result<(), DriveError> {
    loop {
        let (read, write) = match machine.advance().map_err(DriveError::Lost)? {
            Progress::Done => return Ok(()),
            Progress::Wait { read, write } => (read, write),
        };
        let socket = machine
            .socket()
            .ok_or_else(|| DriveError::Lost("the connection is closed".to_owned()))?;
        let mut flags = PollFlags::empty();
        flags.set(PollFlags::IN, read);
        flags.set(PollFlags::OUT, write);
        let socket = PollFd::from_borrowed_fd(socket, flags);
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(DriveError::Deadline);
            }
            match wait(Some(socket.clone()), interrupt, left) {
                WaitResult::GivenUp => return Err(DriveError::Deadline),
                WaitResult::Polled(Ok(0) | Err(Errno::INTR)) => {}
                WaitResult::Polled(Ok(_)) => break,
                WaitResult::Polled(Err(error)) => {
                    return Err(DriveError::Lost(format!(
                        "waiting for the server failed: {error}"
                    )));
                }
            }
        }
    }
}
