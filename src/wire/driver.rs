//! The blocking driver: waits with `poll(2)` for what a machine waits for, until a deadline.

use std::time::Instant;

use rustix::event::{PollFd, PollFlags};
use rustix::io::Errno;

use crate::wire::interrupt::{Interrupt, Waited, wait};
use crate::wire::libpq::Said;
use crate::wire::protocol::{Machine, Step};

/// Why a machine did not come to its end.
#[derive(Debug)]
pub(crate) enum Stopped {
    /// The deadline passed, or the call was given up; the machine can be driven on.
    Deadline,
    /// The connection is gone or unusable.
    Lost(Said),
}

/// Drives a machine to its end, to the deadline, or until the call that it is part of is given up.
pub(crate) fn drive(machine: &mut impl Machine, deadline: Instant) -> Result<(), Stopped> {
    let interrupt = machine.interrupt().cloned();
    drive_for(machine, deadline, interrupt.as_ref())
}

/// Drives a machine on whose call was given up, or ran out of time: what is under way is brought to an end.
pub(crate) fn drive_on(machine: &mut impl Machine, deadline: Instant) -> Result<(), Stopped> {
    drive_for(machine, deadline, None)
}

fn drive_for(
    machine: &mut impl Machine,
    deadline: Instant,
    interrupt: Option<&Interrupt>,
) -> Result<(), Stopped> {
    loop {
        let (read, write) = match machine.advance().map_err(Stopped::Lost)? {
            Step::Done => return Ok(()),
            Step::Wait { read, write } => (read, write),
        };
        let socket = machine
            .socket()
            .ok_or_else(|| Stopped::Lost("the connection is closed".to_owned()))?;
        let mut flags = PollFlags::empty();
        flags.set(PollFlags::IN, read);
        flags.set(PollFlags::OUT, write);
        let socket = PollFd::from_borrowed_fd(socket, flags);
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Stopped::Deadline);
            }
            match wait(Some(socket.clone()), interrupt, left) {
                Waited::GivenUp => return Err(Stopped::Deadline),
                Waited::Polled(Ok(0) | Err(Errno::INTR)) => {}
                Waited::Polled(Ok(_)) => break,
                Waited::Polled(Err(error)) => {
                    return Err(Stopped::Lost(format!(
                        "waiting for the server failed: {error}"
                    )));
                }
            }
        }
    }
}
