//! Waits of tasks, by tokio: for a socket, and for a point in time.
//!
//! libpq reads and writes the socket itself, and does not say when the socket is drained. tokio
//! reports each change once. So before a task waits for the next change, `poll(2)` says whether the
//! socket is still ready because of the last one: the waits are as level-triggered as those of
//! callers that block. The first wait for the answer to a request needs no such call, because the
//! answer is a change in any case.

use std::future::Future as _;
use std::io;
use std::mem;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::io::Interest;
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
    readable: Option<Side>,
    /// Only while there is more to write. Otherwise each message that the server reads would wake
    /// the runtime, since it makes room.
    writable: Option<Side>,
    timer: Timer,
}

/// What is registered for one kind of change.
#[derive(Debug)]
struct Side {
    socket: AsyncFd<OwnedFd>,
    /// Whether tokio has been asked for the next change, and has not reported it yet.
    awaits_change: bool,
    /// Whether the socket may be ready still because of the change that was reported last.
    may_be_ready: bool,
}

impl Registration {
    /// Forgets the socket, which may be another one with the next wait.
    pub(crate) fn forget(&mut self) {
        self.0 = None;
    }

    /// Notes that a request is about to be sent. What is unread before its answer does not matter
    /// to the wait for it.
    #[inline]
    pub(crate) fn note_request(&mut self) {
        if let Some(Registered {
            readable: Some(readable),
            ..
        }) = self.0.as_deref_mut()
        {
            readable.may_be_ready = false;
        }
    }

    /// Waits until the socket is ready or the deadline has passed; returns whether it is ready.
    ///
    /// A socket that is always ready, because the server sends without an end, does not put off the
    /// deadline.
    pub(crate) fn poll_ready(
        &mut self,
        context: &mut Context<'_>,
        socket: BorrowedFd<'_>,
        flags: PollFlags,
        deadline: Instant,
    ) -> Poll<io::Result<bool>> {
        let registered = self.on_current_runtime()?;
        if registered.poll_socket(context, socket, flags)?.is_ready() {
            return Poll::Ready(Ok(Instant::now() < deadline));
        }
        ready!(registered.timer.poll_passed(context, deadline));
        Poll::Ready(Ok(false))
    }

    /// Forgets what is registered with another runtime than the one that polls.
    fn on_current_runtime(&mut self) -> io::Result<&mut Registered> {
        let runtime = Handle::try_current().map_err(io::Error::other)?.id();
        // A runtime that is no longer polled would report nothing.
        self.0.take_if(|other| other.runtime != runtime);
        Ok(self.0.get_or_insert_with(|| {
            Box::new(Registered {
                runtime,
                readable: None,
                writable: None,
                timer: Timer::default(),
            })
        }))
    }
}

impl Registered {
    fn poll_socket(
        &mut self,
        context: &mut Context<'_>,
        socket: BorrowedFd<'_>,
        flags: PollFlags,
    ) -> io::Result<Poll<()>> {
        if flags.contains(PollFlags::IN) {
            let readable = Side::of(&mut self.readable, socket, Interest::READABLE)?;
            if readable.poll(context, AsyncFd::poll_read_ready, PollFlags::IN)? {
                return Ok(Poll::Ready(()));
            }
        }
        if flags.contains(PollFlags::OUT) {
            let writable = Side::of(&mut self.writable, socket, Interest::WRITABLE)?;
            if writable.poll(context, AsyncFd::poll_write_ready, PollFlags::OUT)? {
                return Ok(Poll::Ready(()));
            }
        } else {
            self.writable = None;
        }
        Ok(Poll::Pending)
    }
}

/// Asks tokio for a change of the socket.
type PollChange = for<'a> fn(
    &'a AsyncFd<OwnedFd>,
    &mut Context<'_>,
) -> Poll<io::Result<AsyncFdReadyGuard<'a, OwnedFd>>>;

impl Side {
    /// Returns what is registered, and registers the socket if nothing is.
    fn of<'s>(
        side: &'s mut Option<Self>,
        socket: BorrowedFd<'_>,
        interest: Interest,
    ) -> io::Result<&'s mut Self> {
        if side.is_none() {
            *side = Some(Self {
                socket: register(socket, interest)?,
                awaits_change: false,
                may_be_ready: false,
            });
        }
        side.as_mut()
            .ok_or_else(|| io::Error::other("the socket is not registered"))
    }

    /// Returns whether the socket is ready; otherwise tokio wakes the task at the next change.
    fn poll(
        &mut self,
        context: &mut Context<'_>,
        poll_change: PollChange,
        flag: PollFlags,
    ) -> io::Result<bool> {
        while let Poll::Ready(guard) = poll_change(&self.socket, context) {
            let mut guard = guard?;
            if mem::take(&mut self.awaits_change) {
                // What arrives from now on is another change.
                guard.clear_ready();
                self.may_be_ready = true;
                return Ok(true);
            }
            if is_ready(self.socket.as_fd(), flag)? {
                return Ok(true);
            }
            guard.clear_ready();
            self.may_be_ready = false;
        }
        if self.may_be_ready && is_ready(self.socket.as_fd(), flag)? {
            return Ok(true);
        }
        self.may_be_ready = false;
        self.awaits_change = true;
        Ok(false)
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
