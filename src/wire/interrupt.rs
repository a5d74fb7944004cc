//! Gives up a call from another thread.
//!
//! A call runs on one thread, and its caller waits on another one or in a task. When the caller
//! stops waiting, the call is given up for good: its statement on the server is cancelled, and each
//! later step fails, except the rollback. The state belongs to the call. The thread that works on a
//! call refers to it, and so does a session that was taken on that thread.

use std::cell::{OnceCell, RefCell};
use std::fmt;
#[cfg(feature = "tokio")]
use std::future::poll_fn;
use std::io::{Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use crate::error::{Error, Result};
#[cfg(feature = "tokio")]
use crate::wire::executor::is_blocking;
#[cfg(feature = "tokio")]
use crate::wire::reactor::Timer;

/// A call that may be given up; clones refer to the same call.
#[derive(Clone)]
pub(crate) struct Interrupt(Arc<Inner>);

struct Inner {
    state: AtomicU8,
    /// The waiters to wake when the call is given up.
    waiting: Mutex<Vec<Arc<dyn Wake>>>,
}

/// The call runs.
const RUNNING: u8 = 0;
/// The caller no longer waits.
const GIVEN_UP: u8 = 1;
/// The call has ended; a session that outlives it can still be used.
const OVER: u8 = 2;

/// A waiter that can be woken.
pub(crate) trait Wake: Send + Sync {
    fn wake(&self);
}

thread_local! {
    /// The call that this thread works on.
    static CURRENT: RefCell<Option<Interrupt>> = const { RefCell::new(None) };
    /// The waker of this thread from `poll(2)`; `None` if the system has no sockets for it.
    static WAKER: OnceCell<Option<ThreadWaker>> = const { OnceCell::new() };
}

/// Returns the call that this thread works on, if it may be given up.
pub(crate) fn current() -> Option<Interrupt> {
    CURRENT.with_borrow(Clone::clone)
}

/// Returns whether the call that this thread works on was given up.
pub(crate) fn is_given_up() -> bool {
    CURRENT.with_borrow(|current| current.as_ref().is_some_and(Interrupt::is_given_up))
}

/// Pauses for this long; a caller that blocks, until its call is given up.
pub(crate) async fn pause(length: Duration) {
    #[cfg(feature = "tokio")]
    if !is_blocking().await {
        let (mut timer, until) = (Timer::default(), Instant::now() + length);
        return poll_fn(|context| timer.poll_passed(context, until)).await;
    }
    block(length);
}

/// Pauses this thread for this long, or until its call is given up.
pub(crate) fn block(length: Duration) {
    let Some(interrupt) = current() else {
        return thread::sleep(length);
    };
    let until = Instant::now() + length;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() || matches!(wait(None, Some(&interrupt), left), WaitResult::GivenUp) {
            return;
        }
    }
}

impl Interrupt {
    /// Returns whether the call was given up.
    pub(crate) fn is_given_up(&self) -> bool {
        self.0.state.load(Ordering::Acquire) == GIVEN_UP
    }

    /// Fails once the call is given up.
    pub(crate) fn check(&self) -> Result<()> {
        if self.is_given_up() {
            return Err(given_up());
        }
        Ok(())
    }

    /// Wakes the waiter when the call is given up, until the guard is dropped.
    ///
    /// After this and before waiting, check whether the call was given up.
    pub(crate) fn waking(&self, waiter: Arc<dyn Wake>) -> WakeGuard<'_> {
        self.waiting().push(Arc::clone(&waiter));
        WakeGuard {
            interrupt: self,
            waiter,
        }
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, Vec<Arc<dyn Wake>>> {
        self.0
            .waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs work of this thread that is no part of its call: it is done also if the call was given up.
pub(crate) fn outside<T>(work: impl FnOnce() -> T) -> T {
    /// A guard that restores the call, also if the work panics.
    struct Restore(Option<Interrupt>);
    impl Drop for Restore {
        fn drop(&mut self) {
            CURRENT.set(self.0.take());
        }
    }
    let _restore = Restore(CURRENT.take());
    work()
}

/// Returns the error of each step after the call was given up.
pub(crate) fn given_up() -> Error {
    Error::timeout("the call was given up: its future was dropped")
        .with_hint("return the error: the work of the call is rolled back")
}

/// A guard that keeps a waiter registered with its call.
pub(crate) struct WakeGuard<'i> {
    interrupt: &'i Interrupt,
    waiter: Arc<dyn Wake>,
}

impl Drop for WakeGuard<'_> {
    fn drop(&mut self) {
        let mut waiting = self.interrupt.waiting();
        if let Some(index) = waiting
            .iter()
            .position(|waiter| Arc::ptr_eq(waiter, &self.waiter))
        {
            waiting.swap_remove(index);
        }
    }
}

/// A guard that gives the call up when dropped, unless the call has ended.
#[derive(Debug)]
pub(crate) struct GiveUpOnDrop(Interrupt);

impl Drop for GiveUpOnDrop {
    fn drop(&mut self) {
        let given_up =
            self.0
                .0
                .state
                .compare_exchange(RUNNING, GIVEN_UP, Ordering::AcqRel, Ordering::Acquire);
        if given_up.is_ok() {
            self.0.waiting().iter().for_each(|waiter| waiter.wake());
        }
    }
}

impl Interrupt {
    /// Returns a call, with the guard that gives it up.
    pub(crate) fn new() -> (GiveUpOnDrop, Self) {
        let interrupt = Self(Arc::new(Inner {
            state: AtomicU8::new(RUNNING),
            waiting: Mutex::default(),
        }));
        (GiveUpOnDrop(interrupt.clone()), interrupt)
    }

    /// Runs the work of the call on this thread; fails without running it if the call was given up
    /// before.
    pub(crate) fn run<T, E: From<Error>>(
        &self,
        work: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        /// A guard that ends the call, also if the work panics.
        struct End<'i>(&'i Interrupt, Option<Interrupt>);
        impl Drop for End<'_> {
            fn drop(&mut self) {
                self.0
                    .0
                    .state
                    .compare_exchange(RUNNING, OVER, Ordering::AcqRel, Ordering::Acquire)
                    .ok();
                CURRENT.set(self.1.take());
            }
        }
        self.check()?;
        let _end = End(self, CURRENT.replace(Some(self.clone())));
        work()
    }
}

/// A handle that gives up the work of [`interruptible`].
#[derive(Debug)]
pub struct GiveUp(GiveUpOnDrop);

impl GiveUp {
    /// Cancels the statement that the work waits for, and fails each later step; returns whether it
    /// waited for one.
    ///
    /// Work that waits for nothing fails at its next step.
    pub fn give_up(self) -> bool {
        let waits = !self.0.0.waiting().is_empty();
        drop(self);
        waits
    }
}

/// Runs work on this thread that another thread may give up; for the command, which is interrupted
/// by signals.
pub fn interruptible<T, E: From<Error>>(
    hand_out: impl FnOnce(GiveUp),
    work: impl FnOnce() -> Result<T, E>,
) -> Result<T, E> {
    let (give_up, interrupt) = Interrupt::new();
    hand_out(GiveUp(give_up));
    interrupt.run(work)
}

impl fmt::Debug for Interrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Interrupt")
            .field("is_given_up", &self.is_given_up())
            .finish_non_exhaustive()
    }
}

/// A waker of a thread from `poll(2)`: the thread polls one end of a socket pair, and others write
/// to the other end.
struct ThreadWaker {
    receiver: UnixStream,
    sender: Arc<WakeSender>,
}

struct WakeSender(UnixStream);

impl Wake for WakeSender {
    fn wake(&self) {
        // If the socket is full, the thread wakes anyway.
        (&self.0).write_all(&[1]).ok();
    }
}

impl ThreadWaker {
    fn new() -> Option<Self> {
        let (receiver, sender) = UnixStream::pair().ok()?;
        receiver.set_nonblocking(true).ok()?;
        sender.set_nonblocking(true).ok()?;
        Some(Self {
            receiver,
            sender: Arc::new(WakeSender(sender)),
        })
    }

    fn drain(&self) {
        while matches!((&self.receiver).read(&mut [0; 16]), Ok(1..)) {}
    }
}

/// The result of a wait.
#[derive(Debug)]
pub(crate) enum WaitResult {
    /// The socket is ready, or the time has passed.
    Polled(Result<usize, Errno>),
    GivenUp,
}

/// The interval at which a thread that cannot be woken checks whether its call was given up.
const CHECK_INTERVAL: Duration = Duration::from_millis(20);

/// Waits for the socket, for this long, or until the call is given up.
pub(crate) fn wait(
    mut socket: Option<PollFd<'_>>,
    interrupt: Option<&Interrupt>,
    left: Duration,
) -> WaitResult {
    let Some(interrupt) = interrupt else {
        return WaitResult::Polled(poll_for(socket.as_mut_slice(), left));
    };
    WAKER.with(|waker| {
        let Some(waker) = waker.get_or_init(ThreadWaker::new) else {
            if interrupt.is_given_up() {
                return WaitResult::GivenUp;
            }
            return WaitResult::Polled(poll_for(socket.as_mut_slice(), left.min(CHECK_INTERVAL)));
        };
        let sender: Arc<dyn Wake> = waker.sender.clone();
        let waking = interrupt.waking(sender);
        let polled = if interrupt.is_given_up() {
            Ok(0)
        } else {
            let receiver = PollFd::from_borrowed_fd(waker.receiver.as_fd(), PollFlags::IN);
            match socket {
                Some(socket) => poll_for(&mut [socket, receiver], left),
                None => poll_for(&mut [receiver], left),
            }
        };
        drop(waking);
        if interrupt.is_given_up() {
            // The thread that gave it up has written by now, or found no waiter.
            waker.drain();
            return WaitResult::GivenUp;
        }
        WaitResult::Polled(polled)
    })
}

fn poll_for(fds: &mut [PollFd<'_>], left: Duration) -> Result<usize, Errno> {
    let left = Timespec::try_from(left).unwrap_or(Timespec {
        tv_sec: 1,
        tv_nsec: 0,
    });
    poll(fds, Some(&left))
}
