//! The blocking driver: waits with `poll(2)` for what a machine waits for, until a deadline.

use std::time::Instant;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::dialogue::{Machine, Step};
use super::interrupt::heeding;
use super::libpq::Said;

/// Why a machine did not come to its end.
#[derive(Debug)]
pub(crate) enum Stopped {
    /// The deadline passed, or nobody waits any more; the machine can be driven on.
    Deadline,
    /// The connection is gone or unusable.
    Lost(Said),
}

/// Drives a machine to its end, or to the deadline.
pub(crate) fn drive(machine: &mut impl Machine, deadline: Instant) -> Result<(), Stopped> {
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
            let left = Timespec::try_from(left).unwrap_or(Timespec {
                tv_sec: 1,
                tv_nsec: 0,
            });
            let (polled, interrupted) = heeding(|ear| wait(socket.clone(), ear, &left));
            if interrupted {
                return Err(Stopped::Deadline);
            }
            match polled {
                Ok(0) | Err(Errno::INTR) => {}
                Ok(_) => break,
                Err(error) => {
                    return Err(Stopped::Lost(format!(
                        "waiting for the server failed: {error}"
                    )));
                }
            }
        }
    }
}

/// Waits for either; tells whether the second spoke.
fn wait(
    socket: PollFd<'_>,
    ear: Option<PollFd<'_>>,
    left: &Timespec,
) -> (rustix::io::Result<usize>, bool) {
    match ear {
        None => (poll(&mut [socket], Some(left)), false),
        Some(ear) => {
            let mut both = [socket, ear];
            let polled = poll(&mut both, Some(left));
            (polled, polled.is_ok() && !both[1].revents().is_empty())
        }
    }
}
