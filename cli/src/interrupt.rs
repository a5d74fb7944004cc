//! Ctrl-C, SIGTERM and SIGHUP: the running statement is cancelled on the server before the command
//! ends.
//!
//! Otherwise the server would continue, and keep its locks, until it sends to the closed
//! connection.

use std::sync::atomic::{AtomicI32, Ordering};
use std::thread;
use std::time::Duration;

use bowline::__generated::migrating::interruptible;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// The first signal; 0 if there was none.
static SIGNAL: AtomicI32 = AtomicI32::new(0);

/// The time for the work to end after its statement was cancelled.
const GRACE: Duration = Duration::from_secs(5);

/// Returns the signal that has interrupted the command, if there was one.
pub(crate) fn signal() -> Option<i32> {
    Some(SIGNAL.load(Ordering::Acquire)).filter(|signal| *signal != 0)
}

/// Returns the exit code of a command that a signal has ended, as shells define it.
pub(crate) fn exit_code(signal: i32) -> u8 {
    u8::try_from(128 + signal).unwrap_or(u8::MAX)
}

/// Runs work whose statement is cancelled on the server when a signal arrives. A second signal
/// ends the command immediately.
pub(crate) fn cancelling<E: From<bowline::Error>>(
    work: impl FnOnce() -> Result<(), E>,
) -> Result<(), E> {
    // If no handler can be installed, signals have their default action.
    let Ok(mut signals) = Signals::new([SIGINT, SIGTERM, SIGHUP]) else {
        return work();
    };
    interruptible(
        |cancel| {
            let mut cancel = Some(cancel);
            let handler = thread::Builder::new().name("bowline-signals".to_owned());
            let handler = handler.spawn(move || {
                for signal in signals.forever() {
                    SIGNAL
                        .compare_exchange(0, signal, Ordering::AcqRel, Ordering::Acquire)
                        .ok();
                    // If no statement is running, there is nothing to cancel.
                    let is_cancelled = cancel.take().is_some_and(|cancel| cancel.give_up());
                    if !is_cancelled {
                        end(signal);
                    }
                    thread::spawn(move || {
                        thread::sleep(GRACE);
                        end(signal);
                    });
                }
            });
            // Without a thread signals are not handled, but the command continues.
            handler.map(drop).ok();
        },
        work,
    )
}

fn end(signal: i32) -> ! {
    std::process::exit(i32::from(exit_code(signal)))
}
