//! Giving up a call from another thread.
//!
//! A call runs on one thread, and who waits for it on another, or in a task, may stop to care. What the call
//! is doing on the server then is cancelled as if its deadline had passed. The interrupt belongs to the
//! thread that works, so that it reaches whichever session the work has taken.

use std::cell::RefCell;
use std::io::PipeReader;
use std::os::fd::AsFd;

use rustix::event::PollFd;

thread_local! {
    /// The interrupt of the work that this thread does; taken once it was heard, since what follows is cleaning up.
    static HERE: RefCell<Option<PipeReader>> = const { RefCell::new(None) };
}

/// Interrupts the work when it is dropped.
#[cfg(feature = "tokio")]
#[derive(Debug)]
pub(crate) struct Interrupt(
    #[expect(dead_code, reason = "the other end hears that it is closed")] std::io::PipeWriter,
);

/// What the working thread listens to.
#[cfg(feature = "tokio")]
#[derive(Debug)]
pub(crate) struct Interruptible(PipeReader);

/// An interrupt, and the ear for it.
#[cfg(feature = "tokio")]
pub(crate) fn interrupt() -> std::io::Result<(Interrupt, Interruptible)> {
    let (ear, voice) = std::io::pipe()?;
    Ok((Interrupt(voice), Interruptible(ear)))
}

#[cfg(feature = "tokio")]
impl Interruptible {
    /// Does the work on this thread; its calls heed the interrupt.
    pub(crate) fn run<T>(self, work: impl FnOnce() -> T) -> T {
        /// Also when the work panics.
        struct Deaf;
        impl Drop for Deaf {
            fn drop(&mut self) {
                HERE.with_borrow_mut(|here| *here = None);
            }
        }
        let _deaf = Deaf;
        HERE.with_borrow_mut(|here| *here = Some(self.0));
        work()
    }
}

/// Hands `poll` what this thread listens to, and hears whether it was interrupted: `true` once.
pub(super) fn heeding<T>(poll: impl FnOnce(Option<PollFd<'_>>) -> (T, bool)) -> (T, bool) {
    HERE.with_borrow_mut(|here| {
        let ear = here
            .as_ref()
            .map(|ear| PollFd::from_borrowed_fd(ear.as_fd(), rustix::event::PollFlags::IN));
        let (polled, interrupted) = poll(ear);
        if interrupted {
            *here = None;
        }
        (polled, interrupted)
    })
}
