//! Waits of tasks, by tokio: for a socket, and for a point in time.
//!
//! libpq reads and writes the socket itself, and does not say when the socket is drained. tokio
//! reports each change once. So the report is kept until `poll(2)` says that the socket is not
//! ready: the waits are as level-triggered as those of callers that block.

use std::future::Future as _;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::io::unix::{AsyncFd, AsyncFdReadyGuard};
use tokio::runtime::{Handle, Id};
use tokio::time::{Sleep, sleep_until};

use crate::wire::libpq::register;

/// The registration of a connection's socket with a runtime.
#[derive(Debug, Default)]
pub(crate) struct Registration(Option<Box<Registered>>);

#[derive(Debug)]
struct Registered {
    runtime: Id,
    socket: AsyncFd<OwnedFd>,
    timer: Timer,
    /// Whether tokio has been asked for the next change, and has not reported it yet.
    awaits_change: bool,
}

impl Registration {
    /// Forgets the socket, which may be another one with the next wait.
    pub(crate) fn forget(&mut self) {
        self.0 = None;
    }

    /// Waits until the socket is ready or the deadline has passed; returns whether it is ready.
    pub(crate) fn poll_ready(
        &mut self,
        context: &mut Context<'_>,
        socket: BorrowedFd<'_>,
        flags: PollFlags,
        deadline: Instant,
    ) -> Poll<io::Result<bool>> {
        let registered = self.on_current_runtime(socket)?;
        if registered.poll_socket(context, flags)?.is_ready() {
            return Poll::Ready(Ok(true));
        }
        ready!(registered.timer.poll_passed(context, deadline));
        Poll::Ready(Ok(false))
    }

    /// Registers the socket, unless it is registered with the runtime that polls.
    fn on_current_runtime(&mut self, socket: BorrowedFd<'_>) -> io::Result<&mut Registered> {
        let runtime = Handle::try_current().map_err(io::Error::other)?.id();
        if self.0.as_ref().is_none_or(|other| other.runtime != runtime) {
            // A runtime that is no longer polled would report nothing.
            self.0 = None;
            self.0 = Some(Box::new(Registered {
                runtime,
                socket: register(socket)?,
                timer: Timer::default(),
                awaits_change: false,
            }));
        }
        self.0
            .as_deref_mut()
            .ok_or_else(|| io::Error::other("the socket is not registered"))
    }
}

impl Registered {
    fn poll_socket(&mut self, context: &mut Context<'_>, flags: PollFlags) -> io::Result<Poll<()>> {
        let Self {
            socket,
            awaits_change,
            ..
        } = self;
        let mut changed = |mut guard: AsyncFdReadyGuard<'_, OwnedFd>, flag| {
            if std::mem::take(awaits_change) || is_ready(socket.as_fd(), flag)? {
                return Ok::<_, io::Error>(true);
            }
            guard.clear_ready();
            Ok(false)
        };
        if flags.contains(PollFlags::IN) {
            while let Poll::Ready(guard) = socket.poll_read_ready(context) {
                if changed(guard?, PollFlags::IN)? {
                    return Ok(Poll::Ready(()));
                }
            }
        }
        if flags.contains(PollFlags::OUT) {
            while let Poll::Ready(guard) = socket.poll_write_ready(context) {
                if changed(guard?, PollFlags::OUT)? {
                    return Ok(Poll::Ready(()));
                }
            }
        }
        *awaits_change = true;
        Ok(Poll::Pending)
    }
}

fn is_ready(socket: BorrowedFd<'_>, flag: PollFlags) -> io::Result<bool> {
    let now = Timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    match poll(&mut [PollFd::from_borrowed_fd(socket, flag)], Some(&now)) {
        Ok(ready) => Ok(ready > 0),
        Err(rustix::io::Errno::INTR) => Ok(true),
        Err(error) => Err(error.into()),
    }
}

/// A wait of a task for a point in time; can be used again.
#[derive(Debug, Default)]
pub(crate) struct Timer(Option<Pin<Box<Sleep>>>);

impl Timer {
    /// Waits until this point in time. Between two waits the timer stays set, which saves work as
    /// long as deadlines only move into the future.
    pub(crate) fn poll_passed(&mut self, context: &mut Context<'_>, until: Instant) -> Poll<()> {
        let until = tokio::time::Instant::from_std(until);
        let sleep = self.0.get_or_insert_with(|| Box::pin(sleep_until(until)));
        if sleep.deadline() > until {
            sleep.as_mut().reset(until);
        }
        loop {
            ready!(sleep.as_mut().poll(context));
            if sleep.deadline() >= until {
                return Poll::Ready(());
            }
            sleep.as_mut().reset(until);
        }
    }
}
